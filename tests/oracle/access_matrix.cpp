// SPDX-License-Identifier: Apache-2.0
#include "oracle/access_matrix.h"

#include <filesystem>
#include <regex>

#include "core/filesystem.h"

namespace permguard::oracle {
namespace {

namespace fs = std::filesystem;

constexpr gid_t kAdm = 4;
constexpr uid_t kStranger = 53003;

std::vector<Identity> everybody() {
  std::vector<Identity> people = {lookup_identity("www-data").value,
                                  lookup_identity("nobody").value};
  for (const auto& [uid, groups] : {std::pair{kStranger, std::vector<gid_t>{}},
                                    std::pair{kStranger + 1, std::vector<gid_t>{kAdm}},
                                    std::pair{kStranger + 2, std::vector<gid_t>{33}},
                                    std::pair{kStranger + 3, std::vector<gid_t>{kAdm, 33}},
                                    std::pair{kStranger + 4, std::vector<gid_t>{0}}}) {
    Identity who;
    who.uid = uid;
    who.gid = uid;
    who.groups = groups;
    who.name = "#" + std::to_string(uid);
    people.push_back(std::move(who));
  }
  return people;
}

Permissions rights_of(const Identity& who, const FileStatus& file, const std::optional<Acl>& acl) {
  Permissions rights = 0;
  for (const Permissions bit : {kRead, kWrite, kExecute}) {
    if (decide_access(file, acl, who, bit).allowed) rights |= bit;
  }
  return rights;
}

Permissions from_letters(const std::string& letters) {
  Permissions rights = 0;
  for (const char letter : letters) {
    rights |= letter == 'r' ? kRead : letter == 'w' ? kWrite : letter == 'x' ? kExecute : 0;
  }
  return rights;
}

/// Which rights the commands give `who` on a file that they name, by the plain sense of the words.
Permissions given(const std::string& fix, const Identity& who, const FileStatus& file) {
  Permissions rights = 0;
  const std::regex chmod("chmod ([augo]+)\\+([rx]+)(?:,o-w)? "), entry("u:([^:, ]+):([rwx]+)");
  for (std::sregex_iterator match(fix.begin(), fix.end(), chmod), end; match != end; ++match) {
    const std::string classes = (*match)[1];
    const bool owner = who.uid == file.uid;
    const bool meant = classes.find('a') != std::string::npos ||
                       classes.find(owner                    ? "u"
                                    : who.in_group(file.gid) ? "g"
                                                             : "o") != std::string::npos;
    if (meant) rights |= from_letters((*match)[2]);
  }
  for (std::sregex_iterator match(fix.begin(), fix.end(), entry), end; match != end; ++match) {
    if ((*match)[1] == who.name) rights |= from_letters((*match)[2]);
  }
  return rights;
}

std::string letters(Permissions rights) {
  return std::string(rights & kRead ? "r" : "") + (rights & kWrite ? "w" : "") +
         (rights & kExecute ? "x" : "");
}

}  // namespace

AccessMatrix::AccessMatrix(const std::string& directory) : people_(everybody()) {
  const SystemFilesystem filesystem;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string path = entry.path();
    File file{filesystem.status(path).value, {}};
    const auto acl = filesystem.acl(path).value;
    for (const Identity& who : people_) file.rights.push_back(rights_of(who, file.status, acl));
    files_.emplace(path, std::move(file));
  }
}

std::string AccessMatrix::change(const std::string& path, const File& before, const File& after,
                                 const std::string& fix) const {
  std::string text;
  for (std::size_t i = 0; i < people_.size(); ++i) {
    const Permissions gained = after.rights[i] & ~before.rights[i];
    const Permissions lost = before.rights[i] & ~after.rights[i];
    const Permissions unasked = gained & ~given(fix, people_[i], before.status);
    if ((gained & kWrite) != 0 || unasked != 0) {
      text += people_[i].name + " gains " + letters(gained) + " on " + path + "\n";
    }
    // What would end at 0777 is closed to others, and says so.
    const bool closed = lost == kWrite && fix.find("o-w ") != std::string::npos;
    if (lost != 0 && !closed)
      text += people_[i].name + " loses " + letters(lost) + " on " + path + "\n";
  }
  // A file that can be named is named; what cannot stands there by its number.
  const bool pasteable = path.find_first_of("\\\n\xFF\xC3") == std::string::npos;
  const std::string shown = pasteable
                                ? "'" + std::regex_replace(path, std::regex("'"), R"('"'"')") + "'"
                                : " -inum " + std::to_string(before.status.inode) + " ";
  const bool changed = before.status.changed != after.status.changed ||
                       before.status.changed_ns != after.status.changed_ns;
  if (changed && fix.find(shown) == std::string::npos) {
    text += "it changes " + path + ", which it does not name\n";
  }
  return text;
}

std::string AccessMatrix::beyond(const AccessMatrix& after, const std::string& fix) const {
  std::string text;
  for (const auto& [path, file] : files_) {
    text += change(path, file, after.files_.at(path), fix);
  }
  return text;
}

}  // namespace permguard::oracle
