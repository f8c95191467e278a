// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <system_error>

namespace permguard::cli {
namespace {

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

/// A check whose message names what is allowed.
CLI::Validator one_of(const std::vector<std::string>& known) {
  return CLI::Validator(
      [known, list = list_of(known)](const std::string& given) {
        const bool found = std::find(known.begin(), known.end(), given) != known.end();
        return found ? std::string() : "'" + given + "' is not one of " + list;
      },
      "");
}

std::string is_given(const std::string& given) {
  return given.empty() ? "'' names nothing" : "";
}

std::string is_process_id(const std::string& given) {
  int pid = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), pid);
  const bool whole = error == std::errc() && end == given.data() + given.size();
  return whole && pid > 0 ? "" : "'" + given + "' is not the number of a process";
}

}  // namespace

CLI::Option* refuse_empty(CLI::Option* option) {
  return option->check(CLI::Validator(is_given, ""));
}

// CLI11 takes an empty value of a std::optional for none.
void add_whose_options(CLI::App& app, WhoseOptions& options) {
  auto* as = app.add_option_function<std::string>(
      "--as", [&options](const std::string& user) { options.as = user; },
      "Whose rights: a user, also #uid");
  refuse_empty(as)->type_name("USER[:GROUP]");
  app.add_option("--pid", options.pid,
                 "Whose rights: a running process, with its groups, capabilities and mounts")
      ->type_name("PID")
      ->check(CLI::Validator(is_process_id, ""))
      ->excludes(as);
  app.add_option_function<std::string>(
         "--path", [&options](const std::string& path) { options.search_path = path; },
         "PATH the script gets, for #!/usr/bin/env [the process's own, else systemd's]")
      ->type_name("PATH");
}

CLI::Option* add_need_option(CLI::App& app, Need& need) {
  return app
      .add_option_function<std::string>(
          "--need", [&need](const std::string& name) { need = need_from_name(name).value(); },
          "What is needed: execute (the default), read or connect")
      ->type_name("NEED")
      ->check(one_of({"execute", "read", "connect"}));
}

void add_format_option(CLI::App& app, std::string& format, const std::vector<std::string>& known) {
  app.add_option("--format", format, "How the answer is written: " + list_of(known))
      ->type_name("FORMAT")
      ->check(one_of(known))
      ->capture_default_str();
}

}  // namespace permguard::cli
