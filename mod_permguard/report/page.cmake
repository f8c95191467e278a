# SPDX-License-Identifier: Apache-2.0
# The page's style and script as constants, with the hashes that its Content-Security-Policy names.
set(page_folder ${CMAKE_CURRENT_LIST_DIR})
foreach(part css js)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${page_folder}/page.${part})
  file(READ ${page_folder}/page.${part} page_${part})
  file(SHA256 ${page_folder}/page.${part} page_${part}_sha256)
endforeach()
configure_file(${page_folder}/page_assets.h.in generated/page_assets.h @ONLY)
