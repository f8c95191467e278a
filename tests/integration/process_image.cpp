// SPDX-License-Identifier: Apache-2.0
#include "integration/process_image.h"

#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

namespace permguard::test {
namespace {

std::string proc(pid_t pid, const std::string& file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

std::string text_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string hexadecimal(std::uintptr_t number) {
  std::ostringstream text;
  text << std::hex << number;
  return text.str();
}

bool is_of_httpd(const std::string& file) {
  for (const char* name : {"/apache2", "/httpd", "/libapr", "/mod_", "/mpm_"}) {
    if (file.find(name) != file.npos) return true;
  }
  return false;
}

/// How far `file` reaches in memory from its beginning, its zeroed data included: elf(5).
std::size_t extent_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  ElfW(Ehdr) header{};
  stream.read(reinterpret_cast<char*>(&header), sizeof header);
  std::size_t extent = 0;
  for (int i = 0; stream && i < header.e_phnum; ++i) {
    ElfW(Phdr) part{};
    stream.seekg(static_cast<std::streamoff>(header.e_phoff) + i * header.e_phentsize);
    stream.read(reinterpret_cast<char*>(&part), sizeof part);
    if (part.p_type == PT_LOAD) extent = std::max(extent, part.p_vaddr + part.p_memsz);
  }
  return extent;
}

/// Data of one file: some of its mapping, or of the memory without a name that holds its zeroed
/// data.
struct Data {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::string file;
};

class AddressSpace {
 public:
  explicit AddressSpace(std::vector<Mapping> mappings) : mappings_(std::move(mappings)) {
    for (const Mapping& mapping : mappings_) {
      if (mapping.is_file()) bases_.try_emplace(mapping.file, mapping.begin);
    }
  }

  /// Writable data of httpd's files, and what lies before it: what the loader has relocated.
  std::vector<Data> data() const {
    std::vector<Data> data;
    for (std::size_t i = 1; i < mappings_.size(); ++i) {
      const Mapping& mapping = mappings_[i];
      if (!mapping.is_writable() || !mapping.is_file() || !is_of_httpd(mapping.file)) continue;
      const Mapping& before = mappings_[i - 1];
      const bool relocated = before.file == mapping.file && before.permissions == "r--p";
      const std::uintptr_t end = bases_.at(mapping.file) + extent_of(mapping.file);
      data.push_back({relocated ? before.begin : mapping.begin, end / 8 * 8, mapping.file});
    }
    return data;
  }

  std::string name_of(std::uintptr_t address, const std::string& file) const {
    return file + "+" + hexadecimal(address - bases_.at(file));
  }

  const Mapping* find(std::uintptr_t address) const {
    const auto above = std::upper_bound(
        mappings_.begin(), mappings_.end(), address,
        [](std::uintptr_t value, const Mapping& mapping) { return value < mapping.begin; });
    if (above == mappings_.begin() || address >= std::prev(above)->end) return nullptr;
    return &*std::prev(above);
  }

 private:
  std::vector<Mapping> mappings_;
  std::map<std::string, std::uintptr_t> bases_;
};

/// A second of the last hour: when something was done, which two restarts within one second share.
bool is_time(std::uintptr_t value) {
  const auto now = static_cast<std::uintptr_t>(std::time(nullptr));
  return value <= now + 1 && value + 3600 > now;
}

/// Pointers to memory that is new after each restart are all alike, and so are times.
std::string told(const AddressSpace& space, std::uintptr_t value) {
  if (is_time(value)) return "a time";
  const Mapping* target = space.find(value);
  if (!target) return hexadecimal(value);
  return target->is_file() ? space.name_of(value, target->file) : "memory";
}

void add_words(const AddressSpace& space, const Data& data, int memory, ProcessImage& image) {
  std::vector<std::uintptr_t> words((data.end - data.begin) / sizeof(std::uintptr_t));
  const std::size_t size = words.size() * sizeof(std::uintptr_t);
  const auto got = pread(memory, words.data(), size, static_cast<off_t>(data.begin));
  if (got != static_cast<ssize_t>(size)) return;
  const bool whole = data.file.find("mod_permguard") != data.file.npos;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == 0) continue;
    const Mapping* target = space.find(words[i]);
    if (!whole && !(target && target->is_code())) continue;
    const std::uintptr_t place = data.begin + i * sizeof(std::uintptr_t);
    image[space.name_of(place, data.file)] = told(space, words[i]);
  }
}

}  // namespace

std::vector<Mapping> mappings_in(const std::string& text) {
  std::vector<Mapping> mappings;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Mapping mapping;
    std::string skipped;
    char dash = 0;
    fields >> std::hex >> mapping.begin >> dash >> mapping.end >> mapping.permissions;
    fields >> skipped >> skipped >> skipped >> std::ws;
    std::getline(fields, mapping.file);
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

std::vector<Mapping> mappings_of(pid_t pid) {
  return mappings_in(text_of(proc(pid, "maps")));
}

ProcessImage image_of(pid_t pid) {
  ProcessImage image;
  const int memory = open(proc(pid, "mem").c_str(), O_RDONLY | O_CLOEXEC);
  const AddressSpace space(mappings_of(pid));
  for (const Data& data : space.data()) add_words(space, data, memory, image);
  close(memory);
  return image;
}

ProcessImage common(const ProcessImage& left, const ProcessImage& right) {
  ProcessImage both;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                        std::inserter(both, both.end()));
  return both;
}

std::string changes(const ProcessImage& stable, const ProcessImage& now) {
  std::string text;
  for (const auto& [place, value] : stable) {
    const auto found = now.find(place);
    if (found != now.end() && found->second == value) continue;
    text += place + ": was " + value + ", is " + (found == now.end() ? "gone" : found->second);
    text += '\n';
  }
  return text;
}

std::string status_field(pid_t pid, const std::string& field) {
  std::istringstream lines(text_of(proc(pid, "status")));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(field + ":\t")) continue;
    return line.substr(field.size() + 2);
  }
  return "";
}

bool write_memory(pid_t pid, std::uintptr_t address, const std::string& bytes) {
  const int memory = open(proc(pid, "mem").c_str(), O_RDWR | O_CLOEXEC);
  if (memory < 0) return false;
  const ssize_t written = pwrite(memory, bytes.data(), bytes.size(), static_cast<off_t>(address));
  close(memory);
  return written == static_cast<ssize_t>(bytes.size());
}

}  // namespace permguard::test
