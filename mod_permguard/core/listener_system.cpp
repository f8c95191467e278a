// SPDX-License-Identifier: Apache-2.0
#include "core/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace permguard {
namespace {

constexpr int kWaitMilliseconds = 200;

/// A socket that ends with its scope.
class Socket {
 public:
  explicit Socket(int family) noexcept
      : descriptor_(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// 0 or the errno of connect(2), once it is known; EINPROGRESS where it is not in time.
  int connect(const void* address, socklen_t size) const noexcept {
    if (descriptor_ < 0) return errno;
    if (::connect(descriptor_, static_cast<const sockaddr*>(address), size) == 0) return 0;
    return errno == EINPROGRESS ? outcome() : errno;
  }

 private:
  int outcome() const noexcept {
    pollfd wait{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    if (::poll(&wait, 1, kWaitMilliseconds) != 1) return EINPROGRESS;
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
  }

  int descriptor_;
};

Listener listener_from(int error) noexcept {
  if (error == 0 || error == EAGAIN) return Listener::present;
  return error == ECONNREFUSED ? Listener::absent : Listener::unknown;
}

Listener ipv4_listener(in_addr_t address, std::uint16_t port) noexcept {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = address;
  return listener_from(Socket(AF_INET).connect(&to, sizeof to));
}

Listener ipv6_listener(std::uint16_t port) noexcept {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  to.sin6_addr = in6addr_loopback;
  return listener_from(Socket(AF_INET6).connect(&to, sizeof to));
}

bool is_local_name(const std::string& host) noexcept {
  return ::strcasecmp(host.c_str(), "localhost") == 0;
}

bool is_local_ipv6(const std::string& host) noexcept {
  return host == "::1" || host == "::";
}

}  // namespace

bool is_loopback(const std::string& host) noexcept {
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return address.s_addr == INADDR_ANY || ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  return is_local_name(host) || is_local_ipv6(host);
}

Listener unix_listener(const std::string& path) noexcept {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.empty() || path.size() > sizeof to.sun_path) return Listener::unknown;
  std::memcpy(to.sun_path, path.data(), path.size());
  const std::size_t size = offsetof(sockaddr_un, sun_path) + path.size();
  return listener_from(Socket(AF_UNIX).connect(&to, static_cast<socklen_t>(size)));
}

Listener tcp_listener(const std::string& host, std::uint16_t port) noexcept {
  if (!is_loopback(host)) return Listener::unknown;
  if (is_local_ipv6(host)) return ipv6_listener(port);
  in_addr address{};
  if (::inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return ipv4_listener(address.s_addr, port);
  }
  // A name of both families: httpd tries every address it has.
  const Listener four = ipv4_listener(htonl(INADDR_LOOPBACK), port);
  return four == Listener::absent && ipv6_listener(port) == Listener::present ? Listener::present
                                                                              : four;
}

}  // namespace permguard
