// SPDX-License-Identifier: Apache-2.0
//
// The settings that hold at a path, without a request.
#include <string_view>

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

}  // namespace

DirectoryConfig settings_for(apr_pool_t* pool, const server_rec* server,
                             const std::string& directory) {
  DirectoryConfig merged = directory_config(server->lookup_defaults);
  const auto* core =
      static_cast<const core_server_config*>(ap_get_core_module_config(server->module_config));
  const auto* sections = reinterpret_cast<ap_conf_vector_t* const*>(core->sec_dir->elts);
  for (int i = 0; i < core->sec_dir->nelts; ++i) {
    const auto* entry = static_cast<const core_dir_config*>(ap_get_core_module_config(sections[i]));
    if (!applies(*entry, directory)) continue;
    DirectoryConfig over = directory_config(sections[i]);
    merged = *static_cast<DirectoryConfig*>(merge_directory_config(pool, &merged, &over));
  }
  return merged;
}

Identity server_identity() {
  Result<Identity> who = lookup_identity("#" + std::to_string(ap_unixd_config.user_id) + ":#" +
                                         std::to_string(ap_unixd_config.group_id));
  return who ? std::move(who.value) : current_identity();
}

}  // namespace permguard
