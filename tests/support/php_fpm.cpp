// SPDX-License-Identifier: Apache-2.0
#include "support/php_fpm.h"

#include <filesystem>
#include <stdexcept>

#include "core/fpm_pool.h"
#include "core/listener.h"

namespace permguard::test {
namespace {

/// Debian names the program after its version.
std::string program() {
  for (const auto& entry : std::filesystem::directory_iterator("/usr/sbin")) {
    if (entry.path().filename().string().starts_with("php-fpm")) return entry.path();
  }
  return {};
}

bool is_served(const std::string& listen) {
  const auto tcp = tcp_address(listen);
  return (tcp ? tcp_listener(tcp->host, tcp->port) : unix_listener(listen)) == Listener::present;
}

}  // namespace

std::string write_pool(TempTree& tree, const std::string& relative, const FpmPoolOptions& pool) {
  return tree.write(relative,
                    "[" + pool.user + "]\nuser = $pool\ngroup = nogroup\nlisten = " + pool.listen +
                        "\nlisten.owner = root\nlisten.group = root\nlisten.mode = " + pool.mode +
                        "\npm = static\npm.max_children = 2\n" +
                        (pool.chroot.empty() ? "" : "chroot = " + pool.chroot + "\n"));
}

bool PhpFpm::installed() {
  return !program().empty();
}

PhpFpm::PhpFpm(TempTree& tree, const std::string& pool_file, const std::string& listen,
               const std::vector<std::string>& settings) {
  const std::string main_file = tree.write(
      "fpm/fpm.conf", "[global]\nerror_log = " + tree.path("fpm/log") + "\ninclude = " + pool_file);
  ProcessOptions options;
  options.output = tree.path("fpm/output");
  std::vector<std::string> command = {program(), "-n", "-F", "-y", main_file};
  for (const std::string& setting : settings) command.insert(command.end(), {"-d", setting});
  child_ = std::make_unique<Child>(command, options);
  if (poll_until([&] { return !child_->running() || is_served(listen); }) && child_->running()) {
    return;
  }
  throw std::runtime_error("PHP-FPM does not serve:\n" + tree.read("fpm/output"));
}

}  // namespace permguard::test
