// SPDX-License-Identifier: Apache-2.0
#include "oracle/suexec_case.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "support/real_acl.h"

namespace permguard::oracle {
namespace {

namespace fs = std::filesystem;
using Tag = AclEntry::Tag;
using test::kAnn;
using test::kBob;
using test::kLowGroup;
using test::kLowly;
using test::kUnknown;
using test::SuexecWorld;

constexpr std::array<unsigned, 12> kDirectoryModes{0755, 0711, 0700, 0750, 0775, 0777,
                                                   0311, 0511, 0411, 0055, 0710, 0705};
constexpr std::array<unsigned, 12> kScriptModes{0755,  0700, 0500, 0775, 0757, 04755,
                                                02755, 0644, 0655, 0300, 0100, 0711};
constexpr std::array<uid_t, 3> kOwners{kAnn, kBob, 0};

/// A tree under construction.
class Builder {
 public:
  Builder(SuexecWorld& world, Dice& dice) : world_(world), dice_(dice) {}

  SuexecCase build() {
    world_.reset();
    world_.configure("/var/www/\npublic_html\n");
    result_.caller = "www-data";
    result_.userdir = dice_.percent(25);
    choose_directory();
    write_script();
    for (std::size_t i = dice_.below(4); i > 0; --i) spoil();
    return result_;
  }

 private:
  void note(const std::string& text) { result_.description += text + "\n"; }

  static bool is_there(const std::string& path) {
    return fs::symlink_status(path).type() != fs::file_type::not_found;
  }

  void own(const std::string& path, uid_t uid, gid_t gid) {
    if (!is_there(path)) return;
    check(lchown(path.c_str(), uid, gid), "chown " + path);
    note("chown " + std::to_string(uid) + ":" + std::to_string(gid) + " " + path);
  }
  void mode(const std::string& path, unsigned bits) {
    if (!is_there(path)) return;
    check(::chmod(path.c_str(), bits), "chmod " + path);
    std::array<char, 8> octal{};
    std::snprintf(octal.data(), octal.size(), "%04o", bits);
    note("chmod " + std::string(octal.data()) + " " + path);
  }
  static void check(int result, const std::string& what) {
    if (result != 0) throw std::system_error(errno, std::generic_category(), what);
  }

  void choose_directory() {
    base_ = result_.userdir ? "/var/home/ann/public_html" : "/var/www";
    directory_ = base_;
    const std::size_t depth = dice_.below(3);
    for (std::size_t i = 0; i < depth; ++i) {
      directory_ += i == 0 ? "/site" : "/cgi";
      fs::create_directory(directory_);
      mode(directory_, 0755);
      on_the_way_.push_back(directory_);
    }
    own(directory_, kAnn, kAnn);
  }

  void write_script() {
    script_ = directory_ + "/a.cgi";
    write(script_, std::string("#!/bin/sh\necho ") + kMarker + "\n");
    own(script_, kAnn, kAnn);
    mode(script_, 0755);
    result_.script = script_;
  }

  void write(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    note("write " + path + ": " + text.substr(0, text.find('\n')));
  }

  void spoil() {
    switch (dice_.below(16)) {
      case 0:
        return own(script_, dice_.pick(kOwners), dice_.pick(kOwners));
      case 1:
        return own(directory_, dice_.pick(kOwners), dice_.pick(kOwners));
      case 2:
        return spoil_script_mode();
      case 3:
        return mode(directory_, dice_.pick(kDirectoryModes));
      case 4:
        return spoil_target();
      case 5:
        return spoil_contents();
      case 6:
        return spoil_kind();
      case 7:
        return spoil_way();
      case 8:
        return spoil_docroot();
      case 9:
        return spoil_place();
      case 10:
        return spoil_config();
      case 11:
        return spoil_caller();
      case 12:
        return spoil_acl(directory_);
      case 13:
        return spoil_acl(script_);
      case 14:
        return take_a_detour();
      default:
        return spoil_log();
    }
  }

  void spoil_script_mode() {
    if (!fs::is_symlink(script_)) mode(script_, dice_.pick(kScriptModes));
  }

  void spoil_target() {
    static constexpr std::array<uid_t, 5> kUsers{0, kLowly, kUnknown, kBob, kAnn};
    static constexpr std::array<gid_t, 5> kGroups{0, kLowGroup, 53998, kBob, kAnn};
    if (dice_.percent(60)) result_.uid = dice_.pick(kUsers);
    if (dice_.percent(60)) result_.gid = dice_.pick(kGroups);
  }

  void spoil_contents() {
    static constexpr std::array<const char*, 5> kTexts{
        "", "echo no shebang\n", "#!/no/such/interpreter\n",
        "#!/usr/bin/env sh\necho the script ran\n", "#!/bin/sh\r\n"};
    if (fs::is_regular_file(fs::symlink_status(script_))) write(script_, dice_.pick(kTexts));
  }

  void spoil_kind() {
    fs::remove(script_);
    const std::string other = directory_ + "/other.cgi";
    switch (dice_.below(4)) {
      case 0:
        fs::create_directory(script_);
        break;
      case 1:
        check(mkfifo(script_.c_str(), 0755), "mkfifo");
        break;
      case 2:
        fs::create_symlink("nowhere", script_);
        break;
      default:
        write(other, std::string("#!/bin/sh\necho ") + kMarker + "\n");
        fs::create_symlink(other, script_);
    }
    note("another kind of file: " + script_);
    own(script_, kAnn, kAnn);
    if (!fs::is_symlink(script_)) mode(script_, 0755);
  }

  /// A directory above the script's own.
  void spoil_way() {
    const std::string& way = on_the_way_.size() > 1 ? on_the_way_.front() : base_;
    mode(way, dice_.pick(kDirectoryModes));
  }

  void spoil_docroot() {
    const bool home = result_.userdir && dice_.percent(50);
    const std::string path = home ? "/var/home/ann" : result_.userdir ? base_ : "/var/www";
    mode(path, dice_.pick(kDirectoryModes));
    if (dice_.percent(50)) own(path, 0, 0);
    if (dice_.percent(30) && !directory_.starts_with(path)) fs::rename(path, path + ".gone");
    if (dice_.percent(15) && result_.userdir) result_.uid = kBob;
  }

  /// Beside the document root, with a name that begins with its name or with another.
  void spoil_place() {
    const std::string other =
        dice_.percent(50) ? result_.userdir ? base_ + "-old" : "/var/www-old/site" : "/var/other/x";
    if (is_there(other) || directory_ == base_) return;
    fs::rename(directory_, other);
    directory_ = other;
    script_ = other + "/a.cgi";
    result_.script = script_;
    note("moved to " + other);
  }

  void spoil_config() {
    static constexpr std::array<const char*, 11> kTexts{"",
                                                        "/var/www\n",
                                                        "#/var/www\npublic_html\n",
                                                        "/var/www\n#public_html\n",
                                                        "/\npublic_html\n",
                                                        "//var/www\npublic_html\n",
                                                        "/./var/www\npublic_html\n",
                                                        "/var/www-old\n.\n",
                                                        "/var/other  \npublic_html/ \n",
                                                        "/nowhere\nnowhere\n",
                                                        "/var/www\npublic_html"};
    const std::size_t choice = dice_.below(kTexts.size() + 1);
    const bool none = choice == kTexts.size();
    world_.configure(none ? std::nullopt : std::optional<std::string>(kTexts[choice]));
    note("config " + (none ? "removed" : std::string(kTexts[choice])));
  }

  void spoil_caller() { result_.caller = dice_.percent(50) ? "friend" : "stranger"; }

  void spoil_acl(const std::string& path) {
    if (fs::is_symlink(path) || !fs::exists(path)) return;
    static constexpr std::array<Permissions, 4> kPerms{0, 5, 7, 1};
    const Acl acl{{Tag::user_obj, 0, dice_.percent(80) ? 7U : 5U},
                  {Tag::user, dice_.pick(kOwners), dice_.pick(kPerms)},
                  {Tag::group_obj, 0, dice_.pick(kPerms)},
                  {Tag::mask, 0, dice_.pick(kPerms)},
                  {Tag::other, 0, dice_.pick(kPerms)}};
    test::set_real_acl(path, acl);
    note("acl " + test::acl_text(acl) + " " + path);
  }

  /// The server's way leads through a link, and perhaps a directory the target may not enter.
  void take_a_detour() {
    if (is_there("/var/other/way")) return;
    fs::create_directory("/var/other/way");
    own("/var/other/way", 33, 33);
    mode("/var/other/way", dice_.percent(50) ? 0700 : 0755);
    fs::create_symlink(directory_, "/var/other/way/link");
    result_.script = "/var/other/way/link/a.cgi";
    note("asked for as " + result_.script);
  }

  void spoil_log() {
    if (dice_.percent(70)) return;
    fs::remove_all("/var/log/apache2");
    note("no directory for the log");
  }

  SuexecWorld& world_;
  Dice& dice_;
  SuexecCase result_;
  std::string base_;
  std::string directory_;
  std::string script_;
  std::vector<std::string> on_the_way_;
};

}  // namespace

SuexecCase build_suexec_case(test::SuexecWorld& world, Dice& dice) {
  return Builder(world, dice).build();
}

}  // namespace permguard::oracle
