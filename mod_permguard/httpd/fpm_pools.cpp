// SPDX-License-Identifier: Apache-2.0
#include "httpd/fpm_pools.h"

#include <glob.h>

#include <cstring>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
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
constexpr unsigned kMostNested = 4;                                // FPM's own limit
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
    const std::vector<std::string> files = files_that_fit(pattern);
    for (const std::string& file : files) {
      for (FpmPool& pool : parse_fpm_pools(text_of(file, kMostNested))) add(std::move(pool), file);
    }
    if (files.empty() && expected) warn("no file can be read that fits", pattern, 0);
  }

 private:
  static std::vector<std::string> files_that_fit(const char* pattern) {
    glob_t found{};
    std::vector<std::string> files;
    if (::glob(pattern, 0, nullptr, &found) == 0) {
      files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    return files;
  }

  /// With the files that it includes.
  std::string text_of(const std::string& file, unsigned nested) {
    const Result<std::string> read = SystemFilesystem().read(file, 0, kMostBytes);
    if (!read) warn("cannot read the pool file", file, read.error);
    std::string whole;
    std::istringstream lines(read.value);
    for (std::string line; std::getline(lines, line);) {
      const std::optional<std::string> pattern = fpm_include(line);
      whole += pattern ? "" : line + '\n';
      if (!pattern || nested == 0) continue;
      for (const std::string& each : files_that_fit(pattern->c_str())) {
        whole += text_of(each, nested - 1);
      }
    }
    return whole;
  }

  /// FPM takes a number for an id.
  static std::string by_number(const std::string& name) {
    return name.find_first_not_of("0123456789") == std::string::npos ? "#" + name : name;
  }

  void add(FpmPool&& pool, const std::string& file) {
    if (pool.listen.empty() || pool.user.empty()) return;  // FPM does not start such a pool as root
    const std::string user_spec = by_number(pool.user);
    const std::string spec =
        pool.group.empty() ? user_spec : user_spec + ":" + by_number(pool.group);
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
