// SPDX-License-Identifier: Apache-2.0
//
// link_path_walk() of the kernel's fs/namei.c, done by hand with lstat and readlink so that
// every inode on the way can be looked at.
#include "core/path_walk.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace permguard {
namespace {

constexpr std::size_t kNameMax = 255;   // NAME_MAX, linux/limits.h
constexpr std::size_t kPathMax = 4096;  // PATH_MAX with the final NUL
constexpr unsigned kStickyWorldWritable = 01002;

std::string join(const std::string& directory, std::string_view name) {
  return (directory == "/" ? std::string() : directory) + "/" + std::string(name);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A text that is being walked: the path itself, or a link's.
struct Text {
  static constexpr std::size_t kNoLink = static_cast<std::size_t>(-1);

  std::string bytes;
  std::size_t link = kNoLink;  // index of the link's step
  std::size_t at = 0;          // the first byte not walked yet

  bool exhausted() const { return bytes.find_first_not_of('/', at) == std::string::npos; }

  std::string next_name() {
    const std::size_t begin = bytes.find_first_not_of('/', at);
    at = std::min(bytes.find('/', begin), bytes.size());
    return bytes.substr(begin, at - begin);
  }
};

class Walker {
 public:
  Walker(const Filesystem& filesystem, const Identity& who, const WalkOptions& options)
      : filesystem_(filesystem), who_(who), options_(options) {}

  Walk run(const std::string& path);

 private:
  // Each of these is false where the walk cannot go on.
  bool take_component();
  bool enter(const std::string& name);
  bool visit(const std::string& path);
  bool look_at(const std::string& path);
  bool follow(std::size_t link);
  void check_mount(const Step& link);
  bool finish();
  bool refuse(WalkFault fault);
  bool stop(int error);
  bool refuse_lookup(const std::string& path, int error);
  bool refuse_missing(const std::string& path);

  void check_search();
  void check_protected(const Step& link);
  void notice_last_component();
  bool drop_exhausted_texts();
  Step& here() { return walk_.steps[here_]; }

  const Filesystem& filesystem_;
  const Identity& who_;
  const WalkOptions& options_;
  Walk walk_;
  std::vector<Text> texts_;            // the innermost link's text is the last
  std::size_t here_ = 0;               // index of the step the walk stands on, never a link
  std::vector<std::size_t> reported_;  // steps whose search-denied is already a fault
  unsigned links_ = 0;
  bool last_ = false;              // the component just taken ends the path
  bool directory_wanted_ = false;  // and a slash follows it, in its text or an outer one
};

Walk Walker::run(const std::string& path) {
  if (path.empty()) {
    refuse({.code = Code::not_found, .error = ENOENT});
  } else if (path.size() >= kPathMax) {
    refuse({.code = Code::name_too_long, .path = path, .error = ENAMETOOLONG});
  } else if (look_at("/")) {
    texts_.push_back({path.starts_with('/') ? path : options_.directory + "/" + path});
    bool going = true;
    while (going && drop_exhausted_texts()) going = take_component();
    if (going) finish();
  }
  return std::move(walk_);
}

// False at the end of everything.
bool Walker::drop_exhausted_texts() {
  while (!texts_.empty() && texts_.back().exhausted()) texts_.pop_back();
  return !texts_.empty();
}

bool Walker::take_component() {
  if (here().status.type != FileType::directory) {
    return refuse({.code = Code::not_a_directory,
                   .path = here().path,
                   .file = here().status,
                   .error = ENOTDIR});
  }
  const std::string name = texts_.back().next_name();
  notice_last_component();
  check_search();
  return enter(name);
}

void Walker::notice_last_component() {
  last_ = std::all_of(texts_.begin(), texts_.end(), [](const Text& t) { return t.exhausted(); });
  if (!last_) return;
  for (const Text& text : texts_) directory_wanted_ |= text.at < text.bytes.size();
}

bool Walker::enter(const std::string& name) {
  if (name == ".") return true;
  if (name == "..") return visit(parent_of(here().path));
  const std::string path = join(here().path, name);
  if (name.size() > kNameMax) {
    return refuse({.code = Code::name_too_long, .path = path, .error = ENAMETOOLONG});
  }
  const std::size_t directory = here_;
  if (!visit(path)) return false;
  if (here().status.type != FileType::symlink) return true;
  const std::size_t link = std::exchange(here_, directory);
  return follow(link);
}

// A file met twice, after ".." or by two links, is one step.
bool Walker::visit(const std::string& path) {
  for (std::size_t i = 0; i < walk_.steps.size(); ++i) {
    if (walk_.steps[i].path != path) continue;
    here_ = i;
    return true;
  }
  return look_at(path);
}

bool Walker::look_at(const std::string& path) {
  const Result<FileStatus> status = filesystem_.status(path);
  // Every process has a root directory: who is refused that one is not answered by the kernel.
  if (!status && walk_.steps.empty()) return stop(status.error);
  if (!status) return refuse_lookup(path, status.error);
  Step step;
  step.path = path;
  step.status = status.value;
  if (step.status.type == FileType::symlink) {
    Result<std::string> text = filesystem_.read_link(path);
    if (!text) return stop(text.error);
    step.link_target = std::move(text.value);
  } else {
    Result<std::optional<Acl>> acl = filesystem_.acl(path);
    if (!acl) return stop(acl.error);
    step.acl = std::move(acl.value);
  }
  if (step.status.type == FileType::directory) {
    step.search = decide_access(step.status, step.acl, who_, kExecute);
  }
  here_ = walk_.steps.size();
  walk_.steps.push_back(std::move(step));
  return true;
}

bool Walker::follow(std::size_t link) {
  const Step& step = walk_.steps[link];
  if (++links_ > kMaxLinks) {
    return refuse({.code = Code::symlink_loop,
                   .path = step.path,
                   .file = step.status,
                   .error = ELOOP,
                   .detail = step.link_target});
  }
  check_protected(step);
  check_mount(step);
  if (step.link_target.starts_with('/')) here_ = 0;
  texts_.push_back({step.link_target, link});
  return true;
}

// may_follow_link(), fs/namei.c: asked for links at the path's end only.
void Walker::check_protected(const Step& link) {
  const FileStatus& directory = here().status;
  if (!options_.protected_symlinks || !last_ || link.status.uid == who_.uid) return;
  if ((directory.mode & kStickyWorldWritable) != kStickyWorldWritable) return;
  if (directory.uid == link.status.uid) return;
  refuse({.code = Code::lsm_denied,
          .path = link.path,
          .file = link.status,
          .error = EACCES,
          .detail = "fs.protected_symlinks forbids another owner's link in a sticky, "
                    "world-writable directory"});
}

// pick_link(), fs/namei.c: the option belongs to the mount on which the link lies. What stands
// beyond the link is still looked at, as beyond a closed directory.
void Walker::check_mount(const Step& link) {
  if (filesystem_.follows_links(here().path)) return;
  const Result<Mount> mount = filesystem_.mount(here().path);
  const std::string point = mount ? mount.value.point : std::string();
  refuse({.code = Code::symlink_loop,
          .path = link.path,
          .file = link.status,
          .error = ELOOP,
          .detail = "the mount" + (point.empty() ? point : " '" + point + "'") +
                    " has the option nosymfollow"});
}

void Walker::check_search() {
  if (here().search.allowed) return;
  if (std::find(reported_.begin(), reported_.end(), here_) != reported_.end()) return;
  reported_.push_back(here_);
  refuse({.code = Code::search_denied,
          .path = here().path,
          .file = here().status,
          .decision = here().search,
          .error = EACCES});
}

bool Walker::refuse(WalkFault fault) {
  walk_.faults.push_back(std::move(fault));
  return false;
}

// Nothing can be said of what lies beyond; nor of a file that was there and is gone.
bool Walker::stop(int error) {
  walk_.blocked = error;
  return false;
}

bool Walker::refuse_lookup(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      return refuse_missing(path);
    case ENOTDIR:
      return refuse({.code = Code::not_a_directory, .path = parent_of(path), .error = error});
    case ENAMETOOLONG:
      return refuse({.code = Code::name_too_long, .path = path, .error = error});
    default:
      return stop(error);
  }
}

bool Walker::refuse_missing(const std::string& path) {
  if (texts_.empty() || texts_.back().link == Text::kNoLink) {
    return refuse({.code = Code::not_found, .path = path, .error = ENOENT});
  }
  const Step& link = walk_.steps[texts_.back().link];
  return refuse({.code = Code::dangling_symlink,
                 .path = link.path,
                 .file = link.status,
                 .error = ENOENT,
                 .detail = link.link_target});
}

bool Walker::finish() {
  if (directory_wanted_ && here().status.type != FileType::directory) {
    return refuse({.code = Code::not_a_directory,
                   .path = here().path,
                   .file = here().status,
                   .error = ENOTDIR});
  }
  if (here_ + 1 != walk_.steps.size()) walk_.steps.push_back(Step(here()));
  walk_.steps.back().last = true;
  walk_.complete = true;
  walk_.resolved = walk_.steps.back().path;
  return true;
}

}  // namespace

Walk walk_path(const Filesystem& filesystem, const std::string& path, const Identity& who,
               const WalkOptions& options) {
  return Walker(filesystem, who, options).run(path);
}

bool hangs_on_process(const Filesystem& filesystem, const Walk& walk) {
  const auto lies_in_proc = [](const std::string& path) { return path.starts_with("/proc/"); };
  return std::any_of(walk.faults.begin(), walk.faults.end(),
                     [&](const WalkFault& fault) { return lies_in_proc(fault.path); }) ||
         std::any_of(walk.steps.begin(), walk.steps.end(), [&](const Step& step) {
           if (lies_in_proc(step.path)) return true;
           return step.status.type == FileType::symlink &&
                  filesystem.mount(parent_of(step.path)).value.fstype == "proc";
         });
}

}  // namespace permguard
