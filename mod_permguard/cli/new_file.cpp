// SPDX-License-Identifier: Apache-2.0
#include "cli/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "cli/command.h"
#include "cli/paths.h"
#include "core/chain.h"
#include "core/identity.h"
#include "core/link_free.h"
#include "core/system_look.h"
#include "report/explain_text.h"

namespace permguard::cli {
namespace {

std::string name_in_directory(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// The entry in the directory is to outlive a crash too; a file system that cannot say so is none
/// to complain of.
int make_durable(int file, int directory) {
  if (fsync(file) != 0) return errno;
  const Descriptor reading(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (reading.valid()) fsync(reading.number());
  return 0;
}

bool is_directory(const LinkFreeFile& directory, const std::string& name) {
  struct stat seen {};
  return fstatat(directory.descriptor(), name.c_str(), &seen, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(seen.st_mode);
}

/// An errno, or 0.
int write_new(const LinkFreeFile& directory, const std::string& name, const std::string& text) {
  constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Descriptor file(openat(directory.descriptor(), name.c_str(), kNew, 0600));
  int error = file.valid() ? 0 : errno;
  if (error == EEXIST && is_directory(directory, name)) error = EISDIR;
  if (error != 0) return error;
  error = write_all(file.number(), text);
  if (error == 0) error = make_durable(file.number(), directory.descriptor());
  if (error != 0) unlinkat(directory.descriptor(), name.c_str(), 0);
  return error;
}

std::string words_of(int error) {
  return error == EEXIST ? "it exists already; name a file that does not" : std::strerror(error);
}

}  // namespace

void write_new_file(const std::string& option, const std::string& path, const std::string& text) {
  const std::string where = option + " " + path + ": ";
  const std::string file = absolute_path(path);
  const TrustedWay way = follow_trusted(directory_of(file), geteuid());
  if (way.foreign) {
    throw CommandError(where + "'" + way.foreign->path + "' is a link of " +
                       SystemNames().user(way.foreign->owner) + ", which is not followed");
  }
  if (!way.reached()) throw CommandError(where + std::strerror(way.error));
  const LinkFreeFile directory(way.resolved());
  const std::string name = name_in_directory(file);
  const bool is_name = !name.empty() && name != "." && name != "..";
  const int error = directory.error() != 0 ? directory.error()
                    : is_name              ? write_new(directory, name, text)
                                           : EISDIR;
  if (error != 0) throw CommandError(where + words_of(error));
}

}  // namespace permguard::cli
