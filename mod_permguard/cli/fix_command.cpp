// SPDX-License-Identifier: Apache-2.0
#include "cli/fix_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/against.h"
#include "cli/fix_work.h"
#include "cli/new_file.h"
#include "cli/paths.h"
#include "core/link_free.h"
#include "report/sentence.h"

namespace permguard::cli {
namespace {

/// What httpd sees in a mount namespace of its own may be another file here: that is left alone.
void leave_other_files(Work& work, const WhoseRights& rights) {
  if (rights.root.empty()) return;
  const SystemFilesystem theirs(rights.root);
  std::erase_if(work.plan.changes, [&](const Change& change) {
    const Result<FileStatus> file = theirs.status(change.path);
    const bool same = file && file.value.device == change.examined.device &&
                      file.value.inode == change.examined.inode;
    if (!same) work.plan.unplanned.push_back({change.path, EXDEV});
    return !same;
  });
  for (Unplanned& each : work.plan.unplanned) {
    const Result<FileStatus> here = SystemFilesystem().status(each.path);
    const Result<FileStatus> there = theirs.status(each.path);
    const bool same = here && there && here.value.device == there.value.device &&
                      here.value.inode == there.value.inode;
    if (!same) each.error = EXDEV;
  }
}

Work plan(const FixQuestion& question) {
  Work work;
  if (question.rights) work.who = question.rights->who;
  work.found = find_remedies(question);
  if (question.rights) question.rights->check_still_there();
  const LinkFreeFilesystem here;
  const SystemFilesystem there(question.rights ? question.rights->root : "");
  // A process named by --pid is only looked at; httpd's own view must be this one where it counts.
  const bool elsewhere = question.by_pid && !question.rights->root.empty();
  work.plan = plan_changes(elsewhere ? there : static_cast<const Filesystem&>(here),
                           work.found.remedies.steps(), id_of_name, work.found.remedies.examined());
  if (question.rights && !elsewhere) leave_other_files(work, *question.rights);
  for (const Unplanned& each : work.plan.unplanned) {
    work.found.unexamined.push_back({each.path, each.error});
  }
  for (const Change& change : work.plan.changes) {
    const bool one = elsewhere || change.examined.type == FileType::directory;
    work.hard_links.push_back(one ? 1 : LinkFreeFile(change.path).hard_links());
  }
  return work;
}

/// The undo file must stand before anything is changed, or a failure would lose the past.
void write_undo(const std::string& file, const std::vector<Change>& changes) {
  write_new_file("--undo", file, dump(desired_json(undo_of(changes), SystemNames()), 1) + '\n');
}

bool is_told(const Finding& finding, const std::vector<Finding>& all) {
  return std::any_of(all.begin(), all.end(), [&](const Finding& known) {
    return known.code == finding.code && known.role == finding.role && known.path == finding.path;
  });
}

/// Whether it helped: some file systems take every change and ignore it.
void look_again(Work& work, const FixQuestion& question) {
  if (work.plan.changes.empty()) return;
  Found again;
  try {
    again = find_remedies(question);
  } catch (const CommandError&) {  // a root was moved meanwhile: what was done is to be said first
    again.unexamined.push_back({question.against, ESTALE});
  }
  for (Finding& finding : again.findings) {
    if (!is_told(finding, work.found.remedies.remaining())) {
      work.afterwards.push_back(std::move(finding));
    }
  }
  for (Unexamined& each : again.unexamined) {
    const auto known = std::any_of(work.found.unexamined.begin(), work.found.unexamined.end(),
                                   [&](const Unexamined& old) { return old.path == each.path; });
    if (!known) work.found.unexamined.push_back(std::move(each));
  }
}

int status_of(const Work& work) {
  const auto any = [&](const auto& is) {
    return std::any_of(work.results.begin(), work.results.end(), is);
  };
  // Several names and an ignored change are answers; after any other error nobody knows.
  const bool failed = any([](int error) {
    return error != 0 && error != EMLINK && error != kIgnored && error != ECANCELED;
  });
  if (failed || !work.found.unexamined.empty()) return kFailed;
  const bool done =
      work.results.size() == work.plan.changes.size() && !any([](int error) { return error != 0; });
  const bool open = !work.found.remedies.remaining().empty() || !work.afterwards.empty();
  return done && !open ? kHealthy : kFindings;
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
  app_->add_flag("--hard-links", hard_links_,
                 "With --apply: change files that have several names too");
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
  const FixQuestion asked = question();
  Work work = plan(asked);
  if (apply_) {
    if (!undo_.empty()) write_undo(undo_, work.plan.changes);
    work.results = apply_plan(work.plan.changes, {.hard_links = hard_links_});
    look_again(work, asked);
  }
  format_ == "json" ? print_json(work) : print_text(work, hard_links_);
  say_failures(work);
  return status_of(work);
}

FixQuestion FixCommand::question() const {
  FixQuestion question;
  question.against = against_;
  question.need = need_;
  if (!against_.empty()) return question;
  for (const std::string& path : paths_) question.targets.push_back(absolute_path(path));
  question.rights = whose_rights(whose_);
  question.by_pid = whose_.pid.has_value();
  if (apply_ && question.by_pid && !question.rights->root.empty())
    throw CommandError("--apply does not go with --pid");
  if (format_ == "text") std::cerr << question.rights->words() << '\n';
  return question;
}

}  // namespace permguard::cli
