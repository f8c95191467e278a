// SPDX-License-Identifier: Apache-2.0
//
// `permguard explain` as a shell sees it: what it prints, and its exit status.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "contract/explain.h"
#include "support/temp_tree.h"

namespace permguard::test {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kScript = "#!/bin/sh\necho\n";

class Explain : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
  }
  static ProcessResult as_www_data(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--as", "www-data"});
    return explain(arguments);
  }
  static nlohmann::json json(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--as", "www-data", "--format", "json"});
    return nlohmann::json::parse(explain(arguments).out);
  }
  /// Binds a socket that nobody listens on.
  std::string dead_socket(const std::string& name) {
    const std::string path = tree_.path(name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    close(fd);
    tree_.chmod(name, 0777);
    return path;
  }

  TempTree tree_;
};

TEST_F(Explain, ShowsEveryComponentTheChainAndTheVerdict) {
  tree_.symlink("real", "link");
  const std::string script = tree_.write("real/a.cgi", kScript, 0755);
  tree_.chown("real", "www-data", "adm");
  tree_.chmod("real", 0750);
  tree_.setfacl("real/a.cgi", {"-m", "u:www-data:rx"});
  const ProcessResult healthy = as_www_data({tree_.path("link/a.cgi")});
  EXPECT_EQ(healthy.exit_code, 0) << healthy.err;
  EXPECT_THAT(healthy.out, StartsWith("as www-data (uid 33, gid 33, groups 33): named by --as"));
  for (const char* line :
       {"  drwxr-xr-x +root:root +/ +may search: other r-x\n",
        "  drwxrwxrwt +root:root +tmp +may search: other rwx\n",
        "  lrwxrwxrwx +root:root +link -> real\n",
        "  drwxr-x--- +www-data:adm +real +may search: owner rwx\n",
        "  -rwxr-xr-x[+] root:root +a.cgi +may read and execute: user:www-data:r-x\n",
        "\ninterpreter '/bin/sh', which is '/usr/bin/dash': open to www-data\n"}) {
    EXPECT_TRUE(std::regex_search(healthy.out, std::regex(line))) << line << "\n" << healthy.out;
  }
  EXPECT_THAT(healthy.out, HasSubstr("which is '" + script + "'"));
  EXPECT_THAT(healthy.out,
              HasSubstr("\nhealthy: www-data can execute '" + tree_.path("link/a.cgi") + "'\n"));
}

TEST_F(Explain, TellsAllThatIsWrongAndEachFixOnce) {
  const std::string script = tree_.write("shut/a.cgi", "#!/no/such/sh\n", 0644);
  tree_.chmod("shut", 0700);
  const ProcessResult broken = as_www_data({script});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.out, AllOf(HasSubstr("MAY NOT search: other ---\n"),
                                HasSubstr("MAY NOT execute: no x for anybody\n"),
                                HasSubstr("broken: www-data cannot execute '" + script + "'\n")));
  EXPECT_THAT(broken.out, ContainsRegex("  search-denied: directory .*\n  not-executable: .*\n"
                                        "  interpreter-not-found: "));
  EXPECT_THAT(broken.out, HasSubstr("\nfix\n  setfacl -m u:www-data:x '" + tree_.path("shut") +
                                    "'\n  chmod a+x '" + script + "'\n"));
}

TEST_F(Explain, WritesJson) {
  const std::string script = tree_.write("a.cgi", kScript, 0644);
  const auto broken = json({script, tree_.write("b.cgi", kScript, 0755)});
  EXPECT_EQ(broken["schema"], 1);
  EXPECT_EQ(broken["user"]["name"], "www-data");
  EXPECT_EQ(broken["user"]["groups"], nlohmann::json::array({33}));
  EXPECT_EQ(broken["healthy"], false);
  EXPECT_EQ(broken["checked"], 2);
  EXPECT_EQ(broken["unexamined"], nlohmann::json::array());
  ASSERT_EQ(broken["findings"].size(), 1U);
  const auto& finding = broken["findings"][0];
  EXPECT_EQ(finding["code"], "not-executable");
  EXPECT_EQ(finding["role"], "script");
  EXPECT_EQ(finding["certainty"], "certain");
  EXPECT_EQ(finding["decided_by"], "no-execute-bit");
  EXPECT_EQ(finding["path"], script);
  EXPECT_EQ(finding["file"]["mode"], "0644");
  EXPECT_EQ(finding["fix"], nlohmann::json::array({"chmod a+x '" + script + "'"}));
  EXPECT_EQ(json({tree_.path("b.cgi")})["healthy"], true);
}

TEST_F(Explain, AsksForWhomItIsTold) {
  const std::string script = tree_.write("a.cgi", kScript, 0750);
  tree_.chown("a.cgi", "www-data", "adm");
  EXPECT_EQ(explain({script, "--as", "www-data"}).exit_code, 0);
  EXPECT_EQ(explain({script, "--as", "nobody"}).exit_code, 1);
  EXPECT_EQ(explain({script, "--as", "nobody:adm"}).exit_code, 0);
  EXPECT_EQ(explain({script, "--as", "#33"}).exit_code, 0);
  EXPECT_EQ(explain({script, "--as", "#53777"}).exit_code, 1);
  const ProcessResult number = explain({script, "--as", "#53777:#4"});
  EXPECT_EQ(number.exit_code, 0) << number.out;
  EXPECT_THAT(number.out, StartsWith("as #53777 (uid 53777, gid 4"));
}

TEST_F(Explain, AMissingPathIsAFindingAndManyPathsAreOneAnswer) {
  const std::string good = tree_.write("good", kScript, 0755);
  tree_.symlink("nowhere", "dangling");
  const ProcessResult all = as_www_data({good, tree_.path("gone/x"), tree_.path("dangling")});
  EXPECT_EQ(all.exit_code, 1);
  EXPECT_THAT(all.out, AllOf(HasSubstr("healthy: www-data can execute '" + good + "'"),
                             HasSubstr("  not-found: '" + tree_.path("gone") + "' does not exist"),
                             HasSubstr("  dangling-symlink: ")));
  EXPECT_EQ(json({tree_.path("gone")})["findings"][0]["code"], "not-found");
}

TEST_F(Explain, TakesRelativePaths) {
  tree_.write("in/a.cgi", kScript, 0755);
  for (const char* path : {"a.cgi", "./a.cgi", "../in/a.cgi"}) {
    const ProcessResult healthy =
        explain({path, "--as", "www-data"}, in_directory(tree_.path("in")));
    EXPECT_EQ(healthy.exit_code, 0) << path << healthy.out << healthy.err;
    EXPECT_THAT(healthy.out, HasSubstr(tree_.path("in")));
  }
  EXPECT_EQ(explain({"-x", "--as", "www-data"}).exit_code, 2);
  EXPECT_EQ(explain({"--as", "www-data", "--", "-x"}, in_directory(tree_.root())).exit_code, 1)
      << "a path that begins with - and does not exist";
}

TEST_F(Explain, StrangeBytesStayOneLineAndCanBePasted) {
  const std::string name = "it's \\ \xFF\n\x1b[31m.cgi";
  const std::string script = tree_.write(name, kScript, 0644);
  const ProcessResult broken = as_www_data({script});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.out, HasSubstr("it's \\\\ \\xff\\x0a\\x1b[31m.cgi"));
  EXPECT_THAT(broken.out, Not(HasSubstr("\x1b")));
  const auto fix = broken.out.find("\nfix\n");
  ASSERT_NE(fix, std::string::npos);
  ASSERT_TRUE(run({"sh", "-ec", broken.out.substr(fix + 5)}).succeeded()) << broken.out;
  EXPECT_EQ(as_www_data({script}).exit_code, 0);
  tree_.chmod(name, 0644);
  const auto finding = json({script})["findings"][0];
  EXPECT_TRUE(finding.contains("path_base64"));
  ASSERT_TRUE(run({"sh", "-ec", finding["fix"][0].get<std::string>()}).succeeded());
  EXPECT_EQ(as_www_data({script}).exit_code, 0);
}

TEST_F(Explain, NamesWhatItCannotUnderstand) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> bad = {
      {{"/x", "--as", "no-such-user"}, "no-such-user"},
      {{"/x", "--as", "root:no-such-group"}, "root:no-such-group"},
      {{"/x", "--as", "#1x"}, "#1x"},
      {{"/x", "--as", ""}, "--as: ''"},
      {{"/x", "--pid", "four"}, "'four'"},
      {{"/x", "--pid", "-4"}, "'-4'"},
      {{"/x", "--pid", "4194304"}, "process 4194304: no such process"},
      {{"/x", "--as", "root", "--pid", "1"}, "--pid"},
      {{"/x", "--need", "write"}, "'write' is not one of execute, read, connect"},
      {{"/x", "--format", "xml"}, "'xml' is not one of text, json"},
      {{"/x", "--frobnicate"}, "--frobnicate"},
      {{""}, "empty PATH"},
      {{}, "PATH"}};
  for (const auto& [arguments, message] : bad) {
    const ProcessResult refused = explain(arguments);
    EXPECT_EQ(refused.exit_code, 2) << message;
    EXPECT_EQ(refused.out, "") << message;
    EXPECT_THAT(refused.err, AllOf(StartsWith("permguard: "), HasSubstr(message)));
  }
  const ProcessResult command = run({PERMGUARD_BUILD "/permguard", "explane", "/x"});
  EXPECT_EQ(command.exit_code, 2);
  EXPECT_THAT(command.err, HasSubstr("'explane' is not one of explain, audit, snapshot, fix"));
}

TEST_F(Explain, AnOrdinaryUserAsksForHimself) {
  const ProcessOptions nobody = by_user("nobody");
  const std::string script = tree_.write("a.cgi", kScript, 0754);
  const ProcessResult own = explain({script}, nobody);
  EXPECT_EQ(own.exit_code, 1);
  EXPECT_THAT(own.out, StartsWith("as nobody (uid 65534"));
  EXPECT_THAT(own.out, HasSubstr("\n  execute-denied: "));
  const ProcessResult other = explain({script, "--as", "www-data"}, nobody);
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.out, HasSubstr("computed from modes, ACLs and mounts"));
  EXPECT_THAT(other.out, HasSubstr("\n  execute-denied (modelled): "));
  EXPECT_EQ(explain({script, "--pid", "1"}, nobody).exit_code, 2);
}

TEST_F(Explain, WhatCannotBeExaminedIsNeverCalledHealthy) {
  const ProcessOptions nobody = by_user("nobody");
  tree_.write("shut/a.cgi", kScript, 0755);
  tree_.chown("shut", "www-data");
  tree_.chmod("shut", 0700);
  tree_.write("hidden", kScript, 0700);
  tree_.chown("hidden", "www-data");
  tree_.write("program",
              "\x7f"
              "ELF",
              0711);
  tree_.write("led", "#!" + tree_.path("shut/a.cgi") + "\n", 0755);
  for (const char* name : {"shut/a.cgi", "hidden", "led"}) {
    const ProcessResult unseen = explain({tree_.path(name), "--as", "www-data"}, nobody);
    EXPECT_EQ(unseen.exit_code, 2) << name << unseen.out;
    EXPECT_THAT(unseen.out, HasSubstr("\nundecided: whether www-data can execute "));
    EXPECT_THAT(unseen.out, Not(HasSubstr("healthy")));
    EXPECT_THAT(unseen.err, HasSubstr("cannot be examined: Permission denied"));
  }
  EXPECT_THAT(explain({tree_.path("program")}, nobody).out,
              AllOf(HasSubstr("\nundecided: "), HasSubstr("which matters if it is a #! script")));
  const ProcessResult text =
      explain({tree_.path("shut/a.cgi"), "--as", "www-data", "--format", "json"}, nobody);
  const auto document = nlohmann::json::parse(text.out);
  EXPECT_EQ(document["healthy"], false);
  EXPECT_EQ(document["unexamined"][0]["path"], tree_.path("shut/a.cgi"));
  EXPECT_EQ(document["unexamined"][0]["errno"], "EACCES");
}

TEST_F(Explain, NeedsWhatItIsTold) {
  const std::string page = tree_.write("a.php", "<?php", 0640);
  EXPECT_EQ(as_www_data({page, "--need", "read"}).exit_code, 1);
  tree_.chmod("a.php", 0644);
  EXPECT_EQ(as_www_data({page, "--need", "read"}).exit_code, 0);
  EXPECT_THAT(as_www_data({page, "--need", "connect"}).out, HasSubstr("socket-not-a-socket: "));
  const std::string socket = dead_socket("socket");
  const ProcessResult dead = as_www_data({socket, "--need", "connect"});
  EXPECT_EQ(dead.exit_code, 1);
  EXPECT_THAT(dead.out, HasSubstr("socket-connect-refused: "));
  tree_.chmod("socket", 0755);
  EXPECT_EQ(json({socket, "--need", "connect"})["findings"][0]["code"], "connect-denied");
}

TEST_F(Explain, ColoursATerminalOnly) {
  const std::string script = tree_.write("a.cgi", kScript, 0755);
  EXPECT_THAT(as_www_data({script}).out, Not(HasSubstr("\x1b")));
  const std::string command = "'" PERMGUARD_BUILD "/permguard' explain --as www-data " + script;
  ProcessOptions terminal;
  terminal.environment = {{"TERM", "xterm"}};
  EXPECT_THAT(run({"script", "-qec", command, "/dev/null"}, terminal).out,
              HasSubstr("\x1b[32mhealthy\x1b[0m"));
  EXPECT_THAT(run({"script", "-qec", "NO_COLOR=1 " + command, "/dev/null"}, terminal).out,
              Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace permguard::test
