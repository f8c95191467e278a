// SPDX-License-Identifier: Apache-2.0
#include "core/fpm_pool.h"

#include <gtest/gtest.h>

namespace permguard {
namespace {

TEST(FpmPools, AreReadAsDebianShipsThem) {
  const auto pools = parse_fpm_pools(
      "; Start a new pool named 'www'.\n"
      "[www]\n"
      ";prefix = /path/to/pools/$pool\n"
      "user = www-data\n"
      "group=www-data\n"
      "listen = /run/php/php8.2-fpm.sock\n"
      "listen.owner = root\n"
      "php_admin_value[user] = nobody\n"
      "env[chroot] = /nowhere\n");
  const std::vector<FpmPool> expected = {
      {"www", "www-data", "www-data", "/run/php/php8.2-fpm.sock", ""}};
  EXPECT_EQ(pools, expected);
}

TEST(FpmPools, SeveralSectionsAreSeveralPools) {
  const auto pools = parse_fpm_pools(
      "user = nobody\n[global]\nuser = nobody\n[a]\nuser = ann\n[b]\nuser = bob\nuser = eve\n");
  ASSERT_EQ(pools.size(), 2u);
  EXPECT_EQ(pools[0], (FpmPool{"a", "ann", "", "", ""}));
  EXPECT_EQ(pools[1], (FpmPool{"b", "eve", "", "", ""}));
}

TEST(FpmPools, ThePoolsNameAndPrefixAreFilledIn) {
  const auto pools = parse_fpm_pools(
      "[ann]\nuser = $pool\ngroup = $pool-web\nprefix = /srv/$pool\nlisten = run/$pool.sock\n"
      "chroot = $prefix/www\n");
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0], (FpmPool{"ann", "ann", "ann-web", "/srv/ann/run/ann.sock", "/srv/ann/www"}));
}

TEST(FpmPools, QuotesAndCommentsAreNoPartOfAValue) {
  const auto pools = parse_fpm_pools(
      "[a] ; the first\r\nuser = \"ann ; x\" ; comment\r\nlisten = 127.0.0.1:9000 ; tcp\r\n"
      "chroot='/a b'\r\ngroup = \"open");
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0], (FpmPool{"a", "ann ; x", "open", "127.0.0.1:9000", "/a b"}));
}

TEST(FpmPools, WhatIsIncludedIsKnownByItsLine) {
  EXPECT_EQ(fpm_include("include=/etc/php/8.2/fpm/pool.d/*.conf"),
            "/etc/php/8.2/fpm/pool.d/*.conf");
  EXPECT_EQ(fpm_include(" include = \"/a b/*.conf\" ; more"), "/a b/*.conf");
  EXPECT_EQ(fpm_include(";include=/a"), std::nullopt);
  EXPECT_EQ(fpm_include("include"), std::nullopt);
  EXPECT_EQ(fpm_include("php_value[include]=/a"), std::nullopt);
}

TEST(FpmPools, NonsenseIsSkipped) {
  EXPECT_TRUE(parse_fpm_pools("").empty());
  EXPECT_TRUE(parse_fpm_pools("]\n[\n=\nuser\nuser = a\n").empty());
  const auto pools = parse_fpm_pools("[a]\n= b\nuser\nlisten\n[");
  ASSERT_EQ(pools.size(), 1u);
  EXPECT_EQ(pools[0].user, "");
}

TEST(FpmPools, AnAddressIsTcpWhereItEndsInAPort) {
  EXPECT_EQ(tcp_address("9000"), (TcpAddress{"", 9000}));
  EXPECT_EQ(tcp_address("*:9000"), (TcpAddress{"", 9000}));
  EXPECT_EQ(tcp_address("127.0.0.1:9000"), (TcpAddress{"127.0.0.1", 9000}));
  EXPECT_EQ(tcp_address("[::1]:9000"), (TcpAddress{"::1", 9000}));
  EXPECT_EQ(tcp_address("[::]:9000"), (TcpAddress{"", 9000}));
  EXPECT_EQ(tcp_address("/run/php.sock"), std::nullopt);
  EXPECT_EQ(tcp_address("/run/php:9000"), std::nullopt);
  EXPECT_EQ(tcp_address("127.0.0.1:99999"), std::nullopt);
  EXPECT_EQ(tcp_address("127.0.0.1:"), std::nullopt);
  EXPECT_EQ(tcp_address(""), std::nullopt);
}

}  // namespace
}  // namespace permguard
