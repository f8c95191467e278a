// SPDX-License-Identifier: Apache-2.0
#include "httpd/files_parts.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "httpd/handler_rules.h"

namespace permguard {
namespace {

/// Each two wildcards may make three parts of two.
constexpr std::size_t kMostParts = 64;

/// The one name that `names` speaks of, where it is no wildcard.
std::optional<std::string> only_name(const ScriptNames& names) {
  const bool plain = names.patterns.size() == 1 && names.expressions.empty() &&
                     names.paths.empty() &&
                     names.patterns[0].find_first_of("*?[\\") == std::string::npos;
  return plain ? std::optional(names.patterns[0]) : std::nullopt;
}

/// Wherever it lies. Rules for whole paths fit no name alone.
bool has(const FilesPart& part, const std::string& name) {
  return (part.outside.empty() || !part.outside.fit(name)) &&
         std::all_of(part.within.begin(), part.within.end(),
                     [&](const ScriptNames& names) { return names.fit(name); });
}

/// In some directory.
bool may_have(const FilesPart& part, const std::string& name) {
  return (part.outside.empty() || !part.outside.fit(name)) &&
         std::all_of(part.within.begin(), part.within.end(), [&](const ScriptNames& names) {
           return !names.paths.empty() || names.fit(name);
         });
}

class Splitter {
 public:
  Splitter(apr_pool_t* pool, const DirectoryConfig& settings) : pool_(pool), rest_(settings) {}

  void add(const FilesSection& section) {
    const std::optional<std::string> name = only_name(section.names);
    const bool known = name && std::any_of(parts_.begin(), parts_.end(),
                                           [&](const FilesPart& part) { return has(part, *name); });
    std::vector<FilesPart> common;
    for (FilesPart& part : parts_) {
      if (std::optional<FilesPart> both = divide(part, section, name)) {
        common.push_back(std::move(*both));
      }
    }
    if (!known) parts_.push_back({{section.names}, seen_, merged(pool_, rest_, *section.settings)});
    std::move(common.begin(), common.end(), std::back_inserter(parts_));
    add_names(seen_, section.names);
  }

  std::vector<FilesPart> parts() && { return std::move(parts_); }

 private:
  /// Takes what `section` speaks of out of `part`, and gives it the settings of both.
  std::optional<FilesPart> divide(FilesPart& part, const FilesSection& section,
                                  const std::optional<std::string>& name) {
    const std::optional<std::string> own = only_name(part.within.back());
    if (own) {  // a section speaks of all of it, or of nothing
      if (section.names.fit(*own)) part.settings = merged(pool_, part.settings, *section.settings);
      return std::nullopt;
    }
    if (name && !may_have(part, *name)) return std::nullopt;
    FilesPart both = part;
    add_names(part.outside, section.names);
    if (parts_.size() >= kMostParts) return std::nullopt;
    both.within.push_back(section.names);
    both.settings = merged(pool_, part.settings, *section.settings);
    return both;
  }

  apr_pool_t* pool_;
  const DirectoryConfig& rest_;
  ScriptNames seen_;  ///< of all sections so far
  std::vector<FilesPart> parts_;
};

}  // namespace

std::vector<FilesPart> parts_by_files(apr_pool_t* pool, const DirectoryConfig& settings,
                                      const std::vector<FilesSection>& sections) {
  Splitter splitter(pool, settings);
  for (const FilesSection& section : sections) splitter.add(section);
  return std::move(splitter).parts();
}

}  // namespace permguard
