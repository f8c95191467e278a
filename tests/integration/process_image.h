// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace permguard::test {

/// A line of /proc/PID/maps.
struct Mapping {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string permissions;  ///< "rw-s"
  std::string file;         ///< or "[heap]", or ""

  std::size_t size() const { return end - begin; }
  bool is_shared() const { return permissions.ends_with('s'); }
  bool is_writable() const { return permissions.starts_with("rw"); }
  bool is_file() const { return file.starts_with('/') && !is_shared(); }
  bool is_code() const { return permissions.starts_with("r-x"); }
};

std::vector<Mapping> mappings_in(const std::string& text);
std::vector<Mapping> mappings_of(pid_t pid);

/// What holds code of httpd, of APR and of every module in one process's memory: the words of
/// global offset tables, of relocated and of other data that point to code, and all words of
/// mod_permguard's own data. Places and pointers are told as offsets into files, so that the images
/// of one server before and after a restart can be compared.
using ProcessImage = std::map<std::string, std::string>;
ProcessImage image_of(pid_t pid);

/// What is the same in both.
ProcessImage common(const ProcessImage& left, const ProcessImage& right);
/// The words of `stable` that `now` has otherwise or not at all, one a line; "" if there are none.
std::string changes(const ProcessImage& stable, const ProcessImage& now);

/// The value of `field` ("Uid") in /proc/PID/status, without blanks at its ends; "" where the
/// process is gone.
std::string status_field(pid_t pid, const std::string& field);

/// Writes into another process's memory as if it had done so itself. False where it has no such
/// memory, or may not write there.
bool write_memory(pid_t pid, std::uintptr_t address, const std::string& bytes);

}  // namespace permguard::test
