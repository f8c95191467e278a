# SPDX-License-Identifier: Apache-2.0
# Modules that a test loads into httpd beside mod_permguard. They are no place for a sanitizer.
function(permguard_test_module name)
  add_library(${name} MODULE integration/helper/${name}.cpp)
  set_target_properties(${name} PROPERTIES PREFIX "")
  target_include_directories(${name} SYSTEM PRIVATE ${HTTPD_INCLUDE} ${APR_INCLUDE})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE AP_HAVE_DESIGNATED_INITIALIZER)
  target_compile_options(${name} PRIVATE -fno-sanitize=all)
  target_link_options(${name} PRIVATE -fno-sanitize=all)
  add_dependencies(integration_tests ${name})
endfunction()

if(TARGET integration_tests AND TARGET mod_permguard)
  permguard_test_module(command_tables)
endif()
