// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/script_names.h"
#include "httpd/apache.h"
#include "httpd/config.h"

namespace permguard {

/// A <Files> or <FilesMatch> section that says something of PermGuard.
struct FilesSection {
  ScriptNames names;
  const DirectoryConfig* settings = nullptr;
};

/// The names that the same sections speak of.
struct FilesPart {
  std::vector<ScriptNames> within;  ///< each of these fits them
  ScriptNames outside;              ///< and this does not, unless it is empty
  DirectoryConfig settings;
};

/// A directory with `settings`, taken apart by `sections`, which httpd lays over them in this
/// order: parts that have no name in common. Names of no section are in none. Two wildcards or
/// expressions are taken to have names in common. Of very many of these the last one's settings
/// count.
std::vector<FilesPart> parts_by_files(apr_pool_t* pool, const DirectoryConfig& settings,
                                      const std::vector<FilesSection>& sections);

}  // namespace permguard
