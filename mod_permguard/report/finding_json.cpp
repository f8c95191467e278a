// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "report/invisible.h"
#include "report/json.h"
#include "report/json_text.h"
#include "report/sentence.h"
#include "report/utf8.h"

namespace permguard {
namespace {

using Json = nlohmann::ordered_json;

Json errno_json(int error) {
  const char* name = error == 0 ? nullptr : strerrorname_np(error);
  return name == nullptr ? Json(nullptr) : Json(name);
}

std::string octal(unsigned mode) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

Json file_json(const Finding& finding) {
  if (!finding.file) return nullptr;
  const FileStatus& file = *finding.file;
  return {{"type", name_of(file.type)},
          {"mode", octal(file.mode)},
          {"owner", to_utf8(finding.owner)},
          {"group", to_utf8(finding.group)},
          {"uid", file.uid},
          {"gid", file.gid},
          {"device", file.device},
          {"inode", file.inode},
          {"changed", rfc3339(file.changed)}};
}

Json fix_json(const Remedy& remedy) {
  Json commands = Json::array();
  for (const std::string& command : exact_commands(remedy)) commands.push_back(to_utf8(command));
  return commands;
}

std::vector<gid_t> all_groups(const Identity& who) {
  std::vector<gid_t> groups = who.groups;
  if (std::find(groups.begin(), groups.end(), who.gid) == groups.end()) {
    groups.insert(std::lower_bound(groups.begin(), groups.end(), who.gid), who.gid);
  }
  return groups;
}

bool fails(const Finding& finding) {
  return finding.severity != Severity::warning;
}

}  // namespace

Json user_json(const Identity& who) {
  return {
      {"name", to_utf8(who.name)}, {"uid", who.uid}, {"gid", who.gid}, {"groups", all_groups(who)}};
}

Json unexamined_json(const Unexamined& unexamined) {
  Json json;
  add_path(json, "path", unexamined.path);
  json["errno"] = errno_json(unexamined.error);
  return json;
}

Json finding_json(const Finding& finding, const Identity& who, std::int64_t now) {
  Json json = {{"code", name_of(finding.code)},
               {"role", name_of(finding.role)},
               {"severity", name_of(finding.severity)},
               {"certainty", name_of(finding.certainty)}};
  add_path(json, "target", finding.target);
  add_path(json, "path", finding.path);
  json["need"] = name_of(finding.need);
  json["user"] = user_json(who);
  json["file"] = file_json(finding);
  json["decided_by"] = name_of(finding.decided_by);
  json["errno"] = errno_json(finding.error);
  json["message"] = to_utf8(log_sentence({&finding, 1}, who, now));
  json["fix"] = fix_json(finding.remedy);
  return json;
}

Json findings_document(const Identity& who, std::uint64_t checked,
                       std::span<const Finding> findings, std::span<const Unexamined> unexamined,
                       std::int64_t now) {
  Json json = {
      {"schema", 1},
      {"user", user_json(who)},
      {"healthy", unexamined.empty() && std::none_of(findings.begin(), findings.end(), fails)},
      {"checked", checked},
      {"findings", Json::array()},
      {"unexamined", Json::array()}};
  for (const Finding& finding : findings) {
    json["findings"].push_back(finding_json(finding, who, now));
  }
  for (const Unexamined& each : unexamined) json["unexamined"].push_back(unexamined_json(each));
  return json;
}

namespace {

void append_escape(std::string& text, std::uint32_t unit) {
  std::array<char, 16> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(unit));
  text += escape.data();
}

/// RFC 8259, section 7: beyond U+FFFF a pair of surrogates.
void append_escaped(std::string& text, std::uint32_t character) {
  if (character < 0x10000) return append_escape(text, character);
  append_escape(text, 0xd800 + ((character - 0x10000) >> 10));
  append_escape(text, 0xdc00 + ((character - 0x10000) & 0x3ff));
}

/// The same document: such characters stand in strings only, but for the line feeds of the
/// indentation. People read JSON on a terminal too.
std::string with_invisible_escaped(std::string json) {
  const auto rare = [](char byte) { return static_cast<unsigned char>(byte) >= 0x7f; };
  if (std::none_of(json.begin(), json.end(), rare)) return json;
  std::string text;
  const std::string_view all = json;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t hidden = rare(all[at]) ? invisible_prefix(all.substr(at)) : 0;
    if (hidden > 0) append_escaped(text, first_character(all.substr(at)));
    if (hidden == 0) text += all[at];
    at += std::max<std::size_t>(hidden, 1);
  }
  return text;
}

}  // namespace

std::string dump(const Json& json, int indent) {
  return with_invisible_escaped(json.dump(indent, ' ', false, Json::error_handler_t::replace));
}

}  // namespace permguard
