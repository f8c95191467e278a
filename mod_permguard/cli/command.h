// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace permguard::cli {

/// Contract, section 7: 2 wins over 1, 1 over 0.
enum ExitStatus : int { kHealthy = 0, kFindings = 1, kFailed = 2 };

/// The command could not do what it was asked; the message is for stderr, the exit status is 2.
class CommandError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One subcommand: its constructor adds itself and its options to the command line.
class Command {
 public:
  virtual ~Command() = default;
  /// Whether the command line named it.
  virtual bool chosen() const = 0;
  /// Does the work; an ExitStatus. Throws CommandError.
  virtual int run() = 0;
};

/// All subcommands, in the order of --help.
std::vector<std::unique_ptr<Command>> all_commands(CLI::App& app);

}  // namespace permguard::cli
