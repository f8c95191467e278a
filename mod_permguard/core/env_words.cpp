// SPDX-License-Identifier: Apache-2.0
#include "core/env_words.h"

#include <optional>

namespace permguard {
namespace {

bool begins_name(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

bool continues_name(char byte) {
  return begins_name(byte) || (byte >= '0' && byte <= '9');
}

/// The NAME of "${NAME}" at the beginning of `text`, or empty.
std::string_view variable_name(std::string_view text) {
  if (text.size() < 4 || text[1] != '{' || !begins_name(text[2])) return {};
  std::size_t end = 3;
  while (end < text.size() && continues_name(text[end])) ++end;
  return end < text.size() && text[end] == '}' ? text.substr(2, end - 2) : std::string_view();
}

class Splitter {
 public:
  Splitter(std::string_view text, const LookUpVariable& lookup) : rest_(text), lookup_(lookup) {}

  EnvWords split() {
    while (!rest_.empty() && !done_) step();
    if (result_.error.empty() && !done_ && quote_ != '\0')
      fail("no terminating quote in -S string");
    if (!result_.error.empty()) result_.words.clear();
    return std::move(result_);
  }

 private:
  void step() {
    const char byte = rest_.front();
    if ((byte == '\'' || byte == '"') && (quote_ == '\0' || quote_ == byte))
      return turn_quote(byte);
    if (quote_ == '\0' && kEnvBlanks.find(byte) != std::string_view::npos) return separate(1);
    if (byte == '#' && between_words_) return finish();
    if (byte == '\\' && escapes()) return escape();
    if (byte == '$' && quote_ != '\'') return expand();
    append(byte, 1);
  }

  /// Within single quotes a backslash means something before itself and a quote only.
  bool escapes() const {
    return quote_ != '\'' || (rest_.size() > 1 && (rest_[1] == '\\' || rest_[1] == '\''));
  }

  void escape() {
    if (rest_.size() == 1) return fail("invalid backslash at end of string in -S");
    const char byte = rest_[1];
    switch (byte) {
      case '"':
      case '#':
      case '$':
      case '\'':
      case '\\':
        return append(byte, 2);
      case '_':
        return quote_ == '"' ? append(' ', 2) : separate(2);
      case 'c':
        return quote_ == '"' ? fail("'\\c' must not appear in double-quoted -S string") : finish();
      case 'f':
        return append('\f', 2);
      case 'n':
        return append('\n', 2);
      case 'r':
        return append('\r', 2);
      case 't':
        return append('\t', 2);
      case 'v':
        return append('\v', 2);
      default:
        return fail(std::string("invalid sequence '\\") + byte + "' in -S");
    }
  }

  void expand() {
    const std::string_view name = variable_name(rest_);
    if (name.empty()) return fail("only ${VARNAME} expansion is supported in -S");
    if (const std::optional<std::string> value = lookup_ ? lookup_(name) : std::nullopt) {
      begin_word();
      result_.words.back() += *value;
    }
    rest_.remove_prefix(name.size() + 3);
  }

  void turn_quote(char byte) {
    quote_ = quote_ == '\0' ? byte : '\0';
    begin_word();
    rest_.remove_prefix(1);
  }

  void begin_word() {
    if (between_words_) result_.words.emplace_back();
    between_words_ = false;
  }

  void append(char byte, std::size_t taken) {
    begin_word();
    result_.words.back().push_back(byte);
    rest_.remove_prefix(taken);
  }

  void separate(std::size_t taken) {
    between_words_ = true;
    rest_.remove_prefix(taken);
  }

  void finish() { done_ = true; }

  void fail(std::string words) {
    result_.error = std::move(words);
    done_ = true;
  }

  std::string_view rest_;
  const LookUpVariable& lookup_;
  EnvWords result_;
  char quote_ = '\0';
  bool between_words_ = true;
  bool done_ = false;
};

}  // namespace

EnvWords split_env_string(std::string_view text, const LookUpVariable& lookup) {
  return Splitter(text, lookup).split();
}

}  // namespace permguard
