# SPDX-License-Identifier: Apache-2.0
#
# @summary The module in httpd: loaded, and configured with the desired state.
# @api private
class permguard::httpd {
  $available = "${permguard::apache_dir}/mods-available"
  $enabled = "${permguard::apache_dir}/mods-enabled"
  $contents = {
    'load' => epp('permguard/permguard.load.epp', { 'module_file' => $permguard::module_file }),
    'conf' => epp('permguard/permguard.conf.epp', {
        'enforcement' => $permguard::enforcement,
        'config_test' => $permguard::config_test,
        'status_key'  => $permguard::status_key,
        'expected'    => "mode=${permguard::mode} owner=${permguard::owner} group=${permguard::group}",
        'directories' => $permguard::directories,
    }),
  }

  $contents.each |$kind, $content| {
    file { "${available}/permguard.${kind}":
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => $content,
    }
    file { "${enabled}/permguard.${kind}":
      ensure  => link,
      target  => "../mods-available/permguard.${kind}",
      require => File["${available}/permguard.${kind}"],
    }
  }

  if $permguard::notify_services {
    # apachectl tests the configuration first and leaves the running one where it is bad.
    exec { 'permguard: httpd takes its configuration':
      command     => 'apachectl graceful',
      path        => ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
      refreshonly => true,
      subscribe   => $contents.keys.map |$kind| {
        [File["${available}/permguard.${kind}"], File["${enabled}/permguard.${kind}"]]
      }.flatten,
    }
  }
}
