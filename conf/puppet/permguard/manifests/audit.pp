# SPDX-License-Identifier: Apache-2.0
#
# @summary The scheduled audit, by the package's timer or by cron.
# @api private
class permguard::audit {
  $timer = 'permguard-audit.timer'
  $drop_in_dir = "${permguard::systemd_dir}/${timer}.d"
  $wants_dir = "${permguard::systemd_dir}/timers.target.wants"
  $drop_in = "${drop_in_dir}/puppet.conf"
  $wanted = "${wants_dir}/${timer}"
  $cron_table = "${permguard::cron_dir}/permguard"

  File {
    owner => 'root',
    group => 'root',
    mode  => '0644',
  }

  if $permguard::audit_by == 'systemd' {
    file { [$drop_in_dir, $wants_dir]:
      ensure => directory,
      mode   => '0755',
    }
    file { $drop_in:
      ensure  => file,
      content => epp('permguard/schedule.conf.epp', { 'calendar' => $permguard::audit_calendar }),
    }
    file { $wanted:
      ensure => link,
      target => "${permguard::unit_dir}/${timer}",
    }
    $verb = 'restart'
  } else {
    file { [$drop_in, $wanted]:
      ensure => absent,
    }
    $verb = 'stop'
  }

  if $permguard::audit_by == 'cron' {
    file { $cron_table:
      ensure  => file,
      content => epp('permguard/cron.epp', {
          'schedule' => $permguard::audit_cron,
          'textfile' => $permguard::textfile,
      }),
    }
  } else {
    file { $cron_table:
      ensure => absent,
    }
  }

  if $permguard::notify_services {
    exec { 'permguard: systemd takes its timer':
      command     => "systemctl daemon-reload && systemctl ${verb} ${timer}",
      onlyif      => 'test -d /run/systemd/system',
      provider    => shell,
      path        => ['/usr/bin', '/bin'],
      refreshonly => true,
      subscribe   => File[$drop_in, $wanted],
    }
  }
}
