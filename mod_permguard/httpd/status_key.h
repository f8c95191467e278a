// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "httpd/apache.h"

namespace permguard {

/// check_config: whether the file of PermGuardStatusKey can be taken; logs why not. False keeps the
/// server from starting. At a restart nothing does: the page is then closed to everybody instead.
bool status_key_can_be_read(const server_rec* main_server);

/// post_config, as root: reads the key anew, so that a graceful restart takes a new one. What stays
/// is a digest with a salt of this generation; the key itself is wiped.
void read_status_key(const server_rec* main_server);

/// Whether a request may see more than `?health`: no key is asked for, or `r` has it, as the
/// password of Basic, whatever the user's name, or as a Bearer token.
bool has_status_key(request_rec* r);

/// 401, with what a browser needs to ask for the key.
int ask_for_status_key(request_rec* r);

}  // namespace permguard
