// SPDX-License-Identifier: Apache-2.0
#include "oracle/stage.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "oracle/bodies.h"

namespace permguard::oracle {
namespace {

constexpr const char* kScript = "#!/bin/sh\necho\n";

std::string system_loader() {
  std::ifstream file("/lib64/ld-linux-x86-64.so.2", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int listen_at(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 1) != 0) {
    throw std::runtime_error("no socket at " + path);
  }
  return fd;
}

}  // namespace

Stage::Stage(Role role, const std::string& mount_options) {
  if (!mount_options.empty() && !tree_.mount_tmpfs(kWay, mount_options)) {
    throw std::runtime_error("no mount with " + mount_options);
  }
  make_part(role);
  question_.target = make_target(role);
  question_.need = role == Role::socket                                ? Need::connect
                   : role == Role::htaccess || role == Role::directory ? Need::read
                                                                       : Need::execute;
  const bool led_to = role == Role::interpreter || role == Role::command || role == Role::loader;
  question_.role = led_to ? Role::script : role;
  question_.who = lookup_identity("www-data").value;
  question_.search_path = "/usr/bin:/bin";
}

Stage::~Stage() {
  if (socket_ >= 0) close(socket_);
}

void Stage::make_part(Role role) {
  tree_.mkdir(kWay);
  if (role == Role::directory) {
    tree_.mkdir(kPart);
  } else if (role == Role::socket) {
    socket_ = listen_at(part());
    tree_.chmod(kPart, 0777);
  } else {
    fill(role == Role::loader ? system_loader() : kScript);
  }
}

std::string Stage::make_target(Role role) {
  const std::string name = "site/a.cgi";
  if (role == Role::interpreter) return tree_.write(name, "#!" + part() + "\n", 0755);
  if (role == Role::command) return tree_.write(name, "#!/usr/bin/env " + part() + "\n", 0755);
  if (role != Role::loader) return part();
  return tree_.write(name, with_loader(read_programs().fixed, part()), 0755);
}

Diagnosis Stage::ask(bool exec_check) const {
  const DelegateKernel kernel(question_.who, exec_check);
  if (kernel.error() != 0) throw std::runtime_error("nobody can be asked");
  return diagnose({SystemFilesystem(), SystemNames(), &kernel, surroundings_}, question_);
}

Diagnosis Stage::ask_model() const {
  return diagnose({SystemFilesystem(), SystemNames(), nullptr, surroundings_}, question_);
}

}  // namespace permguard::oracle
