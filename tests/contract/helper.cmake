# SPDX-License-Identifier: Apache-2.0
# A launcher that puts a command into a sandbox.
if(TARGET contract_tests OR TARGET integration_tests)
  add_executable(sandbox contract/helper/sandbox.cpp)
  # Static, so that it starts in any root directory; a sandbox is no place for a sanitizer.
  target_compile_options(sandbox PRIVATE -fno-sanitize=all)
  target_link_options(sandbox PRIVATE -static -fno-sanitize=all)
  foreach(program contract_tests integration_tests)
    if(TARGET ${program})
      add_dependencies(${program} sandbox)
    endif()
  endforeach()
endif()
