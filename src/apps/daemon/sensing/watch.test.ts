/** What becomes of a sensor that dies or hangs. The programs here speak native/sensor/PROTOCOL.md as far as that goes; a real one is in test/system/sensing.test.ts. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { silentLog } from '../../../base/log.ts'
import type { SensedEvent } from '../../../model/kernel-event.ts'
import type { Watch, WatchOptions } from './watch.ts'
import { createWatch } from './watch.ts'

const ready = JSON.stringify({ type: 'ready', api: 1, schema: 1, level: 0, kernel: '6.1', probes: ['exec'], missing: [] })
const event = (type: string): SensedEvent =>
  ({
    type,
    boot: 1,
    cookie: 7,
    pid: 2,
    tid: 2,
    vpid: 1,
    start: 1,
    parentPid: 1,
    parentStart: 0,
    uid: 0,
    euid: 0,
    gid: 0,
    name: 'x',
    parentName: 'y',
    result: 0,
  }) as SensedEvent

describe('the sensor’s process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-watch-'))
  after(() => rmSync(folder, { recursive: true }))

  /** A program that acks all but what `body`, a list of cases of a shell, says of the command in $2. */
  const program = (name: string, body: string): string => {
    const path = join(folder, name)
    const ack = `echo "{\\"type\\":\\"ack\\",\\"tag\\":$tag,\\"errno\\":0}"`
    writeFileSync(
      path,
      `#!/bin/sh\necho run >> ${path}.runs\necho '${ready}'\nwhile read tag word rest; do case $word in\n${body}\n*) ${ack};; esac; done\n`,
    )
    chmodSync(path, 0o755)
    return path
  }
  const runs = (path: string): number => readFileSync(`${path}.runs`, 'utf8').split('\n').length - 1
  const registration = { cookie: 7, namespace: 4026531836, root: '/', adopted: false }

  interface World extends AsyncDisposable {
    readonly watch: Watch
    readonly gaps: [cookie: number, from: number, to: number][]
    readonly answers: (string | undefined)[]
    state(wanted: Watch['state']['state']): Promise<void>
    answered(count: number): Promise<void>
  }
  const world = (binary: string, more: Partial<WatchOptions> = {}): World => {
    const gaps: World['gaps'] = []
    const answers: (string | undefined)[] = []
    const until = async (condition: () => boolean): Promise<void> => {
      for (const limit = AbortSignal.timeout(30_000); !condition(); await new Promise(resolve => setTimeout(resolve, 5))) assert.ok(!limit.aborted)
    }
    const watch = createWatch({
      ...{
        binary,
        absence: '',
        settings: { droppedBinaries: 'off', connections: 'off', listeners: 'off', scripts: 'off', sensitivePaths: [], writePaths: [] },
        log: silentLog(),
      },
      ...{ listeners: { onEvents: () => undefined }, onState: () => undefined, patience: 500 },
      onRegistered: (_, reason) => void answers.push(reason),
      onGap: (...gap) => void gaps.push(gap),
      ...more,
    })
    return {
      ...{ watch, gaps, answers },
      state: async wanted => await until(() => watch.state.state === wanted),
      answered: async count => await until(() => answers.length >= count),
      [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
    }
  }

  it('that does not answer is killed, and the gap begins at its last answer', async () => {
    // Its second count is never answered.
    const path = program(
      'hangs',
      `counts) if [ -e ${folder}/asked ]; then sleep 1000; fi; touch ${folder}/asked; echo "{\\"type\\":\\"ack\\",\\"tag\\":$tag,\\"errno\\":0}";;`,
    )
    await using stage = world(path)
    const { watch, gaps } = stage
    await stage.state('attached')
    watch.register(registration, undefined)
    await stage.answered(1)
    assert.ok(await watch.counts())
    const seen = watch.seenUntil
    rmSync(join(folder, 'asked'))
    writeFileSync(join(folder, 'asked'), '')
    assert.equal(await watch.counts(), undefined)
    await stage.state('down')
    rmSync(join(folder, 'asked'))
    await stage.state('attached')
    await stage.answered(3)
    assert.equal(runs(path), 2)
    assert.deepEqual(
      gaps.map(([cookie, from]) => [cookie, from]),
      [[7, seen]],
    )
  })

  it('that dies leaves what it has told: the totals are of all sensors', async () => {
    const told = `echo '${JSON.stringify(event('exec'))}'; echo '${JSON.stringify({ ...event('open'), count: 4 })}'`
    const path = program(
      'dies',
      `namespace) echo "{\\"type\\":\\"ack\\",\\"tag\\":$tag,\\"errno\\":0}"; ${told}; if [ ! -e ${folder}/died ]; then touch ${folder}/died; exit 1; fi;;
unregister) echo "{\\"type\\":\\"ack\\",\\"tag\\":$tag,\\"errno\\":0,\\"counts\\":{\\"emitted\\":{\\"exec\\":1,\\"open\\":4},\\"dropped\\":{\\"open\\":2},\\"filtered\\":{}}}";;`,
    )
    await using stage = world(path)
    const { watch } = stage
    await stage.state('attached')
    watch.register(registration, undefined)
    await stage.state('down')
    await stage.state('attached')
    await stage.answered(3)
    assert.deepEqual(await watch.release(7), { emitted: { exec: 2, open: 8 }, dropped: { open: 2 }, filtered: {} })
  })

  it('that refuses a container which starts all the same has a gap from then on', async () => {
    const path = program('refuses', `namespace) echo "{\\"type\\":\\"ack\\",\\"tag\\":$tag,\\"errno\\":17,\\"message\\":\\"registered already\\"}";;`)
    await using stage = world(path)
    const { watch, gaps, answers } = stage
    await stage.state('attached')
    watch.register(registration, undefined)
    await stage.answered(1)
    assert.match(answers[0] ?? '', /registered already/)
    const before = Date.now()
    watch.startsUnseen(7)
    await watch.release(7)
    assert.deepEqual(gaps.length, 1)
    assert.ok((gaps[0]?.[1] ?? 0) >= before)
  })

  it('that refuses a container which never starts leaves no gap', async () => {
    const path = program(
      'refuses-again',
      `namespace) echo "{\\"type\\":\\"ack\\",\\"tag\\":$tag,\\"errno\\":17,\\"message\\":\\"registered already\\"}";;`,
    )
    await using stage = world(path)
    await stage.state('attached')
    stage.watch.register(registration, undefined)
    await stage.answered(1)
    await stage.watch.release(7)
    assert.deepEqual(stage.gaps, [])
  })
})
