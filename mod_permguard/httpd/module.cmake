# SPDX-License-Identifier: Apache-2.0
# The DSO. It exports one symbol, permguard_module, by a version script: hidden visibility alone
# would leave GNU_UNIQUE symbols, which keep a DSO loaded over httpd's restarts.
file(GLOB module_sources CONFIGURE_DEPENDS
  mod_permguard/httpd/*.cpp mod_permguard/httpd/dispatchers/*.cpp)

# What all processes of one server share, and the little beside it that knows neither httpd nor
# APR: a library of its own, which unit tests link.
set(shared_sources
  counters.cpp finding_record.cpp incident_index.cpp incident_table.cpp incidents.cpp limiter.cpp
  path_hashes.cpp probe.cpp shared_state.cpp shared_words.cpp status_query.cpp verdict_cache.cpp waiting_room.cpp
  watch_results.cpp watch_schedule.cpp)
list(TRANSFORM shared_sources PREPEND ${CMAKE_SOURCE_DIR}/mod_permguard/httpd/)
list(REMOVE_ITEM module_sources ${shared_sources})
add_library(permguard_shared STATIC ${shared_sources})
target_link_libraries(permguard_shared PUBLIC permguard_report)

if(module_sources)
  find_path(HTTPD_INCLUDE httpd.h PATH_SUFFIXES apache2 httpd REQUIRED)
  find_path(APR_INCLUDE apr.h PATH_SUFFIXES apr-1.0 apr-1 REQUIRED)
  add_library(mod_permguard MODULE ${module_sources})
  set_target_properties(mod_permguard PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_include_directories(mod_permguard SYSTEM PRIVATE ${HTTPD_INCLUDE} ${APR_INCLUDE})
  target_compile_definitions(mod_permguard PRIVATE _GNU_SOURCE AP_HAVE_DESIGNATED_INITIALIZER)
  target_link_libraries(mod_permguard PRIVATE permguard_shared permguard_report)
  target_link_options(mod_permguard PRIVATE
    -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map -Wl,--exclude-libs,ALL)
endif()
