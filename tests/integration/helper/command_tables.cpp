// SPDX-License-Identifier: Apache-2.0
//
// A module for httpd that prints at `-t -D DUMP_COMMAND_TABLES` a line "MODULE DIRECTIVE
// REQ_OVERRIDE" for every directive that any module has registered.
#include <httpd.h>
// The others need it first.
#include <apr_file_io.h>
#include <http_config.h>
#include <http_core.h>

namespace {

void print_tables(apr_pool_t* pool, server_rec*) {
  if (!ap_exists_config_define("DUMP_COMMAND_TABLES")) return;
  apr_file_t* out = nullptr;
  if (apr_file_open_stdout(&out, pool) != APR_SUCCESS) return;
  for (const struct module_struct* each = ap_top_module; each; each = each->next) {
    for (const command_rec* row = each->cmds; row && row->name; ++row) {
      apr_file_printf(out, "%s %s %d\n", each->name, row->name, row->req_override);
    }
  }
}

void register_hooks(apr_pool_t*) {
  ap_hook_test_config(print_tables, nullptr, nullptr, APR_HOOK_MIDDLE);
}

}  // namespace

extern "C" {
extern __attribute__((visibility("default"))) struct module_struct command_tables_module;
struct module_struct command_tables_module = {MODULE_MAGIC_NUMBER_MAJOR,
                                              MODULE_MAGIC_NUMBER_MINOR,
                                              -1,
                                              "command_tables.c",
                                              nullptr,
                                              nullptr,
                                              MODULE_MAGIC_COOKIE,
                                              nullptr,
                                              nullptr,
                                              nullptr,
                                              nullptr,
                                              nullptr,
                                              nullptr,
                                              register_hooks,
                                              AP_MODULE_FLAG_NONE};
}
