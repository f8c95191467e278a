# SPDX-License-Identifier: Apache-2.0
# `cmake --install build` puts the module where this httpd looks for modules, its configuration
# where Debian's a2enmod finds it; `cpack` makes a Debian package of the same files.
include(GNUInstallDirs)
find_program(APXS NAMES apxs apxs2)
if(APXS)
  execute_process(COMMAND ${APXS} -q LIBEXECDIR OUTPUT_VARIABLE HTTPD_MODULES
                  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
else()
  set(HTTPD_MODULES /usr/lib/apache2/modules)
endif()
set(PERMGUARD_MODULE_DIR ${HTTPD_MODULES} CACHE PATH "Where mod_permguard.so is installed")
set(PERMGUARD_CONF_DIR /etc/apache2/mods-available CACHE PATH
    "Where permguard.load and permguard.conf are installed")

# The committed file names Debian's directory; this httpd may have another.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS conf/permguard.load)
file(READ conf/permguard.load load_file)
string(REPLACE /usr/lib/apache2/modules "${PERMGUARD_MODULE_DIR}" load_file "${load_file}")
file(WRITE ${CMAKE_BINARY_DIR}/generated/permguard.load "${load_file}")

if(TARGET mod_permguard)
  install(TARGETS mod_permguard LIBRARY DESTINATION ${PERMGUARD_MODULE_DIR})
endif()
if(TARGET permguard)
  install(TARGETS permguard RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES ${CMAKE_BINARY_DIR}/generated/permguard.load conf/permguard.conf
        DESTINATION ${PERMGUARD_CONF_DIR})
install(FILES mod_permguard/MANUAL.md mod_permguard/RECIPES.md README.md LICENSE
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libapache2-mod-permguard)
install(DIRECTORY conf/schema conf/prometheus conf/errordocument
        DESTINATION ${CMAKE_INSTALL_DATADIR}/permguard)
install(DIRECTORY conf/puppet DESTINATION ${CMAKE_INSTALL_DATADIR}/permguard
        USE_SOURCE_PERMISSIONS)
# systemd looks below lib, whatever the architecture's library directory is called.
install(FILES conf/systemd/permguard-audit.service conf/systemd/permguard-audit.timer
        DESTINATION lib/systemd/system)
install(PROGRAMS conf/systemd/write-textfile conf/make-status-key
        DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/permguard)
# permguard.conf names this key, without which httpd does not start. A package makes its own when it
# is installed.
install(CODE "if(\"\$ENV{DESTDIR}\" STREQUAL \"\")
  execute_process(COMMAND \"${CMAKE_SOURCE_DIR}/conf/make-status-key\" RESULT_VARIABLE failed)
  if(failed)
    message(WARNING \"no key for the status page: run make-status-key as root\")
  endif()
endif()")
install(DIRECTORY mod_permguard/cli/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        FILES_MATCHING PATTERN "*.1")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME libapache2-mod-permguard)
set(CPACK_PACKAGE_CONTACT "The mod_permguard developers <mod-permguard@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION httpd)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "apache2-bin (>= 2.4.54), apache2-api-20120211")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "acl")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# dpkg keeps what the administrator has changed in these.
file(WRITE ${CMAKE_BINARY_DIR}/generated/conffiles
     "${PERMGUARD_CONF_DIR}/permguard.load\n${PERMGUARD_CONF_DIR}/permguard.conf\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/generated/conffiles)
foreach(script postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/conf/debian/${script})
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
include(CPack)
