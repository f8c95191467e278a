// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/file_status.h"
#include "core/filesystem.h"
#include "core/finding.h"
#include "core/identity.h"
#include "core/path_walk.h"

namespace permguard {

/// Something that leads from one file to another. Whoever can change it chooses what a right
/// given at its end opens, so that it is as trustworthy as all who can.
struct Lead {
  enum class Kind : std::uint8_t {
    link,        ///< a symbolic link
    first_line,  ///< the #! line of a script
    program,     ///< an ELF program, which names its loader
    setting      ///< .htaccess
  };
  Kind kind = Kind::link;
  std::string path;                       ///< link-free path of the link or file
  std::optional<FileStatus> file;         ///< none: it cannot be looked at
  std::optional<Acl> acl{};               ///< of a file; a link has none
  std::optional<FileStatus> directory{};  ///< of a link: where it stands, and can be replaced
  std::optional<Acl> directory_acl{};
};

using FindLeads = std::function<std::vector<Lead>()>;

/// Who but root and `owner` can change `lead`, in words: "mallory", "group web", "everybody";
/// empty where nobody can. A link by its owner and by whoever may write its directory, where
/// sticky leaves only the directory's owner; a file by its owner and whoever may write it. A group
/// counts for a stranger unless it is private to root or `owner`.
std::string stranger_to(const Lead& lead, uid_t owner, const Names& names);

/// The links that `walk` had followed when it first came to `path`; all of them where it never did.
std::vector<Lead> links_before(const Walk& walk, const std::string& path);

/// All links of `walk`.
std::vector<Lead> links_of(const Walk& walk);

/// The file that `step` is.
Lead lead_of_file(Lead::Kind kind, const Step& step);

/// The file of that name with the links by which it is reached.
std::vector<Lead> leads_of_setting(const Filesystem& filesystem, const std::string& path,
                                   const Identity& who);

/// Where `walk` of the path `named` ends: without links, or, where the end was not seen, as the
/// last link says.
std::string goal_of(const Walk& walk, const std::string& named);

}  // namespace permguard
