// SPDX-License-Identifier: Apache-2.0
#include "httpd/path_pattern.h"

#include <cctype>
#include <string_view>
#include <utility>

#include "core/expression.h"
#include "httpd/conftree.h"

namespace permguard {
namespace {

constexpr std::string_view kAnything = ".*";
constexpr std::string_view kPartOfName = "[^/]*";

bool is_digit(char character) {
  return std::isdigit(static_cast<unsigned char>(character)) != 0;
}

/// The text of each capturing group of `expression`; of the 0th, the whole match, nothing is known.
std::vector<std::string> groups_of(const std::string& expression) {
  std::vector<std::string> groups{std::string(kAnything)};
  std::vector<std::pair<std::size_t, std::size_t>> open;  // which group, and where its text begins
  bool in_class = false;
  for (std::size_t at = 0; at < expression.size(); ++at) {
    const char character = expression[at];
    if (character == '\\') {
      ++at;
    } else if (in_class) {
      in_class = character != ']';
    } else if (character == '[') {
      in_class = true;
      if (expression.compare(at + 1, 1, "^") == 0) ++at;
      if (expression.compare(at + 1, 1, "]") == 0) ++at;
    } else if (character == '(') {
      std::size_t text = at + 1;
      const bool named = (expression.compare(text, 2, "?<") == 0 &&
                          expression.find_first_of("=!", text + 2) != text + 2) ||
                         expression.compare(text, 3, "?P<") == 0;
      if (named) text = expression.find('>', text) + 1;
      const bool captures = named || expression.compare(text, 1, "?") != 0;
      open.emplace_back(captures ? groups.size() : 0, text);
      if (captures) groups.emplace_back(kAnything);
    } else if (character == ')' && !open.empty()) {
      const auto [group, text] = open.back();
      open.pop_back();
      if (group != 0) groups[group] = expression.substr(text, at - text);
    }
  }
  return groups;
}

/// A path in the making: text as it is, and what stands for an unknown part.
class Pattern {
 public:
  explicit Pattern(bool any_case = false) : any_case_(any_case) {}

  void add(char character) {
    if (character == '/' && parts_ > 0) {  // what follows may be PATH_INFO of a script named before
      whole_ += '(';
      ++optional_;
    }
    if (std::string_view("\\^$.[|()?*+{").find(character) != std::string_view::npos) whole_ += '\\';
    whole_ += character;
    (parts_ > 0 ? text_behind_ : text_) += character;
    if (!is_looked_up_) return;
    if (std::string_view("\\*?[").find(character) != std::string_view::npos) glob_ += '\\';
    glob_ += character;
  }

  /// What `group`, an expression, can stand for.
  void add_part(const std::string& group) {
    if (parts_++ == 0) first_ = group;
    whole_ += '(' + group + ")?";  // a group may take part in no match
    is_looked_up_ = is_looked_up_ && !may_hold_slash(group);
    if (is_looked_up_) glob_ += '*';
  }

  std::vector<PatternPlace> places() const {
    if (parts_ == 0) return {{text_, {}}};
    const bool is_last = parts_ == 1 && text_behind_.empty();
    if (begins_below(first_) && !text_.ends_with('/')) {
      return {{text_, is_last && is_anything(first_.substr(1)) ? "" : ended()}};
    }
    if (!is_last || !is_anything(first_)) return deepest_known();
    if (text_.ends_with('/')) return {{directory_in(text_), {}}};
    std::vector<PatternPlace> places;
    for (std::string& path : existing_paths(glob_ + '*')) places.push_back({std::move(path), {}});
    return places.empty() ? std::vector<PatternPlace>{{text_, {}}} : places;
  }

 private:
  static bool is_anything(const std::string& group) { return group == ".*" || group == ".+"; }

  /// "/.*": the text before the group is a whole component.
  static bool begins_below(const std::string& group) {
    return group.starts_with('/') && group.find('|') == std::string::npos;
  }

  std::string ended() const {
    std::string whole = (any_case_ ? "(?i)^" : "^") + whole_;
    for (unsigned i = 0; i < optional_; ++i) whole += ")?";
    return whole + '$';
  }

  static std::string directory_in(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
  }

  std::vector<PatternPlace> deepest_known() const {
    const std::string whole = ended();
    const std::string pattern = directory_in(glob_);
    if (pattern.find_first_of("*?[\\") == std::string::npos) {
      return {{directory_in(text_), whole}};
    }
    std::vector<PatternPlace> places;
    for (std::string& path : existing_paths(pattern)) {
      if (matches(path, whole)) places.push_back({std::move(path), whole});
    }
    return places;
  }

  std::string text_, text_behind_;  ///< before the first part, and behind
  std::string whole_, glob_, first_;
  unsigned parts_ = 0;
  unsigned optional_ = 0;  ///< how many components of whole_ are in parentheses still open
  bool is_looked_up_ = true;
  bool any_case_;
};

}  // namespace

std::vector<PatternPlace> places_of_match(const std::string& expression,
                                          const std::string& replacement) {
  const std::vector<std::string> groups = groups_of(expression);
  Pattern pattern(expression.starts_with("(?i)"));
  for (std::size_t at = 0; at < replacement.size(); ++at) {
    const bool more = at + 1 < replacement.size();
    if (replacement[at] == '$' && more && is_digit(replacement[at + 1])) {
      const auto number = static_cast<std::size_t>(replacement[++at] - '0');
      if (number < groups.size()) pattern.add_part(groups[number]);
    } else {
      if (replacement[at] == '\\' && more) ++at;
      pattern.add(replacement[at]);
    }
  }
  return pattern.places();
}

std::vector<PatternPlace> places_of_host(const std::string& path) {
  Pattern pattern;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] != '%' || path.compare(at + 1, 1, "%") == 0) {
      pattern.add(path[at]);
      if (path[at] == '%') ++at;
      continue;
    }
    at = path.find_first_not_of("0123456789.-+p", at + 1);
    pattern.add_part(std::string(kPartOfName));
    if (at == std::string::npos) break;
    --at;
  }
  if (!path.ends_with('/')) pattern.add('/');
  pattern.add_part(std::string(kAnything));
  return pattern.places();
}

std::vector<PatternPlace> places_of_expression(const std::string& path) {
  if (path.find("%{") == std::string::npos) return {{path, {}}};
  Pattern pattern;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const std::size_t end = path.compare(at, 2, "%{") == 0 ? path.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      pattern.add(path[at]);
    } else {
      pattern.add_part(std::string(kAnything));
      at = end;
    }
  }
  if (!path.ends_with('/')) pattern.add('/');
  pattern.add_part(std::string(kAnything));
  return pattern.places();
}

}  // namespace permguard
