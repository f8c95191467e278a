// SPDX-License-Identifier: Apache-2.0
#include "httpd/suexec.h"

#include <cerrno>
#include <utility>

#include "httpd/journal.h"
#include "httpd/pool.h"

namespace permguard {
namespace {

/// Lives in the configuration's pool; null where suexec is not used.
constinit const SuexecSettings* installed = nullptr;

bool is_in_use() {
  const apr_array_header_t* hooks = ap_hook_get_get_suexec_identity();
  return ap_unixd_config.suexec_enabled && hooks && hooks->nelts > 0;
}

}  // namespace

void prepare_suexec(apr_pool_t* pconf, server_rec* server) {
  installed = nullptr;
  if (!is_in_use()) return;
  Result<SuexecSettings> settings = read_suexec_settings(kSuexecBinary, ap_unixd_config.user_name);
  if (settings) {
    installed = make_in_pool<SuexecSettings>(pconf, std::move(settings.value));
  } else {
    log_startup_error(server, settings.error,
                      "the settings of suexec cannot be read, so its policy is not judged");
  }
}

// suexec-custom reads its file at every start, so a repair of it counts at once. Where a child may
// not read it, what root read when httpd started counts.
std::optional<SuexecSettings> suexec_settings(const Filesystem& filesystem,
                                              const Identity& server) {
  if (!installed) return std::nullopt;
  SuexecSettings settings = *installed;
  refresh_suexec_config(settings, filesystem, server.name);
  return settings;
}

const ap_unix_identity_t* suexec_identity(const request_rec* r) {
  return ap_unixd_config.suexec_enabled ? ap_run_get_suexec_identity(r) : nullptr;
}

Diagnosis examine_suexec(const Question& question, const SuexecTarget& target, Moment moment) {
  SuexecQuestion asked{.script = question, .target = target};
  asked.script.who = engine()->identity_switches ? current_identity() : engine()->self;
  asked.script.certainty = Certainty::certain;
  const auto settings = suexec_settings(engine()->filesystem, asked.script.who);
  if (!settings) return diagnose(engine()->examiner(false, moment), question);
  return diagnose_suexec(engine()->examiner(true, moment), *settings, asked);
}

}  // namespace permguard
