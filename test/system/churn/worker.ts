/** Keeps running jobs against a daemon that is killed and started again all the time. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../../src/api/client/client.ts'
import { frameKind } from '../../../src/api/frames.ts'
import { fromProblem } from '../../../src/api/problems.ts'
import type { ErrorCode } from '../../../src/base/errors.ts'
import { DayflyError } from '../../../src/base/errors.ts'
import type { Job } from './jobs.ts'
import { nextJob } from './jobs.ts'
import type { Random } from './random.ts'

/** What the client was told of a job before the daemon went away. */
export interface Told {
  readonly job: Job
  /** The daemon said that it exists. */
  created: boolean
  /** The daemon said how its first process ended. */
  exit: number | undefined
  /** Somebody may have ended it: it was asked for, whether or not the answer came. */
  ended: boolean
}

export interface Workers {
  /** Ends when each has finished the job it has. */
  stop(): Promise<void>
  readonly told: readonly Told[]
  /** Errors that no killed daemon explains. */
  readonly unexpected: readonly string[]
  /** How many calls were cut off by a kill, and how many were refused in a way that the test expects. */
  readonly cut: number
  readonly refused: number
}

export interface WorkersOptions {
  readonly client: Client
  readonly count: number
  readonly random: Random
  /** Codes that are no fault, beside the daemon's not being there. */
  readonly tolerated: readonly ErrorCode[]
}

export const startWorkers = (options: WorkersOptions): Workers => {
  const { client } = options
  const told: Told[] = []
  const unexpected: string[] = []
  let stopping = false
  let cut = 0
  let refused = 0

  const one = async (random: Random): Promise<void> => {
    const known: Told = { job: nextJob(`churn-${told.length}`, random), created: false, exit: undefined, ended: false }
    told.push(known)
    try {
      await perform(client, known, random)
    } catch (error) {
      if (!(error instanceof DayflyError)) unexpected.push(`${known.job.name}: ${error instanceof Error ? error.stack : String(error)}`)
      else if (error.code === 'unreachable' || error.code === 'disconnected' || error.code === 'aborted') cut++
      else if (options.tolerated.includes(error.code)) refused++
      else unexpected.push(`${known.job.name} (${known.job.kind}): ${error.code}: ${error.message}; ${await historyOf(client, known.job.name)}`)
      await sleep(30)
    }
  }

  const work = async (random: Random): Promise<void> => {
    while (!stopping) {
      if (await answers(client)) await one(random)
      else await sleep(20)
    }
  }

  const all = Array.from({ length: options.count }, () => work(options.random.fork()))
  return {
    stop: async () => {
      stopping = true
      await Promise.all(all)
    },
    told,
    unexpected,
    get cut() {
      return cut
    },
    get refused() {
      return refused
    },
  }
}

const answers = (client: Client): Promise<boolean> =>
  client.version().then(
    () => true,
    () => false,
  )

/** For whoever reads the fault: what the record says of it. */
const historyOf = async (client: Client, name: string): Promise<string> => {
  try {
    const environment = (await client.environments({ all: true })).find(each => each.name === name)
    if (environment === undefined) return 'it is not in the store'
    const events = await client.events({ environment: environment.id })
    return events.map(event => `${new Date(event.time).toISOString().slice(17)} ${event.type}: ${event.reason}`).join(' | ')
  } catch (error) {
    return `its record cannot be read: ${String(error)}`
  }
}

const perform = async (client: Client, known: Told, random: Random): Promise<void> => {
  const { job } = known
  if (job.kind === 'lines' && random.chance(0.5)) return await foreground(client, known)
  const { id, instances } = await client.create(job.run)
  known.created = true
  const instance = instances[0]
  assert.ok(instance !== undefined, `${job.name} was created without an instance`)
  if (job.kind === 'exec') {
    await runExec(client, instance.id, random)
    known.ended = true
    await client.end(id, { force: random.chance(0.5) })
    return
  }
  if (job.kind === 'stopped') {
    if (random.chance(0.7)) await sleep(random.between(0, 200))
    known.ended = true
    await client.stop(instance.id, undefined)
    return
  }
  if (job.kind === 'lines' && random.chance(0.2)) {
    known.ended = true
    await client.end(id, { force: random.chance(0.5) })
    return
  }
  const over = await client.wait(instance.id)
  known.exit = over.exit?.code
}

/** With its output: what the daemon has sent before an exit must be whole. */
const foreground = async (client: Client, known: Told): Promise<void> => {
  const stream = await client.run(known.job.run)
  let output = ''
  for await (const { kind, payload } of stream.frames) {
    if (kind === frameKind.started) known.created = true
    if (kind === frameKind.stdout) output += payload.toString()
    if (kind === frameKind.error) throw fromProblem(JSON.parse(payload.toString()))
    if (kind === frameKind.exit) {
      const { code } = JSON.parse(payload.toString())
      known.exit = code
      assert.deepEqual(known.job.faults(output, code, false), [], `${known.job.name}: what was streamed`)
      stream.end()
      return
    }
  }
}

/** A command in a running instance: when its exit arrives, its output must be whole. */
const runExec = async (client: Client, instance: string, random: Random): Promise<void> => {
  const count = random.pick([1, 50, 500])
  const code = random.pick([0, 5, 77])
  const stream = await client.exec(instance, {
    command: ['/bin/sh', '-c', `i=0; while [ $i -lt ${count} ]; do echo line $i; i=$((i+1)); done; exit ${code}`],
  })
  let output = ''
  for await (const { kind, payload } of stream.frames) {
    if (kind === frameKind.stdout) output += payload.toString()
    if (kind === frameKind.exit) {
      assert.equal(JSON.parse(payload.toString()).code, code, 'the exit code of an exec')
      assert.equal(output, Array.from({ length: count }, (_, index) => `line ${index}\n`).join(''), 'the output of an exec')
      stream.end()
      return
    }
    if (kind === frameKind.error) throw fromProblem(JSON.parse(payload.toString()))
  }
}
