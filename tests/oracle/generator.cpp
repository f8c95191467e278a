// SPDX-License-Identifier: Apache-2.0
#include "oracle/generator.h"

#include <array>

#include "oracle/identities.h"

namespace permguard::oracle {
namespace {

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}
std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::string permissions(unsigned bits) {
  std::string text = "---";
  if (bits & 4) text[0] = 'r';
  if (bits & 2) text[1] = 'w';
  if (bits & 1) text[2] = 'x';
  return text;
}

}  // namespace

std::string Generator::mount_point() {
  const auto roll = dice_.below(100);
  return roll < 82 ? ground_.plain() : roll < 90 ? ground_.noexec() : ground_.nosuid();
}

std::string Generator::acl(unsigned mode) {
  static constexpr std::array kUsers = {kOwner, kMember, kStranger, kPrimary};
  static constexpr std::array kGroups = {kTeam, kSecondTeam, kOwner};
  std::string text =
      "u::" + permissions(mode >> 6) + ",g::" + permissions(mode >> 3) + ",o::" + permissions(mode);
  for (const auto uid : kUsers) {
    if (!dice_.percent(40)) continue;
    text += ",u:" + std::to_string(uid) + ":" + permissions(static_cast<unsigned>(dice_.below(8)));
  }
  for (const auto gid : kGroups) {
    if (!dice_.percent(40)) continue;
    text += ",g:" + std::to_string(gid) + ":" + permissions(static_cast<unsigned>(dice_.below(8)));
  }
  return text +
         ",m::" + permissions(dice_.percent(50) ? 7u : static_cast<unsigned>(dice_.below(8)));
}

void Generator::give_rights(PlannedFile& file) {
  static constexpr std::array<unsigned, 16> kModes = {0644, 0711, 0700, 0750, 0751, 0710,
                                                      0770, 0705, 0055, 0510, 0007, 0070,
                                                      0111, 0555, 0000, 02755};
  static constexpr std::array<unsigned, 3> kSetIds = {02000, 04000, 06000};
  static constexpr std::array<uid_t, 5> kOwners = {0, 0, kOwner, kMember, kStranger};
  static constexpr std::array<gid_t, 5> kGroups = {0, kTeam, kTeam, kSecondTeam, kOwner};
  const bool directory = file.kind == PlannedFile::Kind::directory;
  file.mode = dice_.percent(directory ? 72 : 66) ? 0755 : dice_.pick(kModes);
  if (dice_.percent(6)) file.mode = static_cast<unsigned>(dice_.below(01000));
  if (directory && dice_.percent(6)) file.mode = 01777;
  if (!directory && dice_.percent(12)) file.mode |= dice_.pick(kSetIds);
  file.uid = dice_.pick(kOwners);
  file.gid = dice_.pick(kGroups);
  if (dice_.percent(14)) file.acl = acl(file.mode);
}

void Generator::add_directories(TreePlan& plan) {
  directories_.clear();
  const std::size_t count = 1 + dice_.below(4);
  for (std::size_t i = 0; i < count; ++i) {
    const bool nested = !directories_.empty() && dice_.percent(70);
    PlannedFile file;
    file.kind = PlannedFile::Kind::directory;
    file.path = (nested ? dice_.pick(directories_) : mount_point()) + "/d" + std::to_string(i);
    give_rights(file);
    directories_.push_back(file.path);
    plan.files.push_back(std::move(file));
  }
}

void Generator::add_files(TreePlan& plan) {
  files_.clear();
  const std::size_t count = 2 + dice_.below(5);
  for (std::size_t i = 0; i < count; ++i) {
    files_.push_back(dice_.pick(directories_) + "/f" + std::to_string(i));
  }
  auto paths = files_;
  for (int i = 0; i < 3; ++i) paths.push_back(dice_.pick(directories_) + "/l" + std::to_string(i));
  BodyWriter writer(dice_, programs_);
  for (const auto& path : files_) {
    PlannedFile file;
    file.path = path;
    if (dice_.percent(2)) file.kind = PlannedFile::Kind::fifo;
    auto others = paths;
    if (!dice_.percent(2)) std::erase(others, path);
    if (file.kind == PlannedFile::Kind::regular) file.content = writer.write(others);
    give_rights(file);
    plan.files.push_back(std::move(file));
  }
  links_.assign(paths.end() - 3, paths.end());
}

std::string Generator::link_text(const std::string& from) {
  const std::string file = dice_.pick(files_), directory = dice_.pick(directories_);
  switch (dice_.below(10)) {
    case 0:
      return directory;
    case 1:
      return "../" + base_name(directory_of(from)) + "/" + base_name(file);
    case 2:
      return base_name(file);
    case 3:
      return dice_.pick(links_);
    case 4:
      return directory + "/nothing";
    case 5:
      return dice_.percent(50) ? "/bin/sh" : base_name(from);
    case 6:
      return directory + "/../" + base_name(directory) + "/" + base_name(file);
    default:
      return file;
  }
}

void Generator::add_links(TreePlan& plan) {
  static constexpr std::array<uid_t, 4> kOwners = {0, kOwner, kMember, kStranger};
  for (const auto& path : links_) {
    PlannedFile file;
    file.kind = PlannedFile::Kind::link;
    file.path = path;
    file.content = link_text(path);
    file.uid = dice_.pick(kOwners);
    plan.files.push_back(std::move(file));
  }
}

// The same file by another way: through "..", double slashes, a link to its directory.
std::string Generator::odd_spelling(const std::string& path) {
  const std::string directory = directory_of(path), name = base_name(path);
  switch (dice_.below(6)) {
    case 0:
      return directory + "//" + name;
    case 1:
      return directory + "/./" + name;
    case 2:
      return directory + "/../" + base_name(directory) + "/" + name;
    case 3:
      return dice_.pick(links_) + "/" + name;
    case 4:
      return path + "/" + name;
    default:
      return dice_.pick(directories_) + "/" + std::string(250 + dice_.below(10), 'n');
  }
}

void Generator::add_targets(TreePlan& plan) {
  for (int i = 0; i < 4; ++i) {
    const std::string path = dice_.percent(75) ? dice_.pick(files_) : dice_.pick(links_);
    const auto roll = dice_.below(100);
    plan.targets.push_back(roll < 88   ? path
                           : roll < 97 ? odd_spelling(path)
                                       : dice_.pick(directories_));
  }
}

std::string Generator::search_path() {
  const std::string system = "/usr/bin:/bin";
  switch (dice_.below(8)) {
    case 0:
      return "";
    case 1:
      return ":" + system;
    case 2:
      return "/nonexistent:/etc/passwd:" + dice_.pick(directories_);
    case 3:
      return dice_.pick(directories_) + ":" + dice_.pick(directories_) + "/:" + system;
    case 4:
      return dice_.pick(directories_) + ":" + system;
    default:
      return system;
  }
}

TreePlan Generator::plan() {
  TreePlan plan;
  add_directories(plan);
  add_files(plan);
  add_links(plan);
  add_targets(plan);
  plan.search_path = search_path();
  return plan;
}

}  // namespace permguard::oracle
