// SPDX-License-Identifier: Apache-2.0
#include "report/desired.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>
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

Json root_list(const std::vector<DesiredRoot>& roots) {
  Json list = Json::array();
  for (const DesiredRoot& root : roots) {
    Json entry;
    add_path(entry, "path", root.path);
    if (!root.real.empty()) {
      add_path(entry, "real", root.real);
      entry["device"] = root.device;
      entry["inode"] = root.inode;
    }
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

std::string path_of(const Json& object, const std::string& key = "path") {
  if (!object.is_object()) throw Malformed("not an object");
  const std::string encoded = key + "_base64";
  const std::optional<std::string> path = object.contains(encoded)
                                              ? from_base64(text_of(object, encoded.c_str()))
                                              : text_of(object, key.c_str());
  if (!path) throw Malformed('"' + encoded + "\" is not base64");
  if (path->empty() || path->front() != '/')
    throw Malformed(key + " '" + to_utf8(*path) + "' is not absolute");
  if (path->find('\0') != std::string::npos) throw Malformed("the " + key + " holds a zero byte");
  return *path;
}

std::uint64_t unsigned_of(const Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_number_unsigned()) {
    throw Malformed(std::string("\"") + key + "\" is missing or not a number");
  }
  return member->get<std::uint64_t>();
}

DesiredRoot root_of(const Json& object) {
  DesiredRoot root;
  root.path = path_of(object);
  if (!object.contains("real")) return root;
  root.real = path_of(object, "real");
  root.device = unsigned_of(object, "device");
  root.inode = unsigned_of(object, "inode");
  return root;
}

unsigned mode_of(const std::string& text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || mode > 07777) {
    throw Malformed("\"mode\" is not octal: " + text);
  }
  return mode;
}

// 2^32-1 is no id: chown(2) takes it for "leave it alone".
std::uint32_t number_of(const Json& object, const char* key) {
  const Json& value = object[key];
  const bool fits = value.is_number_unsigned() &&
                    value.get<std::uint64_t>() < std::numeric_limits<std::uint32_t>::max();
  if (!fits) throw Malformed(std::string("\"") + key + "\" is not an id: " + value.dump());
  return value.get<std::uint32_t>();
}

/// By name, else by the number beside it.
std::uint32_t id_of(const Json& object, const char* name, const char* number, AclEntry::Tag tag,
                    const IdOfName& id_of_name) {
  std::optional<std::uint32_t> id;
  if (object.contains(number)) id = number_of(object, number);
  if (object.contains(name)) {
    const std::string text = text_of(object, name);
    if (const auto known = id_of_name(tag, text)) return *known;
    if (!id) throw Malformed(std::string("\"") + name + "\" is not known here: " + text);
  }
  if (!id) throw Malformed(std::string("\"") + name + "\" and \"" + number + "\" are missing");
  return *id;
}

/// As setxattr(2) takes it: the three classes once, a mask where anybody is named.
bool is_complete(const Acl& acl) {
  using Tag = AclEntry::Tag;
  const auto count = [&](Tag tag) {
    return std::count_if(acl.begin(), acl.end(), [&](const AclEntry& e) { return e.tag == tag; });
  };
  const auto same = [](const AclEntry& a, const AclEntry& b) {
    return a.tag == b.tag && a.id == b.id;
  };
  const bool named = count(Tag::user) + count(Tag::group) > 0;
  return count(Tag::user_obj) == 1 && count(Tag::group_obj) == 1 && count(Tag::other) == 1 &&
         (!named || count(Tag::mask) == 1) &&
         std::adjacent_find(acl.begin(), acl.end(), same) == acl.end();
}

void take_acls(const Json& object, DesiredState& state, const IdOfName& id_of_name) {
  if (!object.contains("acl")) return;
  const std::string text = object["acl"].is_null() ? "" : text_of(object, "acl");
  std::optional<AclPair> acls = parse_acl_pair(text, id_of_name);
  const bool complete = acls && (!acls->access || is_complete(*acls->access)) &&
                        (!acls->fallback || is_complete(*acls->fallback));
  if (!complete) throw Malformed("\"acl\" is not one: " + text);
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
    entry.state.mode = mode_of(text_of(object, "mode"));
    entry.state.uid = id_of(object, "owner", "uid", AclEntry::Tag::user, id_of_name);
    entry.state.gid = id_of(object, "group", "gid", AclEntry::Tag::group, id_of_name);
    take_acls(object, entry.state, id_of_name);
  } catch (const Malformed& fault) {
    throw Malformed(to_utf8(entry.path) + ": " + fault.what());
  }
  return entry;
}

/// `work` on every element of `document[list]`; what is wrong with one is said with its number.
template <class Work>
void each_of(const Json& document, const char* list, const Work& work) {
  if (!document.contains(list) || !document[list].is_array()) {
    throw Malformed(std::string("\"") + list + "\" is missing or not a list");
  }
  for (std::size_t i = 0; i < document[list].size(); ++i) {
    try {
      work(document[list][i]);
    } catch (const Malformed& fault) {
      throw Malformed(std::string(list) + "[" + std::to_string(i) + "]: " + fault.what());
    }
  }
}

DesiredTree parse(const Json& document, const IdOfName& id_of_name) {
  if (!document.is_object() || !document.contains("schema") || document["schema"] != 1) {
    throw Malformed("not a document with \"schema\": 1");
  }
  DesiredTree tree;
  each_of(document, "roots", [&](const Json& root) { tree.roots.push_back(root_of(root)); });
  each_of(document, "entries",
          [&](const Json& entry) { tree.entries.push_back(entry_of(entry, id_of_name)); });
  return tree;
}

/// With the place of what is wrong.
Json document_of(const std::string& text) {
  if (text.empty()) throw Malformed("the file is empty");
  try {
    return parse_json(text);
  } catch (const Json::parse_error& fault) {
    const bool ended = fault.byte > text.size();
    throw Malformed("not JSON: " + std::string(ended ? "it ends too early, at byte " : "byte ") +
                    std::to_string(std::min(fault.byte, text.size())));
  } catch (const std::length_error& fault) {
    throw Malformed(fault.what());
  } catch (const Json::exception& fault) {
    throw Malformed(std::string("not JSON: ") + fault.what());
  }
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
  Json document = {{"schema", 1}, {"roots", root_list(tree.roots)}, {"entries", Json::array()}};
  for (const DesiredEntry& entry : tree.entries) {
    document["entries"].push_back(desired_entry_json(entry, names));
  }
  return document;
}

std::optional<DesiredTree> parse_desired(const std::string& text, const IdOfName& id_of_name,
                                         std::string& error) {
  try {
    return parse(document_of(text), id_of_name);
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
