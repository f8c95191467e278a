# SPDX-License-Identifier: Apache-2.0
# Tiny programs that the oracle puts into its trees: fixed address, position independent (also
# usable as a loader), and with the system's own loader.
function(permguard_marker name)
  add_executable(${name} oracle/helper/marker.cpp)
  target_compile_options(${name} PRIVATE -Os -fno-sanitize=all -fno-stack-protector)
  target_link_options(${name} PRIVATE -nostdlib -fno-sanitize=all -Wl,-z,noseparate-code ${ARGN})
  add_dependencies(oracle_tests ${name})
endfunction()

if(TARGET oracle_tests)
  permguard_marker(marker_static -static)
  permguard_marker(marker_pie -static-pie)
  permguard_marker(marker_dynamic -pie)
endif()
