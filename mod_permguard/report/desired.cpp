// SPDX-License-Identifier: Apache-2.0
#include "report/desired.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "report/json_text.h"
#include "report/utf8.h"

namespace permguard {
namespace {

using Json = nlohmann::ordered_json;

/// What parse_desired() says of a document.
class Malformed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

std::string octal(unsigned mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode);
  return text.data();
}

Json path_list(const std::vector<std::string>& paths) {
  Json list = Json::array();
  for (const std::string& path : paths) {
    Json entry;
    add_path(entry, "path", path);
    list.push_back(std::move(entry));
  }
  return list;
}

std::string text_of(const Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_string()) {
    throw Malformed(std::string("\"") + key + "\" is missing or not a string");
  }
  return member->get<std::string>();
}

std::string path_of(const Json& object) {
  if (!object.is_object()) throw Malformed("an entry is not an object");
  const bool encoded = object.contains("path_base64");
  const std::optional<std::string> path =
      encoded ? from_base64(text_of(object, "path_base64")) : text_of(object, "path");
  if (!path || path->empty() || path->front() != '/' || path->find('\0') != std::string::npos) {
    throw Malformed("a path is not absolute");
  }
  return *path;
}

unsigned mode_of(const std::string& text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || mode > 07777) {
    throw Malformed("\"mode\" is not octal: " + text);
  }
  return mode;
}

/// By name, else by the number beside it.
std::optional<std::uint32_t> id_of(const Json& object, const char* name, const char* number,
                                   AclEntry::Tag tag, const IdOfName& id_of_name) {
  if (object.contains(name)) {
    if (const auto id = id_of_name(tag, text_of(object, name))) return id;
  }
  if (!object.contains(number)) return std::nullopt;
  if (!object[number].is_number_unsigned()) throw Malformed(std::string(number) + " is no number");
  return object[number].get<std::uint32_t>();
}

void take_acls(const Json& object, DesiredState& state, const IdOfName& id_of_name) {
  if (!object.contains("acl")) return;
  const std::string text = object["acl"].is_null() ? "" : text_of(object, "acl");
  std::optional<AclPair> acls = parse_acl_pair(text, id_of_name);
  if (!acls) throw Malformed("\"acl\" is not one: " + text);
  state.acl = std::move(acls->access);
  state.default_acl = std::move(acls->fallback);
}

/// Absent in snapshots that were taken before types were recorded: then only what a snapshot never
/// holds, a link for instance, is known to stand in a file's place.
std::optional<FileType> type_of(const Json& object) {
  if (!object.contains("type")) return std::nullopt;
  const std::string name = text_of(object, "type");
  for (const FileType type : {FileType::regular, FileType::directory, FileType::socket}) {
    if (name == name_of(type)) return type;
  }
  throw Malformed("\"type\" is neither regular nor directory nor socket: " + name);
}

DesiredEntry entry_of(const Json& object, const IdOfName& id_of_name) {
  DesiredEntry entry;
  entry.path = path_of(object);
  try {
    entry.type = type_of(object);
    entry.link = object.contains("link") && object["link"] == true;
    if (object.contains("mode")) entry.state.mode = mode_of(text_of(object, "mode"));
    entry.state.uid = id_of(object, "owner", "uid", AclEntry::Tag::user, id_of_name);
    entry.state.gid = id_of(object, "group", "gid", AclEntry::Tag::group, id_of_name);
    take_acls(object, entry.state, id_of_name);
  } catch (const Malformed& fault) {
    throw Malformed(to_utf8(entry.path) + ": " + fault.what());
  }
  return entry;
}

DesiredTree parse(const Json& document, const IdOfName& id_of_name) {
  if (!document.is_object() || !document.contains("schema") || document["schema"] != 1) {
    throw Malformed("not a document with \"schema\": 1");
  }
  DesiredTree tree;
  for (const char* list : {"roots", "entries"}) {
    if (!document.contains(list) || !document[list].is_array()) {
      throw Malformed(std::string("\"") + list + "\" is missing or not a list");
    }
  }
  for (const Json& root : document["roots"]) tree.roots.push_back(path_of(root));
  for (const Json& entry : document["entries"]) {
    tree.entries.push_back(entry_of(entry, id_of_name));
  }
  return tree;
}

}  // namespace

Json desired_entry_json(const DesiredEntry& entry, const Names& names) {
  Json object;
  add_path(object, "path", entry.path);
  if (entry.type) object["type"] = name_of(*entry.type);
  if (entry.link) object["link"] = true;
  const DesiredState& state = entry.state;
  if (state.mode) object["mode"] = octal(*state.mode);
  if (state.uid) object["owner"] = names.user(*state.uid);
  if (state.gid) object["group"] = names.group(*state.gid);
  if (state.uid) object["uid"] = *state.uid;
  if (state.gid) object["gid"] = *state.gid;
  if (state.acl || state.default_acl) {
    const std::string acls = acl_pair_text(
        {state.acl.value_or(std::nullopt), state.default_acl.value_or(std::nullopt)}, &names);
    object["acl"] = acls.empty() ? Json(nullptr) : Json(acls);
  }
  return object;
}

Json desired_json(const DesiredTree& tree, const Names& names) {
  Json document = {{"schema", 1}, {"roots", path_list(tree.roots)}, {"entries", Json::array()}};
  for (const DesiredEntry& entry : tree.entries) {
    document["entries"].push_back(desired_entry_json(entry, names));
  }
  return document;
}

std::optional<DesiredTree> parse_desired(const std::string& text, const IdOfName& id_of_name,
                                         std::string& error) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    error = "not JSON";
    return std::nullopt;
  }
  try {
    return parse(document, id_of_name);
  } catch (const Malformed& fault) {
    error = fault.what();
    return std::nullopt;
  }
}

DesiredTree undo_of(const std::vector<Change>& changes) {
  DesiredTree tree;
  for (const Change& change : changes) {
    const Permission& before = change.before;
    tree.entries.push_back(
        {change.path,
         {before.rights.mode, before.uid, before.gid, before.rights.acl, before.default_acl},
         change.examined.type});
  }
  return tree;
}

}  // namespace permguard
