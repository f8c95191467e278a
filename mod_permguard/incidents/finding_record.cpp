// SPDX-License-Identifier: Apache-2.0
#include "incidents/finding_record.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "incidents/seqlock.h"

namespace permguard::shared {
namespace {

constexpr const char* kRemedyTooLong =
    "the commands are too long to be kept here, permguard explain prints them";

// Writer and Reader have the same members, so that one list of fields serves both directions.
class Writer {
 public:
  Writer(char* begin, std::size_t capacity) : at_(begin), end_(begin + capacity) {}

  template <class T>
  void number(const T& value) {
    raw(&value, sizeof value);
  }
  template <class E>
  void choice(const E& value, E /*last*/) {
    raw(&value, sizeof value);
  }
  void flag(const bool& value) { number(static_cast<std::uint8_t>(value)); }
  void text(std::string_view value, std::size_t limit) {
    value = value.substr(0, limit);
    number(static_cast<std::uint16_t>(value.size()));
    raw(value.data(), value.size());
  }
  // How many elements of a sequence to keep.
  template <class Container>
  std::size_t length(const Container& container, std::size_t limit) {
    const auto kept = static_cast<std::uint16_t>(std::min(container.size(), limit));
    number(kept);
    return kept;
  }

  bool valid() const { return valid_; }
  const char* at() const { return at_; }

 private:
  void raw(const void* bytes, std::size_t size) {
    valid_ = valid_ && size <= static_cast<std::size_t>(end_ - at_);
    if (!valid_ || size == 0) return;
    std::memcpy(at_, bytes, size);
    at_ += size;
  }

  char* at_;
  char* end_;
  bool valid_ = true;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  void number(T& value) {
    raw(&value, sizeof value);
  }
  template <class E>
  void choice(E& value, E last) {
    auto read = std::underlying_type_t<E>{};
    number(read);
    valid_ = valid_ && read <= static_cast<std::underlying_type_t<E>>(last);
    if (valid_) value = static_cast<E>(read);
  }
  void flag(bool& value) {
    std::uint8_t read = 0;
    number(read);
    value = read != 0;
  }
  void text(std::string& value, std::size_t limit) {
    value.resize(length(value, limit));
    raw(value.data(), value.size());
  }
  template <class Container>
  std::size_t length(Container& container, std::size_t limit) {
    std::uint16_t read = 0;
    number(read);
    valid_ = valid_ && read <= limit && read <= rest_.size();
    container.resize(valid_ ? read : 0);
    return container.size();
  }

  bool finished() const { return valid_ && rest_.empty(); }

 private:
  void raw(void* to, std::size_t size) {
    valid_ = valid_ && size <= rest_.size();
    if (!valid_ || size == 0) return;
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }

  std::string_view rest_;
  bool valid_ = true;
};

template <class Archive, class Status>
void describe_file(Archive& archive, Status& file) {
  archive.choice(file.type, FileType::unknown);
  archive.number(file.mode);
  archive.number(file.uid);
  archive.number(file.gid);
  archive.number(file.device);
  archive.number(file.inode);
  archive.number(file.size);
  archive.number(file.changed);
  archive.number(file.changed_ns);
}

template <class Archive, class Decision>
void describe_decision(Archive& archive, Decision& decision) {
  archive.flag(decision.allowed);
  archive.choice(decision.by, DecidedBy::none);
  archive.number(decision.entry_id);
  archive.number(decision.entry_perms);
  archive.number(decision.mask);
  archive.choice(decision.masked, DecidedBy::none);
  archive.flag(decision.by_capability);
}

template <class Archive, class Who>
void describe_identity(Archive& archive, Who& who) {
  archive.number(who.uid);
  archive.number(who.gid);
  const std::size_t groups = archive.length(who.groups, kGroupsKept);
  for (std::size_t i = 0; i < groups; ++i) archive.number(who.groups[i]);
  archive.text(who.name, kNameBytes);
  archive.flag(who.dac_override);
  archive.flag(who.dac_read_search);
}

// All of a finding but its target, its file and its remedy.
template <class Archive, class Found>
void describe_finding(Archive& archive, Found& finding) {
  archive.choice(finding.code, static_cast<Code>(kCodeCount - 1));
  archive.choice(finding.role, static_cast<Role>(kRoleCount - 1));
  archive.choice(finding.severity, Severity::drift);
  archive.choice(finding.certainty, Certainty::modelled);
  archive.choice(finding.need, Need::connect);
  archive.choice(finding.decided_by, DecidedBy::none);
  archive.number(finding.error);
  archive.flag(finding.target_seen);
  archive.text(finding.path, kPathBytes);
  archive.text(finding.owner, kNameBytes);
  archive.text(finding.group, kNameBytes);
  archive.text(finding.entry_name, kNameBytes);
  archive.text(finding.detail, kDetailBytes);
  describe_decision(archive, finding.decision);
}

template <class Archive, class Fix>
void describe_remedy(Archive& archive, Fix& remedy) {
  archive.text(remedy.advice, kDetailBytes);
  const std::size_t steps = archive.length(remedy.steps, kRemedyBytes);
  for (std::size_t i = 0; i < steps; ++i) {
    auto& step = remedy.steps[i];
    archive.choice(step.kind, FixStep::Kind::chown);
    archive.text(step.path, kRemedyBytes);
    archive.number(step.inode);
    archive.text(step.spec, kRemedyBytes);
    archive.flag(step.keep_mask);
  }
}

// Bytes a remedy takes beyond its advice.
std::size_t weight(const Remedy& remedy) {
  std::size_t bytes = 0;
  for (const FixStep& step : remedy.steps) bytes += step.path.size() + step.spec.size() + 16;
  return bytes;
}

// A remedy whose commands are all whole, or the sentence that stands for them.
void write_remedy(Writer& writer, const Remedy& remedy) {
  if (weight(remedy) <= kRemedyBytes) return describe_remedy(writer, remedy);
  writer.text(kRemedyTooLong, kDetailBytes);
  writer.number(std::uint16_t{0});
}

// --- what no finding of ours holds ---
// A record may come from a process that runs somebody else's code. Its numbers are used in sums,
// tables and dates, and its remedy becomes a command that root may paste.

constexpr int kMostErrno = 4095;  // include/linux/err.h, MAX_ERRNO

bool is_possible(const AccessDecision& decision) {
  constexpr Permissions kAll = kRead | kWrite | kExecute;
  return (decision.entry_perms & ~kAll) == 0 && (decision.mask & ~kAll) == 0;
}

bool is_possible(const FileStatus& file) {
  return file.mode <= 07777 && file.changed_ns >= 0 && file.changed_ns < 1'000'000'000;
}

bool is_octal_mode(std::string_view spec) {
  return spec.size() <= 5 && spec.find_first_not_of("01234567") == std::string_view::npos;
}

// "u+rx", "a+x,o-w": nothing that gives somebody w or a set-id bit.
bool is_harmless_clause(std::string_view clause) {
  const std::size_t sign = clause.find_first_not_of("ugoa");
  if (sign == std::string_view::npos) return false;
  const std::string_view letters = clause.substr(sign + 1);
  const char* allowed = clause[sign] == '+' ? "rx" : clause[sign] == '-' ? "rwxst" : "";
  return !letters.empty() && letters.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_possible_mode(std::string_view spec) {
  if (is_octal_mode(spec)) return !spec.empty();
  for (;;) {
    const std::size_t end = spec.find(',');
    if (!is_harmless_clause(spec.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    spec.remove_prefix(end + 1);
  }
}

// chmod, chown and setfacl read a word that begins with "-" as an option.
bool is_possible(const FixStep& step) {
  if (!step.path.starts_with('/') || step.spec.starts_with('-')) return false;
  switch (step.kind) {
    case FixStep::Kind::chmod:
      return is_possible_mode(step.spec);
    case FixStep::Kind::setfacl:
      return step.spec.size() > 2 && step.spec[1] == ':';
    case FixStep::Kind::chown:
      return !step.spec.empty();
    case FixStep::Kind::restore_acl:
      return true;
  }
  return false;
}

bool is_possible(const Finding& finding) {
  const auto& steps = finding.remedy.steps;
  return finding.error >= 0 && finding.error <= kMostErrno && is_possible(finding.decision) &&
         (!finding.file || is_possible(*finding.file)) &&
         std::all_of(steps.begin(), steps.end(),
                     [](const FixStep& step) { return is_possible(step); });
}

}  // namespace

void encode(const Finding& finding, const Identity& who, std::string_view vhost,
            FindingRecord& record) noexcept {
  Writer writer(record.storage.data(), record.storage.size());
  describe_finding(writer, finding);
  writer.flag(finding.file.has_value());
  if (finding.file) describe_file(writer, *finding.file);
  write_remedy(writer, finding.remedy);
  describe_identity(writer, who);
  const char* begin = record.storage.data();
  record.fingerprint = spread(hash_bytes({begin, static_cast<std::size_t>(writer.at() - begin)}));
  writer.text(finding.target, kPathBytes);
  writer.text(vhost, kNameBytes);
  record.size = writer.valid() ? static_cast<std::size_t>(writer.at() - begin) : 0;
}

std::optional<DecodedFinding> decode(std::string_view bytes) {
  Reader reader(bytes);
  DecodedFinding decoded;
  Finding& finding = decoded.finding;
  describe_finding(reader, finding);
  bool has_file = false;
  reader.flag(has_file);
  if (has_file) describe_file(reader, finding.file.emplace());
  describe_remedy(reader, finding.remedy);
  describe_identity(reader, decoded.who);
  reader.text(finding.target, kPathBytes);
  reader.text(decoded.vhost, kNameBytes);
  if (!reader.finished() || !is_possible(finding)) return std::nullopt;
  if (finding.file) finding.file->changed = to_time(to_word(finding.file->changed));
  return decoded;
}

}  // namespace permguard::shared
