// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_run.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/command.h"

namespace permguard::cli {
namespace {

using Json = nlohmann::json;

/// What `command`, a line for sh, writes to its standard output.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "re"), pclose);
  if (!pipe) throw CommandError("cannot run " + command);
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
    text.append(buffer.data(), count);
  }
  return text;
}

/// The places of a configuration, as `-D DUMP_PERMGUARD_JSON` prints them.
Json places_of(const std::string& apachectl) {
  const std::string command = apachectl + " -t -D DUMP_PERMGUARD_JSON";
  const Json document = Json::parse(output_of(command), nullptr, false);
  if (!document.is_object() || !document.contains("places")) {
    throw CommandError(
        "--httpd: '" + command +
        "' names no places; is the configuration valid and permguard_module loaded?");
  }
  return document["places"];
}

Identity identity_of(const Json& user) {
  const std::string spec = "#" + std::to_string(user.at("uid").get<uid_t>()) + ":#" +
                           std::to_string(user.at("gid").get<gid_t>());
  Result<Identity> who = lookup_identity(spec);
  if (!who) throw CommandError("--httpd: the user " + spec + " cannot be looked up");
  return std::move(who.value);
}

void audit_socket(AuditResult& result, const std::string& path, const WhoseRights& rights) {
  const SystemFilesystem filesystem(rights.root);
  const SystemNames names;
  const Surroundings surroundings = read_surroundings(rights.surroundings.value_or(0));
  const auto kernel = rights.make_kernel();
  Question question;
  question.target = path;
  question.need = Need::connect;
  question.role = Role::socket;
  question.who = rights.who;
  question.certainty = rights.certainty();
  AuditCollector collector(result);
  collector.examined(path,
                     diagnose({filesystem, names, kernel.get(), surroundings}, question).findings);
}

}  // namespace

AuditCollector::AuditCollector(AuditResult& result)
    : result_(result), terminal_(isatty(STDERR_FILENO) == 1) {}

AuditCollector::~AuditCollector() {
  result_.seconds += std::chrono::duration<double>(Clock::now() - began_).count();
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void AuditCollector::examined(const std::string&, std::vector<Finding> findings) {
  result_.checked += findings.empty() || findings.front().role != Role::directory;
  for (Finding& finding : findings) {
    if (result_.findings.size() < kMaxKept) {
      result_.findings.push_back(std::move(finding));
    } else {
      ++result_.left_out;
    }
  }
  if (terminal_) show_progress();
}

void AuditCollector::unexamined(const std::string& path, int error) {
  result_.unexamined.push_back({path, error});
}

void AuditCollector::truncated(const std::string& directory) {
  result_.truncated.push_back(directory);
}

void AuditCollector::show_progress() {
  if (Clock::now() - shown_ < std::chrono::milliseconds(100)) return;
  shown_ = Clock::now();
  const double seconds = std::chrono::duration<double>(shown_ - began_).count();
  std::fprintf(stderr, "\r\033[K%llu files, %.0f a second, %zu findings",
               static_cast<unsigned long long>(result_.checked),
               static_cast<double>(result_.checked) / seconds, result_.findings.size());
}

void audit_trees(AuditResult& result, const std::vector<std::string>& roots,
                 const WhoseRights& rights, const AuditOptions& options, unsigned jobs) {
  const SystemFilesystem filesystem(rights.root);
  const SystemNames names;
  const Surroundings surroundings = read_surroundings(rights.surroundings.value_or(0));
  const Auditor auditor{filesystem,        names,
                        surroundings,      [&rights] { return rights.make_kernel(); },
                        rights.who,        rights.search_path,
                        rights.certainty()};
  AuditCollector collector(result);
  audit(auditor, roots, options, jobs, collector);
}

void audit_httpd(AuditResult& result, const std::string& apachectl, const WhoseRights& rights,
                 const AuditOptions& options, unsigned jobs) {
  for (const Json& place : places_of(apachectl)) {
    WhoseRights own = rights;
    own.who = identity_of(place.at("user"));
    const std::string path = place.at("path").get<std::string>();
    if (place.at("kind") == "socket") {
      audit_socket(result, path, own);
      continue;
    }
    AuditOptions asked = options;
    asked.need = need_from_name(place.at("need").get<std::string>()).value_or(options.need);
    audit_trees(result, {path}, own, asked, jobs);
  }
}

}  // namespace permguard::cli
