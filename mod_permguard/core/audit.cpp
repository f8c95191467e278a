// SPDX-License-Identifier: Apache-2.0
#include "core/audit.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "core/chain.h"
#include "core/remedy.h"
#include "core/remedy_limits.h"

namespace permguard {
namespace {

constexpr unsigned kAnyExecute = 0111;

constexpr std::size_t kMostWaiting = 4096;
/// How often a file is looked at that was absent, though it is there before and after.
constexpr int kMostLooks = 3;
/// How deep one worker descends with all directories above still open: each costs a descriptor.
constexpr unsigned kMostNested = 16;

/// Directories still to be entered, shared by the workers. The last in is the first out.
class DirectoryStack {
 public:
  void push(std::string directory) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(directory));
    changed_.notify_one();
  }

  /// Enough waits: who finds another directory had better enter it at once.
  bool is_full() {
    const std::lock_guard lock(mutex_);
    return waiting_.size() >= kMostWaiting;
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
  SerialSink(AuditSink& sink, std::uint64_t most) : sink_(sink), most_(most) {}

  void examined(const std::string& path, std::vector<Finding> findings) {
    const std::lock_guard lock(mutex_);
    sink_.examined(path, std::move(findings));
  }
  void unexamined(const std::string& path, int error) {
    const std::lock_guard lock(mutex_);
    sink_.unexamined(path, error);
  }
  bool go_on() {
    const std::lock_guard lock(mutex_);
    going_on_ = going_on_ && sink_.go_on();
    return going_on_;
  }
  /// Before another name of `directory`.
  bool go_on_in(const std::string& directory) {
    const std::lock_guard lock(mutex_);
    if (going_on_ && most_ != 0 && names_++ == most_) {
      sink_.truncated(directory);
      going_on_ = false;
    }
    going_on_ = going_on_ && sink_.go_on();
    return going_on_;
  }

 private:
  std::mutex mutex_;
  AuditSink& sink_;
  std::uint64_t most_;
  std::uint64_t names_ = 0;
  bool going_on_ = true;
};

bool is_denied(int error) {
  return error == EACCES || error == EPERM;
}

void forbid(std::vector<Finding>& findings, const std::vector<Code>& forbidden) {
  for (Finding& finding : findings) {
    if (std::find(forbidden.begin(), forbidden.end(), finding.code) != forbidden.end()) {
      finding.severity = Severity::error;
    }
  }
}

/// Nothing is wrong but what would be if the file were a script.
bool is_undecided(const std::vector<Finding>& findings) {
  bool conditional = false;
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error && !finding.conditional) return false;
    conditional = conditional || finding.conditional;
  }
  return conditional;
}

/// Another asker, of which is remembered what it could not be asked.
class NotedKernel : public Kernel {
 public:
  explicit NotedKernel(std::unique_ptr<const Kernel> kernel) : kernel_(std::move(kernel)) {}

  KernelAnswer may_access(const std::string& path, Permissions wanted) const override {
    return noted(kernel_->may_access(path, wanted));
  }
  KernelAnswer may_execute(const std::string& path) const override {
    return noted(kernel_->may_execute(path));
  }
  /// The errno of the last answer that was lost since this was asked; 0: none.
  int take_loss() const { return std::exchange(loss_, 0); }

 private:
  KernelAnswer noted(const KernelAnswer& answer) const {
    if (answer.lost()) loss_ = answer.error;
    return answer;
  }

  std::unique_ptr<const Kernel> kernel_;
  mutable int loss_ = 0;
};

std::unique_ptr<const NotedKernel> noted(std::unique_ptr<const Kernel> kernel) {
  return kernel ? std::make_unique<const NotedKernel>(std::move(kernel)) : nullptr;
}

class Worker {
 public:
  Worker(const Auditor& auditor, const AuditOptions& options, DirectoryStack& stack,
         SerialSink& sink)
      : auditor_(auditor),
        options_(options),
        stack_(stack),
        sink_(sink),
        kernel_(noted(auditor.make_kernel ? auditor.make_kernel() : nullptr)),
        judge_(auditor.make_judge ? auditor.make_judge() : FileJudge{}) {}

  void run() {
    for (std::string directory; stack_.pop(directory);) {
      enter(directory);
      stack_.finished();
    }
  }

  /// What the caller names is examined whatever it looks like, and its absence is said.
  void look_at_root(const std::string& path) {
    const Result<FileStatus> file = auditor_.filesystem.target_status(path);
    if (!file && !is_denied(file.error)) {
      sink_.unexamined(path, file.error);
    } else if (file && file.value.type == FileType::directory) {
      stack_.push(path);
    } else {
      tell(path, findings_of(path));
      if (!file) sink_.unexamined(path, file.error);
    }
  }

 private:
  void enter(const std::string& directory) {
    if (!sink_.go_on()) return;
    ++nested_;
    bool searchable = true;
    const int error = auditor_.filesystem.each_name(directory, [&](std::string_view name) {
      if (!sink_.go_on_in(directory)) return false;
      searchable = look_at(directory, std::string(name));
      return searchable;
    });
    --nested_;
    if (error != 0) refuse_to_list(directory, error);
    if (!searchable) sink_.unexamined(directory, EACCES);
  }

  /// False where the directory may not be searched: no other name of it would tell more.
  bool look_at(const std::string& directory, const std::string& name) {
    const std::string path = absolute(name, directory);
    const Result<FileStatus> file = auditor_.filesystem.status(path);
    if (is_denied(file.error)) {
      examine(path);
      return false;
    }
    if (is_excluded(path)) return true;
    if (!file) {
      say_unexamined(path, file.error);
    } else if (file.value.type == FileType::directory) {
      stack_.is_full() && nested_ < kMostNested ? enter(path) : stack_.push(path);
    } else if (options_.names.fit(path) && is_candidate(path, file.value)) {
      examine(path);
    }
    return true;
  }

  bool is_excluded(const std::string& path) const {
    const auto& excluded = options_.excluded;
    return std::find(excluded.begin(), excluded.end(), path) != excluded.end();
  }

  /// Links count by what they lead to; one that leads nowhere is worth a finding.
  bool is_candidate(const std::string& path, const FileStatus& file) {
    FileStatus target = file;
    if (file.type == FileType::symlink) {
      const Result<FileStatus> followed = auditor_.filesystem.target_status(path);
      if (!followed) return true;
      target = followed.value;
    }
    if (options_.need == Need::connect) return target.type == FileType::socket;
    if (target.type != FileType::regular) return false;
    const bool counts =
        options_.all || options_.need == Need::read || (target.mode & kAnyExecute) != 0;
    return counts || starts_like_a_script(path);
  }

  bool starts_like_a_script(const std::string& path) {
    const Result<std::string> begin = auditor_.filesystem.read(path, 0, 2);
    if (begin) return begin.value == "#!";
    if (options_.unreadable_counts && is_denied(begin.error)) return true;
    say_unexamined(path, begin.error);
    return false;
  }

  /// What vanished since its directory was listed is no finding. It may come back meanwhile, as
  /// where somebody deploys by unlink and create: then the next look counts.
  void examine(const std::string& path) {
    for (int look = 0; look < kMostLooks; ++look) {
      std::vector<Finding> findings = findings_of(path);
      const bool absent = !findings.empty() && findings.front().code == Code::not_found &&
                          findings.front().role == role();
      if (!absent) return tell(path, std::move(findings));
      if (auditor_.filesystem.status(path).error != 0) return;
    }
  }

  Role role() const {
    const bool socket = options_.need == Need::connect && options_.role == Role::script;
    return socket ? Role::socket : options_.role;
  }

  /// What cannot be read and might run is undecided, as where explain is asked. Nobody but the
  /// process that runs a script can tell where a way through its own links in /proc leads.
  void tell(const std::string& path, std::vector<Finding> findings) {
    const bool undecided = !options_.unreadable_counts && is_undecided(findings);
    std::erase_if(findings, [&](const Finding& finding) {
      const bool of_the_process = finding.hint == kSeenFromHere;
      return finding.conditional && (undecided || (options_.unreadable_counts && of_the_process));
    });
    sink_.examined(path, std::move(findings));
    const int loss = kernel_ ? kernel_->take_loss() : 0;
    if (undecided || loss != 0) sink_.unexamined(path, loss != 0 ? loss : EACCES);
  }

  std::vector<Finding> findings_of(const std::string& path) {
    std::vector<Finding> findings = judge(question(path, role()));
    if (options_.desired.empty()) return findings;
    const Result<FileStatus> file = auditor_.filesystem.target_status(path);
    if (!file || file.value.type != FileType::regular) return findings;
    auto drift = drift_of(auditor_.names, path, {path, file.value, {}}, options_.desired);
    heed_drift(examiner(), question(path, role()), drift);
    std::move(drift.begin(), drift.end(), std::back_inserter(findings));
    return findings;
  }

  std::vector<Finding> judge(const Question& question) {
    if (!judge_) return audit_file(examiner(), question, options_.forbidden);
    std::vector<Finding> findings = judge_(examiner(), question);
    for (Finding& risk : risks_of_file(examiner(), question)) {
      if (risk.code != Code::server_writable) findings.push_back(std::move(risk));
    }
    forbid(findings, options_.forbidden);
    return findings;
  }

  void refuse_to_list(const std::string& directory, int error) {
    if (is_denied(error)) {
      Question about = question(directory, Role::directory);
      about.need = Need::read;
      std::vector<Finding> findings = diagnose(examiner(), about).findings;
      about.target = directory + "/.";
      for (Finding& inside : diagnose(examiner(), about).findings) {
        const bool told =
            std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
              return finding.code == inside.code && finding.path == inside.path;
            });
        if (inside.code == Code::search_denied && !told) {
          lead_with(std::move(inside), directory, findings);
        }
      }
      sink_.examined(directory, std::move(findings));
    }
    say_unexamined(directory, error);
  }

  /// Who may not search it either runs nothing in it. One remedy for both rights, since a named
  /// entry for one of them would take the other.
  void lead_with(Finding search, const std::string& directory, std::vector<Finding>& findings) {
    const Result<std::optional<Acl>> acl = auditor_.filesystem.acl(search.path);
    const bool told = std::none_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      return finding.path == search.path && finding.remedy.withheld;
    });
    if (search.file && acl && told && !search.remedy.steps.empty()) {
      search.remedy =
          least_grant(search.path, *search.file, acl.value, auditor_.who, kRead | kExecute);
    }
    for (Finding& finding : findings) {
      if (finding.path == search.path && told) finding.remedy = search.remedy;
    }
    search.target = directory;
    search.detail.clear();
    findings.insert(findings.begin(), std::move(search));
  }

  void say_unexamined(const std::string& path, int error) {
    if (error != ENOENT) sink_.unexamined(path, error);
  }

  Examiner examiner() const {
    return {auditor_.filesystem, auditor_.names, kernel_.get(), auditor_.surroundings};
  }

  Question question(const std::string& path, Role role) const {
    Question question;
    question.target = path;
    question.need = options_.need;
    question.role = role;
    question.who = auditor_.who;
    question.search_path = auditor_.search_path;
    question.certainty = auditor_.certainty;
    return question;
  }

  const Auditor& auditor_;
  const AuditOptions& options_;
  DirectoryStack& stack_;
  SerialSink& sink_;
  std::unique_ptr<const NotedKernel> kernel_;
  FileJudge judge_;
  unsigned nested_ = 0;
};

/// The last two steps of a walk, without the walk: for a file that passed and is no link.
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

}  // namespace

std::vector<Finding> risks_of_file(const Examiner& examiner, const Question& question) {
  const Result<FileStatus> file = examiner.filesystem.status(question.target);
  const bool link = file && file.value.type == FileType::symlink;
  if (!link) {
    std::vector<Finding> found =
        risks(examiner, question, end_of(examiner.filesystem, question.target));
    if (found.empty()) return found;
  }
  // A directory on the way may be a link too, which the remedy must know.
  return risks(examiner, question,
               walk_path(examiner.filesystem, question.target, question.who, {}));
}

void heed_drift(const Examiner& examiner, const Question& question, std::vector<Finding>& drift) {
  if (drift.empty()) return;
  const Walk walk = walk_path(examiner.filesystem, question.target, question.who, {});
  for (Finding& finding : drift) {
    // It is the file that a link leads to that has drifted.
    heed_leads(examiner.names, {links_of(walk), goal_of(walk, question.target)}, finding);
    heed_mount(examiner.filesystem.mount(finding.path).value, examiner.surroundings, finding);
    heed_refusals(examiner.filesystem, examiner.surroundings, finding);
  }
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

Finding missing_place(const std::string& path, Need need) {
  Finding finding;
  finding.code = Code::not_found;
  finding.role = Role::directory;
  finding.severity = Severity::warning;
  finding.need = need;
  finding.target = finding.path = path;
  finding.error = ENOENT;
  finding.remedy = general_remedy(finding);
  return finding;
}

void audit(const Auditor& auditor, const std::vector<std::string>& roots,
           const AuditOptions& options, unsigned jobs, AuditSink& sink) {
  DirectoryStack stack;
  SerialSink serial(sink, options.most_names);
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
