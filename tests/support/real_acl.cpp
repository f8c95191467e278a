// SPDX-License-Identifier: Apache-2.0
#include "support/real_acl.h"

#include <grp.h>
#include <sys/acl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace permguard::test {
namespace {

const char* tag_letter(AclEntry::Tag tag) {
  switch (tag) {
    case AclEntry::Tag::user_obj:
    case AclEntry::Tag::user:
      return "u";
    case AclEntry::Tag::group_obj:
    case AclEntry::Tag::group:
      return "g";
    case AclEntry::Tag::mask:
      return "m";
    case AclEntry::Tag::other:
      return "o";
  }
  return "?";
}

std::string entry_text(const AclEntry& entry) {
  const bool named = entry.tag == AclEntry::Tag::user || entry.tag == AclEntry::Tag::group;
  std::string text = std::string(tag_letter(entry.tag)) + ":";
  if (named) text += std::to_string(entry.id);
  text += ":";
  text += entry.perms & kRead ? 'r' : '-';
  text += entry.perms & kWrite ? 'w' : '-';
  text += entry.perms & kExecute ? 'x' : '-';
  return text;
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

bool become(const Identity& who) {
  return setgroups(who.groups.size(), who.groups.data()) == 0 &&
         setresgid(who.gid, who.gid, who.gid) == 0 && setresuid(who.uid, who.uid, who.uid) == 0;
}

// Never returns into the test: the child ends here, without destructors of the parent's objects.
[[noreturn]] void run_child(int out, const Identity& who,
                            const std::function<std::string()>& work) {
  if (!become(who)) _exit(1);
  const std::string bytes = work();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(out, bytes.data() + done, bytes.size() - done);
    if (wrote <= 0) _exit(2);
    done += static_cast<std::size_t>(wrote);
  }
  _exit(0);
}

std::string read_all(int in) {
  std::string bytes;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = read(in, buffer.data(), buffer.size())) > 0) {
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return bytes;
}

}  // namespace

std::string acl_text(const Acl& acl) {
  std::string text;
  for (const AclEntry& entry : acl) text += (text.empty() ? "" : ",") + entry_text(entry);
  return text;
}

void set_real_acl(const std::string& path, const Acl& acl) {
  const std::unique_ptr<void, int (*)(void*)> parsed(acl_from_text(acl_text(acl).c_str()),
                                                     acl_free);
  if (!parsed) fail("acl_from_text");
  if (acl_set_file(path.c_str(), ACL_TYPE_ACCESS, static_cast<acl_t>(parsed.get())) != 0) {
    fail("acl_set_file");
  }
}

std::string bytes_from(const Identity& who, const std::function<std::string()>& work) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) fail("pipe");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    close(ends[0]);
    run_child(ends[1], who, work);
  }
  close(ends[1]);
  std::string bytes = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("the child that became uid " + std::to_string(who.uid) + " failed");
  }
  return bytes;
}

}  // namespace permguard::test
