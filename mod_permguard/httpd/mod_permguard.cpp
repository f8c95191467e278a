// SPDX-License-Identifier: Apache-2.0
#include "httpd/apache.h"
#include "httpd/boundary.h"
#include "httpd/config.h"
#include "httpd/config_test.h"
#include "httpd/directives.h"
#include "httpd/dispatchers/dispatcher.h"
#include "httpd/dispatchers/read_along.h"
#include "httpd/engine.h"
#include "httpd/event_log.h"
#include "httpd/fpm_pools.h"
#include "httpd/hooks.h"
#include "httpd/proxy_target.h"
#include "httpd/residents.h"
#include "httpd/shared_memory.h"
#include "httpd/status_key.h"
#include "httpd/suexec.h"
#include "httpd/target.h"
#include "httpd/watch_task.h"

namespace permguard {
namespace {

int check_config(apr_pool_t*, apr_pool_t*, apr_pool_t* ptemp, server_rec* servers) {
  const bool good = handlers_are_known(ptemp, servers) && status_key_can_be_read(servers);
  return good ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

/// httpd reads its configuration twice at start; only the second time is for earnest.
int post_config(apr_pool_t* pconf, apr_pool_t*, apr_pool_t* ptemp, server_rec* server) {
  if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
    return event_log_can_be_opened(ptemp, server) ? OK : HTTP_INTERNAL_SERVER_ERROR;
  }
  open_shared_state(pconf, server);
  if (!open_event_log(pconf, server)) return HTTP_INTERNAL_SERVER_ERROR;
  read_status_key(server);
  prepare_engine(pconf);
  prepare_suexec(pconf, server);
  find_dispatchers();
  find_proxy();
  read_fpm_pools(pconf, server);
  open_residents(pconf, server);
  start_watch(pconf, server);
  return OK;
}

void register_hooks(apr_pool_t*) {
  read_boundary_test_switch();
  // An answer from the cache is not dispatched, so mod_cache comes first.
  static const char* const kAfter[] = {"mod_cache.c", nullptr};
  ap_hook_pre_config(guarded_at_start<read_along, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                     APR_HOOK_MIDDLE);
  ap_hook_check_config(guarded_at_start<check_config, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                       APR_HOOK_MIDDLE);
  ap_hook_post_config(guarded_at_start<post_config, HTTP_INTERNAL_SERVER_ERROR>, nullptr, nullptr,
                      APR_HOOK_MIDDLE);
  ap_hook_test_config(guarded_at_start<test_config, 0>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_child_init(guarded<start_engine, 0>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_handler(guarded<check_request, DECLINED>, kAfter, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_handler(guarded<serve_status, DECLINED>, nullptr, nullptr, APR_HOOK_MIDDLE);
  APR_OPTIONAL_HOOK(ap, status_hook, (guarded<add_to_server_status, DECLINED>), nullptr, nullptr,
                    APR_HOOK_MIDDLE);
  ap_hook_post_read_request(guarded<explain_to_error_document, DECLINED>, nullptr, nullptr,
                            APR_HOOK_MIDDLE);
  ap_hook_insert_error_filter(guarded<note_canned_answer, 0>, nullptr, nullptr, APR_HOOK_MIDDLE);
  ap_hook_log_transaction(guarded<explain_request, DECLINED>, nullptr, nullptr, APR_HOOK_FIRST);
}

}  // namespace
}  // namespace permguard

extern "C" {

// The name says .c so that <IfModule mod_permguard.c> works as for every other module.
struct module_struct permguard_module = {MODULE_MAGIC_NUMBER_MAJOR,
                                         MODULE_MAGIC_NUMBER_MINOR,
                                         -1,
                                         "mod_permguard.c",
                                         nullptr,
                                         nullptr,
                                         MODULE_MAGIC_COOKIE,
                                         nullptr,
                                         permguard::create_directory_config,
                                         permguard::merge_directory_config,
                                         permguard::create_server_config,
                                         permguard::merge_server_config,
                                         permguard::kDirectives,
                                         permguard::register_hooks,
                                         AP_MODULE_FLAG_NONE};
}
