// SPDX-License-Identifier: Apache-2.0
#include "support/status_states.h"

#include <stdexcept>
#include <thread>

namespace permguard::test {
namespace {

constexpr const char* kScript = "cgi-bin/pay.cgi";
constexpr const char* kStatus = "/permguard-status?json";

/// What a bad day has: the file's contents and mode.
struct Fault {
  std::string contents;
  mode_t mode;
};

const Fault& fault(int number) {
  static const Fault kFaults[] = {{cgi_script("ok"), 0644},
                                  {cgi_script("ok", "/usr/bin/python9"), 0755},
                                  {"#!/bin/sh\r\necho\r\n", 0755},
                                  {"", 0755},
                                  {"echo no interpreter\n", 0755}};
  return kFaults[static_cast<std::size_t>(number) % std::size(kFaults)];
}

std::string config_of(StatusState state) {
  std::string text = "PermGuard enforce\nPermGuardIncidents 1024\n";
  const bool watches =
      state == StatusState::healthy || state == StatusState::drift || state == StatusState::watched;
  text += watches ? "PermGuardWatchInterval 1\n" : "PermGuardWatch off\n";
  if (state == StatusState::drift) {
    text += "<Directory @ROOT@/cgi-bin>\nPermGuardExpect mode=0755 owner=root\n</Directory>\n";
  }
  return text;
}

std::string job(int number) {
  return "tenant" + std::to_string(number % 97) + "/job" + std::to_string(number) + ".cgi";
}

void write_scripts(TempTree& tree, StatusState state, int jobs) {
  const bool broken = state == StatusState::one_incident || state == StatusState::watched ||
                      state == StatusState::recovered;
  const mode_t healthy = state == StatusState::drift ? 0775 : 0755;
  tree.write(kScript, cgi_script("paid"), broken ? 0644 : healthy);
  for (int number = 1; number <= jobs; ++number) {
    tree.write("cgi-bin/" + job(number), fault(number).contents, fault(number).mode);
  }
  if (state != StatusState::hostile) return;
  for (const std::string& name : hostile_names()) {
    tree.write("cgi-bin/" + name, cgi_script("ok"), 0644);
  }
}

void ask(const HttpdServer& server, const std::string& name, int times = 1) {
  for (int i = 0; i < times; ++i) {
    const HttpResponse answer = server.get("/cgi-bin/" + url_escape(name));
    if (answer.status != 200 && answer.status != 500) {
      throw std::runtime_error(name + ": " + std::to_string(answer.status) + answer.error);
    }
  }
}

/// The `offset`th of `step` workers' jobs; each third is repaired and asked for again.
void do_jobs(HttpdServer& server, int jobs, int offset, int step) {
  for (int number = offset; number <= jobs; number += step) {
    ask(server, job(number), 1 + number % 3);
    if (number % 3 != 0) continue;
    server.tree().write("cgi-bin/" + job(number), cgi_script("ok"), 0755);
    ask(server, job(number));
  }
}

void do_jobs(HttpdServer& server, int jobs) {
  constexpr int kWorkers = 4;
  std::vector<std::thread> workers;
  for (int offset = 1; offset <= kWorkers; ++offset) {
    workers.emplace_back([&, offset] { do_jobs(server, jobs, offset, kWorkers); });
  }
  for (std::thread& worker : workers) worker.join();
}

void wait_for(const HttpdServer& server, const std::string& text) {
  std::string last;
  const auto there = [&] {
    last = server.get(kStatus).body;
    return last.find(text) != std::string::npos;
  };
  if (!poll_until(there)) throw std::runtime_error("no " + text + " in " + last);
}

void bring_about(HttpdServer& server, StatusState state, int jobs) {
  switch (state) {
    case StatusState::healthy:
      ask(server, "pay.cgi", 3);
      return wait_for(server, "\"files\":1");
    case StatusState::one_incident:
      return ask(server, "pay.cgi", 3);
    case StatusState::drift:
      ask(server, "pay.cgi", 2);
      return wait_for(server, "\"files\":1");
    case StatusState::watched:
      return wait_for(server, "\"files\":1");
    case StatusState::recovered:
      ask(server, "pay.cgi", 3);
      server.tree().chmod(kScript, 0755);
      return ask(server, "pay.cgi");
    case StatusState::hostile:
      for (const std::string& name : hostile_names()) ask(server, name);
      return;
    case StatusState::some:
    case StatusState::many:
      do_jobs(server, jobs);
  }
}

int jobs_of(StatusState state) {
  if (state == StatusState::some) return kSomeIncidents;
  return state == StatusState::many ? kManyIncidents : 0;
}

}  // namespace

std::string name_of(StatusState state) {
  constexpr const char* kNames[] = {"healthy",   "one-incident", "drift", "watched",
                                    "recovered", "hostile",      "some",  "many"};
  return kNames[static_cast<std::size_t>(state)];
}

std::vector<std::string> hostile_names() {
  std::string deep;
  for (int i = 0; i < 19; ++i) deep += std::string(200, 'n') + '/';
  return {"<script>document.title='broken'</script>.cgi",
          "\"><img src=x onerror=alert(1)>.cgi",
          "it's \"quoted\" & &amp; $(id) `id`.cgi",
          "report\u202Egpj.exe\u2066.cgi",
          "zero\u200Bwidth.cgi",
          "bad\xff\xfe\x80utf8\xe2\x82.cgi",
          "line\nfeed\rand\ttab\x1b[31m.cgi",
          deep + "long.cgi",
          "%s%n%x.cgi"};
}

std::unique_ptr<HttpdServer> server_in(StatusState state, std::vector<std::string> modules) {
  HttpdOptions options;
  options.config = config_of(state);
  options.modules = std::move(modules);
  auto server = std::make_unique<HttpdServer>(std::move(options));
  const int jobs = jobs_of(state);
  write_scripts(server->tree(), state, jobs);
  server->log().allow("[permguard:");
  server->start();
  bring_about(*server, state, jobs);
  return server;
}

}  // namespace permguard::test
