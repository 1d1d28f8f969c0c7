/** The test itself: a daemon that is killed again and again under load, then one that must put everything right. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ErrorCode } from '../../../src/base/errors.ts'
import type { Daemon, DaemonOptions } from '../../daemon.ts'
import { startDaemon } from '../../daemon.ts'
import type { Random } from './random.ts'
import { everythingEnded, kernelObjects, verify } from './verify.ts'
import { startWorkers } from './worker.ts'

export interface ChurnOptions {
  readonly daemon: DaemonOptions
  readonly rootTar: string
  readonly kills: number
  readonly workers: number
  readonly random: Random
  readonly tolerated?: readonly ErrorCode[]
  /** Called while a daemon lives, to make its life harder; must have put everything back when it resolves. */
  readonly disturb?: (random: Random, signal: AbortSignal) => Promise<void>
}

/**
 * Most daemons here live for less time than a sensor takes to attach, and what starts waits for that: hardly anything would ever run. Samples are taken and kept
 * all the same; what becomes of the sensor's own part when a daemon is killed is in test/system/sensing.test.ts.
 */
const unseen = (options: DaemonOptions): DaemonOptions => ({ ...options, env: { ...(options.env ?? process.env), DAYFLY_SENSOR: 'off' } })

export const churn = async (t: TestContext, { daemon: own, ...rest }: ChurnOptions): Promise<void> => {
  const options: ChurnOptions = { ...rest, daemon: unseen(own) }
  const { random, kills } = options
  const before = kernelObjects()
  await using first = await started(options)
  await first.client.importImage({ path: options.rootTar, name: 'churn' }, () => {})
  await first.kill()

  const workers = startWorkers({ client: first.client, count: options.workers, random: random.fork(), tolerated: options.tolerated ?? [] })
  const calm = new AbortController()
  const disturbing = options.disturb?.(random.fork(), calm.signal)
  let failedStarts = 0
  const readyTimes: number[] = []
  for (let kill = 0; kill < kills; kill++) {
    const begin = performance.now()
    await using daemon = startDaemon(options.daemon)
    // One in six dies before it answers: in the middle of adopting what the one before it left.
    if (random.chance(1 / 6)) await sleep(random.between(20, 400))
    else {
      try {
        await daemon.ready
        const took = performance.now() - begin
        readyTimes.push(took)
        // Where the machine is slow, a daemon needs longer for as much work.
        await sleep(random.between(1, Math.max(600, Math.round(took))))
      } catch (error) {
        if (options.disturb === undefined) throw error
        failedStarts++
      }
    }
    await daemon.kill()
  }
  calm.abort()
  await disturbing
  t.diagnostic(
    `${kills} daemons killed; ${workers.told.length} jobs, ${workers.cut} calls cut off, ${workers.refused} refused, ${failedStarts} daemons refused to start`,
  )

  const average = readyTimes.reduce((sum, time) => sum + time, 0) / readyTimes.length
  t.diagnostic(`a daemon answered after ${Math.round(average)} ms on average, ${Math.round(Math.max(...readyTimes))} ms at most`)

  await using last = await started(options)
  await workers.stop()
  await everythingEnded(last.client)
  const { faults, environments, ran, undone } = await verify(last.client, workers.told)
  t.diagnostic(`${environments} environments in the store: ${ran} ran, ${undone} were undone before their first instruction`)

  assert.deepEqual(workers.unexpected, [], 'errors that no killed daemon explains')
  assert.deepEqual(faults, [], 'what the record and the logs say')
  assert.ok(ran >= kills, `only ${ran} jobs ran: the machine was too slow for the test to mean anything`)
  assert.deepEqual(await last.client.leaks(), [], 'doctor --leaks')
  assert.equal(await last.stop(), 0, 'exit code of the last daemon')
  assert.deepEqual(
    [...kernelObjects()].filter(object => !before.has(object)),
    [],
    'what the kernel still has',
  )
}

const started = async (options: ChurnOptions): Promise<Daemon> => {
  const daemon = startDaemon(options.daemon)
  await daemon.ready
  return daemon
}
