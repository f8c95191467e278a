// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "support/httpd_server.h"

namespace permguard::test {

/// A server that loads the module, with the usual scripts of cgi-bin:
///   ok.cgi answers "ok"; broken.cgi is the same with mode 0644; silent.cgi exits without headers.
/// What stock httpd logs about such scripts is allowed.
class GuardedServer : public HttpdServer {
 public:
  explicit GuardedServer(std::string config = "", Mpm mpm = Mpm::event,
                         std::vector<std::string> modules = {})
      : HttpdServer(options(std::move(config), mpm, std::move(modules))) {
    tree().write("cgi-bin/ok.cgi", cgi_script("ok"), 0755);
    tree().write("cgi-bin/broken.cgi", cgi_script("ok"), 0644);
    tree().write("cgi-bin/silent.cgi", "#!/bin/sh\nexit 1\n", 0755);
    for (const char* text : {"exec of '", "End of script output before headers", "AH01264",
                             "AH01215", "AH02811", "AH00035"}) {
      log().allow(text);
    }
  }

  /// How many lines of the module are about `text`.
  std::size_t told(std::string_view text) const {
    std::size_t count = 0;
    for (const std::string& line : lines_of_log()) {
      count +=
          line.find("[permguard:") != std::string::npos && line.find(text) != std::string::npos;
    }
    return count;
  }

  HttpResponse get_from(std::string_view host, std::string_view path) const {
    return request("GET", path, {"Host: " + std::string(host)});
  }

 private:
  static HttpdOptions options(std::string config, Mpm mpm, std::vector<std::string> modules) {
    HttpdOptions chosen;
    chosen.mpm = mpm;
    chosen.config = std::move(config);
    chosen.modules = std::move(modules);
    return chosen;
  }
  std::vector<std::string> lines_of_log() const {
    return const_cast<GuardedServer*>(this)->log().lines();
  }
};

}  // namespace permguard::test
