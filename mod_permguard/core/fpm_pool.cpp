// SPDX-License-Identifier: Apache-2.0
#include "core/fpm_pool.h"

#include <array>
#include <charconv>
#include <system_error>
#include <utility>

namespace permguard {
namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// PHP's INI scanner: a quoted value ends at its quote, any other where a comment begins.
std::string_view value_of(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    const std::size_t end = text.find(text.front(), 1);
    return text.substr(1, end == std::string_view::npos ? end : end - 1);
  }
  return trimmed(text.substr(0, text.find(';')));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

/// A pool while its section is read.
struct Section {
  FpmPool pool;
  std::string prefix;

  std::string* member(std::string_view key) {
    const std::array<std::pair<std::string_view, std::string*>, 5> members = {
        {{"user", &pool.user},
         {"group", &pool.group},
         {"listen", &pool.listen},
         {"chroot", &pool.chroot},
         {"prefix", &prefix}}};
    for (const auto& [name, where] : members) {
      if (name == key) return where;
    }
    return nullptr;
  }

  void take(std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return;
    if (std::string* where = member(trimmed(line.substr(0, equals)))) {
      *where = value_of(line.substr(equals + 1));
    }
  }

  void resolve(std::string& path) const {
    replace_all(path, "$prefix", prefix);
    if (!path.empty() && path.front() != '/' && !prefix.empty() && !tcp_address(path)) {
      path.insert(0, prefix + "/");
    }
  }

  FpmPool finish() {
    for (std::string* text : {&prefix, &pool.user, &pool.group, &pool.listen, &pool.chroot}) {
      replace_all(*text, "$pool", pool.name);
    }
    resolve(pool.listen);
    resolve(pool.chroot);
    return std::move(pool);
  }
};

std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trimmed(line);
}

/// The name in "[name]", or nothing.
std::optional<std::string_view> section_name(std::string_view line) {
  const std::size_t end = line.find(']');
  if (!line.starts_with('[') || end == std::string_view::npos) return std::nullopt;
  return trimmed(line.substr(1, end - 1));
}

}  // namespace

std::vector<FpmPool> parse_fpm_pools(std::string_view text) {
  std::vector<Section> sections;
  bool in_pool = false;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (line.empty() || line.front() == ';') continue;
    if (const auto name = section_name(line)) {
      in_pool = *name != "global";
      if (in_pool) sections.push_back({.pool = {.name = std::string(*name)}, .prefix = {}});
    } else if (in_pool) {
      sections.back().take(line);
    }
  }
  std::vector<FpmPool> pools;
  for (Section& section : sections) pools.push_back(section.finish());
  return pools;
}

std::optional<std::string> fpm_include(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || trimmed(line.substr(0, equals)) != "include") {
    return std::nullopt;
  }
  return std::string(value_of(line.substr(equals + 1)));
}

std::optional<TcpAddress> tcp_address(std::string_view listen) {
  const std::size_t colon = listen.rfind(':');
  std::string_view host = colon == std::string_view::npos ? "" : listen.substr(0, colon);
  const std::string_view digits =
      colon == std::string_view::npos ? listen : listen.substr(colon + 1);
  TcpAddress address;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, address.port);
  if (error != std::errc() || end != last || address.port == 0) return std::nullopt;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.find('/') != std::string_view::npos) return std::nullopt;
  if (host != "*" && host != "0.0.0.0" && host != "::") address.host = host;
  return address;
}

}  // namespace permguard
