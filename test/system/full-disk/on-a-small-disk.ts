/**
 * Run by full-disk.test.ts with a folder on a file system of 4 MiB: the engine on the real store, with the disk really full. Prints `held` when all
 * held.
 */
import assert from 'node:assert/strict'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createFakeBackend, createFakeKernel } from '../../../src/backends/fake/fake.ts'
import { fakeWorkload } from '../../../src/backends/fake/workload.ts'
import { createAgenda } from '../../../src/base/agenda.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { DayflyError, errnoOf } from '../../../src/base/errors.ts'
import { createLog } from '../../../src/base/log.ts'
import type { Script } from '../../../src/engine/backend.suite.ts'
import { createEngine } from '../../../src/engine/create.ts'
import { openStore } from '../../../src/store/sqlite.ts'
import { admission } from '../../engine/admission.ts'
import { never, noSecrets, user } from '../../engine/world.ts'

const [small = '', roomy = ''] = process.argv.slice(2)
const ballast = join(small, 'ballast')

/** Takes what is left of the disk, to the last byte. */
const fill = (): void => {
  const file = openSync(ballast, 'w')
  for (const size of [65_536, 4_096, 512, 1]) {
    const block = Buffer.alloc(size)
    for (;;) {
      try {
        writeSync(file, block)
      } catch (error) {
        assert.equal(errnoOf(error), 'ENOSPC')
        break
      }
    }
  }
  closeSync(file)
}

const clock = systemClock()
const agenda = createAgenda(clock)
const kernel = createFakeKernel(clock, agenda)
const backend = createFakeBackend(kernel)
const store = openStore({ path: join(small, 'dayfly.db'), clock })
const lines: string[] = []
const log = createLog({ write: line => lines.push(line), level: 'info', json: true })
const engine = createEngine({ backend, store, clock, recordsFolder: roomy, log, sweepInterval: 50, admission: admission() })
const alive = setInterval(() => {}, 1000)
await engine.adopt(never())

let names = 0
const run = (script: Script) =>
  engine.run(
    {
      ...{ name: `small-${++names}`, owner: 'tester', labels: { padding: 'x'.repeat(900) }, lease: { ttl: 60_000, idle: 60_000, retention: 60_000 } },
      workloads: { main: fakeWorkload(script) },
    },
    noSecrets,
    user,
    never(),
  )

for (let round = 1; round <= 3; round++) {
  const exiting = await run([{ on: 'SIGUSR1', exit: 40 + round }, { sleep: 1e9 }])
  const ending = await run([{ on: 'SIGTERM', exit: 50 + round }, { sleep: 1e9 }])
  fill()
  // The write-ahead log may have room that was allocated before: use it up.
  let refused: unknown
  for (let attempt = 0; attempt < 2_000 && refused === undefined; attempt++) {
    await run([]).then(
      ({ environment }) => engine.ended(environment.id, AbortSignal.timeout(100)).catch(() => {}),
      (error: unknown) => {
        refused = error
      },
    )
  }
  assert.ok(refused instanceof DayflyError && refused.code === 'host' && /disk is full/.test(refused.message), String(refused))
  assert.match(refused.remedy ?? '', /Free space/)

  const [one, two] = [exiting.environment.id, ending.environment.id]
  const [first, second] = [exiting.instances[0]?.id ?? '', ending.instances[0]?.id ?? '']
  await engine.kill(first, 'SIGUSR1', user)
  const asked = engine.end(two, 'requested', 'enough', user, false, never()).catch((error: unknown) => error)
  await backend.wait(first, never())
  await backend.wait(second, never())
  await new Promise(resolve => setTimeout(resolve, 200))
  assert.ok(kernel.machines.has(first) && kernel.machines.has(second), 'nothing is removed before its status is written')

  rmSync(ballast)
  await asked
  for (const id of [one, two]) {
    await engine.ended(id, AbortSignal.timeout(20_000))
    assert.equal(store.verify(id), undefined)
  }
  assert.equal(engine.instance(first).exit?.code, 40 + round)
  assert.equal(engine.instance(second).exit?.code, 50 + round)
  for (const environment of engine.environments({})) {
    await engine.ended(environment.id, AbortSignal.timeout(20_000))
    assert.equal(store.verify(environment.id), undefined)
  }
  assert.deepEqual(await backend.owned(), [])
}

await engine[Symbol.asyncDispose]()
store[Symbol.dispose]()
agenda[Symbol.dispose]()
clearInterval(alive)
process.stdout.write('held\n')
