// SPDX-License-Identifier: Apache-2.0
#include "core/file_capabilities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <system_error>

#include "support/fake_filesystem.h"
#include "support/real_acl.h"
#include "support/temp_tree.h"
#include "unit/exec_truth.h"

namespace permguard {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kSysTime = std::uint64_t{1} << CAP_SYS_TIME;

std::string little_endian(std::initializer_list<std::uint32_t> words) {
  std::string bytes;
  for (const std::uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(word >> shift & 0xFF);
  }
  return bytes;
}

std::string effective(std::uint64_t permitted) {
  return little_endian({VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                        static_cast<std::uint32_t>(permitted), 0,
                        static_cast<std::uint32_t>(permitted >> 32), 0});
}

TEST(FileCapabilities, AreReadInEveryRevision) {
  const FileCapabilities wanted{.permitted = 1U << 25 | std::uint64_t{1} << 38, .effective = true};
  EXPECT_EQ(decode_file_capabilities(effective(wanted.permitted)), wanted);
  EXPECT_EQ(decode_file_capabilities(little_endian({VFS_CAP_REVISION_1, 1, 2})),
            (FileCapabilities{.permitted = 1, .inheritable = 2}));
  const std::uint32_t own = 0, other = 100000;
  EXPECT_TRUE(decode_file_capabilities(little_endian({VFS_CAP_REVISION_3, 1, 0, 0, 0, own})));
  EXPECT_FALSE(decode_file_capabilities(little_endian({VFS_CAP_REVISION_3, 1, 0, 0, 0, other})));
}

TEST(FileCapabilities, OfAnotherFormAreNone) {
  EXPECT_FALSE(decode_file_capabilities(""));
  EXPECT_FALSE(decode_file_capabilities(effective(1).substr(1)));
  EXPECT_FALSE(decode_file_capabilities(little_endian({0x04000000, 1, 0, 0, 0})));
}

class CapabilitiesRefused : public ::testing::Test {
 protected:
  CapabilitiesRefused() {
    files_.file("/bin/python").mode(0755).attribute("security.capability", effective(kSysTime));
    files_.link("/bin/link", "python");
    around_.bounding = ~kSysTime;
  }
  std::uint64_t refused() const { return capabilities_refused(files_, around_, "/bin/link"); }

  test::FakeFilesystem files_;
  Surroundings around_;
};

TEST_F(CapabilitiesRefused, AreThoseOutsideTheBoundingSet) {
  EXPECT_EQ(refused(), kSysTime);
  around_.bounding = ~std::uint64_t{1};
  EXPECT_EQ(refused(), 0U);
}

TEST_F(CapabilitiesRefused, AreNoneThatTheProcessHandsOn) {
  files_.at("/bin/python")
      .attribute("security.capability",
                 little_endian({VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, 1U << CAP_SYS_TIME,
                                1U << CAP_SYS_TIME, 0, 0}));
  EXPECT_EQ(refused(), kSysTime);
  around_.inheritable = kSysTime;
  EXPECT_EQ(refused(), 0U);
}

TEST_F(CapabilitiesRefused, AreNoneWhereTheProgramAsksForThemItself) {
  files_.at("/bin/python")
      .attribute("security.capability",
                 little_endian({VFS_CAP_REVISION_2, 1U << CAP_SYS_TIME, 0, 0, 0}));
  EXPECT_EQ(refused(), 0U);
}

TEST_F(CapabilitiesRefused, AreNoneOnANosuidMount) {
  files_.mount_at("/bin", {.nosuid = true, .point = "/bin"});
  EXPECT_EQ(refused(), 0U);
}

/// A copy of cat(1) with capabilities, executed by processes that may not have them.
class ProgramWithCapabilities : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give a file capabilities";
    cat_ = tree_.write("cat", tree_.read("../../bin/cat"), 0755);
    const std::string value = effective(kSysTime);
    if (setxattr(cat_.c_str(), "security.capability", value.data(), value.size(), 0) != 0) {
      throw std::system_error(errno, std::system_category(), "setxattr");
    }
    script_ = tree_.write("a.cgi", "#!" + cat_ + "\n", 0755);
  }

  /// What the engine says of `target`, then the errno of execve, in a process that has lost `lost`.
  std::string verdict_and_truth(const std::string& target, unsigned long lost) const {
    const Identity who = lookup_identity("www-data").value;
    return test::bytes_from(lookup_identity("root").value, [&]() -> std::string {
      if (prctl(PR_CAPBSET_DROP, lost, 0, 0, 0) != 0) return "prctl failed";
      return test::bytes_from(who, [&] {
        const SystemFilesystem filesystem;
        const SystemNames names;
        const AccessKernel kernel;
        const Surroundings around = read_surroundings();
        const Examiner examiner{filesystem, names, &kernel, around};
        Question question;
        question.target = target;
        question.who = who;
        std::string said = passes(examiner, question) ? "passes" : "";
        for (const Finding& finding : diagnose(examiner, question).findings) {
          said += std::string(name_of(finding.role)) + '-' + name_of(finding.code) + ' ' +
                  finding.detail;
        }
        return said + '|' + std::to_string(test::execute(target, {target}).error);
      });
    });
  }

  test::TempTree tree_;
  std::string cat_, script_;
};

TEST_F(ProgramWithCapabilities, IsRefusedWhereTheProcessMayNotHaveThem) {
  const std::string found = verdict_and_truth(script_, CAP_SYS_TIME);
  EXPECT_THAT(found, HasSubstr("interpreter-lsm-denied its file capabilities 0x2000000 "));
  EXPECT_TRUE(found.ends_with('|' + std::to_string(EPERM))) << found;
  EXPECT_THAT(verdict_and_truth(cat_, CAP_SYS_TIME), HasSubstr("script-lsm-denied"));
}

TEST_F(ProgramWithCapabilities, ReadsWhatItsUserMayNot) {
  const std::string value = effective(std::uint64_t{1} << CAP_DAC_READ_SEARCH);
  ASSERT_EQ(setxattr(cat_.c_str(), "security.capability", value.data(), value.size(), 0), 0);
  tree_.chmod("a.cgi", 0711);
  const Identity who = lookup_identity("www-data").value;
  const std::string printed =
      test::bytes_from(who, [&] { return test::execute(script_, {script_}).output; });
  EXPECT_EQ(printed, tree_.read("a.cgi"));
  const SystemFilesystem filesystem;  // root's eyes: www-data cannot see that it is a script
  const SystemNames names;
  const DelegateKernel kernel(who, true);
  const Surroundings around = read_surroundings();
  Question question;
  question.target = script_;
  question.who = who;
  EXPECT_TRUE(diagnose({filesystem, names, &kernel, around}, question).healthy());
}

TEST_F(ProgramWithCapabilities, IsHealthyWhereItMay) {
  EXPECT_EQ(verdict_and_truth(script_, CAP_SYS_BOOT), "passes|0");
}

}  // namespace
}  // namespace permguard
