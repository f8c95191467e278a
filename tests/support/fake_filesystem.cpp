// SPDX-License-Identifier: Apache-2.0
#include "support/fake_filesystem.h"

#include <algorithm>
#include <cerrno>
#include <deque>

namespace permguard::test {
namespace {

using Tag = AclEntry::Tag;

constexpr unsigned kMaxLinks = 40;

std::string join(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::deque<std::string> components_of(const std::string& path) {
  std::deque<std::string> components;
  std::size_t at = 0;
  while ((at = path.find_first_not_of('/', at)) != std::string::npos) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    components.push_back(path.substr(at, end - at));
    at = end;
  }
  return components;
}

// Which digit of the mode an entry stands for: its shift, if any.
std::optional<unsigned> shift_of(Tag tag, bool masked) {
  switch (tag) {
    case Tag::user_obj:
      return 6;
    case Tag::group_obj:
      return masked ? std::nullopt : std::optional<unsigned>(3);
    case Tag::mask:
      return 3;
    case Tag::other:
      return 0;
    default:
      return std::nullopt;
  }
}

bool has_mask(const Acl& acl) {
  return std::any_of(acl.begin(), acl.end(), [](const auto& e) { return e.tag == Tag::mask; });
}

bool lies_below(const std::string& path, const std::string& point) {
  return point == "/" || path == point || path.starts_with(point + "/");
}

}  // namespace

FakeNode& FakeNode::mode(unsigned bits) {
  status_.mode = bits;
  if (!acl_) return *this;
  for (AclEntry& entry : *acl_) {
    if (const auto shift = shift_of(entry.tag, has_mask(*acl_))) entry.perms = bits >> *shift & 7;
  }
  return *this;
}

FakeNode& FakeNode::owner(uid_t uid, gid_t gid) {
  status_.uid = uid;
  status_.gid = gid;
  return *this;
}

FakeNode& FakeNode::acl(Acl entries) {
  for (const AclEntry& entry : entries) {
    const auto shift = shift_of(entry.tag, has_mask(entries));
    if (shift) status_.mode = (status_.mode & ~(7U << *shift)) | entry.perms << *shift;
  }
  acl_ = std::move(entries);
  return *this;
}

FakeNode& FakeNode::type(FileType type) {
  status_.type = type;
  return *this;
}

FakeNode& FakeNode::changed(std::int64_t seconds) {
  status_.changed = seconds;
  return *this;
}

FakeNode& FakeNode::attribute(const std::string& name, const std::string& value) {
  attributes_[name] = value;
  return *this;
}

FakeFilesystem::FakeFilesystem() {
  nodes_["/"].status_ = {.type = FileType::directory, .mode = 0755, .device = 1, .inode = 1};
  mounts_["/"] = {.point = "/", .fstype = "ext4"};
}

FakeNode& FakeFilesystem::make(const std::string& path, FileType type, unsigned mode) {
  const std::string parent = parent_of(path);
  if (!nodes_.contains(parent)) directory(parent);
  FakeNode& node = nodes_[path];
  node = FakeNode{};
  node.status_ = {.type = type, .mode = mode, .device = 1, .inode = next_inode_++};
  return node;
}

FakeNode& FakeFilesystem::directory(const std::string& path) {
  return make(path, FileType::directory, 0755);
}

FakeNode& FakeFilesystem::file(const std::string& path, const std::string& content) {
  FakeNode& node = make(path, FileType::regular, 0644);
  node.content_ = content;
  node.status_.size = content.size();
  return node;
}

FakeNode& FakeFilesystem::link(const std::string& path, const std::string& text) {
  FakeNode& node = make(path, FileType::symlink, 0777);
  node.content_ = text;
  node.status_.size = text.size();
  return node;
}

FakeNode& FakeFilesystem::socket(const std::string& path) {
  return make(path, FileType::socket, 0755);
}

FakeNode& FakeFilesystem::fifo(const std::string& path) {
  return make(path, FileType::fifo, 0644);
}

void FakeFilesystem::remove(const std::string& path) {
  std::erase_if(nodes_, [&](const auto& node) { return lies_below(node.first, path); });
}

void FakeFilesystem::mount_at(const std::string& point, Mount mount) {
  mount.point = point;
  mounts_[point] = std::move(mount);
}

void FakeFilesystem::fail(Call call, const std::string& path, int error) {
  failures_[{call, path}] = error;
}

Result<std::string> FakeFilesystem::resolve(const std::string& path, bool follow_last) const {
  std::deque<std::string> todo = components_of(path);
  std::string here = "/";
  for (unsigned links = 0; !todo.empty();) {
    const auto current = nodes_.find(here);
    if (current == nodes_.end()) return failure<std::string>(ENOENT);
    if (current->second.status_.type != FileType::directory) return failure<std::string>(ENOTDIR);
    const std::string name = todo.front();
    todo.pop_front();
    const std::string next = name == "." ? here : name == ".." ? parent_of(here) : join(here, name);
    const auto node = nodes_.find(next);
    const bool link = node != nodes_.end() && node->second.status_.type == FileType::symlink;
    if (!link || (todo.empty() && !follow_last)) {
      here = next;
      continue;
    }
    if (++links > kMaxLinks) return failure<std::string>(ELOOP);
    if (node->second.content_.starts_with('/')) here = "/";
    const std::deque<std::string> target = components_of(node->second.content_);
    todo.insert(todo.begin(), target.begin(), target.end());
  }
  return {0, here};
}

Result<const FakeNode*> FakeFilesystem::find(Call call, const std::string& path,
                                             bool follow_last) const {
  const auto planned = failures_.find({call, path});
  if (planned != failures_.end() && planned->second != 0) {
    return failure<const FakeNode*>(planned->second);
  }
  const Result<std::string> resolved = resolve(path, follow_last);
  if (!resolved) return failure<const FakeNode*>(resolved.error);
  const auto node = nodes_.find(resolved.value);
  if (node == nodes_.end()) return failure<const FakeNode*>(ENOENT);
  return {0, &node->second};
}

Result<FileStatus> FakeFilesystem::status(const std::string& path) const {
  const auto node = find(Call::status, path, false);
  return node ? Result<FileStatus>{0, node.value->status_} : failure<FileStatus>(node.error);
}

Result<FileStatus> FakeFilesystem::target_status(const std::string& path) const {
  const auto node = find(Call::status, path, true);
  return node ? Result<FileStatus>{0, node.value->status_} : failure<FileStatus>(node.error);
}

Result<std::string> FakeFilesystem::read_link(const std::string& path) const {
  const auto node = find(Call::read_link, path, false);
  if (!node) return failure<std::string>(node.error);
  if (node.value->status_.type != FileType::symlink) return failure<std::string>(EINVAL);
  return {0, node.value->content_};
}

Result<std::optional<Acl>> FakeFilesystem::acl(const std::string& path) const {
  const auto node = find(Call::acl, path, false);
  if (!node) return failure<std::optional<Acl>>(node.error);
  return {0, node.value->acl_};
}

Result<Mount> FakeFilesystem::mount(const std::string& path) const {
  const auto node = find(Call::mount, path, true);
  if (!node) return failure<Mount>(node.error);
  const std::string real = resolve(path, true).value;
  Mount deepest = mounts_.at("/");
  for (const auto& [point, mount] : mounts_) {  // in order: a deeper point comes later
    if (lies_below(real, point)) deepest = mount;
  }
  return {0, deepest};
}

Result<std::string> FakeFilesystem::read(const std::string& path, std::size_t offset,
                                         std::size_t count) const {
  const auto node = find(Call::read, path, true);
  if (!node) return failure<std::string>(node.error);
  if (node.value->status_.type != FileType::regular) return failure<std::string>(EINVAL);
  const std::string& content = node.value->content_;
  return {0, offset < content.size() ? content.substr(offset, count) : std::string()};
}

int FakeFilesystem::each_name(const std::string& path, const NameVisitor& visit) const {
  const auto node = find(Call::list, path, true);
  if (!node) return node.error;
  if (node.value->status_.type != FileType::directory) return ENOTDIR;
  const std::string real = resolve(path, true).value;
  for (const auto& [child, unused] : nodes_) {
    const bool within = child != "/" && parent_of(child) == real;
    if (within && !visit(std::string_view(child).substr(child.rfind('/') + 1))) break;
  }
  return 0;
}

Result<std::string> FakeFilesystem::attribute(const std::string& path,
                                              const std::string& name) const {
  return attribute_of(find(Call::attribute, path, false), name);
}

Result<std::string> FakeFilesystem::target_attribute(const std::string& path,
                                                     const std::string& name) const {
  return attribute_of(find(Call::attribute, path, true), name);
}

Result<std::string> FakeFilesystem::attribute_of(const Result<const FakeNode*>& node,
                                                 const std::string& name) {
  if (!node) return failure<std::string>(node.error);
  const auto found = node.value->attributes_.find(name);
  if (found == node.value->attributes_.end()) return failure<std::string>(ENODATA);
  return {0, found->second};
}

}  // namespace permguard::test
