// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "integration/guarded_server.h"
#include "integration/process_image.h"

namespace permguard::test {

enum class Stage { event, prefork, itk };
std::string name_of(Stage stage);
inline void PrintTo(Stage stage, std::ostream* out) {
  *out << name_of(stage);
}

/// An httpd with mod_permguard whose processes attack each other: tests/support/hostile_module is
/// loaded beside it. cgi-bin/moody.cgi is healthy and broken in turn. Which memory is
/// mod_permguard's is found by comparing with a server that does not load it.
class HostileServer : public GuardedServer {
 public:
  explicit HostileServer(Stage stage, const std::string& config = "",
                         const std::vector<std::string>& modules = {});

  /// Processes may run as that user, or with these real, effective, saved and file system ids.
  void add_user(const char* name);
  void add_user_ids(std::string ids) { users_.insert(std::move(ids)); }

  /// Starts it, fills its memory with incidents and results of the watch, and learns what no attack
  /// may change. Fails the test where no memory of mod_permguard's is found.
  void prepare();

  /// One request of every kind, whose answers must be those of a server that nobody attacks.
  void expect_serves();
  /// That the parent is the same and unharmed, that no process has crashed, and that all run as
  /// their users.
  void expect_unharmed();
  /// Both, and over a graceful restart and a restart.
  void expect_survives();

  /// The answer of the attacker to a command about mod_permguard's memory as that process has it,
  /// the first bytes of each segment where it is larger than `most`.
  std::string attack(const std::string& command, const std::string& host = "plain",
                     std::size_t most = ~std::size_t{0});
  /// A child's shared memory that is mod_permguard's.
  std::vector<Mapping> segments() const;
  /// The same of any process of the server.
  std::vector<Mapping> segments_of(const std::vector<Mapping>& mappings) const;

  /// A request that must be answered with `status` in bounded time.
  HttpResponse expect_answer(int status, std::string_view path,
                             const std::vector<std::string>& headers = {});

  /// A process that stores hostile values at full speed, as long as the object lives and no longer
  /// than a minute.
  class Scribbler {
   public:
    explicit Scribbler(HostileServer& server, const std::string& host = "plain");
    ~Scribbler();
    Scribbler(const Scribbler&) = delete;
    Scribbler& operator=(const Scribbler&) = delete;

   private:
    pid_t pid_ = -1;
  };

 private:
  void learn_stock();
  void expect_scripts();
  void expect_page(std::string_view path);
  void expect_honest_log();
  void expect_users();

  Stage stage_;
  std::string config_;
  std::vector<std::string> modules_;
  std::multiset<std::pair<std::size_t, std::string>> stock_segments_;
  std::set<std::string> users_;
  ProcessImage stable_;
  std::string hooks_;
  pid_t parent_ = -1;
  bool broken_ = false;  ///< moody.cgi's turn
};

/// "7f0000001000-7f0000002000,…", for the attacker.
std::string ranges_text(const std::vector<Mapping>& mappings);

/// 1, or more where PERMGUARD_LONG is set: how much an attack may be longer.
std::size_t effort();

}  // namespace permguard::test
