// SPDX-License-Identifier: Apache-2.0
#include "report/event_fit.h"

#include <nlohmann/json.hpp>

#include "report/event.h"
#include "report/json.h"
#include "report/log_text.h"

namespace permguard {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongList = 16;
// Tried one after the other, in bytes of the log. JSON takes at most twice as many, and an event
// holds about a dozen texts from outside, so that with the last limit every event fits.
constexpr std::size_t kTextLimits[] = {1500, 1000, 500, 250, 120, 60, 30};

bool is_long_text(const Json& json, std::size_t limit) {
  return json.is_string() && logged_size(json.get_ref<const std::string&>()) > limit;
}

// A list that is long, or holds something too long: half of it would mislead.
bool must_empty(const Json& list, std::size_t limit) {
  if (list.size() > kLongList) return true;
  for (const Json& element : list) {
    if (is_long_text(element, limit)) return true;
  }
  return false;
}

bool shorten_value(Json& value, std::size_t limit) {
  if (is_long_text(value, limit)) {
    value = cut_in_the_middle(value.get_ref<const std::string&>(), limit);
    return true;
  }
  if (!value.is_array() || !must_empty(value, limit)) return false;
  value = Json::array();
  return true;
}

// Whether anything was cut.
bool shorten(Json& object, std::size_t limit) {
  bool cut = false;
  for (auto member = object.begin(); member != object.end();) {
    if (member.key().ends_with("_base64") && is_long_text(*member, limit)) {
      member = object.erase(member);
      cut = true;
      continue;
    }
    cut |= member->is_object() ? shorten(*member, limit) : shorten_value(*member, limit);
    ++member;
  }
  return cut;
}

}  // namespace

std::string fitted_line(Json event) {
  std::string line = dump(event);
  if (line.size() >= kMaxEventLine) {
    event["permguard"].erase("message");  // the event has said it already
    event["permguard"]["truncated"] = true;
    line = dump(event);
  }
  for (const std::size_t limit : kTextLimits) {
    if (line.size() < kMaxEventLine) break;
    if (shorten(event, limit)) line = dump(event);
  }
  return line + '\n';
}

}  // namespace permguard
