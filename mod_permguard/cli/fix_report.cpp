// SPDX-License-Identifier: Apache-2.0
//
// What `permguard fix` says.
#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/fix_work.h"
#include "core/unexamined.h"
#include "report/desired.h"
#include "report/explain_text.h"
#include "report/json_text.h"
#include "report/sentence.h"

namespace permguard::cli {
namespace {

std::string words_of(int error) {
  switch (error) {
    case ESTALE:
      return "it changed since it was examined; run permguard fix again";
    case ELOOP:
      return "a symbolic link stands in its path";
    case EMLINK:
      return "it has several hard links, of which any may lie elsewhere; see --hard-links";
    case ECANCELED:
      return "not changed, or narrowed only: a change below or above it was refused";
    case EXDEV:
      return "httpd sees another file under this name, in its own mount namespace; nothing is "
             "changed here";
    case kIgnored:
      return "the file system took the change and ignored it; such permissions come from its mount "
             "options";
    default:
      return unexamined_words(error);
  }
}

/// A line feed between quotes would be one on the terminal too.
std::string command_of(FixStep step, const Change& change) {
  step.inode = change.examined.inode;
  std::string command = exact_commands({{step}, {}}).front();
  return command.find('\n') == std::string::npos ? command : pasteable_fix({{step}, {}});
}

/// 0: it was not tried.
int error_of(const Work& work, std::size_t change) {
  return change < work.results.size() ? work.results[change] : 0;
}

void print_change(const Work& work, std::size_t i) {
  const Change& change = work.plan.changes[i];
  const int error = error_of(work, i);
  const char* prefix = i >= work.results.size() ? "" : error != 0 ? "failed: " : "done: ";
  for (const FixStep& step : change.steps) std::cout << prefix << command_of(step, change) << '\n';
  if (error != 0) {
    std::cerr << "permguard: " << printable(change.path) << ": " << words_of(error) << '\n';
  }
}

nlohmann::ordered_json permission_json(const Permission& permission, const Names& names) {
  const DesiredState state{permission.rights.mode, permission.uid, permission.gid,
                           permission.rights.acl, permission.default_acl};
  auto json = desired_entry_json({"/", state}, names);
  json.erase("path");
  return json;
}

nlohmann::ordered_json change_json(const Work& work, std::size_t i, const Names& names) {
  const Change& change = work.plan.changes[i];
  const int error = error_of(work, i);
  nlohmann::ordered_json entry;
  add_path(entry, "path", change.path);
  entry["commands"] = exact_commands({change.steps, {}});
  entry["before"] = permission_json(change.before, names);
  entry["after"] = permission_json(change.after, names);
  entry["hard_links"] = work.hard_links[i];
  entry["applied"] = i < work.results.size() && error == 0;
  entry["error"] = error != 0 ? nlohmann::ordered_json(words_of(error)) : nullptr;
  return entry;
}

nlohmann::ordered_json advice_json(const Finding& finding) {
  nlohmann::ordered_json entry = {{"code", tag(finding)}};
  add_path(entry, "path", finding.path);
  entry["advice"] = pasteable_fix(finding.remedy);
  return entry;
}

nlohmann::ordered_json refusal_json(const Refusal& refusal) {
  nlohmann::ordered_json entry;
  add_path(entry, "path", refusal.target);
  add_path(entry, "link", refusal.link);
  entry["owner"] = refusal.owner;
  if (!refusal.instead.empty()) add_path(entry, "instead", refusal.instead);
  return entry;
}

std::string words_of(const Refusal& refusal) {
  std::string words = "'" + refusal.link + "' is a link of " + refusal.owner +
                      "; only root's and the caller's own are followed";
  if (!refusal.instead.empty()) words += "; name '" + refusal.instead + "' instead";
  return words;
}

}  // namespace

void print_text(const Work& work, bool hard_links_wanted) {
  for (std::size_t i = 0; i < work.plan.changes.size(); ++i) {
    print_change(work, i);
    if (work.results.empty() && work.hard_links[i] > 1 && !hard_links_wanted) {
      std::cerr << "permguard: " << printable(work.plan.changes[i].path)
                << ": warning: " << words_of(EMLINK) << '\n';
    }
  }
  for (const Finding& finding : work.found.remedies.remaining()) {
    std::cout << "# " << tag(finding) << ' ' << printable(finding.path) << ": "
              << printable(pasteable_fix(finding.remedy)) << '\n';
  }
  for (const Finding& finding : work.afterwards) {
    std::cout << "# still " << tag(finding) << ' ' << printable(finding.path)
              << ", though the commands were run\n";
  }
}

void print_json(const Work& work) {
  const SystemNames names;
  nlohmann::ordered_json document = {{"schema", 1}};
  if (work.who) document["user"] = user_json(*work.who);
  for (const char* list : {"changes", "remaining", "afterwards", "refused", "unexamined"}) {
    document[list] = nlohmann::ordered_json::array();
  }
  for (std::size_t i = 0; i < work.plan.changes.size(); ++i) {
    document["changes"].push_back(change_json(work, i, names));
  }
  for (const Finding& finding : work.found.remedies.remaining()) {
    document["remaining"].push_back(advice_json(finding));
  }
  for (const Finding& finding : work.afterwards) {
    nlohmann::ordered_json entry = {{"code", tag(finding)}};
    add_path(entry, "path", finding.path);
    document["afterwards"].push_back(std::move(entry));
  }
  for (const Refusal& refusal : work.found.refused) {
    document["refused"].push_back(refusal_json(refusal));
  }
  for (const Unexamined& each : work.found.unexamined) {
    document["unexamined"].push_back(unexamined_json(each));
  }
  std::cout << dump(document, 2) << '\n';
}

void say_failures(const Work& work) {
  for (const Refusal& refusal : work.found.refused) {
    std::cerr << "permguard: " << printable(refusal.target) << ": " << printable(words_of(refusal))
              << '\n';
  }
  for (const Unexamined& each : work.found.unexamined) {
    const bool told =
        std::any_of(work.found.refused.begin(), work.found.refused.end(),
                    [&](const Refusal& refusal) { return refusal.target == each.path; });
    if (told) continue;
    std::cerr << "permguard: " << printable(each.path)
              << ": cannot be examined: " << words_of(each.error) << '\n';
  }
}

}  // namespace permguard::cli
