// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/identity.h"
#include "httpd/apache.h"

namespace permguard {

struct DirectoryConfig;
struct ServerConfig;
struct Target;

// What read_along() takes in of mod_wsgi's directives: see dispatchers/read_along.h.

/// One WSGIDaemonProcess.
struct WsgiDaemon {
  const char* name = nullptr;
  const Identity* who = nullptr;  ///< null: httpd's own user
  const char* root = nullptr;     ///< its chroot, or null
};

/// One WSGIHandlerScript: requests for the handler `name` are answered by `path`.
struct WsgiHandlerScript {
  const char* name = nullptr;
  const char* path = nullptr;
  const char* group = nullptr;  ///< its own process group, or null
};

/// What mod_wsgi is told in one place of the configuration.
struct WsgiSettings {
  const char* group = nullptr;            ///< WSGIProcessGroup
  apr_array_header_t* scripts = nullptr;  ///< of WsgiHandlerScript
  bool script_decides = false;            ///< WSGIDispatchScript may choose another group
};

/// Where a script is loaded.
struct WsgiPlace {
  enum class Kind { unknown, embedded, daemon };
  Kind kind = Kind::unknown;
  const WsgiDaemon* daemon = nullptr;
};

/// WSGIDaemonProcess NAME [OPTION=VALUE]…
void take_wsgi_daemon(cmd_parms* command, ServerConfig& server, const char* arguments);
/// WSGIProcessGroup NAME
void take_wsgi_group(cmd_parms* command, DirectoryConfig& directory, const char* arguments);
/// WSGIHandlerScript NAME PATH [OPTION=VALUE]…
void take_wsgi_handler(cmd_parms* command, DirectoryConfig& directory, const char* arguments);
/// WSGIDispatchScript PATH …
void take_wsgi_dispatch(cmd_parms* command, DirectoryConfig& directory, const char* arguments);

WsgiSettings merge_wsgi(apr_pool_t* pool, const WsgiSettings& base, const WsgiSettings& over);

/// The WSGIDaemonProcess of that name in any server, or null.
const WsgiDaemon* wsgi_daemon(const char* name) noexcept;

/// The process that will load the script of `r`.
WsgiPlace wsgi_place_of(const request_rec* r);

/// Whether WSGIHandlerScript has defined the handler `name` where `r` is.
bool is_wsgi_handler(const request_rec* r, const char* name) noexcept;

/// mod_wsgi.c, wsgi_hook_handler().
bool wsgi_refuses(request_rec* r) noexcept;

/// The script of a WSGIHandlerScript instead of the file, and the chroot of a daemon, in which
/// mod_wsgi wants the script to be, as seen from outside.
void complete_wsgi(request_rec* r, Target& target);

}  // namespace permguard
