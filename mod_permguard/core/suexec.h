// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/checker.h"

namespace permguard {

/// What suexec-custom of Debian reads from the file named after its caller: suexec-custom(8).
struct SuexecConfigFile {
  std::string path;
  bool exists = false;  ///< no file: this caller may not use suexec
  /// First and second line without blanks and slashes at their ends; nullopt: no such line.
  std::optional<std::string> document_root;
  std::optional<std::string> userdir_suffix;
};

/// What one suexec binary was built with, or reads at every start.
struct SuexecSettings {
  std::string binary;                      ///< its path
  std::string document_root;               ///< AP_DOC_ROOT
  std::string userdir_suffix;              ///< AP_USERDIR_SUFFIX
  uid_t min_uid = 100;                     ///< AP_UID_MIN
  gid_t min_gid = 100;                     ///< AP_GID_MIN
  std::string safe_path;                   ///< AP_SAFE_PATH: the PATH every script gets
  std::string caller;                      ///< AP_HTTPD_USER; suexec-custom has none
  std::string log;                         ///< AP_LOG_EXEC; empty: syslog
  std::string config_directory;            ///< SUEXEC_CONFIG_DIR; empty: not suexec-custom
  std::optional<SuexecConfigFile> config;  ///< suexec-custom only

  /// Debian's binaries (observed with 2.4.71) differ from support/suexec.c of httpd: they open
  /// the script's directory as the target user, so he needs read permission on it, and they
  /// compare the document root as a whole name, so `/var/www-old` is not below `/var/www`.
  bool opens_directory = false;
};

/// The settings in the text `suexec -V` prints on stderr, one ` -D NAME=VALUE` a line. Unknown
/// names are skipped; nullopt where neither a document root nor a configuration directory is
/// named, so that it is no such text.
std::optional<SuexecSettings> parse_suexec_version(std::string_view text);

/// The two lines of suexec-custom's configuration as that program reads them.
SuexecConfigFile parse_suexec_custom_config(std::string_view text);

/// Whether the bytes of a suexec binary are of the kind SuexecSettings::opens_directory tells.
bool suexec_opens_directory(std::string_view binary);

/// Everything there is to know about the suexec at `binary` for a server that runs as user
/// `server_user`: runs `binary -V` (at most for 5 s), reads the configuration file and the
/// binary. Needs root or AP_HTTPD_USER. Errors: what spawning it said; EPROTO: no such text;
/// ETIMEDOUT.
Result<SuexecSettings> read_suexec_settings(const std::string& binary,
                                            const std::string& server_user);

/// Reads suexec-custom's file for `server_user` anew; other settings are left alone. A file that
/// the caller may not read changes nothing.
void refresh_suexec_config(SuexecSettings& settings, const Filesystem& filesystem,
                           const std::string& server_user);

/// Whom suexec is to change to, as httpd names him on suexec's command line.
struct SuexecTarget {
  Identity who;
  bool userdir = false;     ///< `~user`: below the home directory instead of the document root
  std::string home;         ///< passwd(5)
  bool user_known = true;   ///< false: getpwuid(3) knows no such uid
  bool group_known = true;  ///< false: getgrgid(3) knows no such gid
};

/// The target with the groups initgroups(3) gives him. Errors: what the name service said.
Result<SuexecTarget> lookup_suexec_target(uid_t uid, gid_t gid, bool userdir);

/// Whether `script` lies below `target`'s home and the userdir suffix, so that mod_userdir serves
/// it and asks for `~user`.
bool is_in_userdir(const Filesystem& filesystem, const SuexecSettings& settings,
                   const SuexecTarget& target, const std::string& script);

/// What is asked of a script that suexec shall run.
struct SuexecQuestion {
  Question script;  ///< `who` is the server's user, who calls suexec; `search_path` is not used
  SuexecTarget target;
  const Kernel* target_kernel = nullptr;  ///< asks as target.who; may be null
};

/// Every condition of suexec's that `question` violates, role suexec, the one suexec would log
/// first leading: httpd's support/suexec.c, and Debian's binaries where they differ. Before them
/// what disarms suexec: its own file, its mount, the process's no_new_privs. All are modelled. A
/// script that does not exist is not judged.
std::vector<Finding> judge_suexec_policy(const Examiner& examiner, const SuexecSettings& settings,
                                         const SuexecQuestion& question);

/// The whole examination: the server's own way into the script's directory, which it enters
/// before it calls suexec; suexec's policy; and what the target user needs once the policy's
/// remedies have been applied. `examiner.kernel` asks as the server's user. The diagnosis's
/// question names the target user, or the server's where he does not get that far.
Diagnosis diagnose_suexec(const Examiner& examiner, const SuexecSettings& settings,
                          const SuexecQuestion& question);

}  // namespace permguard
