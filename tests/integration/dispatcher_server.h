// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "support/httpd_server.h"

namespace permguard::test {

/// A configuration and its files, to be served with and without the module.
struct Scene {
  Mpm mpm = Mpm::event;
  std::vector<std::string> modules{};
  std::string config{};
  std::function<void(TempTree&)> lay_out{};
  std::vector<std::string> allowed{};  ///< what the other modules say about broken scripts
};

/// One request of a healthy case.
struct Call {
  std::string path;
  std::string method = "GET";
  std::vector<std::string> headers{};
  std::string body{};
  int status = 0;  ///< what both must answer; 0: anything from 200 to 399
};

/// A started server for `scene` with `PermGuard MODE`; an empty mode leaves the module out.
class DispatcherServer : public HttpdServer {
 public:
  DispatcherServer(const Scene& scene, const std::string& mode);

  /// How many lines the module has written at level error or above, or notice and above.
  std::size_t errors() { return log().count("[permguard:error]"); }
  std::size_t lines() { return log().count("[permguard:"); }
  /// The value of one metric, "" where it is not there.
  std::string metric(std::string_view name) const;
};

/// Every call gets from `enforce strict` what stock httpd answers, byte for byte but for the date
/// and the way the body's end is marked, and the module says nothing about it.
void expect_as_stock(const Scene& scene, const std::vector<Call>& calls);

}  // namespace permguard::test
