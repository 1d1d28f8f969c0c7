/** Entries for tests: few values, so that they meet. */
import fc from 'fast-check'
import type { Activity, ActivityFilter, ActivityOrigin } from '../../model/activity.ts'
import type { KernelEvent, SocketFacts } from '../../model/kernel-event.ts'

export const environments = ['ealpha', 'ebeta', 'egamma'] as const

/** Two instances of each environment; owners and images are shared. */
export const origins: readonly ActivityOrigin[] = environments.flatMap((environment, index) => [
  {
    environment,
    instance: `i${environment}1`,
    workload: 'web',
    image: `sha256:${index % 2}`,
    imageName: `nginx:${index % 2}`,
    owner: `user${index % 2}`,
  },
  { environment, instance: `i${environment}2`, workload: 'db', image: 'sha256:7', imageName: 'postgres:15', owner: `user${index % 2}` },
])

export const originOf = ({ instance }: Activity): ActivityOrigin => {
  const found = origins.find(origin => origin.instance === instance)
  if (!found) throw new Error(`no origin of ${instance}`)
  return found
}

export const exampleEvent = (values: Partial<KernelEvent> = {}): KernelEvent => ({
  ...{ type: 'exec', time: 1000, environment: 'ealpha', instance: 'iealpha1', pid: 10, tid: 10, vpid: 1, start: 5, parentPid: 9, parentStart: 4 },
  ...{ uid: 0, euid: 0, gid: 0, name: 'sh', parentName: 'init', result: 0 },
  ...values,
})

export const paths = ['/etc/shadow', '/etc/passwd', '/tmp/A-b.txt', '/tmp/x/y', 'y', '../y', './z"q', '/', '/opt/Zeug/größe.txt'] as const
export const programs = ['/bin/sh', '/usr/bin/curl', '/opt/My App/run', 'busybox'] as const
export const words = [
  '-c',
  'curl -sSL https://example.com/Install.sh',
  'a_b',
  '10.0.0.1',
  '--file=/tmp/x',
  'ΟΔΟΣ x',
  '',
  '…',
  'line\nbreak "q"',
] as const
export const addresses = ['10.0.0.1', '10.0.0.10', 'FE80::1', 'fe80::1', '/run/docker.sock', '@hidden'] as const
export const names = ['example.com.', 'Example.com', 'db.internal'] as const

const socket: fc.Arbitrary<SocketFacts> = fc.record(
  {
    family: fc.constantFrom('inet', 'inet6', 'unix'),
    protocol: fc.constant(6),
    localAddress: fc.constantFrom(...addresses),
    localPort: fc.constantFrom(80, 443, 4430),
    remoteAddress: fc.constantFrom(...addresses),
    remotePort: fc.constantFrom(80, 443, 4430),
  },
  { requiredKeys: ['family', 'protocol'], noNullPrototype: true },
)

const facts = fc.record(
  {
    type: fc.constantFrom('exec', 'open', 'connect', 'dns', 'rename'),
    name: fc.constantFrom('sh', 'curl', 'kworker'),
    exe: fc.constantFrom(...programs),
    path: fc.constantFrom(...paths),
    target: fc.constantFrom(...paths),
    directory: fc.constantFrom('/tmp', '/srv/app/'),
    cwd: fc.constantFrom('/srv/app', '/'),
    args: fc.array(fc.constantFrom(...words), { maxLength: 3 }),
    detail: fc.constantFrom('10.0.0.10 fe80::1', 'NXDOMAIN', 'overlay'),
    sha256: fc.constant('deadbeef'),
    socket,
  },
  { requiredKeys: ['type', 'name'], noNullPrototype: true },
)

/** Times are no order. */
export const activity: fc.Arbitrary<Activity> = fc
  .tuple(
    fc.constantFrom(...origins),
    fc.integer({ min: 0, max: 40 }),
    fc.oneof({ weight: 9, arbitrary: facts }, { weight: 1, arbitrary: fc.constant(undefined) }),
    fc.constantFrom(...names),
  )
  .map(([{ environment, instance }, time, values, name]) => {
    if (!values) return { type: 'sample', time, environment, instance, cpu: 1.5, memory: 2 }
    return exampleEvent({ ...values, ...(values.type === 'dns' ? { path: name } : {}), time, environment, instance })
  })

const wishes = {
  since: fc.integer({ min: 0, max: 40 }),
  until: fc.integer({ min: 0, max: 40 }),
  environment: fc.constantFrom(...environments, 'enone'),
  environments: fc.uniqueArray(fc.constantFrom(...environments, 'enone'), { minLength: 1, maxLength: 3 }),
  instance: fc.constantFrom('iealpha1', 'iebeta2', 'inone'),
  workload: fc.constantFrom('web', 'db'),
  image: fc.constantFrom('sha256:0', 'nginx:1', 'postgres:15', 'none'),
  owner: fc.constantFrom('user0', 'user1', 'nobody'),
  types: fc.uniqueArray(fc.constantFrom('exec', 'open', 'connect', 'dns', 'sample', 'fork'), { maxLength: 3 }),
  process: fc.constantFrom(...programs, 'sh', 'curl', 'run', 'kworker', 'SH'),
  address: fc.constantFrom(...addresses, ...names, 'EXAMPLE.COM', '10.0.0.2'),
  port: fc.constantFrom(80, 443, 44),
  path: fc.constantFrom(...paths, '/tmp/', '/etc/', '/srv/', '/run/docker.sock', '/tmp/y', '/y', '/etc'),
  text: fc.constantFrom(
    ...[
      'curl',
      'Example.COM',
      'install',
      'tmp x',
      '10.0.0.1',
      'a_b',
      'b',
      'größe',
      'οδος',
      'shadow etc',
      'deadbeef',
      'nxdomain',
      'break q',
      'nowhere',
    ],
  ),
} as const satisfies Record<keyof Omit<ActivityFilter, 'oldestFirst' | 'limit' | 'after'>, unknown>

const rest = fc.record(
  { oldestFirst: fc.boolean(), limit: fc.integer({ min: 1, max: 20 }), after: fc.integer({ min: 0, max: 120 }) },
  { requiredKeys: [], noNullPrototype: true },
)

/** With few wishes each, so that most of them find something. */
export const filter: fc.Arbitrary<ActivityFilter> = fc
  .tuple(fc.subarray(Object.keys(wishes), { maxLength: 3 }), fc.record(wishes), fc.option(rest, { nil: {} }))
  .map(([chosen, values, others]) => ({ ...Object.fromEntries(Object.entries(values).filter(([name]) => chosen.includes(name))), ...others }))
