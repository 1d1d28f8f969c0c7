/** The parts of this backend that need no kernel. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError } from '../../base/errors.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import { defaultLimits } from '../../model/workload.ts'
import { readExit } from './exit.ts'
import { layout } from './layout.ts'
import { nameserversIn } from './nameservers.ts'
import { refusal } from './refusal.ts'
import { shapeOf } from './shape.ts'
import { createSlots } from './slots.ts'
import { limitConcurrency } from './turnstile.ts'

const workload: WorkloadSpec = {
  kind: 'job',
  image: `sha256:${'0'.repeat(64)}`,
  imageName: 'x',
  command: ['/bin/true'],
  env: { A: '1', B: '2' },
  user: '',
  workdir: '/',
  readOnly: false,
  capabilities: [],
  limits: defaultLimits,
  egress: [],
  runtime: 'crun',
  tty: false,
  stdin: false,
  stopSignal: 'SIGTERM',
  grace: 1000,
  logLimit: 1024,
  secrets: [],
}

test('a shape is what is fixed at the creation, in whatever order it is written', () => {
  const shape = shapeOf(workload, 'one')
  assert.equal(shapeOf({ ...workload, env: { B: '2', A: '1' } }, 'two'), shape)
  assert.equal(
    shapeOf(
      { ...workload, egress: [{ cidr: '10.0.0.0/8' }], grace: 5, logLimit: 4096, imageName: 'y', kind: 'service', stopSignal: 'SIGINT' },
      'one',
    ),
    shape,
  )
  const others: Partial<WorkloadSpec>[] = [
    { image: `sha256:${'1'.repeat(64)}` },
    { command: ['/bin/false'] },
    { env: { A: '1' } },
    { user: '1' },
    { workdir: '/tmp' },
    { readOnly: true },
    { capabilities: ['NET_RAW'] },
    { limits: { ...defaultLimits, pids: 7 } },
    { runtime: 'runsc' },
    { tty: true },
    { stdin: true },
    { secrets: ['a'] },
  ]
  const shapes = others.map(other => shapeOf({ ...workload, ...other }, 'one'))
  assert.equal(new Set([...shapes, shape]).size, others.length + 1)
  const gvisor = { ...workload, runtime: 'runsc' } as const
  assert.notEqual(shapeOf(gvisor, 'one'), shapeOf(gvisor, 'two'), 'gVisor keeps its first host name')
})

test('a run folder whose sockets could not be reached is refused before anything is made', () => {
  assert.throws(() => layout('/state', `/${'x'.repeat(80)}`), { code: 'invalid', field: '--run-dir' })
  assert.ok(layout('/state', `/${'x'.repeat(70)}`).cell('i0123456789a').socket.length <= 107)
})

test('only name servers that the egress rules open are lent', () => {
  const host = 'search x\nnameserver 127.0.0.53\nnameserver 192.0.2.1\n nameserver 198.51.100.7\nnameserver ::1\n'
  assert.deepEqual(nameserversIn(host, []), [])
  assert.deepEqual(nameserversIn(host, [{ cidr: '192.0.2.0/24', port: 443 }]), [])
  assert.deepEqual(nameserversIn(host, [{ cidr: '192.0.2.0/24', port: 53 }]), ['192.0.2.1'])
  assert.deepEqual(nameserversIn(host, [{ cidr: '0.0.0.0/0' }]), ['192.0.2.1', '198.51.100.7'])
})

test('what a runtime refuses becomes 127, 126 or a host error', () => {
  const code = (message: string): string | undefined => {
    const error = refusal(new NativeError('EIO', message), 'foo', 'it could not be done')
    return error instanceof DayflyError ? error.code : undefined
  }
  assert.equal(code('executable file `foo` not found in $PATH: No such file or directory'), 'command_not_found')
  assert.equal(code('open executable: Permission denied'), 'command_not_executable')
  assert.equal(code('mount `proc` to `/proc`: Permission denied'), 'host')
  assert.match(String(refusal(new NativeError('EIO', 'fail startup'), 'foo', 'it could not be done')), /it could not be done: fail startup/)
  const own = new Error('something else')
  assert.equal(refusal(own, 'foo', ''), own)
})

test('an exit file is read back, and one that is torn is an error, not a zero', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-exit-'))
  try {
    const file = join(folder, 'exit')
    assert.equal(
      readExit(file, () => false),
      undefined,
    )
    writeFileSync(file, 'code 137\nsignal 9\ncause deadline\nended 1700000000000\ndropped-bytes 5\ndropped-lines 1\n')
    assert.deepEqual(
      readExit(file, () => true),
      { code: 137, signal: 9, oom: true, cause: 'deadline', endedAt: 1700000000000, droppedBytes: 5, droppedLines: 1 },
    )
    writeFileSync(file, 'code 0\nsignal 0\ncause exit\n')
    assert.throws(() => readExit(file, () => false), { code: 'host', message: /no number "ended"/ })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('slots are never handed out twice, and one that was given back comes last', () => {
  const slots = createSlots(3, [{ slice: 3, slot: 0 }])
  const first = slots.allocate()
  assert.deepEqual(first, { slice: 3, slot: 1 })
  slots.release(first)
  slots.release(first)
  const rest = Array.from({ length: 1023 }, () => slots.allocate().slot)
  assert.equal(new Set(rest).size, 1023)
  assert.equal(rest.at(-1), 1)
  assert.throws(() => slots.allocate(), { code: 'exhausted' })
})

test('a turnstile lets in only so many', async () => {
  const turn = limitConcurrency(2)
  const never = new AbortController().signal
  let inside = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 9 }, async () => {
      using _turn = await turn(never)
      most = Math.max(most, ++inside)
      await sleep(1)
      inside--
    }),
  )
  assert.equal(most, 2)
  assert.equal(inside, 0)
})

test('who waits at a turnstile can give up, and holds no place', async () => {
  const turn = limitConcurrency(1)
  const never = new AbortController().signal
  const first = await turn(never)
  const controller = new AbortController()
  const second = turn(controller.signal)
  const third = turn(never)
  controller.abort()
  await assert.rejects(second, { code: 'aborted' })
  first[Symbol.dispose]()
  ;(await third)[Symbol.dispose]()
  ;(await turn(never))[Symbol.dispose]()
})
