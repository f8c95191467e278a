// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace permguard::cli {

/// Whose rights are asked for.
struct WhoseOptions {
  std::optional<std::string> as;           ///< USER[:GROUP] or #uid
  std::optional<int> pid;                  ///< a running process
  std::optional<std::string> search_path;  ///< PATH the scripts get
};

/// An empty value of `option`, as a script with an unset variable gives it, is an error: taken for
/// "not given" it would leave out what was asked for. Returns `option`.
CLI::Option* refuse_empty(CLI::Option* option);

/// Adds --as, --pid and --path (an empty PATH is one). `options` must outlive the parse.
void add_whose_options(CLI::App& app, WhoseOptions& options);

/// Adds --need execute|read|connect, and returns it.
CLI::Option* add_need_option(CLI::App& app, Need& need);

/// Adds --format; `format` holds the default and gets one of `known`.
void add_format_option(CLI::App& app, std::string& format, const std::vector<std::string>& known);

}  // namespace permguard::cli
