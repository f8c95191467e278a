// SPDX-License-Identifier: Apache-2.0
//
// The claim inside httpd: the random trees of the oracle, served as CGI by an httpd without the
// module and by one that enforces. It blocks none that works without it, and each that fails is
// blocked or explained.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "oracle/generator.h"
#include "oracle/identities.h"
#include "oracle/truth.h"
#include "support/httpd_server.h"

namespace permguard::oracle {
namespace {

using test::HttpdOptions;
using test::HttpdServer;

constexpr std::size_t kCases = 300;
constexpr const char* kServerUser = "oracle-member";  // kMember, with kTeam and kSecondTeam

std::string contents(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Gives the oracle's member a name, in this process's own mount namespace.
class NamedMember {
 public:
  NamedMember() {
    const std::string uid = std::to_string(kMember), name = kServerUser;
    bind("/etc/passwd", name + ":x:" + uid + ":" + uid + "::/:/bin/sh\n");
    bind("/etc/group", name + ":x:" + uid + ":\n" + "team:x:" + std::to_string(kTeam) + ":" + name +
                           "\nsecond:x:" + std::to_string(kSecondTeam) + ":" + name + "\n");
  }

 private:
  void bind(const std::string& path, const std::string& lines) {
    const std::string copy = tree_.write(path.substr(1), contents(path.c_str()) + lines);
    EXPECT_EQ(mount(copy.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0) << path;
  }
  test::TempTree tree_;
};

HttpdOptions setup(bool permguard) {
  HttpdOptions options;
  options.mpm = test::Mpm::prefork;
  options.permguard = permguard;
  options.user = kServerUser;
  options.config =
      "ScriptAlias /run/ /\nSetEnv PATH /usr/bin:/bin\nTimeout 10\nRLimitCPU 1 1\nMergeSlashes "
      "Off\n"
      "CustomLog logs/access.log \"%q %>s %{PERMGUARD_CODE}e\"\n";
  if (permguard) {
    options.config += "PermGuard enforce\nPermGuardLogInterval 0\nPermGuardWatch off\n";
  }
  return options;
}

/// What one server made of one case.
struct Outcome {
  int status = 0;
  std::string code = "-";  ///< PERMGUARD_CODE
  bool exonerated = false;
};

/// An httpd and its logs.
class Side {
 public:
  explicit Side(bool permguard) : server_(setup(permguard)) {
    server_.tree().write("logs/access.log", "");
    // Scripts of every kind fail here, and say so.
    for (const char* level : {":error]", ":warn]"}) server_.log().allow(level);
    server_.start();
  }

  Outcome ask(const std::string& target, std::size_t number) {
    // Without "=" httpd would make it an argument of the script.
    const std::string query = "?case=" + std::to_string(number);
    const std::size_t before = server_.log().count("exonerated: ");
    Outcome outcome;
    outcome.status = server_.get("/run" + test::url_escape(target) + query).status;
    std::string line;
    EXPECT_TRUE(test::poll_until([&] { return !(line = logged(query)).empty(); })) << query;
    std::istringstream(line.substr(line.find(' '))) >> outcome.status >> outcome.code;
    outcome.exonerated = server_.log().count("exonerated: ") > before;
    return outcome;
  }

  std::size_t crashes() { return server_.log().count("AH00052"); }

 private:
  std::string logged(const std::string& query) {
    std::istringstream lines(server_.tree().read("logs/access.log"));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(query + " ")) return line;
    }
    return {};
  }

  HttpdServer server_;
};

/// The file httpd executes for a path: what lies beyond a file is PATH_INFO.
std::string served(std::string path) {
  std::error_code error;
  for (;;) {
    const auto slash = path.rfind('/');
    if (slash == 0 || std::filesystem::is_directory(path.substr(0, slash), error)) return path;
    path.resize(slash);
  }
}

std::string beginning_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(200, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  return "\nwhich begins with: " + head.substr(0, static_cast<std::size_t>(file.gcount()));
}

/// A status httpd itself gives where it starts nothing: no such file, a directory, no way there.
bool is_httpds_own(int status) {
  return status == 403 || status == 404 || status == 301;
}

class HttpTruth : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ground_.obstacle().empty()) GTEST_SKIP() << ground_.obstacle();
    member_ = std::make_unique<NamedMember>();
  }

  void judge(const std::string& target, const std::string& search_path, const Outcome& stock,
             const Outcome& guarded) {
    const std::string shown = target + ": " + std::to_string(stock.status) + " without, " +
                              std::to_string(guarded.status) + " " + guarded.code + " with";
    if (stock.status == 200) {
      ++worked_;
      EXPECT_EQ(guarded.status, 200) << shown;
    } else if (is_httpds_own(stock.status)) {
      EXPECT_EQ(guarded.status, stock.status) << shown;
    } else {
      ++failed_;
      EXPECT_GE(guarded.status, 400) << shown;
      // Not permissions: then it must really run, if without a word, and the module must say so.
      const Truth truth = run(served(target), who_, search_path);
      const bool runs = guarded.exonerated && (truth.ran || !truth.sure);
      EXPECT_TRUE(guarded.code != "-" || runs) << shown << beginning_of(served(target));
    }
  }

  Playground ground_;
  std::unique_ptr<NamedMember> member_;
  const Identity who_ = identities()[1];
  std::size_t worked_ = 0, failed_ = 0;
};

TEST_F(HttpTruth, BlocksNothingThatWorksAndExplainsAllThatFails) {
  const char* text = std::getenv("PERMGUARD_ORACLE_SEED");
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::uint64_t seed =
      text != nullptr ? std::strtoull(text, nullptr, 10) : static_cast<std::uint64_t>(now);
  std::cout << "PERMGUARD_ORACLE_SEED=" << seed << std::endl;
  Dice dice(seed);
  const Programs programs = read_programs();
  Generator generator(dice, ground_, programs);
  Side stock(false), guarded(true);
  for (std::size_t number = 0; number < kCases && !HasFailure();) {
    const TreePlan plan = generator.plan();
    ground_.build(plan);
    for (const std::string& target : plan.targets) {
      judge(target, "/usr/bin:/bin", stock.ask(target, number), guarded.ask(target, number));
      ++number;
    }
  }
  std::cout << worked_ << " worked, " << failed_ << " failed" << std::endl;
  EXPECT_GT(worked_, kCases / 10);
  EXPECT_GT(failed_, kCases / 10);
  EXPECT_EQ(stock.crashes() + guarded.crashes(), 0U);
}

}  // namespace
}  // namespace permguard::oracle
