// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace permguard {

/// What a pool of PHP-FPM says about itself, `$pool` and relative paths resolved. Members are
/// empty where the file is silent.
struct FpmPool {
  std::string name{};
  std::string user{};
  std::string group{};
  std::string listen{};  ///< a socket's absolute path, a port, or ADDRESS:PORT
  std::string chroot{};

  bool operator==(const FpmPool&) const = default;
};

/// The pools of one pool file: an INI file with a section for each pool
/// (https://www.php.net/manual/en/install.fpm.configuration.php). The section `[global]` and
/// what stands before the first section is no pool. Of a directive given twice the last counts.
/// Relative paths start at the pool's `prefix`. Never fails: what it does not know it skips.
std::vector<FpmPool> parse_fpm_pools(std::string_view text);

/// The pattern of `include = PATTERN`, whose files FPM reads as if they stood there, in whatever
/// section (fpm_conf.c, fpm_conf_load_ini_file()); nothing for any other line.
std::optional<std::string> fpm_include(std::string_view line);

/// The address of a pool that listens on TCP; nothing for a unix socket.
struct TcpAddress {
  std::string host;  ///< empty: all interfaces; IPv6 without brackets
  std::uint16_t port = 0;

  bool operator==(const TcpAddress&) const = default;
};
std::optional<TcpAddress> tcp_address(std::string_view listen);

}  // namespace permguard
