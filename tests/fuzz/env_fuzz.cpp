// SPDX-License-Identifier: Apache-2.0
//
// env's command line and its -S. The input is NUL-separated: the argument, the script's path,
// then values of the variables A, B, C …
#include <algorithm>
#include <vector>

#include "core/env_words.h"
#include "fuzz.h"

namespace permguard {
namespace {

using fuzz::require;

using Words = std::vector<std::string>;

/// `word` so that -S takes it literally.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char byte : word) {
    if (byte == '\'' || byte == '\\') text.push_back('\\');
    text.push_back(byte);
  }
  return text + "'";
}

/// The same with the other quotes and every escape there is a byte for.
std::string escaped(const std::string& word) {
  constexpr std::string_view kBytes = " \"#$'\\\f\n\r\t\v";
  constexpr std::string_view kLetters = "_\"#$'\\fnrtv";
  std::string text = "\"";
  for (const char byte : word) {
    const std::size_t at = kBytes.find(byte);
    if (at != std::string_view::npos) text.push_back('\\');
    text.push_back(at == std::string_view::npos ? byte : kLetters[at]);
  }
  return text + '"';
}

LookUpVariable lookup_in(const Words& values) {
  return [&values](std::string_view name) -> std::optional<std::string> {
    const std::size_t index = static_cast<unsigned char>(name[0]) - std::size_t{'A'};
    if (name.size() != 1 || index >= values.size()) return std::nullopt;
    return values[index];
  };
}

void check_round_trip(const Words& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i % 2 == 0 ? quoted(words[i]) : escaped(words[i])) + (i % 3 == 0 ? "\\_" : "\t ");
  }
  const EnvWords split = split_env_string(text, nullptr);
  require(split.error.empty() && split.words == words, "quoted words come back as they were");
}

void check_split(const std::string& text, const LookUpVariable& lookup) {
  const EnvWords split = split_env_string(text, lookup);
  require(split.error.empty() || split.words.empty(), "an error leaves no words");
  if (text.find_first_of("'\"\\$#") != std::string::npos) return;
  const auto blank = [](char byte) { return kEnvBlanks.find(byte) != std::string_view::npos; };
  std::string joined, kept;
  for (const std::string& word : split.words) {
    require(!word.empty() && std::none_of(word.begin(), word.end(), blank),
            "plain words hold no blank");
    joined += word;
  }
  std::copy_if(text.begin(), text.end(), std::back_inserter(kept),
               [&](char b) { return !blank(b); });
  require(split.error.empty() && joined == kept, "plain text loses its blanks only");
}

void check_command(const std::string& argument, const std::string& script,
                   const LookUpVariable& lookup) {
  const EnvCommand found = parse_env(argument, true, script, lookup);
  require(found.error.empty() || (found.command.empty() && !found.path && !found.directory),
          "an error leaves no command");
  require(found.command.find('=') == std::string::npos, "an assignment is no command");
  require(!found.command_is_script || found.command == script, "the script is the script");
  if (argument.find('=') == std::string::npos && argument.substr(0, 1) != "-") {
    require(found.error.empty() && found.command == argument && !found.path,
            "a plain word is the command");
  }
  const bool plain_script = script.find('=') == std::string::npos && script.substr(0, 1) != "-";
  if (plain_script) {
    require(parse_env("", false, script, lookup).command == script,
            "no argument: the script itself");
    require(parse_env("-S" + quoted("FOO=" + argument), true, script, lookup).command == script,
            "an assignment leaves the script");
  }
}

}  // namespace
}  // namespace permguard

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace permguard;
  fuzz::Input input(data, std::min<std::size_t>(size, 4096));
  Words words;
  while (!input.empty()) words.push_back(input.word());
  check_round_trip(words);
  words.resize(std::max<std::size_t>(words.size(), 2));
  const std::string argument = words[0], script = words[1];
  words.erase(words.begin(), words.begin() + 2);
  const LookUpVariable lookup = lookup_in(words);
  check_split(argument, lookup);
  check_command(argument, script, lookup);
  return 0;
}
