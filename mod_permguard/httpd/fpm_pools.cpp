// SPDX-License-Identifier: Apache-2.0
#include "httpd/fpm_pools.h"

#include <glob.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <set>
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
constexpr unsigned kMostNested = 4;            // FPM's own limit
constexpr std::size_t kMostIncludes = 50'000;  // of all pool files together
constexpr std::size_t kMostText = 64 << 20;    // bytes of all, each file as often as it is included
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
    const std::vector<std::string>& files = files_that_fit(pattern);
    for (const std::string& file : files) {
      std::string text;
      append_file(text, file);
      for (FpmPool& pool : parse_fpm_pools(text)) add(std::move(pool), file);
    }
    if (files.empty() && expected) warn("no file can be read that fits", pattern, 0);
  }

 private:
  const std::vector<std::string>& files_that_fit(const std::string& pattern) {
    const auto [known, is_new] = fitting_.try_emplace(pattern);
    std::vector<std::string>& files = known->second;
    if (!is_new) return files;
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
      files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    }
    ::globfree(&found);
    return files;
  }

  /// Each file is read from the disk once, whatever includes it.
  const std::string& text_of(const std::string& file) {
    const auto [known, is_new] = texts_.try_emplace(file);
    if (!is_new) return known->second;
    Result<std::string> read = SystemFilesystem().read(file, 0, kMostBytes);
    if (!read) warn("cannot read the pool file", file, read.error);
    return known->second = std::move(read.value);
  }

  /// With the files that it includes. A file that defines pools counts once, whatever includes it:
  /// of two pools with one address the first counts. Settings may be included into many pools, but
  /// not into themselves.
  void append_file(std::string& whole, const std::string& file) {
    if (std::find(reading_.begin(), reading_.end(), file) != reading_.end() || !is_affordable(file))
      return;
    const std::string& text = text_of(file);
    const bool defines_pools = text.starts_with('[') || text.find("\n[") != std::string::npos;
    if (defines_pools && !defining_.insert(file).second) return;
    reading_.push_back(file);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (const std::optional<std::string> pattern = fpm_include(line)) {
        append_included(whole, *pattern);
      } else if ((bytes_ += line.size() + 1) <= kMostText) {
        (whole += line) += '\n';
      }
    }
    reading_.pop_back();
  }

  void append_included(std::string& whole, const std::string& pattern) {
    if (reading_.size() > kMostNested) return;
    for (const std::string& each : files_that_fit(pattern)) append_file(whole, each);
  }

  /// What many files that include each other come to is bounded; beyond, that is said once.
  bool is_affordable(const std::string& file) {
    const bool within = ++includes_ <= kMostIncludes && bytes_ <= kMostText;
    if (!within && !said_) warn("too many pool files include each other; left out from", file, 0);
    said_ = said_ || !within;
    return within;
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
  std::map<std::string, std::string> texts_;                 ///< by path
  std::map<std::string, std::vector<std::string>> fitting_;  ///< by pattern
  std::set<std::string> defining_;    ///< the files with pools that were read
  std::vector<std::string> reading_;  ///< the file that is being read, and what includes it
  std::size_t includes_ = 0;
  std::size_t bytes_ = 0;
  bool said_ = false;
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
