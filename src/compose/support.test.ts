import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memorySources } from '../../test/compose/sources.ts'
import { grantableCapabilities as granted, minimumCapabilities as minimum } from '../host/oci/capabilities.ts'
import { load } from './compose.ts'
import { fieldsOf, itemsOf } from './decode.ts'
import { grantableCapabilities, minimumCapabilities } from './judges.ts'
import type { Problem, Warning } from './problems.ts'
import { InvalidCompose } from './problems.ts'
import type { Schema } from './schema.ts'
import { composeSchema } from './schema.ts'
import { support } from './support.ts'
import type { Path } from './tree.ts'
import { patternTable } from './tree.ts'

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every property that the schema knows, as a pattern: names that users choose and indexes are `*`. */
const properties = (schema: Schema, path: Path = []): Path[] => {
  const { properties: known, patterns } = fieldsOf(schema)
  const below = itemsOf(schema)
  return [
    ...Object.entries(known).flatMap(([name, value]) => [[...path, name], ...(isSchema(value) ? properties(value, [...path, name]) : [])]),
    ...patterns.filter(([text]) => text !== '^x-').flatMap(([, value]) => properties(value, [...path, '*'])),
    ...(below === undefined ? [] : properties(below, [...path, '*'])),
  ]
}

const outcome = async (yaml: string): Promise<{ problems: readonly Problem[]; warnings: readonly Warning[] }> => {
  const sources = memorySources({ '/p/compose.yaml': yaml, '/p/inside/file': '' }, { '/p/out': '/etc' })
  try {
    return { problems: [], warnings: (await load({ files: [], projectFolder: '/p', env: {}, profiles: [], sources })).warnings }
  } catch (error) {
    if (error instanceof InvalidCompose) return { problems: error.problems, warnings: [] }
    throw error
  }
}

const service = (yaml: string): string => `services:\n  a:\n    image: x\n    ${yaml}\n  b: { image: y }\n`

describe('what is supported', () => {
  const supportOf = patternTable(support)
  const all = properties(composeSchema())

  it('says something of every property of the schema, or of one above it that is ignored or refused', () => {
    assert.ok(all.length > 300, `the schema was walked: ${all.length} properties`)
    const silent = all.filter(path => {
      const lines = path.map((_, index) => supportOf(path.slice(0, index + 1)))
      return lines.at(-1) === undefined && !lines.some(line => line?.status === 'ignored' || line?.status === 'refused')
    })
    assert.deepEqual(
      silent.map(path => path.join('.')),
      [],
    )
  })

  it('has no line for what the schema does not have', () => {
    const known = new Set(all.flatMap(path => path.map((_, index) => path.slice(0, index + 1).join('.'))))
    // Entries of lists are no properties, and some are judged each.
    const unknown = Object.keys(support).filter(path => !known.has(path) && !known.has(path.replace(/\.\*$/, '')))
    assert.deepEqual(unknown, [])
  })

  it('grants the capabilities that the host grants', () => {
    assert.deepEqual([...grantableCapabilities].sort(), [...granted].sort())
    assert.deepEqual([...minimumCapabilities].sort(), [...minimum].sort())
  })

  for (const [yaml, policy] of [
    ['build: { context: ., ssh: [default] }', 'Credentials of the host'],
    ['build: { context: ., network: host }', 'Host namespaces'],
    ['build: { context: ., entitlements: [network.host] }', 'Build entitlements'],
    ['privileged: true', 'Privileged containers'],
    ['privileged: "true"', 'Privileged containers'],
    ['network_mode: host', 'Host namespaces'],
    ['network_mode: "container:other"', 'Shared namespaces'],
    ['network_mode: "service:b"', 'Shared namespaces'],
    ['network_mode: macvlan0', 'Network drivers'],
    ['pid: host', 'Host namespaces'],
    ['ipc: host', 'Host namespaces'],
    ['uts: host', 'Host namespaces'],
    ['userns_mode: host', 'Host namespaces'],
    ['cgroup: host', 'Host namespaces'],
    ['devices: [/dev/fuse]', 'Devices'],
    ['device_cgroup_rules: ["c 1:3 mr"]', 'Devices'],
    ['gpus: all', 'Devices'],
    ['deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }', 'Devices'],
    ['runtime: nvidia', 'Runtimes'],
    ['cap_add: [ALL]', 'Capabilities'],
    ['cap_add: [cap_sys_admin]', 'Capabilities'],
    ['security_opt: ["seccomp=unconfined"]', 'Seccomp'],
    ['security_opt: ["seccomp:./profile.json"]', 'Seccomp'],
    ['security_opt: ["apparmor:unconfined"]', 'AppArmor'],
    ['security_opt: ["label:disable"]', 'SELinux'],
    ['security_opt: ["no-new-privileges:false"]', 'Privilege escalation'],
    ['security_opt: ["systempaths=unconfined"]', 'Proc mount type'],
    ['sysctls: { kernel.core_pattern: x }', 'Sysctls'],
    ['use_api_socket: true', 'Container engine socket'],
    ['credential_spec: { file: a.json }', 'Credentials of the host'],
    ['volumes: ["/var/run/docker.sock:/s"]', 'Container engine socket'],
    ['volumes: ["/etc:/etc"]', 'Host paths'],
    ['volumes: ["..:/up"]', 'Host paths'],
    ['volumes: ["./inside/../../x:/up"]', 'Host paths'],
    ['volumes: ["./out:/linked"]', 'Host paths'],
    ['volumes: ["./out/sub/new:/linked"]', 'Host paths'],
    ['volumes: ["~/x:/home"]', 'Host paths'],
    ['volumes: ["C:\\\\data:/d"]', 'Host paths'],
    ['volumes: [{ type: bind, source: ./inside, target: /d, bind: { propagation: shared } }]', 'Host paths'],
    ['volumes: [{ type: image, source: x, target: /d }]', 'Volume types'],
    ['volumes: [{ type: npipe, source: x, target: /d }]', 'Volume types'],
    ['volumes_from: [b]', 'Supported features'],
    ['external_links: [other]', 'External resources'],
    ['extra_hosts: ["host.docker.internal:host-gateway"]', 'No route to the host'],
    ['build: { context: ., privileged: true }', 'Privileged containers'],
    ['build: { context: ., entitlements: [network.host] }', 'Build entitlements'],
    ['build: { context: ., network: host }', 'Host namespaces'],
    ['post_start: [{ command: x }]', 'Supported features'],
  ] as const) {
    it(`refuses ${yaml}`, async () => {
      const { problems } = await outcome(service(yaml.includes('~') ? yaml.replace('~', '/root') : yaml))
      assert.deepEqual(
        problems.map(problem => problem.policy),
        [policy],
      )
      assert.match(problems[0]?.path ?? '', /^services\.a\./)
      assert.equal(problems[0]?.file, 'compose.yaml')
      assert.equal(problems[0]?.line, 4)
    })
  }

  for (const [yaml, policy] of [
    ['networks: { default: { external: true } }', 'External resources'],
    ['networks: { default: { driver: macvlan } }', 'Network drivers'],
    ['volumes: { vol: { external: true } }', 'External resources'],
    ['volumes: { vol: { driver: rexray } }', 'Volume drivers'],
    ['volumes: { vol: { driver_opts: { type: none, o: bind, device: /etc } } }', 'Volume drivers'],
    ['secrets: { s: { file: /etc/shadow } }', 'Host paths'],
    ['configs: { c: { external: true } }', 'External resources'],
  ] as const) {
    it(`refuses ${yaml}`, async () => {
      const uses = 'volumes: ["vol:/v"]\n    secrets: [s]\n    configs: [c]'.split('\n    ').filter(line => yaml.startsWith(line.split(':')[0] ?? ''))
      const { problems } = await outcome(`${service(uses.join('\n    '))}${yaml}\n`)
      assert.deepEqual(
        problems.map(problem => problem.policy),
        [policy],
      )
    })
  }

  it('takes what says nothing, and what is fine', async () => {
    const fine = [
      ...[
        'privileged: false',
        'devices: []',
        'pid: ""',
        'ipc: private',
        'cgroup: private',
        'runtime: crun',
        'network_mode: none',
        'cap_add: [NET_RAW, CAP_KILL]',
      ],
      ...[
        'security_opt: [no-new-privileges, "no-new-privileges:true"]',
        'sysctls: { net.core.somaxconn: 1 }',
        'volumes: [".:/p", "./inside:/q", "./new/er:/r"]',
      ],
    ]
    for (const yaml of fine) assert.deepEqual(await outcome(service(yaml)), { problems: [], warnings: [] }, yaml)
  })

  it('warns of what is ignored, where it stands', async () => {
    for (const yaml of [
      'logging: { driver: syslog }',
      'dns: 1.1.1.1',
      'cpuset: "0"',
      'develop: { watch: [{ path: ., action: rebuild }] }',
      'network_mode: bridge',
    ]) {
      const { warnings } = await outcome(service(yaml))
      assert.deepEqual(
        warnings.map(({ kind, file, line }) => [kind, file, line]),
        [['ignored', 'compose.yaml', 4]],
        yaml,
      )
    }
  })

  it('does not judge what no enabled service uses', async () => {
    const { problems } = await outcome(`${service('user: "1"')}networks: { outside: { external: true } }\nvolumes: { old: { external: true } }\n`)
    assert.deepEqual(problems, [])
  })
})
