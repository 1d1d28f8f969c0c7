/** Falco's own rule file, whole, against what its rules are for. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { contextOf, noon, processOf } from '../../../test/detect/context.ts'
import { fixture } from '../../../test/fixtures.ts'
import type { EventContext } from '../fields/context.ts'
import { ownRules } from '../rules/own.ts'
import { formatDiagnostic } from './diagnostic.ts'
import { loadRules } from './load.ts'
import { compileRules } from './rule-set.ts'

const { path, skip } = fixture('falco')
const open = (file: string, openFlags = 0) => ({ type: 'open', syscall: 'openat', path: file, openFlags, result: 3 }) as const
const tcp = { family: 'inet', protocol: 6, localAddress: '10.88.0.2', localPort: 40000, remoteAddress: '203.0.113.9', remotePort: 443 } as const
const chain = (...names: readonly string[]) =>
  names.reduceRight<ReturnType<typeof processOf> | undefined>((parent, name) => processOf({ name, exe: name, parent }), undefined)

describe("Falco's rules", { skip }, () => {
  const source = () => ({ name: 'falco_rules.yaml', text: readFileSync(join(path, 'falco_rules.yaml'), 'utf8') })
  const matched = (context: EventContext): readonly string[] =>
    compileRules(loadRules([source()]).rules)
      .match(context)
      .map(({ rule }) => rule.name)

  it('are loaded whole: no error, no warning, no rule that never matches', () => {
    const { rules, errors, warnings } = loadRules([source()])
    assert.deepEqual([errors.map(formatDiagnostic), warnings.map(formatDiagnostic)], [[], []])
    assert.equal(rules.length, 25)
    assert.deepEqual(
      rules.filter(({ isInert, lacking }) => isInert || lacking.length > 0),
      [],
    )
  })

  it("are loaded beside Dayfly's own, and change none of them", () => {
    const own = loadRules(ownRules())
    const both = loadRules([...ownRules(), source()])
    assert.deepEqual(both.errors.map(formatDiagnostic), [])
    assert.deepEqual(
      both.rules.slice(0, own.rules.length).map(({ name, text }) => [name, text]),
      own.rules.map(({ name, text }) => [name, text]),
    )
  })

  it('are each for few events only', () => {
    for (const { name, eventTypes } of loadRules([source()]).rules) assert.ok(eventTypes.size >= 1 && eventTypes.size <= 4, name)
  })

  it('find what they are for', () => {
    const root = { userIds: { first: 1000, each: 65_536 } }
    const cases: readonly (readonly [string, EventContext])[] = [
      ['Read sensitive file untrusted', contextOf(open('/etc/shadow'), { name: 'cat' })],
      ['Read sensitive file trusted after startup', contextOf(open('/etc/shadow'), { name: 'nginx', startedAt: noon - 60_000 })],
      ['Directory traversal monitored file read', contextOf({ ...open('/var/www/../../etc/passwd'), result: 4 }, { name: 'app' })],
      ['Run shell untrusted', contextOf({ type: 'exec' }, { name: 'sh', parent: chain('nginx', 'init') })],
      ['Terminal shell in container', contextOf({ type: 'exec' }, { name: 'bash', tty: 34816, parent: chain('runc') })],
      ['Netcat Remote Code Execution in Container', contextOf({ type: 'exec' }, { name: 'nc', args: ['-e', '/bin/sh'] })],
      ['Search Private Keys or Passwords', contextOf({ type: 'exec' }, { name: 'grep', args: ['-r', 'BEGIN RSA PRIVATE', '/'] })],
      ['Create Symlink Over Sensitive Files', contextOf({ type: 'symlink', path: '/etc', target: '/tmp/x' })],
      ['Create Hardlink Over Sensitive Files', contextOf({ type: 'link', path: '/etc/shadow', target: '/tmp/x' })],
      ['Packet socket created in container', contextOf({ type: 'socket', numbers: [17, 3, 768], result: 3 })],
      ['Redirect STDOUT/STDIN to Network Connection in Container', contextOf({ type: 'dup', syscall: 'dup2', fd: 0, result: 0, socket: tcp })],
      ['Linux Kernel Module Injection Detected', contextOf({ type: 'module', syscall: 'finit_module', capabilities: '10000' }, { name: 'insmod' })],
      ['Debugfs Launched in Privileged Container', contextOf({ type: 'exec' }, { name: 'debugfs' }, { privileged: true })],
      ['Detect release_agent File Container Escapes', contextOf(open('/sys/fs/cgroup/x/release_agent', 1), { capabilities: '200000' }, root)],
      ['PTRACE attached to process', contextOf({ type: 'ptrace', numbers: [16, 17] })],
      ['PTRACE anti-debug attempt', contextOf({ type: 'ptrace', numbers: [0, 0] })],
      ['Find AWS Credentials', contextOf({ type: 'exec' }, { name: 'grep', args: ['aws_secret_access_key'] })],
      ['Execution from /dev/shm', contextOf({ type: 'exec' }, { name: 'x', exe: '/dev/shm/x' })],
      ['Drop and execute new binary in container', contextOf({ type: 'exec' }, { name: 'x', isUpper: true })],
      ['Fileless execution via memfd_create', contextOf({ type: 'exec' }, { name: 'x', isMemfd: true })],
      [
        'Disallowed SSH Connection Non Standard Port',
        contextOf({ type: 'connect', result: -115, socket: tcp }, { name: 'ssh', exe: '/usr/bin/ssh' }),
      ],
      [
        'Contact K8S API Server From Container',
        { ...contextOf({ type: 'connect', socket: tcp }), namesOf: () => ['kubernetes.default.svc.cluster.local'] },
      ],
      ['Clear Log Activities', contextOf(open('/var/log/syslog', 0o1001), { name: 'sh' })],
      ['Remove Bulk Data from Disk', contextOf({ type: 'exec' }, { name: 'shred' })],
    ]
    for (const [name, context] of cases) assert.ok(matched(context).includes(name), `${name}: ${matched(context).join(', ')}`)
  })

  it('leave alone what is ordinary', () => {
    const ordinary: readonly EventContext[] = [
      contextOf(open('/srv/app/config.json'), { name: 'node' }),
      contextOf(open('/etc/shadow'), { name: 'sshd' }),
      contextOf({ type: 'exec' }, { name: 'node', parent: chain('sh', 'init') }),
      contextOf({ type: 'exec' }, { name: 'sh', parent: chain('bash') }),
      contextOf({ type: 'connect', socket: { ...tcp, remoteAddress: '10.0.0.7' } }, { name: 'ssh', exe: 'ssh' }),
      contextOf({ type: 'connect', result: -111, socket: tcp }, { name: 'ssh', exe: 'ssh' }),
      contextOf({ type: 'ptrace', numbers: [7, 17] }),
      contextOf({ type: 'dup', syscall: 'dup2', fd: 1, result: 1, socket: { family: 'unix', protocol: 0 } }),
      contextOf({ type: 'symlink', path: '/srv/a', target: '/srv/b' }),
      contextOf({ type: 'exit' }),
    ]
    for (const context of ordinary) assert.deepEqual(matched(context), [])
  })

  it('tell what they found', () => {
    const [match] = compileRules(loadRules([source()]).rules).match(
      contextOf({ type: 'exec', flags: ['upper'] }, { name: 'x', exe: './x', isUpper: true, parent: chain('sh', 'init') }),
    )
    assert.match(
      match?.output ?? '',
      /^Executing binary not part of base image \| proc_exe=\.\/x proc_sname=init gparent=init proc_exe_ino_ctime=<NA> .* exe_flags=EXE_UPPER_LAYER$/,
    )
    assert.equal(match?.rule.priority, 'critical')
  })
})
