// SPDX-License-Identifier: Apache-2.0
//
// A file system whose server never answers, as an NFS mount whose server is gone: it holds up no
// configuration test and no start.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "support/httpd_server.h"

namespace permguard::test {
namespace {

using ::testing::HasSubstr;

/// A FUSE file system that nobody serves.
class HungMount {
 public:
  explicit HungMount(std::string point)
      : point_(std::move(point)), device_(open("/dev/fuse", O_RDWR | O_CLOEXEC)) {
    const std::string options =
        "fd=" + std::to_string(device_) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
    done_ = device_ >= 0 && mount("hung", point_.c_str(), "fuse", 0, options.c_str()) == 0;
  }
  ~HungMount() {
    close(device_);
    if (done_) umount2(point_.c_str(), MNT_DETACH);
  }
  HungMount(const HungMount&) = delete;
  HungMount& operator=(const HungMount&) = delete;

  bool done() const { return done_; }

 private:
  std::string point_;
  int device_;
  bool done_ = false;
};

class HungMountTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to mount";
    options_.config =
        "PermGuardConfigTest fail\nPermGuardWatchInterval 1\nScriptAlias /hung/ "
        "\"@ROOT@/hung/cgi/\"\n"
        "<Directory \"@ROOT@/hung/*/cgi\">\nOptions None\n</Directory>\n";
  }

  HttpdOptions options_;
};

TEST_F(HungMountTest, HoldsUpNoConfigurationTest) {
  HttpdServer server(options_);
  const HungMount hung(server.tree().mkdir("hung"));
  if (!hung.done()) GTEST_SKIP() << "FUSE mounts are forbidden";
  const ProcessResult result = server.config_test();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("audit incomplete"));
  EXPECT_THAT(result.err, HasSubstr("Syntax OK"));
}

TEST_F(HungMountTest, HoldsUpNoStartAndNothingIsWatched) {
  HttpdServer server(options_);
  server.tree().write("cgi-bin/a.cgi", cgi_script("a"), 0755);
  const HungMount hung(server.tree().mkdir("hung"));
  if (!hung.done()) GTEST_SKIP() << "FUSE mounts are forbidden";
  server.start();
  server.log().expect("perhaps because a file system does not answer: nothing is watched");
  EXPECT_EQ(server.get("/cgi-bin/a.cgi").body, "a\n");
}

}  // namespace
}  // namespace permguard::test
