/** Paths whose opening is always an event, whatever settings add: what Dayfly's own rules ask for. Patterns as native/sensor/PROTOCOL.md has them. */

/** Any opening. */
export const sensitivePaths: readonly string[] = [
  ...[
    '/etc/shadow*',
    '/etc/gshadow*',
    '/run/secrets/',
    '/var/run/secrets/',
    '/proc/*/environ',
    '/proc/*/mem',
    '/proc/*/task/*/environ',
    '/proc/*/task/*/mem',
  ],
  ...[
    '/root/.ssh/',
    '/root/.aws/',
    '/root/.docker/',
    '/root/.kube/',
    '/root/.config/gcloud/',
    '/root/.azure/',
    '/root/.git-credentials',
    '/root/.netrc',
  ],
  ...['/home/*/.ssh/', '/home/*/.aws/', '/home/*/.docker/', '/home/*/.kube/', '/home/*/.config/gcloud/', '/home/*/.azure/'],
  ...['/home/*/.git-credentials', '/home/*/.netrc'],
  ...['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/modprobe', '/proc/sys/kernel/hotplug', '/proc/sys/kernel/poweroff_cmd'],
  ...[
    '/proc/sys/fs/binfmt_misc/',
    '/proc/sysrq-trigger',
    '/sys/kernel/uevent_helper',
    '/proc/kcore',
    '/proc/kallsyms',
    '/sys/fs/cgroup/release_agent',
  ],
  ...['/sys/fs/cgroup/*/release_agent', '/dev/sd*', '/dev/vd*', '/dev/xvd*', '/dev/nvme*', '/dev/mmcblk*', '/dev/dm-*', '/dev/loop*', '/dev/mapper/'],
  ...['/dev/mem', '/dev/kmem', '/dev/port', '/dev/kmsg', '/root/.bash_history', '/root/.ash_history', '/root/.zsh_history', '/root/.python_history'],
]

/** Opening to write. */
export const writePaths: readonly string[] = [
  ...['/var/log/wtmp', '/var/log/btmp', '/var/log/lastlog', '/var/log/auth.log', '/var/log/secure', '/var/log/syslog', '/var/log/messages'],
  ...['/var/log/faillog', '/var/log/audit/', '/run/utmp', '/var/run/utmp'],
]
