// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/httpd_server.h"

namespace permguard::test {

/// The states in which people and programs meet the status handler.
enum class StatusState { healthy, one_incident, drift, watched, recovered, hostile, some, many };
inline constexpr StatusState kStatusStates[] = {
    StatusState::healthy,   StatusState::one_incident, StatusState::drift, StatusState::watched,
    StatusState::recovered, StatusState::hostile,      StatusState::some,  StatusState::many};
/// "healthy", "one-incident", …
std::string name_of(StatusState state);

/// Incidents of StatusState::some and many; each third of them has recovered.
inline constexpr int kSomeIncidents = 21;
inline constexpr int kManyIncidents = 1000;

/// Names that would like to be something else than text, each of a broken script below cgi-bin;
/// one makes a path of nearly PATH_MAX bytes.
std::vector<std::string> hostile_names();

/// A running server that got into the state by real requests for real files, and by its watch:
///   one_incident  pay.cgi, not executable, was asked for three times
///   drift         pay.cgi differs from PermGuardExpect, and works
///   watched       the watch has found pay.cgi, nobody has asked for it
///   recovered     pay.cgi was asked for while broken and after its repair
///   hostile       a broken script of each hostile name was asked for
/// `modules` are loaded too.
std::unique_ptr<HttpdServer> server_in(StatusState state, std::vector<std::string> modules = {});

}  // namespace permguard::test
