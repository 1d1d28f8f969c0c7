/** A linux backend with an image and folders of its own, on the real kernel, for the tests of what goes wrong. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LinuxBackend, LinuxBackendOptions } from '../../../src/backends/linux/backend.ts'
import { openLinuxBackend } from '../../../src/backends/linux/backend.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { newEnvironmentId, newInstanceId } from '../../../src/base/ids.ts'
import { silentLog } from '../../../src/base/log.ts'
import type { Created, InstanceRequest } from '../../../src/engine/backend.ts'
import { openImageStore } from '../../../src/host/image/open.ts'
import type { WorkloadSpec } from '../../../src/model/workload.ts'

const project = join(import.meta.dirname, '../../..')
const nativeDir = join(project, 'native/build')

export interface Started extends Created {
  readonly id: string
  readonly environment: string
}

export interface Stage extends AsyncDisposable {
  readonly folder: string
  readonly runDir: string
  readonly stateDir: string
  readonly image: string
  readonly clock: Clock
  backend(): LinuxBackend
  /** The daemon is gone. */
  shut(): Promise<void>
  /** Another daemon on the same folders, the one before being gone. */
  reopen(options?: Partial<LinuxBackendOptions>): Promise<LinuxBackend>
  workload(script: string, change?: Partial<WorkloadSpec>): WorkloadSpec
  request(workload: WorkloadSpec, change?: Partial<InstanceRequest>): InstanceRequest
  start(request: InstanceRequest): Promise<Started>
  log(id: string): string
  /** Removes instances with their environments, and sees that nothing is left that belongs to anybody. */
  remove(...all: readonly { readonly id: string; readonly environment: string }[]): Promise<void>
  /** Pids of the monitors by cell. */
  monitors(): Map<string, number>
}

export const signal = (): AbortSignal => AbortSignal.timeout(60_000)

/** Waits, boundedly, until it is true. */
export const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (const limit = signal(); !(await condition()); await sleep(10)) assert.ok(!limit.aborted, `it never came true: ${what}`)
}

/** A zombie that nobody has reaped yet does not. */
export const lives = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .flatMap(child => (child.trim() === '' ? [] : [Number(child)]))

export const makeStage = async (options: Partial<LinuxBackendOptions> = {}): Promise<Stage> => {
  const folder = mkdtempSync('/tmp/dayfly-linux-')
  chmodSync(folder, 0o711)
  const [stateDir, runDir, logs] = [join(folder, 'state'), join(folder, 'run'), join(folder, 'logs')]
  for (const needed of [stateDir, runDir, logs]) mkdirSync(needed, { recursive: true })
  const tar = execFileSync(join(project, 'scripts/make-image'), [join(folder, 'made')], { encoding: 'utf8' }).trim()
  const images = await openImageStore({ folder: join(folder, 'images'), unpackBinary: join(nativeDir, 'dayfly-unpack') })
  const image = (await images.importRoot(tar, { name: 'busybox:test' })).digest
  const clock = systemClock()
  const onBroken = (reason: Error): void => assert.fail(`the helper died: ${reason.message}`)
  const open = (more: Partial<LinuxBackendOptions>): Promise<LinuxBackend> =>
    openLinuxBackend({ stateDir, runDir, nativeDir, images, clock, log: silentLog(), onBroken, ...options, ...more })
  let backend = await open({})
  let isOpen = true
  const made: InstanceRequest[] = []
  const stage: Stage = {
    ...{ folder, runDir, stateDir, image, clock },
    backend: () => backend,
    shut: async () => {
      if (isOpen) await backend[Symbol.asyncDispose]()
      isOpen = false
    },
    reopen: async (more = {}) => {
      await stage.shut()
      backend = await open(more)
      isOpen = true
      return backend
    },
    workload: (script, change = {}) => ({
      ...{ kind: 'job', image, imageName: 'busybox:test', command: ['/bin/sh', '-c', script], env: { PATH: '/bin:/usr/bin' } },
      ...{ user: '', workdir: '/', readOnly: false, capabilities: [], egress: [], runtime: 'crun', tty: false, stdin: false },
      limits: { cpus: 1, memory: 64 * 1024 * 1024, pids: 64, io: 100 * 1024 * 1024 },
      ...{ stopSignal: 'SIGTERM', grace: 0, logLimit: 1024 * 1024, secrets: [] },
      ...change,
    }),
    request: (workload, change = {}) => {
      const id = newInstanceId()
      const times = { deadline: clock.boot() + 120_000, logPath: join(logs, id) }
      const request = { id, environment: newEnvironmentId(), hostname: 'stage', networks: [], workload, ...times, ...change }
      made.push(request)
      return request
    },
    start: async request => {
      const created = await backend.create(request, new Map(), signal())
      await backend.start(request.id, signal())
      return { ...created, id: request.id, environment: request.environment }
    },
    log: id => readFileSync(join(logs, id), 'utf8').replaceAll(/^\S+ (stdout|stderr) [FP] /gm, ''),
    remove: async (...all) => {
      for (const { id } of all) await backend.remove(id, signal())
      for (const { environment } of all) await backend.removeEnvironment(environment, signal())
      assert.deepEqual(await backend.owned(), [])
    },
    monitors: () =>
      new Map(
        readdirSync(join(runDir, 'instances')).flatMap(cell => {
          const file = join(runDir, 'instances', cell, 'monitor.pid')
          return existsSync(file) ? [[cell, Number(readFileSync(file, 'utf8').split(' ')[0])] as const] : []
        }),
      ),
    [Symbol.asyncDispose]: async () => {
      // A test that failed has left some; why it failed is worth more than that they resist.
      if (isOpen) {
        for (const { id } of made) await backend.remove(id, signal()).catch(() => {})
        for (const { environment } of made) await backend.removeEnvironment(environment, signal()).catch(() => {})
      }
      await stage.shut()
      await images[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return stage
}
