// SPDX-License-Identifier: Apache-2.0
#include "oracle/suexec_catalogue.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>

#include "core/suexec.h"
#include "support/suexec_world.h"

namespace permguard::oracle {
namespace {

namespace fs = std::filesystem;
using test::kAnn;
using test::kBob;
using test::SuexecWorld;

constexpr const char* kDirectory = "/var/www";
constexpr const char* kScript = "/var/www/a.cgi";
constexpr const char* kConfig = "/etc/apache2/suexec/www-data";

void give(const std::string& path, uid_t who, unsigned mode) {
  if (chown(path.c_str(), who, who) != 0 || chmod(path.c_str(), mode) != 0) {
    throw std::runtime_error("cannot give " + path);
  }
}

void write_script(const std::string& path) {
  std::ofstream(path) << "#!/bin/sh\necho\n";
  give(path, kAnn, 0755);
}

/// What is asked, of which suexec, from what process.
struct Asked {
  std::string binary = test::kPristineSuexec;
  std::string script = kScript;
  std::string caller = "www-data";
  uid_t uid = kAnn;
  gid_t gid = kAnn;
  bool userdir = false;
  bool no_new_privs = false;
};

/// How to get one code out of a sound world.
struct Spoiled {
  Code code;
  std::string culprit;
  std::function<void(SuexecWorld&, Asked&)> spoil;
  DecidedBy by = DecidedBy::suexec;
};

Diagnosis diagnose_asked(const Asked& asked) {
  const Identity caller = lookup_identity(asked.caller).value;
  const auto settings = read_suexec_settings(asked.binary, caller.name);
  if (!settings) throw std::runtime_error(asked.binary + " does not tell its settings");
  Surroundings surroundings = read_surroundings();
  surroundings.no_new_privs = asked.no_new_privs;
  SuexecQuestion question;
  question.script.target = asked.script;
  question.script.who = caller;
  question.target = lookup_suexec_target(asked.uid, asked.gid, asked.userdir).value;
  return diagnose_suexec({SystemFilesystem(), SystemNames(), nullptr, surroundings}, settings.value,
                         question);
}

std::vector<Spoiled> of_the_files() {
  const auto mode = [](const char* path, unsigned bits) {
    return [=](SuexecWorld&, Asked&) { chmod(path, bits); };
  };
  const auto owner = [](const char* path) {
    return [=](SuexecWorld&, Asked&) { give(path, kBob, 0755); };
  };
  return {
      {Code::outside_docroot, "/var/other",
       [](SuexecWorld&, Asked& asked) {
         give("/var/other", kAnn, 0755);
         asked.script = "/var/other/a.cgi";
         write_script(asked.script);
       }},
      {Code::dir_writable, kDirectory, mode(kDirectory, 0775)},
      {Code::writable, kScript, mode(kScript, 0775)},
      {Code::setid, kScript, mode(kScript, 04755)},
      {Code::owner_mismatch, kDirectory, owner(kDirectory)},
      {Code::owner_mismatch, kScript, owner(kScript)},
      {Code::owner_cannot_execute, kScript, mode(kScript, 0655)},
      {Code::symlink, kScript,
       [](SuexecWorld&, Asked&) {
         fs::rename(kScript, "/var/www/b.cgi");
         fs::create_symlink("b.cgi", kScript);
         if (lchown(kScript, kAnn, kAnn) != 0) throw std::runtime_error("lchown");
       }},
      {Code::search_denied, "/var/www/deep",
       [](SuexecWorld&, Asked& asked) {
         fs::create_directories("/var/www/deep/er");
         give("/var/www/deep/er", kAnn, 0755);
         give("/var/www/deep", 33, 0700);
         asked.script = "/var/www/deep/er/a.cgi";
         write_script(asked.script);
       },
       DecidedBy::other},
  };
}

std::vector<Spoiled> of_the_target() {
  return {
      {Code::uid_too_low, kScript, [](SuexecWorld&, Asked& asked) { asked.uid = test::kLowly; }},
      {Code::gid_too_low, kScript, [](SuexecWorld&, Asked& asked) { asked.gid = test::kLowGroup; }},
      {Code::user_unknown, kScript, [](SuexecWorld&, Asked& asked) { asked.uid = test::kUnknown; }},
      {Code::group_unknown, kScript, [](SuexecWorld&, Asked& asked) { asked.gid = 53998; }},
      {Code::wrong_caller, test::kPristineSuexec,
       [](SuexecWorld&, Asked& asked) { asked.caller = "friend"; }},
  };
}

std::vector<Spoiled> of_suexec() {
  const std::string copy = "/var/copy/suexec";
  const auto copied = [copy](unsigned mode, unsigned long flags) {
    return [=](SuexecWorld& world, Asked& asked) {
      asked.binary = world.copy_of(test::kPristineSuexec, mode, flags);
    };
  };
  const auto configured = [](const char* text) {
    return [=](SuexecWorld& world, Asked& asked) {
      asked.binary = test::kCustomSuexec;
      world.configure(text);
    };
  };
  return {
      {Code::no_new_privs, test::kPristineSuexec,
       [](SuexecWorld&, Asked& asked) { asked.no_new_privs = true; }},
      {Code::nosuid, copy, copied(04750, MS_NOSUID)},
      {Code::not_setuid_root, copy, copied(0750, 0)},
      {Code::no_log, "/var/log/apache2",
       [](SuexecWorld&, Asked&) { fs::remove_all("/var/log/apache2"); }},
      {Code::bad_config, kConfig, configured("/var/www\n")},
      {Code::disabled, kConfig, configured("#/var/www\npublic_html\n")},
  };
}

void produce(SuexecWorld& world, const std::vector<Spoiled>& table,
             std::vector<SuexecProduct>& products) {
  for (const Spoiled& row : table) {
    world.reset();
    world.configure("/var/www\npublic_html\n");
    give(kDirectory, kAnn, 0755);
    write_script(kScript);
    if (!diagnose_asked({}).healthy()) throw std::runtime_error("the sound world is not sound");
    Asked asked;
    row.spoil(world, asked);
    const Diagnosis diagnosis = diagnose_asked(asked);
    if (diagnosis.findings.empty()) {
      throw std::runtime_error(std::string(name_of(row.code)) + ": no finding");
    }
    products.push_back({row.code, row.by, row.culprit, diagnosis.findings.front()});
  }
}

}  // namespace

std::vector<SuexecProduct> produce_suexec_codes() {
  SuexecWorld world;
  if (!world.forbidden().empty()) throw std::runtime_error(world.forbidden());
  std::vector<SuexecProduct> products;
  produce(world, of_the_files(), products);
  produce(world, of_the_target(), products);
  produce(world, of_suexec(), products);
  return products;
}

}  // namespace permguard::oracle
