/** The linux backend passes the suite of all backends, on the real kernel. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openLinuxBackend } from '../../src/backends/linux/backend.ts'
import { systemClock } from '../../src/base/clock.ts'
import { newEnvironmentId, newInstanceId } from '../../src/base/ids.ts'
import { silentLog } from '../../src/base/log.ts'
import type { BackendFixture, Script } from '../../src/engine/backend.suite.ts'
import { backendSuite } from '../../src/engine/backend.suite.ts'
import { openImageStore } from '../../src/host/image/open.ts'
import type { WorkloadSpec } from '../../src/model/workload.ts'
import { shellCommand } from './linux/shell.ts'

const project = join(import.meta.dirname, '../..')
const nativeDir = join(project, 'native/build')
const folder = mkdtempSync('/tmp/dayfly-linux-')
chmodSync(folder, 0o711)
const tar = execFileSync(join(project, 'scripts/make-image'), [join(folder, 'made')], { encoding: 'utf8' }).trim()
const images = await openImageStore({ folder: join(folder, 'images'), unpackBinary: join(nativeDir, 'dayfly-unpack') })
const image = await images.importRoot(tar, { name: 'busybox:test' })
after(async () => {
  await images[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const fail = (reason: Error): void => assert.fail(`the helper died: ${reason.message}`)

let count = 0

const workloadOf = (script: Script): WorkloadSpec => ({
  kind: 'job',
  image: image.digest,
  imageName: 'busybox:test',
  command: shellCommand(script),
  env: { PATH: '/bin:/usr/bin' },
  user: '',
  workdir: '/',
  readOnly: false,
  capabilities: [],
  limits: { cpus: 1, memory: 64 * 1024 * 1024, pids: 64, io: 100 * 1024 * 1024 },
  egress: [],
  runtime: 'crun',
  tty: false,
  stdin: true,
  stopSignal: 'SIGTERM',
  grace: 2000,
  logLimit: 4 * 1024 * 1024,
  secrets: [],
})

const open = async (): Promise<BackendFixture> => {
  const own = join(folder, String(++count))
  const [stateDir, runDir, logs] = [join(own, 'state'), join(own, 'run'), join(own, 'logs')]
  for (const needed of [stateDir, runDir, logs]) mkdirSync(needed, { recursive: true })
  const clock = systemClock()
  const start = () => openLinuxBackend({ stateDir, runDir, nativeDir, images, clock, log: silentLog(), preparedMemory: 0, onBroken: fail })
  let backend = await start()
  return {
    backend,
    clock,
    folder: logs,
    command: shellCommand,
    workload: workloadOf,
    // What a kill -9 does to it is the churn test's; here the daemon's hands are taken away and another one takes over.
    reopen: async () => {
      await backend[Symbol.asyncDispose]()
      backend = await start()
      return backend
    },
    [Symbol.asyncDispose]: async () => {
      const left = await backend.owned()
      await backend[Symbol.asyncDispose]()
      rmSync(own, { recursive: true, force: true })
      assert.deepEqual(left, [], 'nothing without an owner either')
    },
  }
}

backendSuite('linux', open, { oom: true })

test('what was taken from the prepared pool lives on when the pool is given up', async () => {
  const own = join(folder, 'prepared')
  const paths = { stateDir: join(own, 'state'), runDir: join(own, 'run'), nativeDir }
  for (const needed of [paths.stateDir, paths.runDir]) mkdirSync(needed, { recursive: true })
  const clock = systemClock()
  const backend = await openLinuxBackend({ ...paths, images, clock, log: silentLog(), onBroken: fail })
  const signal = AbortSignal.timeout(20_000)
  const started: string[] = []
  const start = async (): Promise<string> => {
    const id = newInstanceId()
    started.push(id)
    const workload = { ...workloadOf([{ sleep: 60_000 }]), grace: 0 }
    const request = {
      id,
      environment: newEnvironmentId(),
      hostname: 'pooled',
      workload,
      deadline: clock.boot() + 60_000,
      logPath: join(own, id),
      networks: [],
    }
    const created = await backend.create(request, new Map(), signal)
    await backend.start(id, signal)
    return created.start
  }
  assert.deepEqual([await start(), await start()], ['cold', 'cold'])
  while ((backend.pool().prepared[0]?.ready ?? 0) === 0) await sleep(20, undefined, { signal })
  assert.equal(await start(), 'prepared')
  await backend.forgetImage(image.digest)
  assert.equal(backend.pool().prepared.length, 0)
  await sleep(200)
  assert.deepEqual(
    (await backend.observe()).map(({ state }) => state),
    ['running', 'running', 'running'],
  )
  const environments = new Set((await backend.observe()).map(({ environment }) => environment))
  for (const id of started) await backend.remove(id, signal)
  for (const environment of environments) await backend.removeEnvironment(environment, signal)
  assert.deepEqual(await backend.owned(), [])
  await backend[Symbol.asyncDispose]()
})
