// SPDX-License-Identifier: Apache-2.0
#include "core/checker.h"

#include <algorithm>
#include <cerrno>

#include "core/chain.h"
#include "core/file_capabilities.h"
#include "core/inspection.h"
#include "core/second_look.h"
#include "core/set_id.h"

namespace permguard {
namespace {

/// The positive look: every file of the chain is asked for with one call, links are left to the
/// kernel, and the first doubt ends it.
class QuickLook {
 public:
  QuickLook(const Examiner& examiner, const Question& question)
      : examiner_(examiner), question_(question) {}

  bool run() {
    if (examiner_.kernel == nullptr) {
      return false;
    }
    if (question_.need != Need::execute) {
      return has_type() &&
             allows(question_.target, question_.need == Need::connect ? kWrite : kRead);
    }
    const std::string directory = question_.working_directory.empty()
                                      ? directory_of(question_.target)
                                      : question_.working_directory;
    return runs(question_.target, {question_.search_path, directory}, 0);
  }

 private:
  bool allows(const std::string& path, Permissions wanted) const {
    return examiner_.kernel->may_access(path, wanted).allowed();
  }

  /// Read needs a regular file; what a socket or directory needs is left to the long look.
  bool has_type() const {
    const Result<FileStatus> file = examiner_.filesystem.target_status(question_.target);
    return file && file.value.type ==
                       (question_.need == Need::connect ? FileType::socket : FileType::regular);
  }

  bool runs(const std::string& path, const ExecContext& context, unsigned depth) {
    const Result<FileStatus> file = examiner_.filesystem.target_status(path);
    const Result<std::string> bytes = examiner_.filesystem.read(path, 0, kHeadBytes);
    if (!file || !bytes || ++files_ > kMaxFiles ||
        examiner_.surroundings.binfmt.match(path, bytes.value) != nullptr) {
      return false;
    }
    const FileHead head = read_head(bytes.value, file.value.size, examiner_.surroundings.machine,
                                    [&](std::uint64_t offset, std::size_t count) {
                                      return examiner_.filesystem.read(path, offset, count).value;
                                    });
    if (head.fault || !allows(path, head.shebang ? kRead | kExecute : kExecute)) {
      return false;
    }
    if (head.elf && capabilities_refused(examiner_.filesystem, examiner_.surroundings, path) != 0) {
      return false;
    }
    // It may read the scripts before it with other rights: for the long look.
    if (files_ > 1 && has_set_id(file.value)) {
      return false;
    }
    const NextFile next = next_for_kernel(head, context);
    if (next.kind == NextFile::Kind::none) {
      return true;
    }
    if (next.role == Role::loader) {
      return loads(next.path, *head.elf);
    }
    const std::string interpreter = as_seen_from(next.path, context.directory);
    return depth < kMaxInterpreterDepth && runs(interpreter, context, depth + 1) &&
           (!is_env(next.path) || env_runs(path, *head.shebang, context, depth));
  }

  bool loads(const std::string& loader, const ElfHeader& program) const {
    const Result<FileStatus> file = examiner_.filesystem.target_status(loader);
    const Result<std::string> bytes = examiner_.filesystem.read(loader, 0, kHeadBytes);
    const auto more = [&](std::uint64_t offset, std::size_t count) {
      return examiner_.filesystem.read(loader, offset, count).value;
    };
    return file && bytes && allows(loader, kExecute) &&
           loader_fault(bytes.value, file.value.size, program, examiner_.surroundings.machine, more)
               .empty();
  }

  bool env_runs(const std::string& script, const Shebang& shebang, const ExecContext& context,
                unsigned depth) {
    const NextFile next = next_for_env(script, shebang, context);
    if (next.guessed || next.kind != NextFile::Kind::command ||
        !may_go(context, next.directory, depth)) {
      return false;
    }
    const CommandLookup found = find_command(
        next.path, next.search_path, next.directory, [&](const std::string& candidate) {
          const KernelAnswer answer = examiner_.kernel->may_access(candidate, kExecute);
          return answer.allowed() || answer.refused() ? answer.error : EACCES;
        });
    // An env that env runs has words of its own: for the long look.
    return found.error == 0 && !is_env(found.path) &&
           runs(as_seen_from(found.path, next.directory), {next.search_path, next.directory}, 0);
  }

  /// Whether env may change to `directory`, if it does. A script that is an interpreter itself may
  /// be known by a relative name, which then leads elsewhere: for the long look.
  bool may_go(const ExecContext& context, const std::string& directory, unsigned depth) const {
    return directory == context.directory || (depth == 0 && allows(directory + "/.", kExecute));
  }

  static constexpr unsigned kMaxFiles = 32;

  const Examiner& examiner_;
  const Question& question_;
  unsigned files_ = 0;
};

/// Whether a finding is one that a request may be refused for.
bool may_be_refused(const Diagnosis& diagnosis) {
  return std::any_of(diagnosis.findings.begin(), diagnosis.findings.end(),
                     [](const Finding& finding) {
                       return finding.severity == Severity::error && !finding.conditional;
                     });
}

/// A deployment changes a path once; what moves on and on is httpd's to try.
constexpr int kMostLooks = 4;

}  // namespace

const Finding* Diagnosis::lead() const {
  const auto lead = std::find_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.severity == Severity::error;
  });
  return lead == findings.end() ? nullptr : &*lead;
}

Diagnosis diagnose(const Examiner& examiner, const Question& question) {
  Diagnosis diagnosis;
  for (int look = 0; look < kMostLooks; ++look) {
    const TimeMark began;
    Inspection inspection(examiner, question);
    diagnosis = inspection.run();
    if (!may_be_refused(diagnosis) ||
        stood_still(examiner.filesystem, diagnosis, inspection.other_walks(), began)) {
      return diagnosis;
    }
    if (look + 1 < kMostLooks) began.wait_for_next();
  }
  diagnosis.unsettled = true;
  for (Finding& finding : diagnosis.findings) finding.certainty = Certainty::modelled;
  return diagnosis;
}

bool passes(const Examiner& examiner, const Question& question) {
  return QuickLook(examiner, question).run();
}

}  // namespace permguard
