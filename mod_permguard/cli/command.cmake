# SPDX-License-Identifier: Apache-2.0
file(GLOB command_sources CONFIGURE_DEPENDS mod_permguard/cli/*.cpp)
if(command_sources)
  find_package(CLI11 REQUIRED)
  add_executable(permguard ${command_sources})
  set_target_properties(permguard PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  target_link_libraries(permguard PRIVATE permguard_report CLI11::CLI11)
  target_precompile_headers(permguard PRIVATE <CLI/CLI.hpp> <nlohmann/json.hpp>)
endif()
