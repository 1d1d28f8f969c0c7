/** Dayfly, by a daemon of its own: cold and prepared, by the API over the socket and by the command. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { frameKind } from '../src/api/frames.ts'
import type { ExitFrame, RunInput } from '../src/api/schemas/environments.ts'
import type { Daemon } from '../test/daemon.ts'
import { dayflyProgram, startDaemon } from '../test/daemon.ts'
import { timeProcess } from './measure.ts'
import { helperMemory } from './memory.ts'
import type { Idle, Subject, Timing } from './subject.ts'
import { greeting } from './subject.ts'

const image = 'bench'
const command = ['/bin/echo', greeting]

/** Makes a shape that nobody has asked for before, so that nothing can be prepared for it. */
let shapes = 0
const unheardOf = (): Record<string, string> => ({ BENCH_SHAPE: String(shapes++) })

const runOnce = async ({ client }: Daemon, run: RunInput): Promise<Timing> => {
  const begin = performance.now()
  const stream = await client.run(run)
  let firstOutput = 0
  let output = ''
  for await (const { kind, payload } of stream.frames) {
    if (kind === frameKind.stdout) {
      if (firstOutput === 0) firstOutput = performance.now() - begin
      output += payload.toString()
    }
    if (kind === frameKind.error) throw new Error(payload.toString())
    if (kind === frameKind.exit) {
      const exit = performance.now() - begin
      const { code, instance }: ExitFrame = JSON.parse(payload.toString())
      stream.end()
      if (code !== 0 || !output.includes(greeting)) throw new Error(`exit ${code}, output ${JSON.stringify(output)}`)
      return { firstOutput, exit, start: instance?.start ?? undefined }
    }
  }
  throw new Error('the stream ended without an exit')
}

const idle = async (daemon: Daemon, count: number): Promise<Idle> => {
  const started: string[] = []
  const helpers = await helperMemory(async () => {
    for (let index = 0; index < count; index++) {
      started.push((await daemon.client.create({ image, command: ['/bin/sleep', '3600'], env: unheardOf() })).id)
    }
  })
  return {
    helpers,
    [Symbol.asyncDispose]: async () => {
      for (const id of started) await daemon.client.end(id, { force: true })
    },
  }
}

/** Runs bursts of a shape until a burst is started from the pool alone, or the pool grows no more. */
const fillPool = async (daemon: Daemon, count: number): Promise<void> => {
  let best = -1
  for (let round = 0; round < 8; round++) {
    const starts = await Promise.all(Array.from({ length: count }, () => runOnce(daemon, { image, command })))
    const prepared = starts.filter(({ start }) => start === 'prepared').length
    if (prepared <= best && round > 2) break
    best = Math.max(best, prepared)
    await settled(daemon)
    if (prepared === count) break
  }
}

/** Waits until nobody is making or removing anything: the daemon's own processor time stands still. */
const settled = async (daemon: Daemon): Promise<void> => {
  const used = (): number => {
    const fields = readFileSync(`/proc/${daemon.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(fields[11]) + Number(fields[12])
  }
  for (let before = -1, now = used(); now - before > 1; before = now, now = used()) await sleep(1000)
}

export interface DayflySubjects extends AsyncDisposable {
  readonly subjects: readonly Subject[]
}

export const dayflySubjects = async (folder: string, runDir: string, rootTar: string): Promise<DayflySubjects> => {
  const daemon = startDaemon({ folder, runDir })
  await daemon.ready
  await daemon.client.importImage({ path: rootTar, name: image }, () => {})
  const owned = { [Symbol.asyncDispose]: async () => {} } // The daemon outlives each of its subjects.
  return {
    subjects: [
      {
        name: 'dayfly cold, API',
        note: 'a shape seen for the first time, by the socket: network, seccomp, cgroup, user namespace, log, record',
        once: () => runOnce(daemon, { image, command, env: unheardOf() }),
        warm: () => settled(daemon),
        idle: count => idle(daemon, count),
        ...owned,
      },
      {
        name: 'dayfly prepared, API',
        note: 'a shape that is asked for again and again, by the socket; the same isolation',
        once: () => runOnce(daemon, { image, command }),
        warm: count => fillPool(daemon, count),
        ...owned,
      },
      {
        name: 'dayfly prepared, CLI',
        note: 'the same by the dayfly command',
        once: () => timeProcess([dayflyProgram, '--run-dir', daemon.runDir, 'run', image, '--', ...command]),
        warm: () => settled(daemon),
        ...owned,
      },
    ],
    [Symbol.asyncDispose]: async () => {
      await daemon.stop()
    },
  }
}
