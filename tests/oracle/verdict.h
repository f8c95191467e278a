// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checker.h"
#include "core/identity.h"

namespace permguard::oracle {

/// How permguard may come to its verdict.
enum class Mode { exec_check, access_only, model };
inline constexpr Mode kModes[] = {Mode::exec_check, Mode::access_only, Mode::model};
const char* name_of(Mode mode);

/// permguard's answers to one question.
struct Verdict {
  Diagnosis diagnosis;
  bool quick = false;  ///< passes(): the hot path's own answer, never asked of the model

  /// Whether both answers are true of a script that ran, or did not. The quick one may doubt.
  bool agrees(bool ran) const { return diagnosis.healthy() == ran && (ran || !quick); }
};

/// permguard's side: asks for every identity in every mode, with the child processes it needs.
class Verdicts {
 public:
  /// Starts two delegates for each of `identities`. error() says what kept one from starting.
  explicit Verdicts(std::span<const Identity> identities);

  int error() const { return error_; }
  Verdict ask(const std::string& target, std::size_t identity, Mode mode,
              const std::string& search_path) const;

 private:
  std::vector<Identity> identities_;
  std::vector<std::unique_ptr<DelegateKernel>> with_check_, without_check_;
  Surroundings surroundings_;
  int error_ = 0;
};

}  // namespace permguard::oracle
