# SPDX-License-Identifier: Apache-2.0
#
# @summary Loads mod_permguard, declares the desired state of script directories, and schedules the
#   audit of them. The package libapache2-mod-permguard must be installed.
#
# Scripts are declared, not changed: a state other than mode, owner and group is drift, which the
# module logs, shows and counts. Nothing is ever managed recursively. The fact `permguard` comes
# with the Puppet module and holds the findings.
#
# @param directories Script directories: watched, and held against the desired state.
# @param mode The mode scripts in them should have.
# @param owner Their owner.
# @param group Their group.
# @param enforcement What the module does before a script runs (directive PermGuard).
# @param config_test What `apachectl configtest` does with findings (PermGuardConfigTest).
# @param status_key The file whose key the status page asks for (PermGuardStatusKey); the package
#   makes the default one.
# @param audit_by Who runs the scheduled audit: systemd's timer, cron, or nobody.
# @param audit_calendar When, for systemd's timer (systemd.time(7)).
# @param audit_cron When, for cron (crontab(5)).
# @param textfile Where cron's audit leaves the metrics for node_exporter.
# @param notify_services Whether httpd and systemd are told of changes.
# @param apache_dir httpd's configuration, with mods-available and mods-enabled.
# @param module_file The module.
# @param systemd_dir The administrator's units.
# @param unit_dir The package's units.
# @param cron_dir The administrator's cron tables.
class permguard (
  Array[Pattern[/\A\/[^"\\\$\{\n\r]*\z/]]                $directories     = [],
  Pattern[/\A[0-7]{3,4}\z/]                              $mode            = '0755',
  Pattern[/\A[\w.-]+\z/]                                 $owner           = 'root',
  Pattern[/\A[\w.-]+\z/]                                 $group           = 'root',
  Enum['off', 'explain', 'report', 'enforce', 'enforce strict'] $enforcement = 'report',
  Enum['off', 'warn', 'fail']                            $config_test     = 'warn',
  Pattern[/\A(none|\/[\w.\/-]+)\z/]                       $status_key      = '/etc/permguard/status.key',
  Enum['systemd', 'cron', 'off']                         $audit_by        = 'systemd',
  Pattern[/\A[^\n]+\z/]                                  $audit_calendar  = 'hourly',
  Pattern[/\A\S+( \S+){4}\z/]                            $audit_cron      = '17 * * * *',
  Pattern[/\A\/[\w.\/-]+\z/]                             $textfile        = '/var/lib/prometheus/node-exporter/permguard.prom',
  Boolean                                                $notify_services = true,
  Pattern[/\A\//]                                        $apache_dir      = '/etc/apache2',
  Pattern[/\A\/[^"\n]+\z/]                               $module_file     = '/usr/lib/apache2/modules/mod_permguard.so',
  Pattern[/\A\//]                                        $systemd_dir     = '/etc/systemd/system',
  Pattern[/\A\//]                                        $unit_dir        = '/lib/systemd/system',
  Pattern[/\A\//]                                        $cron_dir        = '/etc/cron.d',
) {
  contain permguard::httpd
  contain permguard::audit
}
