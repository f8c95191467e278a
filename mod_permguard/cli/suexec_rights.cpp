// SPDX-License-Identifier: Apache-2.0
#include "cli/suexec_rights.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/command.h"
#include "core/suexec.h"
#include "report/explain_text.h"

namespace permguard::cli {
namespace {

// Where Debian, Red Hat and httpd's own build put it.
constexpr const char* kBinaries[] = {"/usr/lib/apache2/suexec", "/usr/sbin/suexec",
                                     "/usr/local/apache2/bin/suexec"};

std::string installed_suexec() {
  for (const char* binary : kBinaries) {
    if (SystemFilesystem().target_status(binary)) return binary;
  }
  throw CommandError("--suexec: no suexec is installed");
}

WhoseRights caller_of(WhoseOptions options) {
  options.as.reset();
  return whose_rights(options);
}

SuexecSettings settings_for(const WhoseRights& caller) {
  const std::string binary = installed_suexec();
  Result<SuexecSettings> settings = read_suexec_settings(binary, caller.who.name);
  if (settings) {
    refresh_suexec_config(settings.value, SystemFilesystem(caller.root), caller.who.name);
    return std::move(settings.value);
  }
  throw CommandError(binary + " -V: " + std::strerror(settings.error) +
                     "; root and the server's user may ask it");
}

/// The user suexec must change to, since it takes no other.
Identity owner_of(const std::vector<std::string>& targets, const Filesystem& filesystem) {
  std::optional<Identity> owner;
  for (const std::string& target : targets) {
    const Result<FileStatus> file = filesystem.target_status(target);
    if (!file) continue;
    if (owner && (owner->uid != file.value.uid || owner->gid != file.value.gid)) {
      throw CommandError("--suexec: the files have several owners: use --as USER:GROUP");
    }
    owner = Identity{.uid = file.value.uid, .gid = file.value.gid};
  }
  if (owner) return *owner;
  throw CommandError("--suexec: the script's owner is unknown: use --as USER:GROUP");
}

Identity named_user(const std::string& spec) {
  Result<Identity> found = lookup_identity(spec);
  if (found) return std::move(found.value);
  throw CommandError("--as '" + spec + "': " + std::strerror(found.error));
}

SuexecTarget target_for(const WhoseOptions& options, const std::vector<std::string>& targets,
                        const Filesystem& filesystem) {
  const Identity who = options.as ? named_user(*options.as) : owner_of(targets, filesystem);
  Result<SuexecTarget> found = lookup_suexec_target(who.uid, who.gid, false);
  if (found) return std::move(found.value);
  throw CommandError(std::string("the target user: ") + std::strerror(found.error));
}

std::unique_ptr<Kernel> kernel_for(const Identity& who, const std::string& enter) {
  auto kernel = std::make_unique<DelegateKernel>(who, true, enter);
  return kernel->error() == 0 ? std::move(kernel) : nullptr;
}

}  // namespace

SuexecRights::SuexecRights(const WhoseOptions& options, const std::vector<std::string>& targets)
    : caller_(caller_of(options)),
      filesystem_(caller_.root),
      settings_(settings_for(caller_)),
      target_(target_for(options, targets, filesystem_)),
      surroundings_(surroundings_of(caller_)),
      caller_kernel_(caller_.make_kernel()),
      target_kernel_(kernel_for(target_.who, caller_.enter)) {}

Diagnosis SuexecRights::diagnose(const std::string& script) const {
  const SystemNames names;
  SuexecQuestion question;
  question.script.target = script;
  question.script.who = caller_.who;
  question.script.certainty = caller_.certainty();
  question.target = target_;
  question.target.userdir = is_in_userdir(filesystem_, settings_, target_, script);
  question.target_kernel = target_kernel_.get();
  return diagnose_suexec({filesystem_, names, caller_kernel_.get(), surroundings_}, settings_,
                         question);
}

std::string SuexecRights::words() const {
  return "as " + identity_words(target_.who) + ", to whom " + settings_.binary + " changes for " +
         printable(caller_.who.name) + ": " + caller_.reason;
}

}  // namespace permguard::cli
