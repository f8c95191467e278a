// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/command.h"
#include "cli/terminal.h"
#include "version.h"

namespace {

using namespace permguard::cli;

int fail(const std::string& message) {
  std::cerr << "permguard: " << message << '\n';
  return kFailed;
}

int run_chosen(const std::vector<std::unique_ptr<Command>>& commands) {
  for (const auto& command : commands) {
    if (!command->chosen()) continue;
    const int status = command->run();
    std::cout.flush();
    return std::cout ? status : fail("cannot write the result");
  }
  return kFailed;
}

int print_help(const CLI::App& app, const CLI::Success& help) {
  const int status = app.exit(help);
  std::cout.flush();
  return std::cout ? status : fail("cannot write the result");
}

/// CLI11 only says that a subcommand is missing.
std::string complaint(const CLI::App& app, int argc, char** argv, const CLI::ParseError& error) {
  const bool named = argc > 1 && argv[1][0] != '-';
  if (!named || !app.get_subcommands().empty()) return error.what();
  std::string known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  return std::string("'") + argv[1] + "' is not one of " + known;
}

int run(int argc, char** argv) {
  CLI::App app("Tells whether a user can run a script, why not, and how to fix it.", "permguard");
  app.set_version_flag("--version", "permguard " PERMGUARD_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 healthy, 1 findings, 2 the question could not be answered.\n"
      "See permguard(1).");
  const auto commands = all_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return print_help(app, help);
  } catch (const CLI::ParseError& error) {
    return fail(printable_message(complaint(app, argc, argv, error)) + "\nTry 'permguard --help'.");
  }
  return run_chosen(commands);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return fail(permguard::printable(error.what()));  // a path in it may hold a line feed
  }
}
