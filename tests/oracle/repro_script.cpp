// SPDX-License-Identifier: Apache-2.0
#include "oracle/repro_script.h"

#include <array>
#include <cstdio>

#include "report/sentence.h"

namespace permguard::oracle {
namespace {

std::string octal(unsigned value) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%03o", value);
  return text.data();
}

// Any bytes as printf(1) of every shell writes them; runs of zeros, as in padded programs, short.
std::string bytes_command(const std::string& content) {
  std::string text;
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > 0x20 && byte < 0x7F && c != '\'' && c != '\\' && c != '%';
    text += plain || c == ' ' ? std::string(1, c) : "\\" + octal(byte);
  }
  return "printf '" + text + "'";
}

std::string make_command(const PlannedFile& file) {
  const std::string path = shell_quote(file.path);
  switch (file.kind) {
    case PlannedFile::Kind::directory:
      return "mkdir " + path;
    case PlannedFile::Kind::link:
      return "ln -s " + shell_quote(file.content) + " " + path;
    case PlannedFile::Kind::fifo:
      return "mkfifo " + path;
    case PlannedFile::Kind::regular:
      break;
  }
  return bytes_command(file.content) + " > " + path;
}

std::string rights_commands(const PlannedFile& file) {
  const std::string path = shell_quote(file.path);
  std::string text =
      "chown -h " + std::to_string(file.uid) + ":" + std::to_string(file.gid) + " " + path + "\n";
  if (file.kind == PlannedFile::Kind::link) return text;
  text += "chmod " + octal(file.mode) + " " + path + "\n";
  if (!file.acl.empty()) text += "setfacl --set " + file.acl + " " + path + "\n";
  return text;
}

std::string become_command(const Identity& who) {
  std::string groups;
  for (const auto group : who.groups) groups += (groups.empty() ? "" : ",") + std::to_string(group);
  return "setpriv --reuid " + std::to_string(who.uid) + " --regid " + std::to_string(who.gid) +
         (groups.empty() ? " --clear-groups" : " --groups " + groups);
}

std::string mount_commands(const Playground& ground) {
  const auto tmpfs = [](const std::string& point, const char* options) {
    return "mkdir -p " + point + " && mount -t tmpfs -o mode=755" + options + " oracle " + point +
           "\n";
  };
  return tmpfs(ground.plain(), "") + tmpfs(ground.noexec(), ",noexec") +
         tmpfs(ground.nosuid(), ",nosuid,nodev");
}

}  // namespace

std::string repro_script(const TreePlan& plan, const Playground& ground, const std::string& target,
                         const Identity& who) {
  std::string text = "#!/bin/sh\n[ \"$1\" = inside ] || exec unshare --mount \"$0\" inside\n";
  text += mount_commands(ground);
  for (const auto& file : plan.files) text += make_command(file) + "\n";
  for (const auto& file : plan.files) text += rights_commands(file);
  const std::string run =
      "cd \"$(dirname \"$0\")\" && exec env -i PATH=" + shell_quote(plan.search_path) + " \"$0\"";
  text += "# truth\n" + become_command(who) + " sh -c " + shell_quote(run) + " " +
          shell_quote(target) + "\n# permguard\n" + become_command(who) +
          " permguard explain --path " + shell_quote(plan.search_path) + " " + shell_quote(target) +
          "\n";
  return text;
}

}  // namespace permguard::oracle
