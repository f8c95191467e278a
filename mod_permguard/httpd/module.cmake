# SPDX-License-Identifier: Apache-2.0
# The DSO. It exports one symbol, permguard_module, by a version script: hidden visibility alone
# would leave GNU_UNIQUE symbols, which keep a DSO loaded over httpd's restarts.
#
# Its folders are static libraries, so that unit tests can link the little in them that needs no
# httpd; the linker takes of an archive what is referred to.
find_path(HTTPD_INCLUDE httpd.h PATH_SUFFIXES apache2 httpd REQUIRED)
find_path(APR_INCLUDE apr.h PATH_SUFFIXES apr-1.0 apr-1 REQUIRED)

file(GLOB httpd_sources CONFIGURE_DEPENDS
  mod_permguard/httpd/*.cpp mod_permguard/httpd/dispatchers/*.cpp)
list(REMOVE_ITEM httpd_sources ${CMAKE_SOURCE_DIR}/mod_permguard/httpd/mod_permguard.cpp)
add_library(permguard_httpd STATIC ${httpd_sources})
target_include_directories(permguard_httpd SYSTEM PUBLIC ${HTTPD_INCLUDE} ${APR_INCLUDE})
target_compile_definitions(permguard_httpd PUBLIC _GNU_SOURCE AP_HAVE_DESIGNATED_INITIALIZER)
target_link_libraries(permguard_httpd PUBLIC permguard_report)

add_library(mod_permguard MODULE mod_permguard/httpd/mod_permguard.cpp)
set_target_properties(mod_permguard PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_link_libraries(mod_permguard PRIVATE permguard_httpd)
target_link_options(mod_permguard PRIVATE
  -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/exports.map -Wl,--exclude-libs,ALL)
