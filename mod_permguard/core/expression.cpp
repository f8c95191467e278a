// SPDX-License-Identifier: Apache-2.0
#include "core/expression.h"

#include <regex.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

namespace permguard {
namespace {

bool is_letter_or_digit(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0;
}

/// What a backslash before `letter` means inside brackets of POSIX's; empty: nothing that is known.
std::string_view set_of(char letter) {
  switch (letter) {
    case 'd':
      return "0-9";
    case 'w':
      return "[:alnum:]_";
    case 's':
      return "[:space:]";
    case 't':
      return "\t";
    default:
      return {};
  }
}

/// Reads one of Perl's expressions and says it in POSIX's extended syntax, which has no escapes
/// inside brackets and no (?…).
class Translator {
 public:
  explicit Translator(std::string_view perl) : rest_(perl) {}

  std::optional<std::string> run() {
    while (!rest_.empty()) {
      const char next = take();
      const bool known = next == '\\'  ? escape()
                         : next == '[' ? brackets()
                         : next == '(' ? group()
                                       : plain(next);
      if (!known) return std::nullopt;
    }
    return std::move(posix_);
  }

 private:
  char take() {
    const char first = rest_.front();
    rest_.remove_prefix(1);
    return first;
  }

  bool skip(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  /// After a quantifier, ? and + only say which of several matches is found.
  bool plain(char character) {
    posix_ += character;
    if (std::string_view("*+?}").find(character) != std::string_view::npos && !skip("?")) skip("+");
    return true;
  }

  bool escape() {
    if (rest_.empty()) return false;
    const char next = take();
    if (next == 'd' || next == 'D') {
      posix_ += next == 'd' ? "[0-9]" : "[^0-9]";
      return true;
    }
    const bool known = std::string_view("wWsSbB").find(next) != std::string_view::npos;
    if (is_letter_or_digit(next) && !known) return false;
    (posix_ += '\\') += next;
    return true;
  }

  bool group() {
    posix_ += '(';
    if (!rest_.starts_with('?') || skip("?:")) return true;
    const bool named = (skip("?<") || skip("?P<")) && !rest_.starts_with('=') &&
                       !rest_.starts_with('!') && rest_.find('>') != std::string_view::npos;
    if (named) rest_.remove_prefix(rest_.find('>') + 1);
    return named;
  }

  /// ] must stand first, and - last.
  bool brackets() {
    const bool negated = skip("^");
    bool closing = skip("]");
    bool dash = false;
    std::string inside;
    while (!rest_.empty() && !rest_.starts_with(']')) {
      const std::size_t named = rest_.starts_with("[:") ? rest_.find(":]") : std::string_view::npos;
      if (named != std::string_view::npos) {
        inside += rest_.substr(0, named + 2);
        rest_.remove_prefix(named + 2);
        continue;
      }
      const char next = take();
      if (next != '\\') {
        inside += next;
        continue;
      }
      if (rest_.empty()) return false;
      const char escaped = take();
      const std::string_view set = set_of(escaped);
      if (escaped == ']' || escaped == '-') {
        (escaped == ']' ? closing : dash) = true;
      } else if (!set.empty()) {
        inside += set;
      } else if (is_letter_or_digit(escaped)) {
        return false;
      } else {
        inside += escaped;
      }
    }
    if (!skip("]")) return false;
    if (inside.starts_with('^') && !negated && !closing) inside = inside.substr(1) + '^';
    posix_ += negated ? "[^" : "[";
    posix_ += (closing ? "]" : "") + inside + (dash ? "-" : "") + "]";
    return true;
  }

  std::string_view rest_;
  std::string posix_;
};

constexpr std::string_view kAnyCase = "(?i)";

constexpr std::size_t kMostBytes = 4096;
constexpr int kMostNested = 64;           // regcomp(3) calls itself for each group in a group
constexpr unsigned kMostRepeated = 1000;  // and copies what a number in braces repeats

/// Whether regcomp(3) reads it in a bounded time and on a bounded stack.
bool is_bounded(std::string_view perl) {
  int nested = 0, deepest = 0;
  unsigned repeated = 1, number = 0;
  for (const char character : perl) {
    if (character == '(') deepest = std::max(deepest, ++nested);
    if (character == ')') --nested;
    const bool digit = character >= '0' && character <= '9';
    if (digit) number = std::min(number * 10 + static_cast<unsigned>(character - '0'), 100'000U);
    if (character == '}') repeated = std::min(repeated * std::max(number, 1U), kMostRepeated + 1);
    if (!digit && character != ',') number = 0;
  }
  return perl.size() <= kMostBytes && deepest <= kMostNested && repeated <= kMostRepeated;
}

}  // namespace

bool matches(const std::string& text, const std::string& expression) {
  std::string_view perl = expression;
  const bool any_case = perl.starts_with(kAnyCase);
  if (any_case) perl.remove_prefix(kAnyCase.size());
  if (!is_bounded(perl)) return true;
  const std::optional<std::string> posix = Translator(perl).run();
  const int flags = REG_EXTENDED | REG_NOSUB | (any_case ? REG_ICASE : 0);
  regex_t compiled{};
  if (!posix || regcomp(&compiled, posix->c_str(), flags) != 0) return true;
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

bool may_hold_slash(const std::string& expression) {
  for (std::size_t at = 0; at < expression.size(); ++at) {
    const char next = expression[at];
    if (next == '.' || next == '/') return true;
    if (next == '\\') {
      const std::string_view escaped = std::string_view(expression).substr(++at, 1);
      if (escaped == "/" || escaped == "D" || escaped == "W" || escaped == "S") return true;
    } else if (next == '[') {
      const bool negated = expression.compare(at + 1, 1, "^") == 0;
      const std::size_t end = expression.find(']', at + (negated ? 3 : 2));
      const bool holds = expression.substr(at, end - at).find('/') != std::string::npos;
      if (holds != negated) return true;
      if (end == std::string::npos) return true;
      at = end;
    }
  }
  return false;
}

}  // namespace permguard
