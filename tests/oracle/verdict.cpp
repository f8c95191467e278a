// SPDX-License-Identifier: Apache-2.0
#include "oracle/verdict.h"

#include <gtest/gtest.h>

#include <utility>

#include "incidents/finding_record.h"
#include "oracle/identities.h"

namespace permguard::oracle {

namespace {

// What is forged is not believed; but what the engine finds itself must be.
void expect_kept(const Finding& finding, const Identity& who) {
  shared::FindingRecord record;
  shared::encode(finding, who, "", record);
  EXPECT_TRUE(shared::decode(record.bytes()))
      << name_of(finding.code) << " of " << finding.path << " is taken for damaged";
}

}  // namespace

const char* name_of(Mode mode) {
  switch (mode) {
    case Mode::exec_check:
      return "with AT_EXECVE_CHECK";
    case Mode::access_only:
      return "with faccessat2 only";
    case Mode::model:
      return "from mode, ACL and mounts only";
  }
  return "";
}

Verdicts::Verdicts(std::span<const Identity> identities)
    : identities_(identities.begin(), identities.end()), surroundings_(read_surroundings()) {
  for (const auto& who : identities_) {
    with_check_.push_back(std::make_unique<DelegateKernel>(who, true));
    without_check_.push_back(std::make_unique<DelegateKernel>(who, false));
    for (const auto* kernel : {with_check_.back().get(), without_check_.back().get()}) {
      if (kernel->error() != 0) error_ = kernel->error();
    }
  }
}

Verdict Verdicts::ask(const std::string& target, std::size_t identity, Mode mode,
                      const std::string& search_path) const {
  static const SystemFilesystem filesystem;
  static const NumberNames names;
  const Kernel* kernel = mode == Mode::exec_check    ? with_check_[identity].get()
                         : mode == Mode::access_only ? without_check_[identity].get()
                                                     : nullptr;
  Question question;
  question.target = target;
  question.who = identities_[identity];
  question.search_path = search_path;
  const Examiner examiner{filesystem, names, kernel, surroundings_};
  Diagnosis diagnosis = diagnose(examiner, question);
  for (const Finding& finding : diagnosis.findings) expect_kept(finding, question.who);
  return {std::move(diagnosis), kernel != nullptr && passes(examiner, question)};
}

}  // namespace permguard::oracle
