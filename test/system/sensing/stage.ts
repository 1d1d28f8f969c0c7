/** A daemon with its sensor, and what it has seen. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunInput } from '../../../src/api/schemas/environments.ts'
import type { Activity } from '../../../src/model/activity.ts'
import type { Event } from '../../../src/model/event.ts'
import type { KernelEvent } from '../../../src/model/kernel-event.ts'
import { openActivityReader } from '../../../src/store/activity/open.ts'
import type { Daemon, DaemonOptions } from '../../daemon.ts'
import { makeFolder, root, startDaemon } from '../../daemon.ts'

const sensorBinary = join(root, 'native/build/dayfly-sensor')

/** Why nothing can be seen on this host; false where it can. */
export const cannotSee: string | false =
  process.getuid?.() !== 0
    ? 'needs root: it loads programs into the kernel'
    : !existsSync('/sys/kernel/btf/vmlinux')
      ? 'this kernel tells no types (BTF)'
      : !existsSync(sensorBinary)
        ? `${sensorBinary} is not built`
        : false

export const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  for (const limit = AbortSignal.timeout(60_000); !(await condition()); await sleep(20)) assert.ok(!limit.aborted, `it never came true: ${what}`)
}

export interface Stage extends AsyncDisposable {
  readonly folder: string
  daemon: Daemon
  /** Another daemon on the same folders. The one before must be gone. */
  another(options?: Partial<DaemonOptions>): Promise<Daemon>
  /** Runs it to its end: the ids of its environment and its instance. */
  run(command: readonly string[], more?: Partial<RunInput>): Promise<{ environment: string; instance: string }>
  /** Starts it, and leaves it running. */
  begin(script: string, more?: Partial<RunInput>): Promise<{ environment: string; instance: string }>
  end(environment: string): Promise<void>
  activity(environment: string): Activity[]
  record(environment: string): Promise<Event[]>
  /** Pid of the sensor. */
  sensor(): number | undefined
  attached(): Promise<void>
}

export const kernelEvents = (activity: readonly Activity[]): KernelEvent[] => activity.filter(one => one.type !== 'sample')
export const samples = (activity: readonly Activity[]): Activity[] => activity.filter(one => one.type === 'sample')

/** Processes that a process has started, by name. */
const childrenOf = (pid: number): { pid: number; name: string }[] =>
  readdirSync(`/proc/${pid}/task`).flatMap(thread =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1')
      .split(' ')
      .filter(text => text.trim() !== '')
      .map(text => ({ pid: Number(text), name: readFileSync(`/proc/${Number(text)}/comm`, 'latin1').trim() })),
  )

/** `unseen`: there will be no sensor. */
export const makeStage = async ({ unseen = false, ...options }: Partial<DaemonOptions> & { readonly unseen?: boolean } = {}): Promise<Stage> => {
  const folder = makeFolder('/tmp/dayfly-sensing-')
  const stage: Stage = {
    folder,
    daemon: startDaemon({ folder, ...options }),
    another: async (more = {}) => {
      stage.daemon = startDaemon({ folder, ...options, ...more })
      await stage.daemon.ready
      return stage.daemon
    },
    begin: async (script, more = {}) => {
      const { id, instances } = await stage.daemon.client.create({ image: 'busybox', command: ['/bin/sh', '-c', script], grace: 0, ...more })
      return { environment: id, instance: instances[0]?.id ?? '' }
    },
    run: async (command, more = {}) => {
      const { id, instances } = await stage.daemon.client.create({ image: 'busybox', command: [...command], ...more })
      await stage.daemon.client.wait(id)
      await until('its environment ends', async () => (await stage.daemon.client.environment(id)).state === 'ended')
      return { environment: id, instance: instances[0]?.id ?? '' }
    },
    end: async environment => void (await stage.daemon.client.end(environment, { force: true })),
    activity: environment => {
      using reader = openActivityReader({ path: join(stage.daemon.stateDir, 'activity.sqlite') })
      return [...reader.read(environment)]
    },
    record: environment => stage.daemon.client.events({ environment }),
    sensor: () => childrenOf(stage.daemon.pid).find(({ name }) => name === 'dayfly-sensor')?.pid,
    attached: () =>
      until('the sensor is attached', async () =>
        (await stage.daemon.client.doctor()).some(({ name, found }) => name === 'sensor' && found.startsWith('attached')),
      ),
    [Symbol.asyncDispose]: async () => {
      for (const { id } of await stage.daemon.client.environments({}).catch(() => [])) await stage.end(id).catch(() => undefined)
      await stage.daemon.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  try {
    await stage.daemon.ready
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    await stage.daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
    if (!unseen) await stage.attached()
    return stage
  } catch (error) {
    await stage[Symbol.asyncDispose]()
    throw error
  }
}
