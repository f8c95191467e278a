// SPDX-License-Identifier: Apache-2.0
#include "core/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "core/audit.h"
#include "core/remedy.h"
#include "support/fake_filesystem.h"
#include "support/real_acl.h"
#include "support/temp_tree.h"

namespace permguard {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Answers what a test tells it to, and "not asked" for all else.
class ScriptedKernel : public Kernel {
 public:
  std::map<std::string, int> access;   ///< path → errno
  std::map<std::string, int> execute;  ///< path → errno

  KernelAnswer may_access(const std::string& path, Permissions) const override {
    return look_up(access, path);
  }
  KernelAnswer may_execute(const std::string& path) const override {
    return look_up(execute, path);
  }

 private:
  static KernelAnswer look_up(const std::map<std::string, int>& answers, const std::string& path) {
    const auto found = answers.find(path);
    return found == answers.end() ? KernelAnswer{} : answer_from_errno(found->second);
  }
};

std::string tag_of(const Finding& finding) {
  return (finding.role == Role::script ? "" : std::string(name_of(finding.role)) + "-") +
         name_of(finding.code);
}

/// Real files, examined for www-data by mode and ACL, or by the kernel as www-data.
class CheckerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) {
      GTEST_SKIP() << "needs root to give files to other users";
    }
    who_ = lookup_identity("www-data").value;
  }

  Question question(const std::string& target, Need need = Need::execute) const {
    Question question;
    question.target = target;
    question.need = need;
    question.who = who_;
    question.search_path = "/usr/bin:/bin";
    return question;
  }

  Diagnosis ask(const std::string& target, const Kernel* kernel, Need need = Need::execute) const {
    return diagnose({filesystem_, names_, kernel, surroundings_}, question(target, need));
  }

  /// The findings' tags, the same from the model and from the kernel, or the test fails.
  std::vector<std::string> tags(const std::string& target, Need need = Need::execute) const {
    const DelegateKernel kernel(who_, true);
    EXPECT_EQ(kernel.error(), 0);
    std::vector<std::string> asked, modelled;
    for (const Finding& finding : ask(target, &kernel, need).findings) {
      asked.push_back(tag_of(finding));
    }
    for (const Finding& finding : ask(target, nullptr, need).findings) {
      modelled.push_back(tag_of(finding));
    }
    EXPECT_EQ(asked, modelled);
    return asked;
  }

  test::TempTree tree_;
  SystemFilesystem filesystem_;
  SystemNames names_;
  Surroundings surroundings_ = read_surroundings();
  Identity who_;
};

constexpr const char* kScript = "#!/bin/sh\necho hello\n";

TEST_F(CheckerTest, AHealthyScriptHasNoFinding) {
  EXPECT_THAT(tags(tree_.write("a.cgi", kScript, 0755)), IsEmpty());
}

TEST_F(CheckerTest, NobodyMayExecute) {
  const std::string script = tree_.write("a.cgi", kScript, 0644);
  EXPECT_THAT(tags(script), ElementsAre("not-executable"));
  const Diagnosis diagnosis = ask(script, nullptr);
  EXPECT_EQ(diagnosis.findings[0].certainty, Certainty::certain);
  EXPECT_EQ(diagnosis.findings[0].decided_by, DecidedBy::no_execute_bit);
  ASSERT_EQ(diagnosis.findings[0].remedy.steps.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].remedy.steps[0].spec, "a+x");
}

TEST_F(CheckerTest, OthersMayNotExecute) {
  const std::string script = tree_.write("a.cgi", kScript, 0754);
  EXPECT_THAT(tags(script), ElementsAre("execute-denied"));
  EXPECT_EQ(ask(script, nullptr).findings[0].certainty, Certainty::modelled);
}

TEST_F(CheckerTest, AScriptMustBeReadable) {
  EXPECT_THAT(tags(tree_.write("a.cgi", kScript, 0711)), ElementsAre("read-denied"));
}

// www-data cannot see whether an interpreter that it cannot read is a script, which it then could
// not run, or a program, which it could.
TEST_F(CheckerTest, AnInterpreterThatCannotBeReadMayBeAScript) {
  const std::string interpreter = tree_.write("i", kScript, 0711);
  const std::string script = tree_.write("a.cgi", "#!" + interpreter + "\n", 0755);
  EXPECT_THAT(tags(script), ElementsAre("interpreter-read-denied"));
  EXPECT_FALSE(ask(script, nullptr).findings[0].conditional) << "root sees that it is a script";
  const std::string seen = test::bytes_from(who_, [&] {
    const Diagnosis diagnosis = ask(script, nullptr);
    return tag_of(diagnosis.findings.at(0)) + (diagnosis.findings[0].conditional ? "?" : "");
  });
  EXPECT_EQ(seen, "interpreter-read-denied?");
}

TEST_F(CheckerTest, AProgramNeedsNoReadBit) {
  const std::string program = tree_.write("true", test::TempTree().read("../../bin/true"), 0711);
  EXPECT_THAT(tags(program), IsEmpty());
}

TEST_F(CheckerTest, AllFaultsAreFoundAtOnce) {
  const std::string script = tree_.write("locked/a.cgi", "#!/opt/none\n", 0640);
  tree_.chmod("locked", 0700);
  EXPECT_THAT(tags(script), ElementsAre("search-denied", "not-executable", "interpreter-not-found",
                                        "read-denied"));
}

TEST_F(CheckerTest, NamesTheLockedDirectory) {
  const std::string script = tree_.write("locked/cgi/a.cgi", kScript, 0755);
  tree_.chmod("locked", 0700);
  const Diagnosis diagnosis = ask(script, nullptr);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].path, tree_.path("locked"));
  ASSERT_EQ(diagnosis.findings[0].remedy.steps.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].remedy.steps[0].spec, "u:www-data:x");
}

TEST_F(CheckerTest, Formats) {
  EXPECT_THAT(tags(tree_.write("text", "echo hello\n", 0755)), ElementsAre("no-shebang"));
  EXPECT_THAT(tags(tree_.write("empty", "", 0755)), ElementsAre("empty-file"));
  EXPECT_THAT(tags(tree_.write("bom", "\xEF\xBB\xBF#!/bin/sh\n", 0755)),
              ElementsAre("bom-before-shebang"));
  EXPECT_THAT(tags(tree_.write("long", "#!/" + std::string(300, 'x') + "\n", 0755)),
              ElementsAre("shebang-too-long"));
}

TEST_F(CheckerTest, ACarriageReturnIsNamedNotTheMissingInterpreter) {
  EXPECT_THAT(tags(tree_.write("crlf", "#!/bin/sh\r\necho\r\n", 0755)),
              ElementsAre("shebang-crlf"));
  EXPECT_THAT(tags(tree_.write("env-crlf", "#!/usr/bin/env sh\r\n", 0755)),
              ElementsAre("shebang-crlf"));
}

TEST_F(CheckerTest, ACarriageReturnIsFineWhereSuchAnInterpreterExists) {
  tree_.symlink("/bin/sh", "sh\r");
  EXPECT_THAT(tags(tree_.write("crlf", "#!" + tree_.path("sh") + "\r\necho\r\n", 0755)), IsEmpty());
}

TEST_F(CheckerTest, RelativeInterpretersStartAtTheScriptsDirectory) {
  tree_.symlink("/bin/sh", "here");
  EXPECT_THAT(tags(tree_.write("good", "#!here\n", 0755)), IsEmpty());
  EXPECT_THAT(tags(tree_.write("bad", "#!nowhere\n", 0755)), ElementsAre("shebang-relative"));
}

TEST_F(CheckerTest, TheInterpreterHasFaultsOfItsOwn) {
  const std::string interpreter = tree_.write("interp", "#!/bin/sh\n", 0644);
  EXPECT_THAT(tags(tree_.write("a", "#!" + interpreter + "\n", 0755)),
              ElementsAre("interpreter-not-executable"));
}

TEST_F(CheckerTest, EnvLooksUpThePath) {
  EXPECT_THAT(tags(tree_.write("good", "#!/usr/bin/env sh\n", 0755)), IsEmpty());
  const std::string bad = tree_.write("bad", "#!/usr/bin/env no-such-thing\n", 0755);
  EXPECT_THAT(tags(bad), ElementsAre("command-not-found"));
  EXPECT_EQ(ask(bad, nullptr).findings[0].detail, "/usr/bin:/bin");
}

TEST_F(CheckerTest, ADirectoryOfPathThatHidesItsNamesIsNotTheCause) {
  const std::string script = tree_.write("a", "#!/usr/bin/env no-such-thing\n", 0755);
  const std::string locked = tree_.mkdir("locked", 0700);
  Question question = this->question(script);
  question.search_path = locked + ":/usr/bin";
  const auto ask = [&] {
    return diagnose({filesystem_, names_, nullptr, surroundings_}, question).findings;
  };
  ASSERT_EQ(ask().size(), 1U);
  EXPECT_EQ(tag_of(ask()[0]), "command-not-found");
  EXPECT_EQ(ask()[0].error, EACCES) << "env says: Permission denied";
  EXPECT_EQ(ask()[0].hint, "of which www-data may not search '" + locked + "'");

  question.search_path = locked;
  EXPECT_EQ(tag_of(ask().at(0)), "command-search-denied") << "nothing else can be in the way";

  question.search_path = locked + ":" + tree_.mkdir("bin");
  tree_.write("bin/no-such-thing", kScript, 0644);
  EXPECT_EQ(tag_of(ask().at(0)), "command-not-executable") << "the file that is seen";

  tree_.write("locked/no-such-thing", kScript, 0755);
  tree_.remove("bin/no-such-thing");
  EXPECT_EQ(tag_of(ask().at(0)), "command-search-denied") << "who sees the file names the way";
}

TEST_F(CheckerTest, AScriptThatIsItsOwnInterpreterIsTheCulprit) {
  const std::string self = tree_.path("self");
  EXPECT_THAT(tags(tree_.write("self", "#!" + self + "\n", 0755)), ElementsAre("shebang-loop"));
}

TEST_F(CheckerTest, EnvThatRunsItsOwnScriptEnds) {
  tree_.write("self", "#!/usr/bin/env self\n", 0755);
  Question question = this->question(tree_.path("self"));
  question.search_path = tree_.root();
  const Diagnosis diagnosis = diagnose({filesystem_, names_, nullptr, surroundings_}, question);
  ASSERT_FALSE(diagnosis.healthy());
  EXPECT_EQ(diagnosis.findings[0].code, Code::shebang_loop);
}

TEST_F(CheckerTest, ADirectoryIsNoProgram) {
  EXPECT_THAT(tags(tree_.mkdir("folder")), ElementsAre("not-regular-file"));
}

/// Its mode has nothing to do with it.
TEST_F(CheckerTest, WhatIsNoDirectoryIsNotRepairedByAMode) {
  const std::string file = tree_.write("file", kScript, 0600);
  tree_.symlink("ring", "ring");
  for (const std::string& target : {file + "/a.cgi", tree_.path("ring/a.cgi")}) {
    const Diagnosis diagnosis = ask(target, nullptr);
    ASSERT_EQ(diagnosis.findings.size(), 1U) << target;
    EXPECT_THAT(diagnosis.findings[0].remedy.steps, IsEmpty()) << target;
    EXPECT_FALSE(diagnosis.findings[0].remedy.advice.empty()) << target;
  }
}

TEST_F(CheckerTest, NoexecMounts) {
  if (!tree_.mount_tmpfs("mnt", "noexec")) {
    GTEST_SKIP() << "this machine forbids mounts";
  }
  const std::string script = tree_.write("mnt/a.cgi", kScript, 0755);
  EXPECT_THAT(tags(script), ElementsAre("noexec-mount"));
  EXPECT_EQ(ask(script, nullptr).findings[0].detail, tree_.path("mnt"));
}

TEST_F(CheckerTest, MountsWhoseLinksAreNotFollowed) {
  if (!tree_.mount_tmpfs("mnt", "nosymfollow")) {
    GTEST_SKIP() << "this machine forbids mounts";
  }
  const std::string script = tree_.write("mnt/dir/a.cgi", kScript, 0755);
  EXPECT_THAT(tags(script), IsEmpty());
  const std::string link = tree_.symlink(script, "mnt/link");
  tree_.symlink("dir", "mnt/way");
  EXPECT_THAT(tags(link), ElementsAre("symlink-loop"));
  EXPECT_THAT(tags(link, Need::read), ElementsAre("symlink-loop"));
  EXPECT_THAT(tags(tree_.path("mnt/way/a.cgi")), ElementsAre("symlink-loop"));
  const std::string shell = tree_.symlink("/bin/sh", "mnt/sh");
  EXPECT_THAT(tags(tree_.write("b.cgi", "#!" + shell + "\n", 0755)),
              ElementsAre("interpreter-symlink-loop"));
  const Finding found = ask(link, nullptr).findings.at(0);
  EXPECT_EQ(found.path, link);
  EXPECT_EQ(found.certainty, Certainty::certain);
  EXPECT_THAT(found.detail, HasSubstr(tree_.path("mnt")));
}

// What else the kernel may say is the tree's, which changes between two looks, or passes.
TEST_F(CheckerTest, NoRefusalIsPassedOverInSilence) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  const std::map<int, const char*> expected = {{ELOOP, "symlink-loop"}, {EACCES, "lsm-denied"}};
  for (const auto& [error, tag] : expected) {
    ScriptedKernel kernel;
    kernel.access = {{script, error}};
    for (const Need need : {Need::execute, Need::read}) {
      const Diagnosis diagnosis = ask(script, &kernel, need);
      ASSERT_EQ(diagnosis.findings.size(), 1U) << tag;
      EXPECT_EQ(tag_of(diagnosis.findings[0]), tag);
      EXPECT_EQ(diagnosis.findings[0].error, error);
    }
  }
}

TEST_F(CheckerTest, NoCommandHelpsOnAReadOnlyMount) {
  test::FakeFilesystem fs;
  fs.file("/mnt/cgi/a.cgi", kScript).mode(0644);
  fs.mount_at("/mnt", {.read_only = true, .fstype = "ext4"});
  const auto remedy = [&] {
    return diagnose({fs, names_, nullptr, surroundings_}, question("/mnt/cgi/a.cgi"))
        .findings.at(0)
        .remedy;
  };
  surroundings_.private_mounts = false;
  EXPECT_THAT(remedy().steps, IsEmpty());
  EXPECT_THAT(remedy().advice, HasSubstr("'/mnt' is read-only"));
  surroundings_.private_mounts = true;
  EXPECT_EQ(remedy().steps.size(), 1U) << "it may be writable for the operator";
}

TEST_F(CheckerTest, WithoutAclsTheClassIsChanged) {
  test::FakeFilesystem fs;
  fs.file("/mnt/cgi/a.cgi", kScript).mode(0700);
  fs.mount_at("/mnt", {.acls = false, .fstype = "nfs4"});
  const Diagnosis diagnosis =
      diagnose({fs, names_, nullptr, surroundings_}, question("/mnt/cgi/a.cgi"));
  for (const Finding& finding : diagnosis.findings) {
    if (finding.role != Role::script) continue;
    ASSERT_EQ(finding.remedy.steps.size(), 1U) << tag_of(finding);
    EXPECT_EQ(finding.remedy.steps[0].spec, "o+rx");
  }
}

TEST_F(CheckerTest, AMissingTargetIsNotFound) {
  const Diagnosis diagnosis = ask(tree_.path("none"), nullptr);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].code, Code::not_found);
  EXPECT_FALSE(diagnosis.exists);
}

TEST_F(CheckerTest, ReadNeedsOnlyTheReadBit) {
  EXPECT_THAT(tags(tree_.write("a.php", "<?php", 0644), Need::read), IsEmpty());
  EXPECT_THAT(tags(tree_.write("b.php", "<?php", 0600), Need::read), ElementsAre("read-denied"));
}

TEST_F(CheckerTest, ALockedDirectoryExplainsEveryRefusalBeyondIt) {
  tree_.mkdir("lock", 0700);
  EXPECT_THAT(tags(tree_.write("lock/a.cgi", kScript, 0644)),
              ElementsAre("search-denied", "not-executable"));
  EXPECT_THAT(tags(tree_.write("lock/b.cgi", kScript, 0755)), ElementsAre("search-denied"));
}

TEST_F(CheckerTest, NamesTheInterpreterBehindAMissingDirectory) {
  const std::string script = tree_.write("a.cgi", "#!/nowhere/bin/perl\n", 0755);
  const Diagnosis diagnosis = ask(script, nullptr);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].path, "/nowhere");
  EXPECT_EQ(diagnosis.findings[0].detail, "/nowhere/bin/perl");
}

TEST_F(CheckerTest, WhatTheKernelAllowsIsNoFinding) {
  const std::string script = tree_.write("a.cgi", kScript, 0744);
  ScriptedKernel kernel;
  EXPECT_FALSE(ask(script, &kernel).healthy());
  kernel.access = {{script, 0}};
  EXPECT_TRUE(ask(script, &kernel).healthy());
}

TEST_F(CheckerTest, WhatTheKernelRefusesWithoutAVisibleReasonIsSaid) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  ScriptedKernel kernel;
  kernel.access = {{script, EACCES}};
  const Diagnosis diagnosis = ask(script, &kernel);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].code, Code::lsm_denied);
  EXPECT_THAT(diagnosis.findings[0].detail, HasSubstr("no visible reason"));
}

TEST_F(CheckerTest, WhatWasNotAskedIsNeverAFinding) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  ScriptedKernel kernel;
  for (const int error : {EPERM, ENOSYS, EINVAL, EINTR, EIO, ENOMEM}) {
    kernel.access = {{script, error}};
    kernel.execute = {{script, error}};
    EXPECT_TRUE(ask(script, &kernel).healthy()) << error;
  }
}

TEST_F(CheckerTest, ABusyFileIsSeenByTheKernelOnly) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  ScriptedKernel kernel;
  kernel.execute = {{script, ETXTBSY}};
  const Diagnosis diagnosis = ask(script, &kernel);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_EQ(diagnosis.findings[0].code, Code::text_busy);
}

TEST_F(CheckerTest, TheQuickLookAgreesWithTheLongOne) {
  tree_.write("good.cgi", kScript, 0755);
  tree_.write("env.cgi", "#!/usr/bin/env -S sh -e\n", 0755);
  tree_.write("plain.cgi", kScript, 0644);
  tree_.write("unreadable.cgi", kScript, 0711);
  tree_.write("crlf.cgi", "#!/bin/sh\r\n", 0755);
  tree_.write("lost.cgi", "#!/usr/bin/env lost\n", 0755);
  tree_.symlink("good.cgi", "link.cgi");
  const DelegateKernel kernel(who_, false);
  for (const char* name : {"good.cgi", "env.cgi", "plain.cgi", "unreadable.cgi", "crlf.cgi",
                           "lost.cgi", "link.cgi", "none.cgi"}) {
    const Examiner examiner{filesystem_, names_, &kernel, surroundings_};
    const Question question = this->question(tree_.path(name));
    EXPECT_EQ(passes(examiner, question), diagnose(examiner, question).healthy()) << name;
  }
}

class RisksTest : public CheckerTest {
 protected:
  std::vector<Finding> look(const std::string& script) const {
    return risks({filesystem_, names_, nullptr, surroundings_}, question(script),
                 ask(script, nullptr).chain.at(0).walk);
  }

  /// "code: fix" of each.
  std::vector<std::string> risks_of(const std::string& script) const {
    std::vector<std::string> found;
    for (const Finding& finding : look(script)) {
      EXPECT_EQ(finding.severity, Severity::warning);
      EXPECT_EQ(finding.remedy.steps.empty(), !finding.remedy.advice.empty());
      found.push_back(tag_of(finding));
      for (const FixStep& step : finding.remedy.steps) {
        found.back() += ": " + step.spec + (step.keep_mask ? " -n" : "");
        EXPECT_EQ(step.path, finding.path);
      }
    }
    return found;
  }
};

TEST_F(RisksTest, OfAWorkingScript) {
  const std::string script = tree_.write("open/a.cgi", kScript, 06777);
  tree_.chmod("open", 0777);
  EXPECT_THAT(risks_of(script),
              ElementsAre("world-writable: o-w", "group-writable: g-w", "setuid: u-s",
                          "setgid: g-s", "dir-world-writable: o-w"));
}

TEST_F(RisksTest, TheUserMayWriteByAnyEntry) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  tree_.chown("a.cgi", "www-data");
  EXPECT_THAT(risks_of(script), ElementsAre("server-writable"));
  tree_.chown("a.cgi", "root", "www-data");
  tree_.chmod("a.cgi", 0775);
  EXPECT_THAT(risks_of(script), ElementsAre("group-writable: g-w", "server-writable: g-w"));
  tree_.chown("a.cgi", "root", "root");
  EXPECT_THAT(risks_of(script), ElementsAre("group-writable: g-w"));
  tree_.setfacl("a.cgi", {"-m", "u:www-data:rwx,g::rx"});
  EXPECT_THAT(risks_of(script), ElementsAre("server-writable: u:33:r-x -n"));
  tree_.setfacl("a.cgi", {"-n", "-m", "m::rx"});
  EXPECT_THAT(risks_of(script), IsEmpty());
  who_ = lookup_identity("root").value;
  tree_.setfacl("a.cgi", {"-b"});
  EXPECT_THAT(risks_of(script), IsEmpty()) << "root may write everything";
}

// With an ACL the mode's group digit is the mask, and "chmod g-w" would cut every named entry.
TEST_F(RisksTest, AMaskIsNoGroup) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  tree_.setfacl("a.cgi", {"-m", "u:nobody:rwx"});
  EXPECT_THAT(risks_of(script), IsEmpty());
  tree_.setfacl("a.cgi", {"-m", "g:adm:rw"});
  EXPECT_THAT(risks_of(script), ElementsAre("group-writable: g:4:r-- -n"));
  tree_.setfacl("a.cgi", {"-m", "g::rwx"});
  EXPECT_THAT(risks_of(script), ElementsAre("group-writable: g::r-x,g:4:r-- -n"));
  const FixStep step = look(script).at(0).remedy.steps.at(0);
  const Rights before{filesystem_.status(script).value.mode, filesystem_.acl(script).value};
  const auto after = apply_step(step, before, {});
  ASSERT_TRUE(after);
  EXPECT_EQ(after->mode, before.mode) << "the mask, and with it nobody's entry, is cut";
}

TEST_F(RisksTest, OfALinkAndOfWhatItLeadsTo) {
  const std::string script = tree_.write("far/a.cgi", kScript, 0755);
  const std::string link = tree_.symlink(script, "near/l.cgi");
  const Examiner examiner{filesystem_, names_, nullptr, surroundings_};
  for (const char* open : {"far", "near"}) {
    tree_.chmod(open, 0777);
    ASSERT_THAT(risks_of(link), ElementsAre("dir-world-writable: o-w")) << open;
    EXPECT_EQ(look(link)[0].path, tree_.path(open));
    const auto quick = risks_of_file(examiner, question(link));
    ASSERT_EQ(quick.size(), 1U) << open;
    EXPECT_EQ(quick[0].path, tree_.path(open));
    tree_.chmod(open, 0755);
  }
  tree_.setfacl("far/a.cgi", {"-m", "u:www-data:rwx"});
  EXPECT_EQ(risks_of_file(examiner, question(link)).size(), 1U) << "an ACL behind a link counts";
}

TEST_F(CheckerTest, ASocketsPathHasALimitOfItsOwn) {
  const auto path_of = [&](std::size_t length) {
    const std::string directory = tree_.root() + "/";
    return directory + std::string(length - directory.size(), 'a');
  };
  EXPECT_THAT(tags(path_of(108), Need::connect), ElementsAre("not-found"));
  EXPECT_THAT(tags(path_of(109), Need::connect), ElementsAre("name-too-long", "not-found"));
}

}  // namespace
}  // namespace permguard
