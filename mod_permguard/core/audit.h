// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/checker.h"
#include "core/drift.h"
#include "core/script_names.h"

namespace permguard {

/// What an audit asks of every file, and within which bounds.
struct AuditOptions {
  /// execute: scripts only (see all); read: every regular file; connect: every socket.
  Need need = Need::execute;
  Role role = Role::script;     ///< what the files are: script or wrapper; sockets are sockets
  bool all = false;             ///< every regular file, not only those with an x bit or `#!`
  ScriptChoice names{};         ///< which files a handler is for; others are left out
  std::vector<Code> forbidden;  ///< risks that count as errors
  DesiredState desired{};       ///< what mode, owner and group should be
  std::vector<std::string> excluded{};  ///< paths below a root that are left out, with all below
  /// A file that cannot be read may be a script. Whether it counts as one: without, what lacks an
  /// x bit, and what only a script would need to be read for, is unexamined.
  bool unreadable_counts = false;
  std::uint64_t most_names = 0;  ///< names looked at in all; more: truncated; 0: no limit
};

/// Hears what an audit finds. With several jobs it is called by several threads, one at a time.
class AuditSink {
 public:
  virtual ~AuditSink() = default;

  /// One file was examined. `findings` may be empty.
  virtual void examined(const std::string& path, std::vector<Finding> findings) = 0;
  /// A directory or file could not be looked at; `error` is an errno. The audit goes on.
  virtual void unexamined(const std::string& path, int error) = 0;
  /// There are more names than AuditOptions::most_names; the audit ended in this directory.
  virtual void truncated(const std::string& directory) = 0;
  /// Asked before every file and directory: false ends the audit. Here a watcher keeps its pace.
  virtual bool go_on() { return true; }
};

/// Makes an asker for one thread; a null pointer or function: everything is modelled.
using KernelFactory = std::function<std::unique_ptr<Kernel>()>;

/// All that keeps a file from being run, where more than the kernel decides: suexec's policy.
/// `examiner` asks as the auditor's user. That policy wants him to own the file, so that he may
/// change it is no risk to tell of.
using FileJudge = std::function<std::vector<Finding>(const Examiner&, const Question&)>;

/// Makes a judge for one thread, so that it may hold an asker of its own.
using JudgeFactory = std::function<FileJudge()>;

/// Who asks, with whose eyes. The seams must outlive the audit and bear several threads.
struct Auditor {
  const Filesystem& filesystem;
  const Names& names;
  const Surroundings& surroundings;
  KernelFactory make_kernel;
  Identity who;
  std::string search_path;  ///< PATH the programs get
  Certainty certainty = Certainty::certain;
  JudgeFactory make_judge{};  ///< empty: passes() and diagnose()
};

/// Examines the trees below `roots` (directories; a root that is a file is examined itself) with
/// `jobs` threads, at least 1; with 1 in the calling thread. Links to directories are not followed
/// (as find(1)), links to files are examined as what they lead to; a bind mount is another name,
/// with rights of its own, and is examined too. Only regular files are opened, so a FIFO or device
/// never blocks. What cannot be looked at is told: a directory this process may not list is a
/// finding not-listable and unexamined, one that it may not search is a finding and unexamined. A
/// file that vanishes meanwhile is left out. Names are read as the directory is walked: memory is
/// bounded by `jobs`, the depth and some thousand directories that wait, not by the number of
/// files. In no order.
void audit(const Auditor& auditor, const std::vector<std::string>& roots,
           const AuditOptions& options, unsigned jobs, AuditSink& sink);

/// The warning for a directory of the configuration that is not there: nothing is served from it,
/// which httpd says with 404.
Finding missing_place(const std::string& path, Need need);

/// The risks of `question.target` (links followed), by two looks instead of a walk.
std::vector<Finding> risks_of_file(const Examiner& examiner, const Question& question);

/// What keeps the remedies of `drift`, which the file that `question` is about has, from being
/// told: a stranger's link, or the kernel. Asks only where there is drift.
void heed_drift(const Examiner& examiner, const Question& question, std::vector<Finding>& drift);

/// All that an audit says of one file or link; empty where it is healthy. For callers that
/// know their files.
std::vector<Finding> audit_file(const Examiner& examiner, const Question& question,
                                const std::vector<Code>& forbidden);

}  // namespace permguard
