// SPDX-License-Identifier: Apache-2.0
//
// The settings that hold at a path, without a request.
#include <string_view>
#include <utility>

#include "core/chain.h"
#include "httpd/discovery.h"

namespace permguard {
namespace {

/// Whether the section `entry` of httpd's core applies to `directory`, by ap_directory_walk().
bool applies(const core_dir_config& entry, const std::string& directory) {
  if (entry.d == nullptr) return false;
  const std::string path = directory.back() == '/' ? directory : directory + "/";
  if (entry.r) return ap_regexec(entry.r, path.c_str(), 0, nullptr, 0) == 0;
  const std::string_view section = entry.d;
  if (!entry.d_is_fnmatch) return path.starts_with(section);
  // A pattern applies to what lies below it too, so every leading part is tried.
  for (std::size_t end = path.find('/', 1); end != std::string::npos;
       end = path.find('/', end + 1)) {
    if (apr_fnmatch(entry.d, path.substr(0, end).c_str(), APR_FNM_PATHNAME) == APR_SUCCESS ||
        apr_fnmatch(entry.d, path.substr(0, end + 1).c_str(), APR_FNM_PATHNAME) == APR_SUCCESS) {
      return true;
    }
  }
  return false;
}

const core_dir_config& core_config(const ap_conf_vector_t* section) {
  return *static_cast<const core_dir_config*>(ap_get_core_module_config(section));
}

std::vector<ap_conf_vector_t*> vectors_of(const apr_array_header_t* sections) {
  if (!sections) return {};
  const auto* elements = reinterpret_cast<ap_conf_vector_t* const*>(sections->elts);
  return {elements, elements + sections->nelts};
}

std::vector<ap_conf_vector_t*> directory_sections(const server_rec* server) {
  const auto* core =
      static_cast<const core_server_config*>(ap_get_core_module_config(server->module_config));
  return vectors_of(core->sec_dir);
}

bool says_something(const DirectoryConfig& settings) {
  return settings.mode || settings.run_as || settings.forbidden || settings.desired;
}

/// ap_directory_walk() matches <Directory "/srv/cgi/*"> with the files of /srv/cgi too, after the
/// sections for the directory and before <Files>.
std::vector<FilesSection> wildcards_for_files(const server_rec* server,
                                              const std::string& directory) {
  std::vector<FilesSection> found;
  for (const ap_conf_vector_t* section : directory_sections(server)) {
    const core_dir_config& core = core_config(section);
    const DirectoryConfig& settings = directory_config(section);
    if (core.d == nullptr || core.r || !core.d_is_fnmatch || !says_something(settings)) continue;
    std::string pattern = core.d;
    while (pattern.ends_with('/')) pattern.pop_back();
    const std::size_t slash = pattern.rfind('/');
    if (slash == std::string::npos || slash == 0 ||
        apr_fnmatch(pattern.substr(0, slash).c_str(), directory.c_str(), APR_FNM_PATHNAME) !=
            APR_SUCCESS) {
      continue;
    }
    found.push_back({{{}, {}, {}, {std::move(pattern)}}, &settings});
  }
  return found;
}

}  // namespace

std::vector<ap_conf_vector_t*> sections_for(const server_rec* server,
                                            const std::string& directory) {
  std::vector<ap_conf_vector_t*> sections = directory_sections(server);
  std::erase_if(sections, [&](const ap_conf_vector_t* section) {
    return !applies(core_config(section), directory);
  });
  return sections;
}

bool exec_cgi_in(apr_pool_t* pool, const server_rec* server, const std::string& directory) {
  void* merged = ap_get_core_module_config(server->lookup_defaults);
  for (const ap_conf_vector_t* section : sections_for(server, directory)) {
    merged = core_module.merge_dir_config(pool, merged, ap_get_core_module_config(section));
  }
  return (static_cast<const core_dir_config*>(merged)->opts & OPT_EXECCGI) != 0;
}

DirectoryConfig settings_for(apr_pool_t* pool, const server_rec* server,
                             const std::string& directory) {
  DirectoryConfig settings = directory_config(server->lookup_defaults);
  for (const ap_conf_vector_t* section : sections_for(server, directory)) {
    settings = merged(pool, settings, directory_config(section));
  }
  return settings;
}

std::vector<FilesSection> files_sections_for(const server_rec* server,
                                             const std::string& directory) {
  std::vector<FilesSection> found = wildcards_for_files(server, directory);
  std::vector<ap_conf_vector_t*> around = sections_for(server, directory);
  around.insert(around.begin(), server->lookup_defaults);
  for (const ap_conf_vector_t* section : around) {
    for (const ap_conf_vector_t* each : vectors_of(core_config(section).sec_file)) {
      const core_dir_config& core = core_config(each);
      const DirectoryConfig& settings = directory_config(each);
      if (core.d == nullptr || !says_something(settings)) continue;
      ScriptNames names;
      (core.r ? names.expressions : names.patterns).emplace_back(core.d);
      found.push_back({std::move(names), &settings});
    }
  }
  return found;
}

DirectoryConfig settings_for_file(apr_pool_t* pool, const server_rec* server,
                                  const std::string& file) {
  const std::string directory = directory_of(file);
  DirectoryConfig settings = settings_for(pool, server, directory);
  for (const FilesSection& section : files_sections_for(server, directory)) {
    if (section.names.fit(file)) settings = merged(pool, settings, *section.settings);
  }
  return settings;
}

Identity server_identity() {
  Result<Identity> who = lookup_identity("#" + std::to_string(ap_unixd_config.user_id) + ":#" +
                                         std::to_string(ap_unixd_config.group_id));
  return who ? std::move(who.value) : current_identity();
}

}  // namespace permguard
