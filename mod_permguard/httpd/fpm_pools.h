// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "core/fpm_pool.h"
#include "core/identity.h"
#include "httpd/apache.h"
#include "httpd/proxy_target.h"

namespace permguard {

/// A pool of PHP-FPM and who its processes are.
struct KnownPool {
  std::string listen{};
  std::optional<TcpAddress> tcp{};
  std::string chroot{};  ///< "" or a path without a slash at its end
  Identity user{};
};

/// post_config, as root: reads Debian's pool files and those of PermGuardFpmPools. Says in the
/// log what it could not read.
void read_fpm_pools(apr_pool_t* pconf, const server_rec* server);

/// The pool that listens where `target` is sent, or null where no pool file says so. Asks the
/// kernel only where the names of the sockets differ, as by a symbolic link.
const KnownPool* pool_behind(const ProxyTarget& target);

/// The chroot from which a pool of `user` looks at `path`, or "".
std::string pool_root(const Identity& user, const std::string& path);

/// Stands for the user of a pool that is not known: nobody's owner, in no group.
const Identity& unknown_reader() noexcept;
bool is_unknown_reader(const Identity& who) noexcept;

}  // namespace permguard
