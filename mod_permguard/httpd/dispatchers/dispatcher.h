// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"
#include "httpd/config.h"
#include "incidents/status.h"

namespace permguard {

struct Target;

/// One way in which httpd has a file executed or read, known without being told.
struct Dispatcher {
  const char* name;  ///< as r->handler spells it
  Handler handler;
  HandlerUse use;
  bool (*refuses)(request_rec* r) noexcept;  ///< whether httpd answers before it runs anything
  void (*complete)(request_rec* r, Target& target);  ///< adds what depends on the request; or null
  /// A process that has started or loaded the file goes on with it, whatever becomes of the file.
  bool stays_resident;
};

/// The dispatcher of that name, loaded or not, or null.
const Dispatcher* dispatcher_named(const char* name) noexcept;

/// Likewise, with the names that the configuration defines where `r` is.
const Dispatcher* dispatcher_for(const request_rec* r, const char* name) noexcept;

/// One that is of the kind `handler`, or null.
const Dispatcher* dispatcher_of(Handler handler) noexcept;

/// Whether a module is loaded that serves it; else httpd would send the file's text.
bool is_loaded(const Dispatcher& dispatcher) noexcept;

/// Whether programs are started by a process that httpd forked before any request came, so that
/// they run as `User` whatever the process is that serves the request.
bool is_forked_ahead(Handler handler) noexcept;

/// post_config: learns which modules are loaded.
void find_dispatchers() noexcept;

/// Options ExecCGI is off, and no alias has said that there are scripts of the kind `forced`.
bool execution_is_off(request_rec* r, const char* forced) noexcept;

/// No file that could be run, or more path than the handler accepts.
bool file_is_refused(request_rec* r) noexcept;

/// Whether `r` is a part of a page that mod_include puts together.
bool is_included(const request_rec* r) noexcept;

}  // namespace permguard
