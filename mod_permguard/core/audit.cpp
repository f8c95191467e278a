// SPDX-License-Identifier: Apache-2.0
#include "core/audit.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "core/chain.h"
#include "core/remedy.h"

namespace permguard {
namespace {

constexpr unsigned kAnyExecute = 0111;

/// Directories still to be entered, shared by the workers. The last in is the first out, so that
/// what waits is bounded by the siblings along one path.
class DirectoryStack {
 public:
  void push(std::string directory) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(directory));
    changed_.notify_one();
  }

  /// The next directory; false when all are done. The caller says finished() for each.
  bool pop(std::string& directory) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !waiting_.empty() || busy_ == 0; });
    if (waiting_.empty()) {
      return false;
    }
    directory = std::move(waiting_.back());
    waiting_.pop_back();
    ++busy_;
    return true;
  }

  void finished() {
    const std::lock_guard lock(mutex_);
    --busy_;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> waiting_;
  unsigned busy_ = 0;
};

/// The caller's sink, one call at a time; remembers that the audit is to end.
class SerialSink {
 public:
  explicit SerialSink(AuditSink& sink) : sink_(sink) {}

  void examined(const std::string& path, std::vector<Finding> findings) {
    const std::lock_guard lock(mutex_);
    sink_.examined(path, std::move(findings));
  }
  void unexamined(const std::string& path, int error) {
    const std::lock_guard lock(mutex_);
    sink_.unexamined(path, error);
  }
  void truncated(const std::string& directory) {
    const std::lock_guard lock(mutex_);
    sink_.truncated(directory);
  }
  bool go_on() {
    const std::lock_guard lock(mutex_);
    going_on_ = going_on_ && sink_.go_on();
    return going_on_;
  }

 private:
  std::mutex mutex_;
  AuditSink& sink_;
  bool going_on_ = true;
};

bool vanished(int error) {
  return error == ENOENT || error == ENOTDIR || error == ESTALE;
}

class Worker {
 public:
  Worker(const Auditor& auditor, const AuditOptions& options, DirectoryStack& stack,
         SerialSink& sink)
      : auditor_(auditor),
        options_(options),
        stack_(stack),
        sink_(sink),
        kernel_(auditor.make_kernel ? auditor.make_kernel() : nullptr) {}

  void run() {
    for (std::string directory; stack_.pop(directory);) {
      enter(directory);
      stack_.finished();
    }
  }

  /// What the caller names is examined whatever it looks like, and its absence is said.
  void look_at_root(const std::string& path) {
    const Result<FileStatus> file = auditor_.filesystem.target_status(path);
    if (!file) {
      file.error == EACCES ? refuse(path, EACCES) : sink_.unexamined(path, file.error);
    } else if (file.value.type == FileType::directory) {
      stack_.push(path);
    } else {
      sink_.examined(path, audit_file(examiner(), question(path), options_.forbidden));
    }
  }

 private:
  void look_at(const std::string& path) {
    const Result<FileStatus> file = auditor_.filesystem.status(path);
    if (!file) {
      refuse(path, file.error);
    } else if (file.value.type == FileType::directory) {
      stack_.push(path);
    } else if (is_candidate(path, file.value)) {
      sink_.examined(path, audit_file(examiner(), question(path), options_.forbidden));
    }
  }

  void enter(const std::string& directory) {
    if (!sink_.go_on()) {
      return;
    }
    const std::size_t limit = options_.files_per_directory;
    Result<std::vector<std::string>> names = auditor_.filesystem.list(directory, limit + 1);
    if (!names) {
      refuse(directory, names.error);
      return;
    }
    if (names.value.size() > limit) {
      names.value.resize(limit);
      sink_.truncated(directory);
    }
    std::sort(names.value.begin(), names.value.end());
    for (const std::string& name : names.value) {
      if (!sink_.go_on()) {
        return;
      }
      look_at(absolute(name, directory));
    }
  }

  /// Links count by what they lead to; one that leads nowhere is worth a finding.
  bool is_candidate(const std::string& path, const FileStatus& file) const {
    FileStatus target = file;
    if (file.type == FileType::symlink) {
      const Result<FileStatus> followed = auditor_.filesystem.target_status(path);
      if (!followed) {
        return followed.error == ENOENT || followed.error == ELOOP || followed.error == ENOTDIR;
      }
      target = followed.value;
    }
    if (target.type != FileType::regular) {
      return false;
    }
    return options_.all || options_.need == Need::read || (target.mode & kAnyExecute) != 0 ||
           auditor_.filesystem.read(path, 0, 2).value == "#!";
  }

  void refuse(const std::string& path, int error) {
    if (vanished(error)) {
      return;
    }
    if (error == EACCES || error == EPERM) {
      Question about = question(path);
      about.need = Need::read;
      about.role = Role::directory;
      sink_.examined(path, diagnose(examiner(), about).findings);
    }
    sink_.unexamined(path, error);
  }

  Examiner examiner() const {
    return {auditor_.filesystem, auditor_.names, kernel_.get(), auditor_.surroundings};
  }

  Question question(const std::string& path) const {
    Question question;
    question.target = path;
    question.need = options_.need;
    question.who = auditor_.who;
    question.search_path = auditor_.search_path;
    question.certainty = auditor_.certainty;
    return question;
  }

  const Auditor& auditor_;
  const AuditOptions& options_;
  DirectoryStack& stack_;
  SerialSink& sink_;
  std::unique_ptr<Kernel> kernel_;
};

/// The last two steps of a walk, without the walk: for a file that passed.
Walk end_of(const Filesystem& filesystem, const std::string& path) {
  Walk walk;
  for (const bool last : {false, true}) {
    Step step;
    step.path = last ? path : directory_of(path);
    step.last = last;
    const Result<FileStatus> file = filesystem.target_status(step.path);
    const Result<std::optional<Acl>> acl = filesystem.acl(step.path);
    if (!file) {
      return {};
    }
    step.status = file.value;
    step.acl = acl.value;
    walk.steps.push_back(std::move(step));
  }
  walk.complete = true;
  return walk;
}

void forbid(std::vector<Finding>& findings, const std::vector<Code>& forbidden) {
  for (Finding& finding : findings) {
    if (std::find(forbidden.begin(), forbidden.end(), finding.code) != forbidden.end()) {
      finding.severity = Severity::error;
    }
  }
}

}  // namespace

std::vector<Finding> risks_of_file(const Examiner& examiner, const Question& question) {
  return risks(examiner, question, end_of(examiner.filesystem, question.target));
}

std::vector<Finding> audit_file(const Examiner& examiner, const Question& question,
                                const std::vector<Code>& forbidden) {
  std::vector<Finding> findings;
  std::vector<Finding> more;
  if (passes(examiner, question)) {
    more = risks_of_file(examiner, question);
  } else {
    Diagnosis diagnosis = diagnose(examiner, question);
    findings = std::move(diagnosis.findings);
    if (!diagnosis.chain.empty()) {
      more = risks(examiner, question, diagnosis.chain.front().walk);
    }
  }
  std::move(more.begin(), more.end(), std::back_inserter(findings));
  forbid(findings, forbidden);
  return findings;
}

void audit(const Auditor& auditor, const std::vector<std::string>& roots,
           const AuditOptions& options, unsigned jobs, AuditSink& sink) {
  DirectoryStack stack;
  SerialSink serial(sink);
  Worker first(auditor, options, stack, serial);
  for (const std::string& root : roots) {
    first.look_at_root(root);
  }
  std::vector<std::unique_ptr<Worker>> helpers;  // made before any thread: some askers fork
  for (unsigned i = 1; i < jobs; ++i) {
    helpers.push_back(std::make_unique<Worker>(auditor, options, stack, serial));
  }
  std::vector<std::jthread> threads;
  threads.reserve(helpers.size());
  for (const auto& helper : helpers) {
    threads.emplace_back([&helper] { helper->run(); });
  }
  first.run();
}

}  // namespace permguard
