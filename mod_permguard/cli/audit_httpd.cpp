// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_httpd.h"

#include <cerrno>
#include <cstring>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/command.h"
#include "cli/command_output.h"
#include "cli/httpd_process.h"
#include "core/chain.h"
#include "core/remedy.h"
#include "core/suexec_judge.h"
#include "core/unexamined.h"
#include "report/json_text.h"
#include "report/utf8.h"

namespace permguard::cli {
namespace {

using Json = nlohmann::ordered_json;

// A configuration of ten thousand hosts with names to look up takes its time.
constexpr OutputLimits kDumpLimits{
    .time = std::chrono::seconds(300), .bytes = std::size_t{256} << 20, .shows_errors = true};

/// A null value where the text is no document.
Json parsed(const std::string& text) {
  try {
    return parse_json(text);
  } catch (const std::exception&) {
    return {};
  }
}

/// What `-D DUMP_PERMGUARD_JSON` prints: the places of a configuration.
Json document_of(const std::string& apachectl) {
  const std::string command = apachectl + " -t -D DUMP_PERMGUARD_JSON";
  const auto text = output_of({"/bin/sh", "-c", command}, kDumpLimits);
  if (!text) throw CommandError("--httpd: '" + command + "' does not end, or prints too much");
  Json document = parsed(*text);
  if (!document.is_object() || !document.contains("places")) {
    throw CommandError(
        "--httpd: '" + command +
        "' names no places; is the configuration valid and permguard_module loaded?");
  }
  return document;
}

/// With the groups of the document: a WSGI daemon may have others than its user.
Identity identity_of(const Json& user) {
  const std::string spec = "#" + std::to_string(user.at("uid").get<uid_t>()) + ":#" +
                           std::to_string(user.at("gid").get<gid_t>());
  Result<Identity> who = lookup_identity(spec);
  if (!who) throw CommandError("--httpd: the user " + spec + " cannot be looked up");
  who.value.groups = user.at("groups").get<std::vector<gid_t>>();
  return std::move(who.value);
}

/// Of a place, or of what is excluded from one.
std::string path_of(const Json& place, const std::string& member = "path") {
  const std::string bytes = member + "_base64";
  if (!place.contains(bytes)) return place.at(member).get<std::string>();
  return from_base64(place.at(bytes).get<std::string>()).value_or("");
}

template <class T>
std::optional<T> member(const Json& object, const char* name) {
  return object.contains(name) ? std::optional(object.at(name).get<T>()) : std::nullopt;
}

ScriptNames names_of(const Json& names) {
  return {names.at("extensions").get<std::vector<std::string>>(),
          names.at("patterns").get<std::vector<std::string>>(),
          names.at("expressions").get<std::vector<std::string>>(),
          names.at("paths").get<std::vector<std::string>>()};
}

/// A wrapper or a socket has but one use, whatever need was asked for.
AuditOptions options_for(const Json& place, const HttpdAudit& audit) {
  AuditOptions options = audit.options;
  options.role = role_from_name(place.at("role").get<std::string>()).value_or(Role::script);
  if (!audit.need_asked || options.role != Role::script) {
    options.need = need_from_name(place.at("need").get<std::string>()).value_or(options.need);
  }
  options.names = {names_of(place.at("names")),   names_of(place.at("among")),
                   names_of(place.at("except")),  {},
                   names_of(place.at("outside")), path_of(place, "whole")};
  for (const Json& names : place.at("within")) options.names.within.push_back(names_of(names));
  // What a handler is set for is a script, whatever it looks like.
  options.all = options.all || !options.names.empty();
  for (const Json& name : place.at("forbidden")) {
    if (const auto code = code_from_name(name.get<std::string>()))
      options.forbidden.push_back(*code);
  }
  for (const Json& directory : place.at("excluded")) {
    options.excluded.push_back(path_of(directory));
  }
  const Json& desired = place.at("desired");
  options.desired = {member<unsigned>(desired, "mode"),
                     member<uid_t>(desired, "uid"),
                     member<gid_t>(desired, "gid"),
                     {}};
  return options;
}

/// As the running httpd of this configuration sees the files: systemd may have given it mounts of
/// its own.
WhoseRights with_eyes_of_httpd(WhoseRights rights, const Json& document) {
  const auto file = member<std::string>(document, "pid_file");
  const auto httpd = file && !rights.surroundings ? httpd_of_pid_file(*file) : std::nullopt;
  rights.no_httpd = !httpd && !rights.surroundings;
  if (!httpd || rights.look_as(httpd->master) != 0) return rights;
  rights.search_path = path_of_process(httpd->master).value_or(rights.search_path);
  return rights;
}

bool overlap(const std::vector<const Json*>& places) {
  std::vector<std::string> paths;
  for (const Json* place : places) paths.push_back(path_of(*place));
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t j = 0; j < paths.size(); ++j) {
      if (i != j && lies_in(paths[i], paths[j])) return true;
    }
  }
  return false;
}

class PlacesAudit {
 public:
  PlacesAudit(AuditResult& result, const Json& document, const WhoseRights& rights,
              const HttpdAudit& audit)
      : result_(result),
        audit_(audit),
        eyes_(with_eyes_of_httpd(rights, document)),
        chroot_(member<std::string>(document, "chroot")),
        server_(rights_of(document.at("user"))) {
    result_.user(server_);
  }

  void check_still_there() const { eyes_.check_still_there(); }

  void audit_place(const Json& place) {
    const std::string path = path_of(place);
    WhoseRights rights = rights_of(place.at("user"));
    const auto search_path = member<std::string>(place, "search_path").value_or("");
    if (!search_path.empty()) rights.search_path = search_path;
    const AuditOptions options = options_for(place, audit_);
    if (options.role != Role::script) {
      audit_one(path, rights, options, judge_for(place, rights, options.need));
    } else if (SystemFilesystem(rights.root).target_status(path).error == ENOENT) {
      if (place.at("part").get<bool>()) return;
      result_.keep(result_.user(rights), missing_place(path, options.need));
    } else {
      audit_trees(result_, {path}, rights, options, audit_.jobs,
                  judge_for(place, rights, options.need));
    }
  }

 private:
  WhoseRights rights_of(const Json& user) const {
    WhoseRights rights = eyes_;
    if (!audit_.as_asked) {
      rights.who = identity_of(user);
      rights.reason = rights.root.empty()
                          ? "by the configuration of httpd"
                          : "by the configuration of httpd, in the mount namespace of process " +
                                std::to_string(rights.surroundings->pid());
    }
    if (chroot_) rights.root += *chroot_;
    rights.ask_kernel = !chroot_ && can_ask(rights);  // in a jail nobody can be asked from outside
    return rights;
  }

  /// A socket or a wrapper.
  void audit_one(const std::string& path, const WhoseRights& rights, const AuditOptions& options,
                 const JudgeFactory& make_judge) {
    const AuditSeams seams(rights, {path});
    const auto kernel = rights.make_kernel();
    Question question;
    question.target = path;
    question.need = options.need;
    question.role = options.role;
    question.who = rights.who;
    question.search_path = rights.search_path;
    question.certainty = rights.certainty();
    AuditCollector collector(result_, rights);
    const Examiner examiner = seams.examiner(kernel.get());
    if (make_judge) return collector.examined(path, make_judge()(examiner, question));
    Diagnosis diagnosis = diagnose(examiner, question);
    const int error = unexamined(diagnosis);
    if (error != 0) diagnosis.findings.clear();  // they hold only if it is a script
    collector.examined(path, std::move(diagnosis.findings));
    if (error != 0) collector.unexamined(path, error);
  }

  JudgeFactory judge_for(const Json& place, const WhoseRights& rights, Need need) {
    const auto suexec = member<Json>(place, "suexec");
    if (!suexec || audit_.as_asked || need != Need::execute) return {};
    const auto settings = settings_of(suexec->at("binary").get<std::string>(), rights.root);
    if (!settings) return {};
    Result<SuexecTarget> target =
        lookup_suexec_target(rights.who.uid, rights.who.gid, suexec->at("userdir").get<bool>());
    if (!target)
      throw CommandError("--httpd: suexec's user " + rights.who.name + ": " +
                         std::strerror(target.error));
    return [this, target = std::move(target.value), settings = *settings] {
      return SuexecJudge(target, settings, server_.who, server_.make_kernel());
    };
  }

  /// Asked once. Where it does not answer, that is said once, as something not examined.
  const std::optional<SuexecSettings>& settings_of(const std::string& binary,
                                                   const std::string& root) {
    if (suexec_asked_) return suexec_;
    suexec_asked_ = true;
    Result<SuexecSettings> settings = read_suexec_settings(binary, server_.who.name);
    if (settings) {
      suexec_ = std::move(settings.value);
      refresh_suexec_config(*suexec_, SystemFilesystem(root), server_.who.name);
    } else {
      result_.keep(Unexamined{binary, settings.error});
    }
    return suexec_;
  }

  AuditResult& result_;
  const HttpdAudit& audit_;
  WhoseRights eyes_;
  std::optional<std::string> chroot_;
  WhoseRights server_;
  bool suexec_asked_ = false;
  std::optional<SuexecSettings> suexec_;
};

}  // namespace

void audit_httpd(AuditResult& result, const std::string& apachectl, const WhoseRights& rights,
                 const HttpdAudit& audit) {
  const Json document = document_of(apachectl);
  std::vector<const Json*> counting;
  for (const Json& place : document.at("places")) {
    const bool off = place.at("mode").get<std::string>() == "off";
    if (!off && !place.at("repeats").get<bool>()) counting.push_back(&place);
  }
  result.may_repeat = overlap(counting);
  PlacesAudit places(result, document, rights, audit);
  for (const Json* place : counting) places.audit_place(*place);
  places.check_still_there();
}

}  // namespace permguard::cli
