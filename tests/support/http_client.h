// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace permguard::test {

struct HttpRequest {
  std::string method = "GET";
  std::string url;                   ///< sent as it is: neither `..` nor escapes are touched
  std::vector<std::string> headers;  ///< "Name: value"
  std::string body;                  ///< sent where not empty
  /// mod_fcgid tries a program that ends at once for up to a minute.
  std::chrono::milliseconds timeout = std::chrono::seconds(90);
  bool http2 = false;  ///< HTTP/2 in the clear, with prior knowledge
};

struct HttpResponse {
  int status = 0;     ///< 0: no answer, see `error`
  std::string error;  ///< libcurl's words
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  /// The first header of that name (any case), or "".
  std::string header(std::string_view name) const;
};

/// One request on a new connection; redirects are not followed.
HttpResponse send(const HttpRequest& request);

/// `bytes` with everything but unreserved characters and '/' percent-encoded.
std::string url_escape(std::string_view bytes);

}  // namespace permguard::test
