/** The linux backend passes the suite of all backends, on the real kernel. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { openLinuxBackend } from '../../src/backends/linux/backend.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import type { BackendFixture } from '../../src/engine/backend.suite.ts'
import { backendSuite } from '../../src/engine/backend.suite.ts'
import { openImageStore } from '../../src/host/image/open.ts'
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
    workload: script => ({
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
    }),
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
