/** By which option the CLI sends a field of the API. */
const flags: Readonly<Record<string, string>> = {
  image: 'IMAGE',
  path: 'PATH',
  name: '--name',
  hostname: '--hostname',
  team: '--team',
  teams: '--team',
  role: '--role',
  expires: '--expires',
  overlap: '--overlap',
  kind: '--kind',
  'lease.ttl': '--ttl',
  'lease.idle': '--idle',
  'lease.retention': '--retention',
  'limits.cpus': '--cpus',
  'limits.memory': '--memory',
  'limits.pids': '--pids',
  'limits.io': '--io',
  command: 'COMMAND',
  entrypoint: '--entrypoint',
  env: '--env',
  user: '--user',
  workdir: '--workdir',
  readOnly: '--read-only',
  capabilities: '--cap-add',
  egress: '--allow',
  runtime: '--runtime',
  labels: '--label',
  label: '--label',
  pull: '--pull',
  stopSignal: '--stop-signal',
  signal: '--signal',
  grace: '--grace',
  logLimit: '--log-limit',
  secrets: '--secret',
  ttl: '--ttl',
  text: '--text',
  port: '--port',
  process: '--process',
  address: '--address',
  ref: 'REF',
}

/** The option of a field like `limits.cpus`, `egress[0].cidr` or `env.A B`; undefined when there is none. */
export const flagOf = (field: string): string | undefined => {
  const path = field.replace(/^workloads\.[^.]+\./, '')
  return flags[path] ?? flags[path.replace(/[.[].*$/, '')]
}
