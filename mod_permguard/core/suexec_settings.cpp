// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <charconv>

#include "core/suexec.h"

namespace permguard {
namespace {

constexpr std::size_t kConfigLine = 4096;  // bytes suexec-custom reads as one line, LF included
constexpr std::size_t kConfigText = 2 * kConfigLine;

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

template <class Id>
void read_number(std::string_view value, Id& id) {
  std::from_chars(value.data(), value.data() + value.size(), id);
}

void read_setting(std::string_view name, std::string_view value, SuexecSettings& settings) {
  if (name == "AP_DOC_ROOT") settings.document_root = value;
  if (name == "AP_USERDIR_SUFFIX") settings.userdir_suffix = value;
  if (name == "AP_UID_MIN") read_number(value, settings.min_uid);
  if (name == "AP_GID_MIN") read_number(value, settings.min_gid);
  if (name == "AP_SAFE_PATH") settings.safe_path = value;
  if (name == "AP_HTTPD_USER") settings.caller = value;
  if (name == "AP_LOG_EXEC") settings.log = value;
  if (name == "SUEXEC_CONFIG_DIR") settings.config_directory = value;
}

// As fgets(3) gives it to suexec-custom, which takes it for a C string.
std::optional<std::string> config_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t end = text.find('\n');
  const std::size_t size =
      std::min(end == std::string_view::npos ? text.size() : end + 1, kConfigLine);
  std::string line(text.substr(0, size));
  text.remove_prefix(size);
  line.resize(std::min(line.find('\0'), line.size()));
  line.resize(line.find_last_not_of(" \t\n\v\f\r") + 1);
  line.resize(line.find_last_not_of('/') + 1);
  return line;
}

}  // namespace

std::optional<SuexecSettings> parse_suexec_version(std::string_view text) {
  constexpr std::string_view kDefine = " -D ";
  SuexecSettings settings;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const std::size_t equals = line.find('=');
    if (!line.starts_with(kDefine) || equals == std::string_view::npos) continue;
    read_setting(line.substr(kDefine.size(), equals - kDefine.size()),
                 unquoted(line.substr(equals + 1)), settings);
  }
  const bool any = !settings.document_root.empty() || !settings.config_directory.empty();
  return any ? std::optional(settings) : std::nullopt;
}

SuexecConfigFile parse_suexec_custom_config(std::string_view text) {
  SuexecConfigFile config;
  config.exists = true;
  config.document_root = config_line(text);
  config.userdir_suffix = config_line(text);
  return config;
}

void refresh_suexec_config(SuexecSettings& settings, const Filesystem& filesystem,
                           const std::string& server_user) {
  if (settings.config_directory.empty()) return;
  const std::string path = settings.config_directory + server_user;
  const Result<std::string> text = filesystem.read(path, 0, kConfigText);
  if (!text && text.error != ENOENT) return;
  settings.config = text ? parse_suexec_custom_config(text.value) : SuexecConfigFile{};
  settings.config->path = path;
}

bool suexec_opens_directory(std::string_view binary) {
  // Its own message for this step, in its read-only data.
  return binary.find("cannot open current working directory") != std::string_view::npos;
}

}  // namespace permguard
