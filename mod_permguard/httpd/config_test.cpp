// SPDX-License-Identifier: Apache-2.0
#include "httpd/config_test.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "httpd/bounded_child.h"
#include "httpd/discovery.h"
#include "httpd/examination.h"
#include "httpd/place_audit.h"
#include "httpd/place_overlap.h"
#include "httpd/run_as.h"
#include "httpd/suexec.h"
#include "report/explain_text.h"
#include "report/json.h"
#include "report/json_text.h"
#include "report/sentence.h"

namespace permguard {
namespace {

using Clock = std::chrono::steady_clock;

const char* name_of(ScriptPlace::Kind kind) {
  switch (kind) {
    case ScriptPlace::Kind::file:
      return "file";
    case ScriptPlace::Kind::socket:
      return "socket";
    case ScriptPlace::Kind::directory:
      break;
  }
  return "directory";
}

/// Audits the places one by one, as the users who will execute.
class Tester {
 public:
  Tester(apr_pool_t* pool, server_rec* main_server)
      : places_(discover_places(pool, ap_conftree, main_server)) {
    prepare_suexec(pool, main_server);
  }

  const std::vector<ScriptPlace>& places() const { return places_; }
  bool incomplete() const { return incomplete_; }

  PlaceReport audit(const ScriptPlace& place) {
    PlaceEyes eyes{filesystem_,
                   names_,
                   surroundings_,
                   jail().empty() ? delegate_for(place.who) : KernelFactory{},
                   search_path_for(place),
                   [this] { return Clock::now() < deadline_; },
                   jail().empty() ? delegate_for(server_identity()) : KernelFactory{}};
    PlaceReport report = audit_place(place, eyes);
    incomplete_ = incomplete_ || report.incomplete;
    return report;
  }

  /// The sentences of a report, one a target.
  static std::vector<std::string> sentences(const ScriptPlace& place, const PlaceReport& report) {
    std::vector<std::string> lines;
    const std::span<const Finding> all = report.findings;
    for (std::size_t begin = 0; begin < all.size();) {
      std::size_t end = begin;
      while (end < all.size() && all[end].target == all[begin].target) ++end;
      lines.push_back(log_sentence(all.subspan(begin, end - begin), place.who, now_seconds()));
      begin = end;
    }
    return lines;
  }

 private:
  /// What the children will be rooted in. Nobody can be asked in there: all is modelled.
  static std::string jail() {
    return ap_unixd_config.chroot_dir ? ap_unixd_config.chroot_dir : std::string();
  }

  SystemFilesystem filesystem_{jail()};
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
  std::vector<ScriptPlace> places_;
  Clock::time_point deadline_ = Clock::now() + std::chrono::seconds(kConfigTestSeconds);
  bool incomplete_ = false;
};

void print(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

/// Those of a part that <Files> sections make.
std::string names_text(const std::vector<ScriptNames>& sections) {
  std::string text;
  for (const ScriptNames& names : sections) {
    for (const std::string& pattern : names.patterns) text += " <Files \"" + pattern + "\">";
    for (const std::string& match : names.expressions) text += " <FilesMatch \"" + match + "\">";
    for (const std::string& path : names.paths) text += " <Directory \"" + path + "\">";
  }
  return text;
}

std::string place_line(const ScriptPlace& place) {
  return std::string(permguard::name_of(place.handler)) + ' ' + name_of(place.kind) + " '" +
         one_line(place.path) + "'" + one_line(names_text(place.names.within)) + ": " +
         permguard::name_of(place.need) + " as " + place.who.name + ", PermGuard " +
         name_of(place.mode) + ", " + vhost_name(place.server) + " (" + one_line(place.file) + ":" +
         std::to_string(place.line) + ")";
}

void dump_text(Tester& tester) {
  print("mod_permguard: places with scripts and sockets");
  std::vector<ScriptPlace> places = tester.places();
  if (places.empty()) print("  none found in the configuration");
  take_apart(places);
  for (const ScriptPlace& place : places) {
    print("  " + place_line(place));
    if (place.repeats) {
      print("    the same files for the same user as another place, told there");
      continue;
    }
    const PlaceReport report = tester.audit(place);
    for (const std::string& sentence : Tester::sentences(place, report)) {
      print("    " + one_line(sentence));
    }
    if (report.truncated) print("    truncated: not every file was examined");
    if (report.findings.empty() && !report.incomplete) {
      print("    healthy, " + std::to_string(report.files) + " files examined");
    }
  }
  if (tester.incomplete()) print("  audit incomplete: the time allowed is over");
}

nlohmann::ordered_json names_json(const ScriptNames& names) {
  return {{"extensions", names.extensions},
          {"patterns", names.patterns},
          {"expressions", names.expressions},
          {"paths", names.paths}};
}

nlohmann::ordered_json place_json(const ScriptPlace& place) {
  nlohmann::ordered_json json;
  add_path(json, "path", place.path);
  json["search_path"] = place.search_path;
  json.update({{"kind", name_of(place.kind)},
               {"handler", permguard::name_of(place.handler)},
               {"role", permguard::name_of(place.role)},
               {"need", permguard::name_of(place.need)},
               {"user", user_json(place.who)},
               {"mode", name_of(place.mode)},
               {"names", names_json(place.names.handled)},
               {"among", names_json(place.names.among)},
               {"except", names_json(place.names.except)},
               {"within", nlohmann::ordered_json::array()},
               {"outside", names_json(place.names.outside)},
               {"forbidden", nlohmann::ordered_json::array()},
               {"desired", nlohmann::ordered_json::object()},
               {"excluded", nlohmann::ordered_json::array()},
               {"part", place.is_part},
               {"repeats", place.repeats},
               {"vhost", vhost_name(place.server)},
               {"file", place.file},
               {"line", place.line}});
  add_path(json, "whole", place.names.whole);
  for (const std::string& directory : place.excluded) {
    nlohmann::ordered_json excluded;
    add_path(excluded, "path", directory);
    json["excluded"].push_back(std::move(excluded));
  }
  for (const ScriptNames& names : place.names.within) json["within"].push_back(names_json(names));
  for (const Code code : place.forbidden) json["forbidden"].push_back(permguard::name_of(code));
  if (place.desired.mode) json["desired"]["mode"] = *place.desired.mode;
  if (place.desired.uid) json["desired"]["uid"] = *place.desired.uid;
  if (place.desired.gid) json["desired"]["gid"] = *place.desired.gid;
  if (is_for_suexec(place)) {
    json["suexec"] = {{"binary", kSuexecBinary}, {"userdir", place.suexec->userdir}};
  }
  return json;
}

void dump_json(apr_pool_t* pool, const Tester& tester) {
  nlohmann::ordered_json document = {{"schema", 1},
                                     {"user", user_json(server_identity())},
                                     {"places", nlohmann::ordered_json::array()}};
  if (ap_unixd_config.chroot_dir) document["chroot"] = ap_unixd_config.chroot_dir;
  if (const char* file = ap_server_root_relative(pool, ap_pid_fname)) document["pid_file"] = file;
  std::vector<ScriptPlace> places = tester.places();
  take_apart(places);
  for (const ScriptPlace& place : places) document["places"].push_back(place_json(place));
  print(dump(document));
}

/// Says the errors on standard error, where configtest speaks, each once; whether there are any.
bool say_errors(Tester& tester) {
  std::set<std::string> said;
  for (const ScriptPlace& place : distinct_places(tester.places())) {
    PlaceReport report = tester.audit(place);
    std::erase_if(report.findings,
                  [](const Finding& finding) { return finding.severity != Severity::error; });
    for (const std::string& sentence : Tester::sentences(place, report)) {
      if (!said.insert(sentence).second) continue;
      std::fprintf(stderr, "mod_permguard: %s\n", one_line(sentence).c_str());
    }
  }
  if (tester.incomplete()) std::fprintf(stderr, "mod_permguard: audit incomplete\n");
  return !said.empty();
}

enum Outcome : int { kPassed, kErrors };

/// Longer than an audit may take.
constexpr auto kLimit = std::chrono::seconds(kConfigTestSeconds) + std::chrono::milliseconds(500);

/// -S, -M and their kin come here too, and are no configuration test.
bool is_for_another_dump() {
  constexpr const char* kDumps[] = {"DUMP_VHOSTS", "DUMP_RUN_CFG",  "DUMP_MODULES",
                                    "DUMP_CONFIG", "DUMP_INCLUDES", "DUMP_CERTS"};
  return std::any_of(std::begin(kDumps), std::end(kDumps), ap_exists_config_define);
}

}  // namespace

void test_config(apr_pool_t* pconf, server_rec* main_server) {
  const bool text = ap_exists_config_define("DUMP_PERMGUARD");
  const bool json = ap_exists_config_define("DUMP_PERMGUARD_JSON");
  const ConfigTest wanted = server_config(main_server).effective_config_test();
  if (!text && !json && (wanted == ConfigTest::off || is_for_another_dump())) return;
  const auto work = [&]() -> int {
    Tester tester(pconf, main_server);
    if (json) {
      dump_json(pconf, tester);
    } else if (text) {
      dump_text(tester);
    } else if (say_errors(tester) && !tester.incomplete()) {
      return kErrors;
    }
    return kPassed;
  };
  const std::optional<int> outcome = in_bounded_child(work, kLimit);
  if (!outcome) {
    std::fprintf(stderr, "mod_permguard: audit incomplete\n");
  } else if (*outcome == kErrors && wanted == ConfigTest::fail) {
    std::fprintf(stderr, "mod_permguard: PermGuardConfigTest fail: the configuration test fails\n");
    std::fflush(nullptr);
    std::_Exit(1);
  }
}

}  // namespace permguard
