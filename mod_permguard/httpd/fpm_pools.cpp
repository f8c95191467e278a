// SPDX-License-Identifier: Apache-2.0
#include "httpd/fpm_pools.h"

#include <glob.h>

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "core/filesystem.h"
#include "core/listener.h"
#include "httpd/config.h"
#include "httpd/journal.h"
#include "httpd/pool.h"

namespace permguard {
namespace {

constexpr char kDebianPools[] = "/etc/php/*/fpm/pool.d/*.conf";
constexpr std::size_t kMostBytes = 1 << 20;
constexpr uid_t kNobodyAtAll = std::numeric_limits<uid_t>::max();  // no file can have this owner

struct PoolTable {
  std::vector<KnownPool> pools;
  Identity unknown{.uid = kNobodyAtAll, .gid = kNobodyAtAll, .name = "unknown"};
};

constinit const PoolTable* table = nullptr;

class PoolReader {
 public:
  PoolReader(const server_rec* server, std::vector<KnownPool>& pools)
      : server_(server), pools_(pools) {}

  /// `expected`: that no file fits is worth a warning.
  void read_all(const char* pattern, bool expected) {
    glob_t found{};
    const int failed = ::glob(pattern, 0, nullptr, &found);
    for (std::size_t i = 0; failed == 0 && i < found.gl_pathc; ++i) read(found.gl_pathv[i]);
    ::globfree(&found);
    if (failed != 0 && expected) warn("no file can be read that fits", pattern, 0);
  }

 private:
  void read(const std::string& file) {
    const Result<std::string> text = SystemFilesystem().read(file, 0, kMostBytes);
    if (!text) {
      warn("cannot read the pool file", file, text.error);
      return;
    }
    for (FpmPool& pool : parse_fpm_pools(text.value)) add(std::move(pool), file);
  }

  void add(FpmPool&& pool, const std::string& file) {
    if (pool.listen.empty() || pool.user.empty()) return;  // FPM does not start such a pool as root
    const std::string spec = pool.group.empty() ? pool.user : pool.user + ":" + pool.group;
    Result<Identity> user = lookup_identity(spec);
    if (!user) {
      warn("unknown user '" + spec + "' of the pool '" + pool.name + "' in", file, user.error);
      return;
    }
    while (pool.chroot.ends_with('/')) pool.chroot.pop_back();
    pools_.push_back({.listen = pool.listen,
                      .tcp = tcp_address(pool.listen),
                      .chroot = std::move(pool.chroot),
                      .user = std::move(user.value)});
  }

  void warn(const std::string& what, const std::string& value, int error) const {
    log_startup_warning(server_, error,
                        ("PermGuardFpmPools: " + what + " '" + value + "'").c_str());
  }

  const server_rec* server_;
  std::vector<KnownPool>& pools_;
};

bool is_same_file(const FileStatus& one, const std::string& path) {
  const Result<FileStatus> other = SystemFilesystem().target_status(path);
  return other && other.value.device == one.device && other.value.inode == one.inode;
}

const KnownPool* pool_at_socket(const std::string& path) {
  for (const KnownPool& pool : table->pools) {
    if (pool.listen == path) return &pool;
  }
  if (table->pools.empty()) return nullptr;
  const Result<FileStatus> socket = SystemFilesystem().target_status(path);
  for (const KnownPool& pool : table->pools) {
    if (socket && !pool.tcp && is_same_file(socket.value, pool.listen)) return &pool;
  }
  return nullptr;
}

const KnownPool* pool_at_port(const std::string& host, std::uint16_t port) {
  for (const KnownPool& pool : table->pools) {
    if (!pool.tcp || pool.tcp->port != port) continue;
    if (pool.tcp->host == host) return &pool;
    if (is_loopback(host) && (pool.tcp->host.empty() || is_loopback(pool.tcp->host))) return &pool;
  }
  return nullptr;
}

}  // namespace

void read_fpm_pools(apr_pool_t* pconf, const server_rec* server) {
  auto* fresh = make_in_pool<PoolTable>(pconf);
  PoolReader reader(server, fresh->pools);
  // What the administrator names comes first: of two pools with one address the first counts.
  if (const apr_array_header_t* patterns = server_config(server).fpm_pools) {
    for (int i = 0; i < patterns->nelts; ++i) {
      reader.read_all(reinterpret_cast<const char* const*>(patterns->elts)[i], true);
    }
  }
  reader.read_all(kDebianPools, false);
  table = fresh;
}

const KnownPool* pool_behind(const ProxyTarget& target) {
  return target.socket ? pool_at_socket(target.socket) : pool_at_port(target.host, target.port);
}

std::string pool_root(const Identity& user, const std::string& path) {
  for (const KnownPool& pool : table->pools) {
    if (pool.user.uid == user.uid && !pool.chroot.empty() && path.starts_with(pool.chroot + "/")) {
      return pool.chroot;
    }
  }
  return {};
}

const Identity& unknown_reader() noexcept {
  return table->unknown;
}

bool is_unknown_reader(const Identity& who) noexcept {
  return who.uid == kNobodyAtAll;
}

}  // namespace permguard
