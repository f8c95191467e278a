// SPDX-License-Identifier: Apache-2.0
//
// Every code of the catalogue, produced by real files for every role it makes sense for, with
// the component that is to blame and the entry that decided.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/drift.h"
#include "core/listener.h"
#include "oracle/bodies.h"
#include "oracle/stage.h"
#include "oracle/suexec_catalogue.h"

namespace permguard::oracle {
namespace {

using Roles = std::vector<Role>;

const Roles kAll = {Role::script,  Role::interpreter, Role::command,  Role::loader,
                    Role::wrapper, Role::socket,      Role::htaccess, Role::directory};
const Roles kPrograms = {Role::script, Role::interpreter, Role::command, Role::loader,
                         Role::wrapper};
const Roles kTexts = {Role::script, Role::interpreter, Role::command, Role::wrapper};
const Roles kHeads = {Role::script, Role::interpreter, Role::wrapper};

/// Marks an answer that depends on the role: none, or interpreter for what a file names.
constexpr DecidedBy kByRole = DecidedBy::suexec;

DecidedBy by_role(Role role) {
  const bool named = role == Role::interpreter || role == Role::command || role == Role::loader;
  return named ? DecidedBy::interpreter : DecidedBy::none;
}

/// How to get one code out of a sound stage.
struct Fault {
  Code code;
  const Roles& roles;
  DecidedBy by;
  std::function<std::string(Stage&)> spoil;  ///< returns the culprit's path
  const char* mount_options = "";
  bool needs_exec_check = false;
};

std::function<std::string(Stage&)> link_to(const std::string& text, bool blame_link = true) {
  return [=](Stage& stage) {
    stage.tree().remove(Stage::kPart);
    stage.tree().symlink(text, Stage::kPart);
    return blame_link ? stage.part() : stage.way() + "/" + text;
  };
}

std::function<std::string(Stage&)> holding(const std::string& bytes) {
  return [=](Stage& stage) {
    stage.fill(bytes);
    return stage.part();
  };
}

std::function<std::string(Stage&)> with_mode(mode_t mode) {
  return [=](Stage& stage) {
    stage.tree().chmod(Stage::kPart, mode);
    return stage.part();
  };
}

std::string for_another_processor() {
  std::string bytes = read_programs().fixed;
  bytes[18] = 0x28;  // e_machine: EM_ARM
  bytes[19] = 0;
  return bytes;
}

std::vector<Fault> reaching() {
  return {
      {Code::not_found, kAll, kByRole,
       [](Stage& stage) {
         stage.tree().remove(Stage::kPart);
         return stage.part();
       }},
      {Code::dangling_symlink, kAll, kByRole, link_to("nowhere")},
      {Code::symlink_loop, kAll, kByRole, link_to("part")},
      {Code::not_a_directory, kAll, kByRole,
       [](Stage& stage) {
         stage.tree().remove(Stage::kWay);
         stage.tree().write(Stage::kWay, "");
         return stage.way();
       }},
      {Code::name_too_long, kAll, kByRole, link_to(std::string(256, 'n'), false)},
      {Code::search_denied, kAll, DecidedBy::other,
       [](Stage& stage) {
         stage.tree().chmod(Stage::kWay, 0700);
         return stage.way();
       }},
      {Code::lsm_denied, kAll, DecidedBy::lsm,
       [](Stage& stage) {
         // As under fs.protected_symlinks=1, which this machine may not have set.
         stage.surroundings().protected_symlinks = true;
         stage.tree().chmod(Stage::kWay, 01777);
         ::rename(stage.part().c_str(), (stage.way() + "/other").c_str());
         stage.tree().symlink("other", Stage::kPart);
         stage.tree().chown(Stage::kPart, "nobody");
         return stage.part();
       }},
  };
}

std::vector<Fault> the_file() {
  return {
      {Code::not_executable, kPrograms, DecidedBy::no_execute_bit, with_mode(0644)},
      {Code::execute_denied, kPrograms, DecidedBy::other, with_mode(0754)},
      {Code::read_denied, kTexts, DecidedBy::other, with_mode(0711)},
      {Code::not_regular_file, kPrograms, DecidedBy::none,
       [](Stage& stage) {
         stage.tree().remove(Stage::kPart);
         return stage.tree().mkdir(Stage::kPart);
       }},
      {Code::noexec_mount, kPrograms, DecidedBy::mount, [](Stage& stage) { return stage.part(); },
       "noexec"},
      {Code::text_busy, kPrograms, DecidedBy::none, [](Stage& stage) { return stage.part(); }, "",
       true},
  };
}

std::vector<Fault> the_format() {
  return {
      {Code::no_shebang, kHeads, DecidedBy::format, holding("echo\n")},
      {Code::empty_file, kHeads, DecidedBy::format, holding("")},
      {Code::bom_before_shebang, kHeads, DecidedBy::format, holding("\xEF\xBB\xBF#!/bin/sh\n")},
      {Code::shebang_crlf, kHeads, DecidedBy::format, holding("#!/bin/sh\r\n")},
      {Code::shebang_too_long, kHeads, DecidedBy::format,
       holding("#!/" + std::string(300, 'i') + "\n")},
      {Code::shebang_relative, kHeads, DecidedBy::format, holding("#!bin/nosuch\n")},
      {Code::wrong_architecture, kHeads, DecidedBy::format, holding(for_another_processor())},
      {Code::bad_elf, kHeads, DecidedBy::format,
       holding("\x7F"
               "ELF")},
  };
}

class Catalogue : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files to other users";
  }

  void expect(const Finding& found, Role role, Code code, DecidedBy by,
              const std::string& culprit) {
    const std::string name = std::string(name_of(role)) + "-" + name_of(code);
    EXPECT_STREQ(name_of(found.code), name_of(code)) << name;
    EXPECT_STREQ(name_of(found.role), name_of(role)) << name;
    EXPECT_STREQ(name_of(found.decided_by), name_of(by)) << name;
    EXPECT_EQ(found.path, culprit) << name;
    seen_.insert(found.code);
  }

  void expect_only(const Diagnosis& diagnosis, Role role, Code code, DecidedBy by,
                   const std::string& culprit) {
    ASSERT_EQ(diagnosis.findings.size(), 1U) << name_of(role) << "-" << name_of(code);
    expect(diagnosis.findings[0], role, code, by, culprit);
  }

  void produce(const Fault& fault, Role role) {
    Stage stage(role, fault.mount_options);
    if (*fault.mount_options == '\0') {
      ASSERT_TRUE(stage.ask().healthy()) << "the sound " << name_of(role);
    }
    const std::string culprit = fault.spoil(stage);
    const DecidedBy by = fault.by == kByRole ? by_role(role) : fault.by;
    if (fault.needs_exec_check) {
      if (!kernel_has_exec_check()) GTEST_SKIP() << "no AT_EXECVE_CHECK here";
      const int writer = open(culprit.c_str(), O_WRONLY | O_CLOEXEC);
      expect_only(stage.ask(), role, fault.code, by, culprit);
      close(writer);
      return;
    }
    expect_only(stage.ask_model(), role, fault.code, by, culprit);
    if (fault.code == Code::lsm_denied) return;
    expect_only(stage.ask(true), role, fault.code, by, culprit);
    expect_only(stage.ask(false), role, fault.code, by, culprit);
  }

  void produce_all(const std::vector<Fault>& faults) {
    for (const Fault& fault : faults) {
      for (const Role role : fault.roles) produce(fault, role);
    }
  }

  void produce_loops();
  void produce_socket_faults();
  void produce_read_faults();
  void produce_risks();
  void produce_drift();

  std::set<Code> seen_;
};

void Catalogue::produce_loops() {
  for (const Role role : {Role::script, Role::wrapper}) {
    Stage stage(role);
    stage.fill("#!/usr/bin/env\n");  // env gets the script itself as its command
    expect_only(stage.ask(), role, Code::shebang_loop, DecidedBy::format, stage.part());
  }
  Stage nested(Role::interpreter);
  nested.fill("#!" + nested.part() + "\n");
  expect_only(nested.ask(), Role::interpreter, Code::shebang_loop, DecidedBy::format,
              nested.part());
}

void Catalogue::produce_socket_faults() {
  Stage denied(Role::socket);
  denied.tree().chmod(Stage::kPart, 0660);
  expect_only(denied.ask(), Role::socket, Code::connect_denied, DecidedBy::other, denied.part());
  Stage file(Role::socket);
  file.tree().remove(Stage::kPart);
  file.fill("");
  expect_only(file.ask(), Role::socket, Code::not_a_socket, DecidedBy::none, file.part());
  std::string gone;
  test::TempTree tree;
  {
    Stage stage(Role::socket);
    gone = tree.path("socket");
    ASSERT_EQ(::rename(stage.part().c_str(), gone.c_str()), 0);
  }
  ASSERT_EQ(unix_listener(gone), Listener::absent);
  Diagnosis diagnosis;
  diagnosis.question.target = gone;
  expect(refused_connection(diagnosis), Role::socket, Code::connect_refused, DecidedBy::none, gone);
}

void Catalogue::produce_read_faults() {
  Stage hidden(Role::htaccess);
  hidden.tree().chmod(Stage::kPart, 0600);
  expect_only(hidden.ask(), Role::htaccess, Code::read_denied, DecidedBy::other, hidden.part());
  Stage closed(Role::directory);
  closed.tree().chmod(Stage::kPart, 0711);
  expect_only(closed.ask(), Role::directory, Code::not_listable, DecidedBy::other, closed.part());
}

void Catalogue::produce_risks() {
  const std::vector<std::tuple<Code, mode_t, mode_t, const char*>> risky = {
      {Code::world_writable, 0757, 0755, "root"},
      {Code::group_writable, 0775, 0755, "root"},
      {Code::server_writable, 0755, 0755, "www-data"},
      {Code::setuid, 04755, 0755, "root"},
      {Code::setgid, 02755, 0755, "root"},
      {Code::dir_world_writable, 0755, 0777, "root"}};
  for (const auto& [code, mode, way, owner] : risky) {
    Stage stage(Role::script);
    stage.tree().chown(Stage::kPart, owner);
    stage.tree().chmod(Stage::kPart, mode);
    stage.tree().chmod(Stage::kWay, way);
    const Diagnosis diagnosis = stage.ask();
    ASSERT_TRUE(diagnosis.healthy()) << name_of(code);
    const auto found = risks({SystemFilesystem(), SystemNames(), nullptr, stage.surroundings()},
                             stage.question(), diagnosis.chain.front().walk);
    ASSERT_EQ(found.size(), 1U) << name_of(code);
    expect(found[0], Role::script, code, DecidedBy::none,
           code == Code::dir_world_writable ? stage.way() : stage.part());
  }
}

void Catalogue::produce_drift() {
  Stage stage(Role::script);
  stage.tree().setfacl(Stage::kPart, {"-m", "u:nobody:r"});
  const SystemFilesystem filesystem;
  const ActualState actual{stage.part(), filesystem.status(stage.part()).value,
                           filesystem.acl(stage.part()).value};
  std::vector<std::pair<Code, DesiredState>> desired = {{Code::mode_drift, {}},
                                                        {Code::owner_drift, {}},
                                                        {Code::group_drift, {}},
                                                        {Code::acl_drift, {}}};
  desired[0].second.mode = 0750;
  desired[1].second.uid = 65534;
  desired[2].second.gid = 65534;
  desired[3].second.acl = std::optional<Acl>();
  for (const auto& [code, state] : desired) {
    const auto found = drift_of(SystemNames(), stage.part(), actual, state);
    ASSERT_EQ(found.size(), 1U) << name_of(code);
    expect(found[0], Role::script, code, DecidedBy::none, stage.part());
  }
  expect(missing_finding("/gone"), Role::script, Code::missing, DecidedBy::none, "/gone");
}

TEST_F(Catalogue, EveryCodeIsProducedByRealFiles) {
  produce_all(reaching());
  produce_all(the_file());
  produce_all(the_format());
  produce_loops();
  produce_socket_faults();
  produce_read_faults();
  produce_risks();
  produce_drift();
  for (const SuexecProduct& product : produce_suexec_codes()) {
    expect(product.found, Role::suexec, product.code, product.by, product.culprit);
  }
  for (const CodeInfo& code : catalogue()) {
    // It needs an httpd and a pool whose configuration is not known: integration, FpmTest.
    if (code.code == Code::pool_user_unknown) continue;
    EXPECT_TRUE(seen_.contains(code.code)) << code.name << " is never produced";
  }
}

/// The entry that decides over one right on one file, for www-data.
struct Entry {
  DecidedBy by;
  const char* owner;
  const char* group;
  mode_t mode;
  const char* acl;
};

TEST_F(Catalogue, NamesTheEntryThatDecides) {
  const std::vector<Entry> entries = {
      {DecidedBy::owner, "www-data", "root", 0077, ""},
      {DecidedBy::owning_group, "root", "www-data", 0705, ""},
      {DecidedBy::other, "root", "root", 0770, ""},
      {DecidedBy::named_user, "root", "root", 0755, "u:www-data:-"},
      {DecidedBy::named_group, "root", "root", 0755, "g:www-data:-"},
      {DecidedBy::mask, "root", "root", 0755, "u:www-data:rx,m::r"},
  };
  for (const Entry& entry : entries) {
    for (const bool directory : {true, false}) {
      Stage stage(Role::script);
      const char* what = directory ? Stage::kWay : Stage::kPart;
      stage.tree().chown(what, entry.owner, entry.group);
      stage.tree().chmod(what, entry.mode);
      if (*entry.acl != '\0') stage.tree().setfacl(what, {"-n", "-m", entry.acl});
      const Diagnosis diagnosis = stage.ask();
      ASSERT_FALSE(diagnosis.healthy()) << name_of(entry.by);
      expect(diagnosis.findings[0], Role::script,
             directory ? Code::search_denied : Code::execute_denied, entry.by,
             stage.tree().path(what));
    }
  }
}

std::vector<std::string> tags(const Diagnosis& diagnosis) {
  std::vector<std::string> words;
  for (const Finding& finding : diagnosis.findings) {
    words.push_back(std::string(name_of(finding.role)) + "-" + name_of(finding.code));
  }
  return words;
}

// What stands behind another fault is told too, in the order in which the kernel meets it.
TEST_F(Catalogue, TellsAllFaultsThatStandBehindEachOther) {
  using ::testing::ElementsAre;
  Stage stage(Role::interpreter);
  stage.tree().chmod(Stage::kPart, 0644);
  stage.tree().chmod(Stage::kWay, 0700);
  EXPECT_THAT(tags(stage.ask()),
              ElementsAre("interpreter-search-denied", "interpreter-not-executable"));
  stage.tree().chmod("site/a.cgi", 0744);
  stage.tree().chmod("site", 0700);
  for (const auto& said :
       {tags(stage.ask(true)), tags(stage.ask(false)), tags(stage.ask_model())}) {
    EXPECT_THAT(said, ElementsAre("script-search-denied", "script-execute-denied",
                                  "interpreter-search-denied", "interpreter-not-executable"));
  }
}

// Set-id and sticky bits are for other calls than execve's look at the file: inode(7).
TEST_F(Catalogue, StickyAndSetIdBitsDecideNothing) {
  Stage stage(Role::interpreter);
  stage.tree().chmod(Stage::kWay, 07755);
  stage.tree().chmod(Stage::kPart, 07755);
  EXPECT_TRUE(stage.ask().healthy());
  EXPECT_TRUE(stage.ask_model().healthy());
  stage.tree().chmod(Stage::kWay, 07700);
  stage.tree().chmod(Stage::kPart, 07644);
  for (const auto& said : {tags(stage.ask()), tags(stage.ask_model())}) {
    EXPECT_THAT(said,
                ::testing::ElementsAre("interpreter-search-denied", "interpreter-not-executable"));
  }
}

// A wrapper's own chain has joined roles.
TEST_F(Catalogue, JoinsTheRolesOfAWrappersChain) {
  using ::testing::ElementsAre;
  for (const auto& [role, tag] :
       {std::pair{Role::interpreter, "wrapper-interpreter"},
        std::pair{Role::command, "wrapper-command"}, std::pair{Role::loader, "wrapper-loader"}}) {
    Stage stage(role);
    stage.question().role = Role::wrapper;
    ASSERT_TRUE(stage.ask().healthy()) << tag;
    stage.tree().chmod(Stage::kPart, 0644);
    EXPECT_THAT(tags(stage.ask()), ElementsAre(std::string(tag) + "-not-executable"));
  }
}

// Each repair uncovers the next: what led before is gone, and the rest stays.
TEST_F(Catalogue, LeadsWithWhatTheKernelMeetsFirst) {
  Stage stage(Role::interpreter);
  const auto lead = [&] { return tags(stage.ask()).empty() ? "" : tags(stage.ask())[0]; };
  stage.fill("\xEF\xBB\xBF#!/bin/sh\n");
  stage.tree().chmod(Stage::kPart, 0600);
  stage.tree().chmod(Stage::kWay, 0700);
  stage.tree().chmod("site/a.cgi", 0600);
  EXPECT_EQ(lead(), "script-not-executable");
  stage.tree().chmod("site/a.cgi", 0755);
  EXPECT_EQ(lead(), "interpreter-search-denied");
  stage.tree().chmod(Stage::kWay, 0755);
  EXPECT_EQ(lead(), "interpreter-not-executable");
  stage.tree().chmod(Stage::kPart, 0755);
  EXPECT_EQ(lead(), "interpreter-bom-before-shebang");
}

}  // namespace
}  // namespace permguard::oracle
