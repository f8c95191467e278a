// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one place that names headers of httpd and APR.
#include <ap_config.h>
#include <ap_expr.h>
#include <ap_mpm.h>
#include <apr_fnmatch.h>
#include <apr_lib.h>
#include <apr_portable.h>
#include <apr_sha1.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <apr_time.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <httpd.h>
#include <mod_status.h>
#include <mod_watchdog.h>
#include <mpm_common.h>
#include <unixd.h>
#include <util_script.h>

extern "C" {
#include <mod_proxy.h>
}

extern "C" {
/// The module record, the only symbol the DSO exports. httpd writes into it.
extern __attribute__((visibility("default"))) struct module_struct permguard_module;
}
