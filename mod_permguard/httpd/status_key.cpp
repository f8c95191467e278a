// SPDX-License-Identifier: Apache-2.0
#include "httpd/status_key.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "httpd/config.h"
#include "httpd/journal.h"

namespace permguard {
namespace {

constexpr std::size_t kShortest = 16;
constexpr std::size_t kLongest = 512;
constexpr std::size_t kSalt = 16;

/// SHA-1 has lost its resistance to collisions only; here the preimage of a digest is wanted. It is
/// the strongest digest APR has without another library.
using Digest = std::array<unsigned char, APR_SHA1_DIGESTSIZE>;

/// All that a child has of the key.
struct KnownKey {
  bool wanted = false;    ///< PermGuardStatusKey names a file
  bool readable = false;  ///< and it held a key; else nobody has it
  std::array<unsigned char, kSalt> salt{};
  Digest digest{};
};
constinit KnownKey known;

/// The bytes of a key file, wiped when they are no longer needed. Read without stdio, whose buffers
/// would keep them.
class SecretText {
 public:
  SecretText() = default;
  ~SecretText() { explicit_bzero(bytes_.data(), bytes_.size()); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;

  /// 0 or an errno.
  int read_from(int file) {
    while (size_ < bytes_.size()) {
      const ssize_t got = ::read(file, bytes_.data() + size_, bytes_.size() - size_);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno;
      if (got == 0) break;
      size_ += static_cast<std::size_t>(got);
    }
    return 0;
  }
  /// Without the end of its line.
  std::string_view key() const {
    std::string_view text(bytes_.data(), size_);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
  }

 private:
  std::array<char, kLongest + 3> bytes_{};
  std::size_t size_ = 0;
};

class KeyFile {
 public:
  explicit KeyFile(const char* path)
      : file_(::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)), error_(errno) {}
  ~KeyFile() {
    if (file_ >= 0) ::close(file_);
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;

  /// 0, or the errno with which it could not be opened.
  int error() const { return file_ >= 0 ? 0 : error_; }

  /// What is wrong with it; empty where `text` holds its key.
  std::string take(SecretText& text) const {
    struct stat seen {};
    if (::fstat(file_, &seen) != 0) return std::string("cannot be looked at: ") + strerror(errno);
    if (!S_ISREG(seen.st_mode)) return "is no regular file";
    if (seen.st_uid != 0 && seen.st_uid != ::geteuid()) {
      return "belongs to uid " + std::to_string(seen.st_uid) +
             ", who could read and change it: it must belong to root (chown root FILE)";
    }
    if ((seen.st_mode & 077) != 0) {
      return "may be read or changed by others than its owner: its mode must be 0600 "
             "(chmod 0600 FILE)";
    }
    if (const int error = text.read_from(file_)) {
      return std::string("cannot be read: ") + strerror(error);
    }
    return fault_of(text.key());
  }

 private:
  static std::string fault_of(std::string_view key) {
    if (key.size() < kShortest || key.size() > kLongest) {
      return "must hold a key of " + std::to_string(kShortest) + " to " + std::to_string(kLongest) +
             " characters in one line";
    }
    for (const char byte : key) {
      // What a client could not send in a header.
      if (byte < '!' || byte > '~') {
        return "must hold one line of visible ASCII characters without blanks";
      }
    }
    return {};
  }

  int file_;
  int error_;
};

Digest digest_of(std::string_view key, const std::array<unsigned char, kSalt>& salt) {
  apr_sha1_ctx_t context;
  Digest digest{};
  apr_sha1_init(&context);
  apr_sha1_update_binary(&context, salt.data(), static_cast<unsigned>(salt.size()));
  apr_sha1_update(&context, key.data(), static_cast<unsigned>(key.size()));
  apr_sha1_final(digest.data(), &context);
  explicit_bzero(&context, sizeof context);
  return digest;
}

/// What a digest leaves in the frames of its functions.
[[gnu::noinline]] void wipe_stack() {
  std::array<char, 4096> room;  // uninitialised: wiped
  explicit_bzero(room.data(), room.size());
}

/// Takes as long for a wrong first byte as for a wrong last one.
bool are_equal(const Digest& one, const Digest& other) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    difference |= static_cast<unsigned>(one[i] ^ other[i]);
  }
  return difference == 0;
}

/// What is wrong with the file at `path`; empty where `text` holds its key.
std::string read_key(const char* path, SecretText& text) {
  const KeyFile file(path);
  if (file.error() == ENOENT) {
    return "does not exist; make one as root: (umask 077; head -c 32 /dev/urandom | "
           "od -An -tx1 | tr -dc a-f0-9 >FILE)";
  }
  if (file.error() != 0) return std::string("cannot be opened: ") + strerror(file.error());
  return file.take(text);
}

void log_fault(const server_rec* server, const char* path, const std::string& fault,
               const char* consequence) {
  const std::string text = std::string("PermGuardStatusKey: '") + path + "' " + fault + consequence;
  log_startup_error(server, APR_SUCCESS, text.c_str());
}

bool is_restart() {
  // main.c: 0 while the configuration is tested, 1 for the first generation.
  return ap_state_query(AP_SQ_CONFIG_GEN) > 1;
}

/// `apachectl configtest` of an ordinary user, who may not open root's file.
bool is_test_by_others() {
  return ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_NORMAL && ::geteuid() != 0;
}

bool is_word(std::string_view text, const char* word) {
  return ap_cstr_casecmpn(text.data(), word, strlen(word)) == 0 && text.size() > strlen(word) &&
         text[strlen(word)] == ' ';
}

/// The key that an Authorization header presents (RFC 7617, RFC 6750); null: none.
const char* presented_key(apr_pool_t* pool, const char* authorization) {
  const std::string_view text = authorization;
  const std::size_t blank = text.find(' ');
  const std::size_t begin = text.find_first_not_of(' ', blank == text.npos ? 0 : blank);
  if (blank == text.npos || begin == text.npos) return nullptr;
  if (is_word(text, "Bearer")) return authorization + begin;
  if (!is_word(text, "Basic")) return nullptr;
  const char* colon = strchr(ap_pbase64decode(pool, authorization + begin), ':');
  return colon ? colon + 1 : nullptr;
}

}  // namespace

bool status_key_can_be_read(const server_rec* main_server) {
  const char* path = server_config(main_server).status_key;
  if (!path || is_restart() || is_test_by_others()) return true;
  SecretText text;
  const std::string fault = read_key(path, text);
  if (!fault.empty()) log_fault(main_server, path, fault, "");
  return fault.empty();
}

void read_status_key(const server_rec* main_server) {
  const char* path = server_config(main_server).status_key;
  known = KnownKey{.wanted = path != nullptr};
  if (!path) return;
  SecretText text;
  std::string fault = read_key(path, text);
  if (fault.empty() &&
      apr_generate_random_bytes(known.salt.data(), known.salt.size()) != APR_SUCCESS) {
    fault = "cannot be kept: the machine gives no random bytes";
  }
  if (!fault.empty()) {
    return log_fault(main_server, path, fault,
                     "; the status page is closed until the next restart");
  }
  known.digest = digest_of(text.key(), known.salt);
  wipe_stack();  // children inherit it
  known.readable = true;
}

bool has_status_key(request_rec* r) {
  if (!known.wanted) return true;
  const char* authorization = apr_table_get(r->headers_in, "Authorization");
  const char* key = authorization ? presented_key(r->pool, authorization) : nullptr;
  if (!key) return false;
  if (known.readable && are_equal(digest_of(key, known.salt), known.digest)) return true;
  log_info(r,
           "the key that came with a request for the status page is not that of "
           "PermGuardStatusKey");
  return false;
}

int ask_for_status_key(request_rec* r) {
  apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Basic realm=\"permguard\"");
  return HTTP_UNAUTHORIZED;
}

}  // namespace permguard
