// SPDX-License-Identifier: Apache-2.0
#include "core/env_command.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/env_words.h"

namespace permguard {
namespace {

enum class Takes : unsigned char { nothing, value, optional_value };

struct LongOption {
  std::string_view name;
  Takes takes;
  char letter;  ///< the short option it stands for; upper case letters not in use: long only
};

constexpr char kDefaultSignal = 'D', kIgnoreSignal = 'I', kBlockSignal = 'B', kListSignals = 'L',
               kHelp = 'H', kVersion = 'V';

constexpr std::array<LongOption, 12> kLongOptions = {{
    {"ignore-environment", Takes::nothing, 'i'},
    {"null", Takes::nothing, '0'},
    {"unset", Takes::value, 'u'},
    {"chdir", Takes::value, 'C'},
    {"default-signal", Takes::optional_value, kDefaultSignal},
    {"ignore-signal", Takes::optional_value, kIgnoreSignal},
    {"block-signal", Takes::optional_value, kBlockSignal},
    {"list-signal-handling", Takes::nothing, kListSignals},
    {"debug", Takes::nothing, 'v'},
    {"split-string", Takes::value, 'S'},
    {"help", Takes::nothing, kHelp},
    {"version", Takes::nothing, kVersion},
}};

/// A file's head has room for 127 nested -S; more come from variables that name themselves,
/// and then env never ends either.
constexpr int kMostSplits = 128;
constexpr std::size_t kMostBytes = std::size_t{128} * 1024;  // MAX_ARG_STRLEN of execve(2)

/// The option that `name` is or abbreviates, getopt_long(3); null: none or several.
const LongOption* find_long(std::string_view name) {
  const LongOption* found = nullptr;
  for (const LongOption& option : kLongOptions) {
    if (option.name == name) return &option;
    if (option.name.substr(0, name.size()) != name) continue;
    if (found != nullptr) return nullptr;
    found = &option;
  }
  return found;
}

/// One run of env over its words.
class EnvLine {
 public:
  EnvLine(std::vector<std::string> words, const LookUpVariable& lookup)
      : words_(std::move(words)), lookup_(lookup) {}

  EnvCommand run() {
    read_options();
    if (failed()) return failure();
    if (has_word() && words_[next_] == "-") {
      clears_ = true;
      ++next_;
    }
    prepare_environment();
    read_assignments();
    if (!failed()) check_command();
    return failed() ? failure() : std::move(result_);
  }

 private:
  bool has_word() const { return next_ < words_.size(); }
  bool failed() const { return !result_.error.empty(); }
  EnvCommand failure() { return {{}, false, {}, {}, std::move(result_.error), {}}; }
  void fail(std::string words) { result_.error = std::move(words); }

  /// getopt_long(3) with '+': ends at the first word that is no option.
  void read_options() {
    while (!failed() && has_word()) {
      const std::string word = words_[next_];
      if (word.size() < 2 || word[0] != '-') return;
      ++next_;
      if (word == "--") return;
      if (word[1] == '-') {
        read_long(std::string_view(word).substr(2));
      } else {
        read_short(std::string_view(word).substr(1));
      }
    }
  }

  void read_long(std::string_view text) {
    const std::size_t equals = text.find('=');
    const LongOption* option = find_long(text.substr(0, equals));
    if (option == nullptr) return fail("unknown or ambiguous option '--" + std::string(text) + "'");
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = text.substr(equals + 1);
    if (value && option->takes == Takes::nothing) {
      return fail("option '--" + std::string(option->name) + "' takes no value");
    }
    if (!value && option->takes == Takes::value) value = next_value(option->name);
    if (!failed()) apply(option->letter, value);
  }

  void read_short(std::string_view letters) {
    for (std::size_t i = 0; i < letters.size() && !failed(); ++i) {
      const char letter = letters[i];
      if (letter == 'i' || letter == 'v' || letter == '0') {
        apply(letter, std::nullopt);
        continue;
      }
      if (letter != 'u' && letter != 'C' && letter != 'S') return bad_letter(letter);
      const std::string_view rest = letters.substr(i + 1);
      const std::string value = rest.empty() ? next_value({&letter, 1}) : std::string(rest);
      if (!failed()) apply(letter, value);
      return;
    }
  }

  void bad_letter(char letter) {
    std::string words = std::string("invalid option -- '") + letter + '\'';
    if (kEnvBlanks.find(letter) != std::string_view::npos) {
      words += "; a #! line needs -S to pass several words";
    }
    fail(std::move(words));
  }

  std::string next_value(std::string_view option) {
    if (has_word()) return words_[next_++];
    fail("option '" + std::string(option) + "' needs a value");
    return {};
  }

  void apply(char letter, const std::optional<std::string>& value) {
    switch (letter) {
      case 'i':
        clears_ = true;
        break;
      case '0':
        ends_with_nul_ = true;
        break;
      case 'u':
        unset_.push_back(*value);
        break;
      case 'C':
        result_.directory = *value;
        break;
      case 'S':
        split(*value);
        break;
      case kDefaultSignal:
      case kIgnoreSignal:
        check_signals(value, true);
        break;
      case kBlockSignal:
        check_signals(value, false);
        break;
      case kHelp:
        fail("it prints its help instead");
        break;
      case kVersion:
        fail("it prints its version instead");
        break;
      default:
        break;  // -v and --list-signal-handling only write to stderr
    }
  }

  void check_signals(const std::optional<std::string>& list, bool changes_action) {
    if (list && !is_env_signal_list(*list, changes_action)) fail("invalid signal '" + *list + "'");
  }

  /// The words of -S take the place of the option, and all are read from the beginning.
  void split(const std::string& text) {
    EnvWords split = split_env_string(text, lookup_);
    if (!split.error.empty()) return fail(std::move(split.error));
    split.words.insert(split.words.end(), words_.begin() + static_cast<std::ptrdiff_t>(next_),
                       words_.end());
    words_ = std::move(split.words);
    next_ = 0;
    std::size_t bytes = 0;
    for (const std::string& word : words_) bytes += word.size();
    if (++splits_ > kMostSplits || bytes > kMostBytes) fail("its -S never ends");
  }

  /// Variables are unset by name only where not all are.
  void prepare_environment() {
    for (const std::string& name : unset_) {
      if (clears_) break;
      if (name.empty() || name.find('=') != std::string::npos)
        return fail("cannot unset '" + name + "'");
    }
    const bool unset = std::find(unset_.begin(), unset_.end(), "PATH") != unset_.end();
    if (clears_ || unset) result_.path = kDefaultSearchPath;
  }

  void read_assignments() {
    for (; has_word() && words_[next_].find('=') != std::string::npos; ++next_) {
      const std::string& word = words_[next_];
      if (word.compare(0, 5, "PATH=") == 0) result_.path = word.substr(5);
    }
  }

  void check_command() {
    if (!has_word()) return fail("it is given no command, so it prints its environment");
    if (ends_with_nul_) return fail("cannot specify --null (-0) with command");
    result_.command = words_[next_];
    result_.arguments.assign(words_.begin() + static_cast<std::ptrdiff_t>(next_) + 1, words_.end());
  }

  std::vector<std::string> words_;
  const LookUpVariable& lookup_;
  std::size_t next_ = 0;
  int splits_ = 0;
  bool clears_ = false;
  bool ends_with_nul_ = false;
  std::vector<std::string> unset_;
  EnvCommand result_;
};

}  // namespace

EnvCommand parse_env(std::string_view argument, bool has_argument, std::string_view script,
                     const LookUpVariable& lookup) {
  std::vector<std::string> words;
  if (has_argument) words.emplace_back(argument);
  words.emplace_back(script);
  return parse_env_words(std::move(words), script, lookup);
}

EnvCommand parse_env_words(std::vector<std::string> words, std::string_view script,
                           const LookUpVariable& lookup) {
  EnvCommand found = EnvLine(std::move(words), lookup).run();
  found.command_is_script = !found.command.empty() && found.command == script;
  return found;
}

}  // namespace permguard
