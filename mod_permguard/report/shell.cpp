// SPDX-License-Identifier: Apache-2.0
// Remedies as commands of sh.
#include <algorithm>
#include <array>
#include <cstdio>

#include "report/invisible.h"
#include "report/sentence.h"
#include "report/utf8.h"

namespace permguard {
namespace {

bool pasteable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x20 && c <= 0x7e && c != '\\'; });
}

// A mode, ACL entry or user:group is left bare where sh reads it as one plain word.
std::string word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-=:,._@/";
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos;
  return plain ? std::string(text) : shell_quote(text);
}

std::string command_without_path(const FixStep& step) {
  switch (step.kind) {
    case FixStep::Kind::chmod:
      return "chmod " + word(step.spec);
    case FixStep::Kind::chown:
      return "chown " + word(step.spec);
    case FixStep::Kind::restore_acl:
      return step.spec.empty()   ? "setfacl -b"
             : step.spec == "d:" ? "setfacl -k"
                                 : "setfacl --set " + word(step.spec);
    case FixStep::Kind::setfacl:
      break;
  }
  return (step.keep_mask ? "setfacl -n -m " : "setfacl -m ") + word(step.spec);
}

// How many bytes at the front of `text` can stand between quotes: not what a terminal obeys or
// hides, but for the line feed, which "$(…)" would drop.
std::size_t plain_prefix(std::string_view text) {
  const std::size_t valid = utf8_prefix(text);
  std::size_t end = 0;
  while (end < valid && (text[end] == '\n' || invisible_prefix(text.substr(end)) == 0)) ++end;
  return end;
}

// The path for sh in valid UTF-8, so that JSON can carry it, and harmless on a terminal: other
// bytes come from printf(1).
std::string exact_word(std::string_view path) {
  std::string word;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t good = plain_prefix(path.substr(at));
    if (good > 0 || word.empty()) word += shell_quote(path.substr(at, good));
    at += good;
    if (at == path.size()) break;
    std::array<char, 32> byte{};
    std::snprintf(byte.data(), byte.size(), R"sh("$(printf '\%03o')")sh",
                  static_cast<unsigned>(static_cast<unsigned char>(path[at++])));
    word += byte.data();
  }
  return word;
}

std::string exact_command(const FixStep& step) {
  return command_without_path(step) + ' ' + exact_word(step.path);
}

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

// Starts at the innermost directory that can be pasted. An inode number is one of one file system,
// which -xdev does not leave. Empty where no command can be pasted.
std::string pasteable_command(const FixStep& step) {
  if (!pasteable(step.spec)) return {};
  if (pasteable(step.path)) return exact_command(step);
  if (step.inode == 0) return {};
  int depth = 1;
  std::string directory = directory_of(step.path);
  for (; !pasteable(directory); ++depth) directory = directory_of(directory);
  const std::string level = std::to_string(depth);
  return "find " + shell_quote(directory) +
         (depth == 1 ? " -maxdepth 1" : " -xdev -mindepth " + level + " -maxdepth " + level) +
         " -inum " + std::to_string(step.inode) + " -exec " + command_without_path(step) + " {} +";
}

}  // namespace

std::vector<std::string> exact_commands(const Remedy& remedy) {
  std::vector<std::string> commands;
  for (const FixStep& step : remedy.steps) commands.push_back(exact_command(step));
  return commands;
}

std::string pasteable_fix(const Remedy& remedy) {
  if (remedy.steps.empty()) return remedy.advice;
  std::string line;
  for (const FixStep& step : remedy.steps) {
    const std::string command = pasteable_command(step);
    if (command.empty()) {
      return "the path holds bytes that cannot be pasted from a log, see permguard fix";
    }
    line += (line.empty() ? "" : " && ") + command;
  }
  return line;
}

}  // namespace permguard
