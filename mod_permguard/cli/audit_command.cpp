// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_command.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/against.h"
#include "cli/audit_httpd.h"
#include "cli/audit_run.h"
#include "cli/paths.h"
#include "cli/remedy_list.h"
#include "cli/terminal.h"
#include "core/link_free.h"
#include "core/unexamined.h"
#include "report/audit_metrics.h"
#include "report/explain_text.h"
#include "report/json_text.h"
#include "report/puppet.h"
#include "report/sentence.h"

namespace permguard::cli {
namespace {

/// The risks named by --forbid. Throws CommandError for a word that is none.
std::vector<Code> codes_of(const std::vector<std::string>& words) {
  std::vector<Code> codes;
  for (const std::string& word : words) {
    const std::optional<Code> code = code_from_name(word);
    const bool risk = code && *code >= Code::world_writable && *code <= Code::dir_world_writable;
    if (!risk) throw CommandError("--forbid '" + word + "': not the code of a risk");
    codes.push_back(*code);
  }
  return codes;
}

void add_comparison(AuditResult& result, const WhoseRights& rights, const std::string& file) {
  Comparison comparison =
      compare(read_desired(file, Trust::anybodys), LinkFreeFilesystem(), SystemNames(), geteuid());
  result.checked += comparison.files.size();
  result.compared = std::move(comparison.files);
  const std::size_t user = result.user(rights);
  for (Finding& finding : comparison.findings) result.keep(user, std::move(finding));
  for (Unexamined& path : comparison.unexamined) result.keep(std::move(path));
  result.added = std::move(comparison.added);
  result.moved = std::move(comparison.moved);
}

std::uint64_t number_of(const AuditResult& result) {
  return result.kept + result.left_out;
}

void print_user(const UserFindings& user, std::int64_t now) {
  std::cout << user.words << '\n';
  const std::span<const Finding> all = user.findings;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].target == all[begin].target) ++end;
    const auto one_target = all.subspan(begin, end - begin);
    std::cout << printable(log_sentence(one_target, user.who, now)) << '\n';
    begin = end;
  }
}

void print_text(const AuditResult& result) {
  const std::int64_t now = style_of_stdout().now;
  for (const UserFindings& user : result.users) print_user(user, now);
  for (const std::string& path : result.added) std::cout << "new: " << printable(path) << '\n';
  if (result.left_out > 0) std::cout << "and " << result.left_out << " more findings\n";
  std::cout << result.checked << " files examined, " << number_of(result) << " findings\n";
}

/// The document, with the findings written one by one: all at once they would take much memory.
void print_json(const AuditResult& result) {
  const std::int64_t now = style_of_stdout().now;
  auto document =
      findings_document(result.users.front().who, result.checked, {}, result.unexamined, now);
  document["healthy"] = result.unexamined.empty() && !result.fails();
  if (result.left_out > 0) document["findings_left_out"] = result.left_out;
  if (result.unexamined_left_out > 0) document["unexamined_left_out"] = result.unexamined_left_out;
  for (const std::string& path : result.added) {
    nlohmann::ordered_json entry;
    add_path(entry, "path", path);
    document["new"].push_back(std::move(entry));
  }
  for (const PresentRoot& root : result.moved) {
    nlohmann::ordered_json entry;
    add_path(entry, "path", root.then.path);
    add_path(entry, "was", root.then.real);
    add_path(entry, "is", root.real);
    document["moved"].push_back(std::move(entry));
  }
  const std::string text = dump(document, 2);
  constexpr std::string_view kEmpty = "\"findings\": []";
  const std::size_t gap = text.find(kEmpty) + kEmpty.size() - 1;
  std::cout << text.substr(0, gap);
  const char* separator = "\n    ";
  for (const UserFindings& user : result.users) {
    for (const Finding& finding : user.findings) {
      std::cout << separator << dump(finding_json(finding, user.who, now));
      separator = ",\n    ";
    }
  }
  std::cout << (result.kept == 0 ? "" : "\n  ") << text.substr(gap) << '\n';
}

void print_metrics(const AuditResult& result) {
  std::cout << audit_metrics({result.checked, result.unexamined.size() + result.unexamined_left_out,
                              style_of_stdout().now, result.seconds, result.counts});
}

void print_puppet(const AuditResult& result) {
  RemedyList remedies;
  std::vector<std::string> whose;
  for (const UserFindings& user : result.users) {
    whose.push_back(user.words);
    for (const Finding& finding : user.findings) remedies.add(finding);
  }
  const Plan plan =
      plan_changes(LinkFreeFilesystem(), remedies.steps(), id_of_name, remedies.examined());
  std::cout << puppet_manifest(plan.changes, remedies.remaining(), SystemNames(), whose);
  for (const Unplanned& each : plan.unplanned) {
    std::cerr << "permguard: " << printable(each.path)
              << ": not in the manifest: " << std::strerror(each.error) << '\n';
  }
  if (result.left_out > 0) {
    std::cerr << "permguard: " << result.left_out << " findings are not in the manifest\n";
  }
}

void say_left_out(const AuditResult& result) {
  for (const PresentRoot& root : result.moved) {
    std::cerr << "permguard: " << printable(words_of(root)) << '\n';
  }
  for (const Unexamined& each : result.unexamined) {
    std::cerr << "permguard: " << printable(each.path)
              << ": cannot be examined: " << unexamined_words(each.error) << '\n';
  }
  if (result.unexamined_left_out > 0) {
    std::cerr << "permguard: and " << result.unexamined_left_out << " more paths\n";
  }
}

int status_of(const AuditResult& result) {
  if (!result.unexamined.empty()) return kFailed;
  return result.fails() ? kFindings : kHealthy;
}

}  // namespace

AuditCommand::AuditCommand(CLI::App& parent)
    : app_(parent.add_subcommand("audit", "Check whole trees, or what an httpd dispatches")) {
  app_->add_option("DIR", directories_, "The directories")->type_name("");
  httpd_option_ = app_->add_option("--httpd", apachectl_,
                                   "Check what the configuration of this httpd dispatches")
                      ->type_name("[=APACHECTL]")
                      ->expected(0, 1);
  refuse_empty(
      app_->add_option("--against", against_, "Compare with the desired state of this snapshot"))
      ->type_name("FILE");
  app_->add_option("--forbid", forbid_, "Risks that count as errors")
      ->type_name("CODE,...")
      ->delimiter(',');
  app_->add_option("--jobs", jobs_, "Threads [one a processor]")
      ->type_name("N")
      ->check(CLI::Range(1U, 64U));
  app_->add_flag("--all", all_, "Every file, not only those with an x bit or #!");
  add_whose_options(*app_, whose_);
  need_option_ = add_need_option(*app_, need_);
  add_format_option(*app_, format_, {"text", "json", "openmetrics", "puppet"});
}

bool AuditCommand::chosen() const {
  return app_->parsed();
}

int AuditCommand::run() {
  const bool httpd = httpd_option_->count() > 0;
  if (directories_.empty() && !httpd && against_.empty()) {
    throw CommandError("audit: DIR, --httpd or --against FILE is needed");
  }
  if (httpd && !directories_.empty()) throw CommandError("--httpd excludes DIR");
  if (apachectl_.empty()) apachectl_ = "apachectl";  // CLI11 sets "" where no value is given
  AuditOptions options;
  options.need = need_;
  options.all = all_;
  options.forbidden = codes_of(forbid_);

  const unsigned jobs = jobs_ != 0 ? jobs_ : std::max(1U, std::thread::hardware_concurrency());
  const std::vector<std::string> roots = roots_of(directories_);
  const WhoseRights rights = httpd ? rights_for_configuration(whose_) : whose_rights(whose_);
  AuditResult result;
  if (httpd) {
    audit_httpd(result, apachectl_, rights,
                {options, jobs, whose_.as.has_value(), need_option_->count() > 0});
  } else {
    result.user(rights);
  }
  if (!against_.empty()) add_comparison(result, rights, against_);
  if (!roots.empty()) audit_trees(result, roots, rights, options, jobs);
  rights.check_still_there();
  result.sort();
  result.let_drift_go_first();
  if (format_ == "json") {
    print_json(result);
  } else if (format_ == "openmetrics") {
    print_metrics(result);
  } else if (format_ == "puppet") {
    print_puppet(result);
  } else {
    print_text(result);
  }
  say_left_out(result);
  return status_of(result);
}

}  // namespace permguard::cli
