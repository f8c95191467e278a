// SPDX-License-Identifier: Apache-2.0
#include "core/listener.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "support/temp_tree.h"

namespace permguard {
namespace {

/// A socket bound to an address, and closed with the object.
class Bound {
 public:
  Bound(int family, const void* address, socklen_t size)
      : descriptor_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::bind(descriptor_, static_cast<const sockaddr*>(address), size), 0);
  }
  ~Bound() { ::close(descriptor_); }
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

  void listen(int queue) const { EXPECT_EQ(::listen(descriptor_, queue), 0); }
  std::uint16_t port() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }

 private:
  int descriptor_;
};

Bound unix_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return {AF_UNIX, &address, sizeof address};
}

Bound tcp_socket() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return {AF_INET, &address, sizeof address};
}

TEST(Listener, IsSeenOnAUnixSocket) {
  test::TempTree tree;
  const std::string path = tree.path("socket");
  const Bound socket = unix_socket(path);
  EXPECT_EQ(unix_listener(path), Listener::absent);
  socket.listen(5);
  EXPECT_EQ(unix_listener(path), Listener::present);
}

TEST(Listener, WithAFullQueueIsThere) {
  test::TempTree tree;
  const std::string path = tree.path("socket");
  const Bound socket = unix_socket(path);
  socket.listen(0);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(unix_listener(path), Listener::present);
}

TEST(Listener, IsUnknownWhereThereIsNoSocket) {
  test::TempTree tree;
  EXPECT_EQ(unix_listener(tree.path("none")), Listener::unknown);
  EXPECT_EQ(unix_listener(""), Listener::unknown);
  EXPECT_EQ(unix_listener(std::string(109, 'a')), Listener::unknown);
}

TEST(Listener, IsSeenOnATcpPort) {
  const Bound socket = tcp_socket();
  EXPECT_EQ(tcp_listener("127.0.0.1", socket.port()), Listener::absent);
  EXPECT_EQ(tcp_listener("localhost", socket.port()), Listener::absent);
  socket.listen(5);
  EXPECT_EQ(tcp_listener("127.0.0.1", socket.port()), Listener::present);
  EXPECT_EQ(tcp_listener("LocalHost", socket.port()), Listener::present);
}

TEST(Listener, OfAnotherMachineIsNotAsked) {
  EXPECT_EQ(tcp_listener("192.0.2.1", 9000), Listener::unknown);
  EXPECT_EQ(tcp_listener("php.example", 9000), Listener::unknown);
}

TEST(Listener, LoopbackIsKnownByItsNames) {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"", "128.0.0.1", "192.0.2.1", "::2", "localhost.example"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace permguard
