// SPDX-License-Identifier: Apache-2.0
//
// A module that is loaded beside mod_permguard and attacks it from httpd's own processes, as
// somebody who runs code in a child could. What it does is said by requests to the handler
// `hostile` (its query is the command) and, for the parent, by a file.
//
//   maps                       this process's mappings
//   who                        its user's number
//   hooks                      the functions behind httpd's hooks
//   words&RANGES               the words that are not 0, "ADDRESS VALUE" a line
//   fill=PATTERN&RANGES        zeros, ones, letters, random
//   scribble=MILLISECONDS&RANGES   from a process of its own; its id
//
// The header X-Hostile-Word: ADDRESS VALUE changes one word for the time of its request.
#include <httpd.h>
#include <sys/mman.h>
#include <unistd.h>
// httpd.h comes first.
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

#include "hostile.h"
#include "sweep.h"

namespace hostile {
namespace {

struct Poked {
  std::uintptr_t address;
  std::uint64_t before;
};

apr_status_t restore(void* data) {
  const auto* poked = static_cast<const Poked*>(data);
  word_at(poked->address) = poked->before;
  return APR_SUCCESS;
}

int poke(request_rec* r) {
  const char* text = apr_table_get(r->headers_in, "X-Hostile-Word");
  if (!text || r->prev || r->main) return DECLINED;
  std::istringstream words(text);
  std::uintptr_t address = 0;
  std::uint64_t value = 0;
  words >> std::hex >> address >> value;
  auto* poked = static_cast<Poked*>(apr_palloc(r->pool, sizeof(Poked)));
  *poked = {address, word_at(address)};
  // After the request was logged: the log's hooks, too, see the changed word.
  apr_pool_cleanup_register(r->pool, poked, restore, apr_pool_cleanup_null);
  word_at(address) = value;
  return DECLINED;
}

std::string words_text(const std::vector<Range>& ranges) {
  std::ostringstream text;
  text << std::hex;
  for (const std::uintptr_t at : used_words(ranges)) text << at << ' ' << word_at(at) << '\n';
  return text.str();
}

std::string mappings_text() {
  std::ifstream maps("/proc/self/maps");
  return {std::istreambuf_iterator<char>(maps), {}};
}

std::string obey(const std::string& command, const std::vector<Range>& ranges) {
  const auto equals = command.find('=');
  const std::string name = command.substr(0, equals);
  const std::string value = equals == command.npos ? "" : command.substr(equals + 1);
  if (name == "maps") return mappings_text();
  if (name == "who") return std::to_string(geteuid());
  if (name == "hooks") return hooks_text();
  if (name == "words") return words_text(ranges);
  if (name == "fill") return fill(ranges, value) ? "filled" : "";
  if (name == "scribble") return std::to_string(scribble(ranges, std::stoi(value)));
  return "";
}

int serve(request_rec* r) {
  if (std::string_view(r->handler) != "hostile") return DECLINED;
  const std::string query = r->args ? r->args : "";
  const auto end = query.find('&');
  const std::vector<Range> ranges =
      end == query.npos ? std::vector<Range>() : ranges_in(std::string_view(query).substr(end + 1));
  const std::string answer = obey(query.substr(0, end), ranges);
  if (answer.empty()) return HTTP_BAD_REQUEST;
  ap_set_content_type(r, "text/plain");
  ap_rwrite(answer.data(), static_cast<int>(answer.size()), r);
  return OK;
}

bool is_first_reading() {
  return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

// Once for the life of the server, as what is guarded stays for as long.
bool is_first_generation() {
  constexpr const char* kKey = "mod_hostile";
  if (ap_retained_data_get(kKey)) return false;
  ap_retained_data_create(kKey, 1);
  return true;
}

constexpr std::size_t kGuard = std::size_t{1} << 20;

void* reserve(std::uintptr_t address, std::size_t size, int flags) {
  return mmap(reinterpret_cast<void*>(address), size, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/// The kernel puts a large mapping right below what lies lowest: what comes next has this guard
/// above, in place of a library that may be read.
void guard_above() {
  constexpr std::size_t kLarge = 64 * kGuard;
  void* begin = reserve(0, kLarge, 0);
  if (begin != MAP_FAILED) munmap(begin, kLarge - kGuard);
}

/// Guards below and above every shared mapping, where there is room.
void guard_around() {
  std::istringstream maps(mappings_text());
  for (std::string line; std::getline(maps, line);) {
    if (line.find(" rw-s ") == line.npos) continue;
    for (const Range& range : ranges_in(line.substr(0, line.find(' ')))) {
      reserve(range.begin - kGuard, kGuard, MAP_FIXED_NOREPLACE);
      reserve(range.end, kGuard, MAP_FIXED_NOREPLACE);
    }
  }
}

int before_permguard(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp, server_rec* server) {
  if (is_first_reading()) return OK;
  if (!ap_retained_data_get("mod_hostile")) guard_above();
  sweep(pconf, plog, ptemp, server);
  return OK;
}

int after_permguard(apr_pool_t*, apr_pool_t*, apr_pool_t*, server_rec*) {
  if (!is_first_reading() && is_first_generation()) guard_around();
  return OK;
}

void register_hooks(apr_pool_t*) {
  static const char* const kPermguard[] = {"mod_permguard.c", nullptr};
  ap_hook_post_config(before_permguard, nullptr, kPermguard, APR_HOOK_MIDDLE);
  ap_hook_post_config(after_permguard, kPermguard, nullptr, APR_HOOK_MIDDLE);
  ap_hook_post_read_request(poke, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
  ap_hook_handler(serve, nullptr, nullptr, APR_HOOK_FIRST);
}

}  // namespace
}  // namespace hostile

extern "C" {
extern __attribute__((visibility("default"))) struct module_struct hostile_module;
struct module_struct hostile_module = {MODULE_MAGIC_NUMBER_MAJOR,
                                       MODULE_MAGIC_NUMBER_MINOR,
                                       -1,
                                       "mod_hostile.c",
                                       nullptr,
                                       nullptr,
                                       MODULE_MAGIC_COOKIE,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       hostile::register_hooks,
                                       AP_MODULE_FLAG_NONE};
}
