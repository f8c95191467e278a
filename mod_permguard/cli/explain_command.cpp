// SPDX-License-Identifier: Apache-2.0
#include "cli/explain_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/paths.h"
#include "cli/suexec_rights.h"
#include "cli/terminal.h"
#include "cli/whose_rights.h"
#include "core/listener.h"
#include "core/unexamined.h"
#include "report/explain_text.h"
#include "report/json.h"

namespace permguard::cli {
namespace {

/// The answers for all PATHs.
struct Answers {
  std::vector<Diagnosis> diagnoses;
  std::vector<Unexamined> unexamined;

  std::vector<Finding> findings() const {
    std::vector<Finding> all;
    for (const auto& each : diagnoses) {
      all.insert(all.end(), each.findings.begin(), each.findings.end());
    }
    return all;
  }

  int status() const {
    if (!unexamined.empty()) return kFailed;
    const bool broken = std::any_of(diagnoses.begin(), diagnoses.end(),
                                    [](const Diagnosis& each) { return each.lead() != nullptr; });
    return broken ? kFindings : kHealthy;
  }
};

/// The kernel's own answer to connect(2) says more than mode and type of the socket. `root` as
/// WhoseRights has it: in another mount namespace the same path may be another's socket.
void try_connection(Diagnosis& diagnosis, const std::string& root) {
  const bool asked = diagnosis.question.need == Need::connect && diagnosis.healthy();
  if (!asked || diagnosis.chain.empty()) return;
  const std::string socket =
      root.empty() ? diagnosis.question.target : root + diagnosis.chain.front().walk.resolved;
  if (unix_listener(socket) == Listener::absent) {
    diagnosis.findings.push_back(refused_connection(diagnosis));
  }
}

/// What holds only if an unreadable file is a script is not certain where nobody has run it.
void add(Answers& answers, const std::string& target, Diagnosis diagnosis) {
  const int error = unexamined(diagnosis);
  for (Finding& finding : diagnosis.findings) {
    if (finding.conditional) finding.certainty = Certainty::modelled;
  }
  if (error != 0) answers.unexamined.push_back({target, error});
  answers.diagnoses.push_back(std::move(diagnosis));
}

Answers examine(const std::vector<std::string>& targets, const WhoseRights& rights, Need need) {
  const SystemFilesystem filesystem(rights.root);
  const SystemNames names;
  const Surroundings surroundings = surroundings_of(rights);
  const auto kernel = rights.make_kernel();
  Answers answers;
  for (const auto& target : targets) {
    Question question;
    question.target = target;
    question.need = need;
    question.role = need == Need::connect ? Role::socket : Role::script;
    question.who = rights.who;
    question.search_path = rights.search_path;
    question.certainty = rights.certainty();
    Diagnosis diagnosis = diagnose({filesystem, names, kernel.get(), surroundings}, question);
    try_connection(diagnosis, rights.root);
    for (Finding& finding : diagnosis.findings) rights.withhold_elsewhere(finding);
    add(answers, target, std::move(diagnosis));
  }
  return answers;
}

Answers examine(const std::vector<std::string>& targets, const SuexecRights& rights) {
  Answers answers;
  for (const auto& target : targets) add(answers, target, rights.diagnose(target));
  return answers;
}

void print_text(const Answers& answers, const std::string& whose) {
  const SystemNames names;
  const TextStyle style = style_of_stdout();
  std::cout << whose << '\n';
  for (const auto& diagnosis : answers.diagnoses) {
    std::cout << '\n' << explain_text(diagnosis, names, style);
  }
  for (const auto& each : answers.unexamined) {
    std::cerr << "permguard: " << printable(each.path)
              << ": cannot be examined: " << unexamined_words(each.error) << '\n';
  }
}

/// Prints them; the exit status.
int report(const Answers& answers, const Identity& who, const std::string& whose,
           const std::string& format) {
  if (format == "json") {
    std::cout << dump(findings_document(who, answers.diagnoses.size(), answers.findings(),
                                        answers.unexamined, style_of_stdout().now),
                      2)
              << '\n';
  } else {
    print_text(answers, whose);
  }
  return answers.status();
}

}  // namespace

ExplainCommand::ExplainCommand(CLI::App& parent)
    : app_(parent.add_subcommand("explain", "Show why a user can or cannot run a script")) {
  app_->add_option("PATH", paths_, "The scripts, files or sockets")->required()->type_name("");
  add_whose_options(*app_, whose_);
  // With --suexec one names the target and the other the caller.
  app_->get_option("--pid")->remove_excludes(app_->get_option("--as"));
  app_->get_option("--as")->remove_excludes(app_->get_option("--pid"));
  auto* need = add_need_option(*app_, need_);
  app_->add_flag("--suexec", suexec_,
                 "As suexec runs it: its policy, then what the target user needs [the owner]")
      ->excludes(need);
  add_format_option(*app_, format_, {"text", "json"});
}

bool ExplainCommand::chosen() const {
  return app_->parsed();
}

int ExplainCommand::run() {
  std::vector<std::string> targets;
  for (const auto& path : paths_) targets.push_back(absolute_path(path));
  if (suexec_) {
    const SuexecRights rights(whose_, targets);
    return report(examine(targets, rights), rights.who(), rights.words(), format_);
  }
  if (whose_.pid && whose_.as) throw CommandError("--pid excludes --as, but for --suexec");
  const WhoseRights rights = whose_rights(whose_);
  const Answers answers = examine(targets, rights, need_);
  rights.check_still_there();
  return report(answers, rights.who, rights.words(), format_);
}

}  // namespace permguard::cli
