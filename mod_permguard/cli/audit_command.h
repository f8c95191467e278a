// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/options.h"

namespace CLI {
class Option;
}

namespace permguard::cli {

/// `permguard audit DIR…|--httpd[=APACHECTL]`: the check of explain over trees, or over all that an
/// httpd configuration dispatches.
class AuditCommand : public Command {
 public:
  explicit AuditCommand(CLI::App& parent);
  bool chosen() const override;
  int run() override;

 private:
  CLI::App* app_;
  CLI::Option* need_option_;
  CLI::Option* httpd_option_;
  std::vector<std::string> directories_;
  std::string apachectl_ = "apachectl";
  std::string against_;
  std::vector<std::string> forbid_;
  unsigned jobs_ = 0;
  bool all_ = false;
  WhoseOptions whose_;
  Need need_ = Need::execute;
  std::string format_ = "text";
};

}  // namespace permguard::cli
