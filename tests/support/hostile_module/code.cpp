// SPDX-License-Identifier: Apache-2.0
#include <dlfcn.h>
#include <httpd.h>
#include <link.h>
// httpd.h comes first.
#include <http_config.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "hostile.h"

namespace hostile {
namespace {

// As http_config.h, http_request.h, http_protocol.h, ap_mpm.h, mpm_common.h … declare them.
constexpr std::array kHooks = {"access_checker",
                               "access_checker_ex",
                               "auth_checker",
                               "check_config",
                               "check_user_id",
                               "child_init",
                               "child_status",
                               "child_stopping",
                               "create_connection",
                               "create_request",
                               "default_port",
                               "dirwalk_stat",
                               "drop_privileges",
                               "end_generation",
                               "error_log",
                               "expr_lookup",
                               "fixups",
                               "force_authn",
                               "generate_log_id",
                               "get_mgmt_items",
                               "get_suexec_identity",
                               "handler",
                               "header_parser",
                               "http_scheme",
                               "insert_error_filter",
                               "insert_filter",
                               "log_transaction",
                               "map_to_storage",
                               "monitor",
                               "mpm",
                               "mpm_get_name",
                               "mpm_query",
                               "note_auth_failure",
                               "open_htaccess",
                               "open_logs",
                               "optional_fn_retrieve",
                               "post_config",
                               "post_perdir_config",
                               "post_read_request",
                               "pre_close_connection",
                               "pre_config",
                               "pre_connection",
                               "pre_mpm",
                               "pre_read_request",
                               "process_connection",
                               "protocol_get",
                               "protocol_propose",
                               "protocol_switch",
                               "quick_handler",
                               "test_config",
                               "translate_name",
                               "type_checker",
                               "watchdog_exit",
                               "watchdog_init",
                               "watchdog_need",
                               "watchdog_step"};

/// apr_hooks.h: the entries of all hooks look alike.
using Entry = ap_LINK_post_config_t;

const apr_array_header_t* entries_of(const char* hook) {
  const std::string name = std::string("ap_hook_get_") + hook;
  void* found = dlsym(RTLD_DEFAULT, name.c_str());
  if (!found) return nullptr;
  return reinterpret_cast<apr_array_header_t* (*)()>(found)();
}

template <class Visit>
void each_entry(const Visit& visit) {
  for (const char* hook : kHooks) {
    const apr_array_header_t* entries = entries_of(hook);
    for (int i = 0; entries && i < entries->nelts; ++i) {
      visit(hook, reinterpret_cast<const Entry*>(entries->elts)[i]);
    }
  }
}

struct Places {
  std::vector<Range> code;
  std::vector<Range> data;
};

int add_places(dl_phdr_info* info, std::size_t, void* data) {
  auto& places = *static_cast<Places*>(data);
  // A sanitizer's runtime has hundreds of megabytes of data, none of which is httpd's.
  if (std::strstr(info->dlpi_name, "san.so")) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD) continue;
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    const Range range{begin, begin + header.p_memsz};
    if (header.p_flags & PF_X) places.code.push_back(range);
    if (header.p_flags & PF_W) places.data.push_back({(begin + 7) / 8 * 8, range.end / 8 * 8});
  }
  return 0;
}

bool is_within(const std::vector<Range>& sorted, std::uintptr_t address) {
  const auto above = std::upper_bound(
      sorted.begin(), sorted.end(), address,
      [](std::uintptr_t value, const Range& range) { return value < range.begin; });
  return above != sorted.begin() && address < std::prev(above)->end;
}

}  // namespace

std::string hooks_text() {
  std::string text;
  each_entry([&](const char* hook, const Entry& entry) {
    Dl_info info{};
    const auto address = reinterpret_cast<std::uintptr_t>(entry.pFunc);
    const bool known = dladdr(reinterpret_cast<void*>(address), &info) != 0;
    const auto base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
    std::array<char, 32> offset{};
    std::snprintf(offset.data(), offset.size(), "+%zx\n", static_cast<std::size_t>(address - base));
    text += std::string(hook) + ' ' + (entry.szName ? entry.szName : "?") + ' ' +
            (known ? info.dli_fname : "?") + offset.data();
  });
  return text;
}

std::uint64_t hooks_sum() {
  std::uint64_t sum = 0;
  each_entry([&](const char*, const Entry& entry) {
    sum = (sum ^ reinterpret_cast<std::uintptr_t>(entry.pFunc)) * 0x100000001b3ULL + 1;
  });
  return sum;
}

std::vector<std::pair<std::uintptr_t, std::uintptr_t>> code_pointers() {
  Places places;
  dl_iterate_phdr(&add_places, &places);
  std::sort(places.code.begin(), places.code.end(),
            [](const Range& left, const Range& right) { return left.begin < right.begin; });
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> pointers;
  for (const Range& range : places.data) {
    for (auto at = range.begin; at < range.end; at += 8) {
      if (is_within(places.code, word_at(at))) pointers.emplace_back(at, word_at(at));
    }
  }
  return pointers;
}

}  // namespace hostile
