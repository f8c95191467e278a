// SPDX-License-Identifier: Apache-2.0
#include "cli/fix_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/against.h"
#include "cli/paths.h"
#include "cli/remedy_list.h"
#include "cli/whose_rights.h"
#include "core/repair.h"
#include "core/unexamined.h"
#include "report/explain_text.h"
#include "report/json.h"
#include "report/json_text.h"
#include "report/sentence.h"

namespace permguard::cli {
namespace {

/// What is to be changed, what came of it, and what no command changes.
struct Work {
  Plan plan;
  RemedyList remedies;
  std::optional<Identity> who;  ///< none where a desired state is restored
  std::vector<Unexamined> unexamined;
  std::vector<int> results;  ///< errno by change, where they were applied
};

void find_by_question(Work& work, const std::vector<std::string>& targets,
                      const WhoseRights& rights, Need need) {
  const SystemFilesystem filesystem(rights.root);
  const SystemNames names;
  const Surroundings surroundings = surroundings_of(rights);
  const auto kernel = rights.make_kernel();
  for (const std::string& target : targets) {
    Question question;
    question.target = target;
    question.need = need;
    question.role = need == Need::connect ? Role::socket : Role::script;
    question.who = rights.who;
    question.search_path = rights.search_path;
    question.certainty = rights.certainty();
    const Diagnosis diagnosis = diagnose({filesystem, names, kernel.get(), surroundings}, question);
    for (const Finding& finding : diagnosis.findings) work.remedies.add(finding);
    if (const int error = unexamined(diagnosis); error != 0) {
      work.unexamined.push_back({target, error});
    }
  }
}

void find_by_desired_state(Work& work, const std::string& file) {
  const SystemFilesystem filesystem;
  Comparison comparison = compare(read_desired(file), filesystem, SystemNames());
  for (const Finding& finding : comparison.findings) work.remedies.add(finding);
  work.unexamined = std::move(comparison.unexamined);
}

/// The undo file must stand before anything is changed, or a failure would lose the past.
void write_undo(const std::string& file, const std::vector<Change>& changes) {
  const std::string text = dump(desired_json(undo_of(changes), SystemNames()), 1) + '\n';
  errno = 0;
  std::ofstream output(file, std::ios::binary | std::ios::trunc);
  if (output) output << text << std::flush;
  const int error = errno != 0 ? errno : EIO;  // close() may set another
  if (output) output.close();
  if (!output) throw CommandError("--undo " + file + ": " + std::strerror(error));
}

const char* words_of(int error) {
  return error == ESTALE  ? "it changed since it was examined; run permguard fix again"
         : error == ELOOP ? "a symbolic link stands in its path"
         : error == ECANCELED
             ? "not changed, or narrowed only: a change below or above it was refused"
             : std::strerror(error);
}

void print_text(const Work& work) {
  for (std::size_t i = 0; i < work.plan.changes.size(); ++i) {
    const bool tried = i < work.results.size();
    const bool failed = tried && work.results[i] != 0;
    for (const std::string& command : exact_commands({work.plan.changes[i].steps, {}})) {
      std::cout << (failed ? "failed: " : tried ? "done: " : "") << command << '\n';
    }
    if (failed) {
      std::cerr << "permguard: " << printable(work.plan.changes[i].path) << ": "
                << words_of(work.results[i]) << '\n';
    }
  }
  for (const Finding& finding : work.remedies.remaining()) {
    std::cout << "# " << tag(finding) << ' ' << printable(finding.path) << ": "
              << printable(pasteable_fix(finding.remedy)) << '\n';
  }
}

nlohmann::ordered_json permission_json(const Permission& permission, const Names& names) {
  const DesiredState state{permission.rights.mode, permission.uid, permission.gid,
                           permission.rights.acl, permission.default_acl};
  return desired_entry_json({"/", state}, names);
}

void print_json(const Work& work) {
  const SystemNames names;
  nlohmann::ordered_json document = {{"schema", 1}};
  if (work.who) document["user"] = user_json(*work.who);
  for (const char* list : {"changes", "remaining", "unexamined"}) {
    document[list] = nlohmann::ordered_json::array();
  }
  for (std::size_t i = 0; i < work.plan.changes.size(); ++i) {
    const Change& change = work.plan.changes[i];
    nlohmann::ordered_json entry;
    add_path(entry, "path", change.path);
    entry["commands"] = exact_commands({change.steps, {}});
    entry["before"] = permission_json(change.before, names);
    entry["after"] = permission_json(change.after, names);
    entry["before"].erase("path");
    entry["after"].erase("path");
    entry["applied"] = i < work.results.size() && work.results[i] == 0;
    const bool failed = i < work.results.size() && work.results[i] != 0;
    entry["error"] = failed ? nlohmann::ordered_json(words_of(work.results[i])) : nullptr;
    document["changes"].push_back(std::move(entry));
  }
  for (const Finding& finding : work.remedies.remaining()) {
    nlohmann::ordered_json entry = {{"code", tag(finding)}};
    add_path(entry, "path", finding.path);
    entry["advice"] = pasteable_fix(finding.remedy);
    document["remaining"].push_back(std::move(entry));
  }
  for (const Unexamined& each : work.unexamined) {
    document["unexamined"].push_back(unexamined_json(each));
  }
  std::cout << dump(document, 2) << '\n';
}

void say_unexamined(const Work& work) {
  for (const Unexamined& each : work.unexamined) {
    std::cerr << "permguard: " << printable(each.path)
              << ": cannot be examined: " << words_of(each.error) << '\n';
  }
}

int status_of(const Work& work, bool applied) {
  const bool failed =
      std::any_of(work.results.begin(), work.results.end(), [](int error) { return error != 0; });
  if (failed || !work.unexamined.empty()) return kFailed;
  const bool open = !applied && !work.plan.changes.empty();
  return open || !work.remedies.remaining().empty() ? kFindings : kHealthy;
}

}  // namespace

FixCommand::FixCommand(CLI::App& parent)
    : app_(parent.add_subcommand("fix", "Print, or apply, the least changes that help")) {
  auto* paths = app_->add_option("PATH", paths_, "The scripts, files or sockets")->type_name("");
  auto* against = refuse_empty(app_->add_option("--against", against_,
                                                "Restore the desired state of this snapshot"))
                      ->type_name("FILE")
                      ->excludes(paths);
  app_->add_flag("--apply", apply_, "Make the changes instead of printing them");
  refuse_empty(
      app_->add_option("--undo", undo_, "With --apply: write a snapshot that undoes the changes"))
      ->type_name("FILE");
  add_whose_options(*app_, whose_);
  // A desired state asks for nobody's rights.
  against->excludes(add_need_option(*app_, need_));
  for (const char* option : {"--as", "--pid", "--path"}) {
    against->excludes(app_->get_option(option));
  }
  add_format_option(*app_, format_, {"text", "json"});
}

bool FixCommand::chosen() const {
  return app_->parsed();
}

int FixCommand::run() {
  if (paths_.empty() == against_.empty())
    throw CommandError("fix: PATH or --against FILE is needed");
  if (!undo_.empty() && !apply_) throw CommandError("--undo goes with --apply");
  Work work;
  if (against_.empty()) {
    std::vector<std::string> targets;
    for (const std::string& path : paths_) targets.push_back(absolute_path(path));
    const WhoseRights rights = whose_rights(whose_);
    if (apply_ && !rights.root.empty()) throw CommandError("--apply does not go with --pid");
    if (format_ == "text") std::cerr << rights.words() << '\n';
    work.who = rights.who;
    find_by_question(work, targets, rights, need_);
  } else {
    find_by_desired_state(work, against_);
  }
  work.plan =
      plan_changes(SystemFilesystem(), work.remedies.steps(), id_of_name, work.remedies.examined());
  for (const Unplanned& each : work.plan.unplanned) {
    work.unexamined.push_back({each.path, each.error});
  }
  if (apply_) {
    if (!undo_.empty()) write_undo(undo_, work.plan.changes);
    work.results = apply_plan(work.plan.changes);
  }
  format_ == "json" ? print_json(work) : print_text(work);
  say_unexamined(work);
  return status_of(work, apply_);
}

}  // namespace permguard::cli
