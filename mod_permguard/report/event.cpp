// SPDX-License-Identifier: Apache-2.0
#include "report/event.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/event_fit.h"
#include "report/json.h"
#include "report/json_text.h"
#include "report/utf8.h"

namespace permguard {
namespace {

using Json = nlohmann::ordered_json;

// The version of the Elastic Common Schema whose names are used.
constexpr const char* kSchema = "8.11.0";

bool good(EventAction action) {
  return action == EventAction::recovered || action == EventAction::exonerated;
}

// httpd's names of the levels at which the error log says the same.
const char* level_of(EventAction action, Severity severity) {
  if (good(action)) return "notice";
  return severity == Severity::error ? "error" : "warn";
}

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + ' ' + noun + (count == 1 ? "" : "s");
}

std::string sentence_of(EventAction action, const Finding& finding, const Identity& who,
                        const EventContext& context) {
  switch (action) {
    case EventAction::repeat:
      return repeat_sentence(finding, context.count, context.seconds);
    case EventAction::recovered:
      return recovered_sentence(finding, context.seconds, context.count);
    default:
      return log_sentence({&finding, 1}, who, context.now);
  }
}

// What all events have, in the order people read a line.
Json envelope(EventAction action, const char* level, bool success, const std::string& message,
              const EventContext& context) {
  Json event = {
      {"@timestamp", rfc3339(context.now)},
      {"ecs", {{"version", kSchema}}},
      {"event", {{"action", name_of(action)}, {"outcome", success ? "success" : "failure"}}},
      {"log", {{"level", level}}},
      {"message", to_utf8(message)},
      {"process", {{"pid", context.process}}}};
  if (!context.url_path.empty()) event["url"]["path"] = to_utf8(context.url_path);
  if (!context.client_address.empty()) event["client"]["address"] = to_utf8(context.client_address);
  return event;
}

// user.id and file.inode are keywords in the schema: text, not numbers.
Json ecs_user(const Identity& who) {
  return {{"name", to_utf8(who.name)}, {"id", std::to_string(who.uid)}};
}

Json ecs_file(const Finding& finding, const Json& file) {
  Json ecs = {{"path", to_utf8(finding.path)}};
  if (!finding.file) return ecs;
  ecs["mode"] = file["mode"];
  ecs["owner"] = file["owner"];
  ecs["group"] = file["group"];
  ecs["inode"] = std::to_string(finding.file->inode);
  ecs["ctime"] = file["changed"];
  return ecs;
}

}  // namespace

const char* name_of(EventAction action) {
  switch (action) {
    case EventAction::finding:
      return "finding";
    case EventAction::repeat:
      return "repeat";
    case EventAction::recovered:
      return "recovered";
    case EventAction::exonerated:
      return "exonerated";
    case EventAction::audit:
      break;
  }
  return "audit";
}

std::string event_line(EventAction action, const Finding& finding, const Identity& who,
                       const EventContext& context) {
  Json event = envelope(action, level_of(action, finding.severity), good(action),
                        sentence_of(action, finding, who, context), context);
  Json object = finding_json(finding, who, context.now);
  event["file"] = ecs_file(finding, object["file"]);
  event["user"] = ecs_user(who);
  if (context.incident != 0) object["incident"] = context.incident;
  if (action == EventAction::repeat || action == EventAction::recovered) {
    object["count"] = context.count;
    object["seconds"] = context.seconds;
  }
  event["permguard"] = std::move(object);
  return fitted_line(std::move(event));
}

std::string exonerated_event_line(const Identity& who, Need need, const std::string& target,
                                  int status, FailureCause cause, const EventContext& context) {
  const std::string message = exonerated_sentence(who.name, need, target, status, cause);
  Json event = envelope(EventAction::exonerated, "notice", true, message, context);
  Json object;
  add_path(object, "target", target);
  object["need"] = name_of(need);
  object["user"] = user_json(who);
  object["status"] = status;
  object["cause"] = name_of(cause);
  event["file"]["path"] = to_utf8(target);
  event["user"] = ecs_user(who);
  event["permguard"] = std::move(object);
  return fitted_line(std::move(event));
}

std::string audit_event_line(const WatchView& watch, const EventContext& context) {
  const std::uint64_t findings = watch.findings.size() + total(watch.left_out);
  const bool only_warnings = std::all_of(
      watch.findings.begin(), watch.findings.end(),
      [](const WatchFinding& found) { return found.finding.severity == Severity::warning; });
  const bool clean =
      only_warnings && total(watch.left_out) == total(watch.left_out, Severity::warning);
  const std::string message = "audited " + counted(watch.files, "file") + " in '" +
                              watch.directory + "': " + counted(findings, "finding") +
                              (watch.truncated ? ", incomplete" : "");
  Json event = envelope(EventAction::audit, "info", clean, message, context);
  event["event"]["duration"] = static_cast<std::int64_t>(watch.duration_seconds * 1e9);
  event["file"]["path"] = to_utf8(watch.directory);
  Json object;
  add_path(object, "directory", watch.directory);
  object["files"] = watch.files;
  object["findings"] = findings;
  object["complete"] = !watch.truncated;
  event["permguard"] = std::move(object);
  return fitted_line(std::move(event));
}

}  // namespace permguard
