import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { DayflyError } from '../../../base/errors.ts'
import { silentLog } from '../../../base/log.ts'
import type { Sample } from '../../../model/activity.ts'
import type { ActivityStore } from '../../../store/activity/activity-store.ts'
import { openActivityStore } from '../../../store/activity/open.ts'
import { createKeeping } from './keeping.ts'

const sample = (environment: string, cpu: number): Sample => ({
  ...{ type: 'sample', time: 1_700_000_000_000 + cpu, environment, instance: `i-${environment}`, cpu, memory: 1 },
})

describe('what is to be kept', () => {
  let folder = ''
  let count = 0
  let store: ActivityStore
  let full = false
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'dayfly-keeping-'))
  })
  after(() => rmSync(folder, { recursive: true }))
  beforeEach(context => {
    full = false
    const opened = openActivityStore({ path: join(folder, `${count++}.sqlite`) })
    for (const environment of ['a', 'b']) {
      opened.introduce({ environment, instance: `i-${environment}`, workload: 'w', image: 'sha256:0', imageName: 'n', owner: 'me' })
    }
    store = {
      ...opened,
      introduce: origin => {
        if (full) throw new DayflyError('host', 'the disk is full')
        opened.introduce(origin)
      },
      append: entries => {
        if (full) throw new DayflyError('host', 'the disk is full')
        opened.append(entries)
      },
    }
    if ('after' in context) context.after(() => opened[Symbol.dispose]())
  })

  it('is written when it is due, a block for each environment, and the record is told once how far that is', () => {
    const keeping = createKeeping(store, silentLog())
    for (const environment of ['a', 'b', 'a']) keeping.add(sample(environment, 1))
    keeping.look(Date.now())
    assert.deepEqual([store.head('a').entries, keeping.marks()], [0, []])
    keeping.look(Date.now() + 60_000)
    assert.deepEqual([store.head('a').entries, store.head('a').blocks, store.head('b').entries], [2, 1, 1])
    const marks = keeping.marks()
    assert.deepEqual(
      marks.map(({ environment, testimony }) => [environment, testimony.type, testimony.data]),
      [
        ['a', 'activity.kept', { ...store.head('a') }],
        ['b', 'activity.kept', { ...store.head('b') }],
      ],
    )
    assert.deepEqual(keeping.marks(), [])
  })

  it('is written at the end, due or not; what the record knows already is not said again', () => {
    const keeping = createKeeping(store, silentLog())
    keeping.add(sample('a', 1))
    const [kept, ...more] = keeping.settle('a')
    assert.deepEqual([kept?.data, more], [{ ...store.head('a') }, []])
    assert.deepEqual([keeping.settle('a'), keeping.settle('b')], [[], []])
  })

  it('waits for a disk with room, and what is lost at the end is told', () => {
    const keeping = createKeeping(store, silentLog())
    full = true
    keeping.introduce({ environment: 'c', instance: 'i-c', workload: 'w', image: 'sha256:0', imageName: 'n', owner: 'me' })
    keeping.add(sample('c', 1))
    for (let more = 0; more < 1_500; more++) keeping.add(sample('a', more))
    keeping.add(sample('b', 1))
    keeping.look(Date.now() + 60_000)
    assert.equal(store.head('a').entries, 0)
    const lost = keeping.settle('b')
    assert.deepEqual(
      lost.map(({ type, data }) => [type, data]),
      [['activity.lost', { entries: 1, code: 'host' }]],
    )
    full = false
    keeping.look(Date.now() + 120_000)
    assert.deepEqual([store.head('a').entries, store.head('b').entries, store.head('c').entries], [1_500, 0, 1])
  })
})
