# SPDX-License-Identifier: Apache-2.0
# The attacker of the tests: a module of httpd that writes into other modules' shared memory.
if(TARGET integration_tests AND HTTPD_INCLUDE)
  file(GLOB hostile_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*.cpp)
  add_library(mod_hostile MODULE ${hostile_sources})
  set_target_properties(mod_hostile PROPERTIES PREFIX "")
  target_include_directories(mod_hostile SYSTEM PRIVATE ${HTTPD_INCLUDE} ${APR_INCLUDE})
  target_compile_definitions(mod_hostile PRIVATE _GNU_SOURCE AP_HAVE_DESIGNATED_INITIALIZER)
  # What the attacker does itself is no finding.
  target_compile_options(mod_hostile PRIVATE -fno-sanitize=all)
  target_link_options(mod_hostile PRIVATE -fno-sanitize=all)
  add_dependencies(integration_tests mod_hostile)
endif()
