// SPDX-License-Identifier: Apache-2.0
#include "core/env_command.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>
#include <random>

#include "support/temp_tree.h"
#include "unit/exec_truth.h"

namespace permguard {
namespace {

using test::ExecTruth;
using test::execute;

using Variables = std::map<std::string, std::string, std::less<>>;

EnvCommand parse(std::string_view argument, const Variables& variables = {}) {
  return parse_env(
      argument, true, "/srv/a.cgi", [&](std::string_view name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
      });
}

TEST(EnvCommand, WithoutSTheArgumentIsOneWord) {
  EXPECT_EQ(parse("python3").command, "python3");
  EXPECT_EQ(parse("python3 -u").command, "python3 -u");
  EXPECT_EQ(parse("python3\r").command, "python3\r");
  EXPECT_NE(parse("-i python3").error, "");
}

TEST(EnvCommand, SplitStringSeparates) {
  EXPECT_EQ(parse("-S FOO=1 python3 -u").command, "python3");
  EXPECT_EQ(parse("-Spython3 -u\r").command, "python3");
  EXPECT_EQ(parse("-vS python3").command, "python3");
  EXPECT_EQ(parse("--split-string=python3 -u").command, "python3");
  EXPECT_EQ(parse("-S 'a b'\\_c").command, "a b");
  EXPECT_EQ(parse("-S \"a\\_b\"").command, "a b");
  EXPECT_EQ(parse("-S python3 # comment").command, "python3");
  EXPECT_EQ(parse("-S python3\\c -u").command, "python3");
  EXPECT_EQ(parse("-S ''").command, "");
  EXPECT_EQ(parse("-S ''").error, "");
  EXPECT_NE(parse("-S 'python3").error, "");
}

TEST(EnvCommand, VariablesAreExpandedOnceAndNotSplit) {
  const Variables variables = {{"PY", "python3 -u"}, {"HOME", "/home/ann"}};
  EXPECT_EQ(parse("-S ${PY}", variables).command, "python3 -u");
  EXPECT_EQ(parse("-S \"${HOME}/bin/x\"", variables).command, "/home/ann/bin/x");
  EXPECT_EQ(parse("-S '${HOME}'", variables).command, "${HOME}");
  EXPECT_EQ(parse("-S ${NONE} python3", variables).command, "python3");
  EXPECT_NE(parse("-S $HOME", variables).error, "");
}

TEST(EnvCommand, AVariableThatNamesItselfDoesNotHang) {
  EXPECT_NE(parse("-S -S${V}", {{"V", "-S${V}"}}).error, "");
  EXPECT_NE(parse("-S -S${V}", {{"V", "-S${V}${V}"}}).error, "");
}

TEST(EnvCommand, KnowsWhichPathIsSearched) {
  EXPECT_EQ(parse("python3").path, std::nullopt);
  EXPECT_EQ(parse("-S -i python3").path, kDefaultSearchPath);
  EXPECT_EQ(parse("-S - python3").path, kDefaultSearchPath);
  EXPECT_EQ(parse("-S -u PATH python3").path, kDefaultSearchPath);
  EXPECT_EQ(parse("-S -u HOME python3").path, std::nullopt);
  EXPECT_EQ(parse("-S -i PATH=/opt/bin PATH=/usr/bin python3").path, "/usr/bin");
  EXPECT_EQ(parse("-S PATH= python3").path, "");
  EXPECT_EQ(parse("-S -C /opt python3").directory, "/opt");
}

TEST(EnvCommand, TheScriptMayBecomeTheCommand) {
  for (const char* argument : {"-i", "FOO=1", "-", "-v", "-S", "-C/tmp", "-S FOO=1", "--debug"}) {
    EXPECT_TRUE(parse(argument).command_is_script) << argument;
  }
  EXPECT_TRUE(parse_env("", false, "/srv/a.cgi", nullptr).command_is_script);
  EXPECT_FALSE(parse("python3").command_is_script);
}

TEST(EnvCommand, TheScriptMayBecomeAValueOrAnAssignment) {
  EXPECT_NE(parse("-u").error, "");
  EXPECT_NE(parse("-C").error, "");
  EXPECT_NE(parse_env("-i", true, "/srv/a=b/a.cgi", nullptr).error, "");
}

/// Runs env itself on the same words; whatever is the command prints a line of its own.
class EnvTruthTest : public testing::Test {
 protected:
  void SetUp() override {
    const ExecTruth real = execute("/usr/bin/env", {"env", "--version"});
    if (real.output.find("(GNU coreutils) 9.1\n") == std::string::npos) {
      GTEST_SKIP() << "compared with coreutils 9.1 only";
    }
    for (const char* name : kCommands) {
      tree_.write("bin/" + std::string(name), says("bin", name), 0755);
      tree_.write("other/" + std::string(name), says("other", name), 0755);
      tree_.write("cwd/" + std::string(name), says("cwd", name), 0755);
    }
    script_ = tree_.write("the script", says("script", "script"), 0755);
  }

  static std::string says(const std::string& where, const std::string& name) {
    return "#!/bin/sh\necho \"" + where + ":" + (name == "$" ? "\\" : "") + name + "\"\n";
  }

  static bool can_enter_directory(const EnvCommand& found) {
    struct stat status {};
    return !found.directory ||
           (stat(found.directory->c_str(), &status) == 0 && S_ISDIR(status.st_mode));
  }

  /// What execvp would print, by our own look-up in the few directories there are.
  std::string predicted(const EnvCommand& found) const {
    if (!found.error.empty()) return "";
    if (!can_enter_directory(found)) return "";
    if (found.command_is_script) return "script:script\n";
    const std::string path = found.path.value_or(tree_.path("bin"));
    for (const char* name : kCommands) {
      if (found.command != name) continue;
      if (path == tree_.path("bin")) return "bin:" + found.command + "\n";
      if (path == tree_.path("other")) return "other:" + found.command + "\n";
      if (path.empty() && found.directory) return "cwd:" + found.command + "\n";
    }
    return "";
  }

  void compare(const std::string& argument) {
    const Variables variables = {
        {"PATH", tree_.path("bin")}, {"CMD", "run me"}, {"OPT", "-i"}, {"EMPTY", ""}};
    std::vector<std::string> environment;
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
    const ExecTruth real = execute("/usr/bin/env", {"env", argument, script_}, environment);
    const EnvCommand found = parse_env(argument, true, script_, [&](std::string_view name) {
      const auto value = variables.find(name);
      return value == variables.end() ? std::nullopt : std::optional<std::string>(value->second);
    });
    const bool printed = real.output.find("=") == std::string::npos &&
                         real.output.find("Usage") == std::string::npos &&
                         real.output.find("env (GNU") == std::string::npos;
    EXPECT_EQ(printed ? real.output : "", predicted(found))
        << testing::PrintToString(argument) << " command '" << found.command << "' error '"
        << found.error << '\'';
    const int code = WIFEXITED(real.status) ? WEXITSTATUS(real.status) : -1;
    const bool env_fails = !found.error.empty() || !can_enter_directory(found);
    EXPECT_EQ(code == 125, env_fails && code != 0) << testing::PrintToString(argument);
  }

  static constexpr const char* kCommands[] = {"run", "run me", "é", "a'b", "-x", "run\r", "$"};
  test::TempTree tree_;
  std::string script_;
};

TEST_F(EnvTruthTest, OptionsOfEveryKind) {
  const std::string other = "PATH=" + tree_.path("other");
  for (const std::string& argument :
       std::vector<std::string>{"run",
                                "run me",
                                "run\r",
                                "-",
                                "-i",
                                "-v",
                                "-0",
                                "--",
                                "-S",
                                "-u",
                                "-C",
                                "-S run",
                                "-Srun",
                                "-S-Srun",
                                "-S -S run",
                                "-vSrun",
                                "-S -v run",
                                "-0Srun",
                                "--null",
                                "-S -0 run",
                                "--help",
                                "--h",
                                "--version",
                                "--ver",
                                "--v",
                                "--debug",
                                "--d",
                                "--de",
                                "--deb",
                                "--split run",
                                "--split=run",
                                "--s=run me",
                                "-S --split=run run",
                                "--split-string",
                                "--ignore",
                                "--i",
                                "--ignore-e",
                                "--ignore-environment=1",
                                "--u",
                                "--unset=X",
                                "--unset=",
                                "-uX",
                                "-u=",
                                "-S -u '' run",
                                "-S -i -u '' run",
                                "-S -u= run",
                                "-S -i -u= run",
                                "-S -uPATH run",
                                "-S -i run",
                                "-S - run",
                                "-S - - run",
                                "-S -- - run",
                                "-S -- -x",
                                "-S -- run",
                                "-S -x",
                                "-S - -x",
                                "-x",
                                "-z",
                                "-:",
                                "-;",
                                "-W",
                                "-S -i- run",
                                "-C/tmp",
                                "-C /tmp",
                                "-S -C /tmp run",
                                "-S -C /nonexistent run",
                                "--chdir=/tmp",
                                "-S --chdir /tmp run",
                                "--ignore-signal",
                                "--ignore-signal=",
                                "--ignore-signal=PIPE",
                                "--ignore-signal=KILL",
                                "--ignore-signal=,,",
                                "--default-signal=INT,STOP",
                                "--default-signal",
                                "--block-signal=KILL",
                                "--block-signal=32",
                                "--block-signal=rtmin+2",
                                "--block-signal=RTMIN+99",
                                "--block-signal=SIGINT,foo",
                                "--block-signal=137",
                                "--block-signal=EXIT",
                                "--list-signal-handling",
                                "--l",
                                "--b=HUP",
                                "-S --b HUP run",
                                "A=1",
                                "-S A=1 run",
                                "-S A=1 -i run",
                                "-S =1 run",
                                "-S -i A=1",
                                "-S " + other + " run",
                                "-S -i " + other + " run",
                                "-S -C" + tree_.path("cwd") + " PATH= run",
                                "-S " + other + " -C/tmp run",
                                "-S -u PATH " + other + " run",
                                "-i run",
                                "-\trun",
                                "-v run",
                                "-vi run",
                                "--run",
                                "---",
                                "",
                                " ",
                                "#",
                                "-S #run",
                                "-S run#me",
                                "-S 'run me'",
                                "-S \"run me\"",
                                "-S run\\ me",
                                "-S run\\_me",
                                "-S \"run\\_me\"",
                                "-S 'run\\_me'",
                                "-S \"a'b\"",
                                "-S 'a\\'b'",
                                "-S a\\'b",
                                "-S \\$",
                                "-S '$'",
                                "-S $",
                                "-S ${CMD}",
                                "-S ${OPT} run",
                                "-S ${EMPTY} run",
                                "-S ${EMPTY}run",
                                "-S ${NONE} run",
                                "-S ${NONE}run",
                                "-S ${}",
                                "-S ${1}",
                                "-S ${CMD",
                                "-S \"${CMD}\"",
                                "-S '${CMD}'",
                                "-S \\c",
                                "-S run\\c",
                                "-S \"run\\c\"",
                                "-S 'run\\c'",
                                "-S run\\",
                                "-S run\\q",
                                "-S '",
                                "-S \"",
                                "-S run\\r",
                                "-S \\x72un",
                                "-S \xC3\xA9",
                                "\xC3\xA9",
                                "-S \vrun\f",
                                "-S  run \r",
                                "-S -S'run me'",
                                "-S '-Srun me'",
                                "-S -S\\'run\\_me\\'"}) {
    compare(argument);
  }
}

TEST_F(EnvTruthTest, SignalNumbers) {
  for (int number = 0; number < 700; number += 7) {
    compare("-S --block-signal=" + std::to_string(number) + " run");
  }
  for (const char* name :
       {"HUP", "STKFLT", "CLD", "IOT", "EMT", "RTMAX-3", "RTMAX+1", "RTMIN5", "RTMIN 5", "SIGRTMIN",
        "sigpipe", "1x", "+1", "2147483658", "99999999999999999999"}) {
    compare("--block-signal=" + std::string(name));
  }
}

TEST_F(EnvTruthTest, RandomArguments) {
  std::mt19937 random(20240613);
  const std::vector<std::string> pieces = {"-S",     "-",        "--",
                                           "i",      "v",        "0",
                                           "u",      "-u",       "-C",
                                           "/tmp",   " ",        " ",
                                           "\t",     "run",      "run",
                                           "me",     "A=1",      "=",
                                           "'",      "\"",       "\\_",
                                           "\\",     "\\c",      "#",
                                           "${CMD}", "${EMPTY}", "$",
                                           "\r",     "-i ",      "--debug",
                                           "--un",   "PATH=",    tree_.path("other"),
                                           "-S ",    "\\'",      "\\\\"};
  for (int i = 0; i < 700; ++i) {
    std::string argument = random() % 3 != 0 ? "-S" : "";
    for (auto n = random() % 7 + 1; n > 0; --n) argument += pieces[random() % pieces.size()];
    compare(argument);
  }
}

}  // namespace
}  // namespace permguard
