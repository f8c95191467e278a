// SPDX-License-Identifier: Apache-2.0
//
// The order is that of support/suexec.c; the numbers in comments are its exit codes.
#include "core/suexec_policy.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <utility>

#include "core/chain.h"
#include "core/remedy.h"
#include "core/remedy_limits.h"

namespace permguard {
namespace {

constexpr unsigned kSetuid = 04000;
constexpr unsigned kSetid = 06000;
constexpr unsigned kOthersWrite = 022;
constexpr unsigned kOwnerExecutes = 0100;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string joined_path(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

/// The identity of which no directory is closed: it asks the tree, not the permissions.
Identity anybody() {
  Identity root;
  root.dac_override = root.dac_read_search = true;
  return root;
}

/// An id or name as chown(1) takes it.
std::string chown_word(const std::string& name, unsigned id) {
  return name.empty() || name.front() == '#' ? std::to_string(id) : name;
}

}  // namespace

std::string suexec_userdir(const SuexecSettings& settings, const SuexecTarget& target) {
  const std::optional<SuexecConfigFile>& config = settings.config;
  return joined_path(target.home,
                     config ? config->userdir_suffix.value_or("") : settings.userdir_suffix);
}

FileStatus conforming(FileStatus status, const Identity& owner, unsigned owner_bits) {
  status.uid = owner.uid;
  status.gid = owner.gid;
  status.mode = (status.mode & ~(kSetid | kOthersWrite)) | owner_bits;
  return status;
}

void heed_suexec_way(const Examiner& examiner, const std::string& script,
                     std::vector<Finding>& findings) {
  if (findings.empty()) return;
  const Walk walk = walk_path(examiner.filesystem, script, anybody());
  for (Finding& finding : findings) heed_links(examiner.names, walk, script, finding);
}

SuexecPlace suexec_place(const Filesystem& filesystem, const std::string& script) {
  const Walk walk = walk_path(filesystem, parent_of(script), anybody());
  SuexecPlace place;
  const Step* end = walk.end();
  if (end == nullptr || end->status.type != FileType::directory) return place;
  place.directory = walk.resolved;
  place.directory_status = end->status;
  place.script = joined_path(walk.resolved, script.substr(script.find_last_of('/') + 1));
  const Result<FileStatus> status = filesystem.status(place.script);
  if (status) place.script_status = status.value;
  return place;
}

std::vector<Finding> SuexecPolicy::run() {
  judge_binary();
  judge_log();
  judge_caller();
  const bool has_docroot = judge_config();
  judge_target();
  if (place_.directory_status && place_.script_status) {
    judge_opening();
    if (has_docroot) judge_docroot();
    judge_directory();
    judge_script();
  }
  for (Finding& finding : findings_) {
    if (finding.remedy == Remedy{}) finding.remedy = general_remedy(finding);
  }
  limit_remedies();
  return std::move(findings_);
}

/// The policy takes set-id bits away before it gives anything.
void SuexecPolicy::limit_remedies() {
  heed_suexec_way(examiner_, question_.script.target, findings_);
  const bool disarms = std::any_of(findings_.begin(), findings_.end(), [](const Finding& finding) {
    return finding.code == Code::setid && !finding.remedy.steps.empty();
  });
  for (Finding& finding : findings_) {
    heed_place(finding, false);
    if (!disarms) heed_set_id(finding);
    heed_mount(examiner_.filesystem.mount(finding.path).value, examiner_.surroundings, finding);
    heed_refusals(examiner_.filesystem, examiner_.surroundings, finding);
  }
}

/// Whoever is given a directory gets all that lies in it: the document root is everybody's, but
/// for a user's own.
bool SuexecPolicy::may_be_given_away(const std::string& path) const {
  const Walk walk = walk_path(examiner_.filesystem, docroot_path(), anybody());
  const std::string& root = walk.resolved;
  return walk.complete && (path != root || question_.target.userdir) && lies_in(path, root) &&
         (is_of_the_system(root) || !is_of_the_system(path));
}

Finding& SuexecPolicy::add(Code code, const std::string& path, const FileStatus* status) {
  Finding finding;
  finding.code = code;
  finding.role = Role::suexec;
  finding.severity = info(code).severity;
  finding.certainty = Certainty::modelled;
  finding.need = Need::execute;
  finding.target = question_.script.target;
  finding.path = path;
  finding.decided_by = DecidedBy::suexec;
  finding.target_seen = place_.script_status.has_value();
  if (status != nullptr) {
    finding.file = *status;
    finding.owner = examiner_.names.user(status->uid);
    finding.group = examiner_.names.group(status->gid);
  }
  return findings_.emplace_back(std::move(finding));
}

void SuexecPolicy::add_step(Finding& finding, FixStep::Kind kind, std::string spec) {
  const std::uint64_t inode = finding.file ? finding.file->inode : 0;
  finding.remedy.steps.push_back({kind, finding.path, inode, std::move(spec), false});
}

bool SuexecPolicy::is_place(const std::string& path) const {
  return path == place_.directory || path == place_.script;
}

std::string SuexecPolicy::owner_spec() const {
  const Identity& who = question_.target.who;
  return chown_word(who.name, who.uid) + ":" + chown_word(examiner_.names.group(who.gid), who.gid);
}

/// What the policy wants to belong to the target is given to him, not opened by an ACL.
void SuexecPolicy::add_denial(Code code, const std::string& path, const FileStatus& status,
                              const std::optional<Acl>& acl, const AccessDecision& decision,
                              const Identity& who) {
  Finding& finding = add(code, path, &status);
  finding.decision = decision;
  finding.decided_by = decision.by;
  finding.error = EACCES;
  const bool named_user =
      decision.by == DecidedBy::named_user || decision.masked == DecidedBy::named_user;
  const bool named_group =
      decision.by == DecidedBy::named_group || decision.masked == DecidedBy::named_group;
  if (named_user) finding.entry_name = examiner_.names.user(decision.entry_id);
  if (named_group) finding.entry_name = examiner_.names.group(decision.entry_id);
  const Permissions wanted = code == Code::read_denied ? kRead : kExecute;
  if (!is_place(path) || status.uid == who.uid) {
    finding.remedy = least_grant(path, status, acl, who, wanted);
    return;
  }
  add_handover(finding, status);
}

/// The file is given to the target. Then its owner class counts, whatever an entry granted him,
/// and the server may have lost its own way into the directory.
void SuexecPolicy::add_handover(Finding& finding, const FileStatus& status) {
  if (!may_be_given_away(finding.path)) {
    return withhold(finding,
                    "suexec wants it to belong to that user, but only what lies below suexec's "
                    "document root is given away: put the script into a directory of his there");
  }
  add_step(finding, FixStep::Kind::chown, owner_spec());
  if (status.type != FileType::directory) return;
  const Permissions needed = settings_.opens_directory ? kRead | kExecute : kExecute;
  const Permissions missing = needed & ~(status.mode >> 6);
  if (missing != 0) {
    add_step(finding, FixStep::Kind::chmod,
             std::string("u+") + ((missing & kRead) != 0 ? "r" : "") +
                 ((missing & kExecute) != 0 ? "x" : ""));
  }
  const FileStatus given = conforming(status, question_.target.who, needed << 6);
  const Remedy way = least_grant(finding.path, given, examiner_.filesystem.acl(finding.path).value,
                                 question_.script.who, kExecute);
  finding.remedy.steps.insert(finding.remedy.steps.end(), way.steps.begin(), way.steps.end());
}

/// Faults of a walk as the target user: what is closed to him on the way, or not there.
void SuexecPolicy::judge_search(const Walk& walk, const std::string& way) {
  for (const WalkFault& fault : walk.faults) {
    const bool known = std::any_of(findings_.begin(), findings_.end(), [&](const Finding& other) {
      return other.code == fault.code && other.path == fault.path;
    });
    if (known) continue;
    const auto step = std::find_if(walk.steps.begin(), walk.steps.end(),
                                   [&](const Step& each) { return each.path == fault.path; });
    if (fault.code == Code::search_denied && step != walk.steps.end()) {
      add_denial(fault.code, fault.path, step->status, step->acl, fault.decision,
                 question_.target.who);
    } else {
      add(fault.code, fault.path, fault.file ? &*fault.file : nullptr).error = fault.error;
    }
    const bool tells_more = fault.code == Code::search_denied || fault.code == Code::not_found;
    findings_.back().detail = tells_more ? way : fault.detail;
  }
}

void SuexecPolicy::judge_binary() {
  const Identity& caller = question_.script.who;
  const Walk walk = walk_path(examiner_.filesystem, settings_.binary, caller);
  for (const WalkFault& fault : walk.faults) {
    Finding& finding = add(fault.code, fault.path, fault.file ? &*fault.file : nullptr);
    finding.decision = fault.decision;
    finding.decided_by = fault.decision.by;
    finding.detail = settings_.binary;
  }
  const Step* binary = walk.end();
  if (binary == nullptr) return;
  const AccessDecision decision = decide_access(binary->status, binary->acl, caller, kExecute);
  if (!decision.allowed) {
    Finding& finding = add(Code::execute_denied, binary->path, &binary->status);
    finding.decision = decision;
    finding.decided_by = decision.by;
    finding.error = EACCES;
    finding.remedy.advice = "give suexec's file to root and the server's group, mode 4750";
  }
  judge_armed(*binary);
}

void SuexecPolicy::judge_armed(const Step& binary) {
  if ((binary.status.mode & kSetuid) == 0 || binary.status.uid != 0) {
    add(Code::not_setuid_root, binary.path, &binary.status);
  }
  const Result<Mount> mount = examiner_.filesystem.mount(binary.path);
  if (mount && mount.value.nosuid) {
    add(Code::nosuid, binary.path, &binary.status).detail = mount.value.point;
  }
  if (examiner_.surroundings.no_new_privs) add(Code::no_new_privs, binary.path, &binary.status);
}

/// 1: the log is opened, as root, before anything is judged.
void SuexecPolicy::judge_log() {
  if (settings_.log.empty()) return;
  const std::string directory = parent_of(settings_.log);
  const Walk walk = walk_path(examiner_.filesystem, directory, anybody());
  if (walk.blocked == 0 && !walk.complete) add(Code::no_log, directory);
}

/// 103; suexec-custom: 123.
void SuexecPolicy::judge_caller() {
  if (settings_.config) {
    if (!settings_.config->exists) {
      add(Code::wrong_caller, settings_.binary).detail = "no file " + settings_.config->path;
    }
  } else if (settings_.caller != question_.script.who.name) {
    add(Code::wrong_caller, settings_.binary).detail = "built for " + settings_.caller;
  }
}

/// suexec-custom: 124 and 125 a line is missing, 126 and 127 it is no directory, 128 a document
/// root that begins "/." or "//".
bool SuexecPolicy::judge_config() {
  if (!settings_.config) return true;
  const SuexecConfigFile& config = *settings_.config;
  if (!config.exists) return false;
  if (!config.document_root || !config.userdir_suffix) {
    add(Code::bad_config, config.path).detail = "fewer than two lines";
    return false;
  }
  const bool userdir = question_.target.userdir;
  const std::string& line = userdir ? *config.userdir_suffix : *config.document_root;
  const char first = line.empty() ? '\0' : line[0];
  const bool named =
      userdir ? first == '.' || std::isalnum(static_cast<unsigned char>(first)) != 0 : first == '/';
  if (!named) {
    add(Code::disabled, config.path).detail =
        userdir ? "the userdir suffix, line 2" : "the document root, line 1";
  } else if (!userdir && (line[1] == '.' || line[1] == '/')) {
    add(Code::bad_config, config.path).detail = "document root " + line;
    return false;
  }
  return named;
}

/// 105 or 121, 106, 107, 108.
void SuexecPolicy::judge_target() {
  const SuexecTarget& target = question_.target;
  const Identity& who = target.who;
  const std::string& script = place_.script.empty() ? question_.script.target : place_.script;
  if (!target.user_known) add(Code::user_unknown, script).detail = std::to_string(who.uid);
  if (!target.group_known) add(Code::group_unknown, script).detail = std::to_string(who.gid);
  if (who.uid == 0 || who.uid < settings_.min_uid) {
    add(Code::uid_too_low, script).detail = std::to_string(settings_.min_uid);
  }
  if (who.gid == 0 || who.gid < settings_.min_gid) {
    add(Code::gid_too_low, script).detail = std::to_string(settings_.min_gid);
  }
}

/// 111, Debian only: open(".") as the target, which also searches the directory for the dot.
void SuexecPolicy::judge_opening() {
  if (!settings_.opens_directory) return;
  const Result<std::optional<Acl>> acl = examiner_.filesystem.acl(place_.directory);
  const FileStatus& status = *place_.directory_status;
  const Identity& who = question_.target.who;
  for (const auto& [wanted, code] :
       {std::pair{kExecute, Code::search_denied}, std::pair{kRead, Code::read_denied}}) {
    const AccessDecision decision = decide_access(status, acl.value, who, wanted);
    if (!decision.allowed) add_denial(code, place_.directory, status, acl.value, decision, who);
  }
}

std::string SuexecPolicy::docroot_path() const {
  if (question_.target.userdir) return suexec_userdir(settings_, question_.target);
  return settings_.config ? *settings_.config->document_root : settings_.document_root;
}

/// 112 and 113: into the document root and back, as the target; then 114 and 115.
void SuexecPolicy::judge_docroot() {
  const std::string root = docroot_path();
  WalkOptions options{place_.directory, examiner_.surroundings.protected_symlinks};
  // "/." asks for search permission on the last directory, as chdir(2) does.
  const Walk walk = walk_path(examiner_.filesystem, root + "/.", question_.target.who, options);
  judge_search(walk, root);
  if (!settings_.opens_directory) judge_return();
  if (walk.complete) judge_location(walk.resolved);
  judge_ancestors();
}

/// chdir(2) of the directory's whole path; Debian's fchdir(2) needs no more than opening it did.
void SuexecPolicy::judge_return() {
  judge_search(walk_path(examiner_.filesystem, place_.directory + "/.", question_.target.who),
               place_.directory);
}

void SuexecPolicy::judge_location(const std::string& root) {
  const std::string& directory = place_.directory;
  std::string prefix = root;
  if (settings_.opens_directory && prefix.size() < directory.size()) prefix += '/';
  if (directory.starts_with(prefix)) return;
  add(Code::outside_docroot, directory, &*place_.directory_status).detail = root;
}

/// 115: lstat(2) of the directory's whole path, as the target.
void SuexecPolicy::judge_ancestors() {
  judge_search(walk_path(examiner_.filesystem, place_.directory, question_.target.who),
               place_.directory);
}

/// 116.
void SuexecPolicy::judge_directory() {
  if ((place_.directory_status->mode & kOthersWrite) == 0) return;
  add(Code::dir_writable, place_.directory, &*place_.directory_status);
}

/// 117 to 121. What a link leads to is not judged: suexec does not go there.
void SuexecPolicy::judge_script() {
  const FileStatus& status = *place_.script_status;
  const bool link = status.type == FileType::symlink;
  if (link) add(Code::symlink, place_.script, &status);
  if (!link && (status.mode & kOthersWrite) != 0) {
    add(Code::writable, place_.script, &status);
  }
  if (!link && (status.mode & kSetid) != 0) {
    add(Code::setid, place_.script, &status);
  }
  judge_owner(place_.directory, *place_.directory_status);
  if (link) return;
  judge_owner(place_.script, status);
  if ((status.mode & kOwnerExecutes) == 0) {
    add(Code::owner_cannot_execute, place_.script, &status);
  }
}

/// 120.
void SuexecPolicy::judge_owner(const std::string& path, const FileStatus& status) {
  const Identity& who = question_.target.who;
  if (status.uid == who.uid && status.gid == who.gid) return;
  Finding& finding = add(Code::owner_mismatch, path, &status);
  finding.detail = who.name + ":" + examiner_.names.group(who.gid);
  add_handover(finding, status);
}

}  // namespace permguard
