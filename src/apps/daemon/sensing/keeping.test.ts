import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { DayflyError } from '../../../base/errors.ts'
import { silentLog } from '../../../base/log.ts'
import type { Sample } from '../../../model/activity.ts'
import type { KernelEvent } from '../../../model/kernel-event.ts'
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

  it('is written at the end, due or not, and the record is told how far it is: also of what somebody else has kept before', () => {
    const keeping = createKeeping(store, silentLog())
    keeping.add(sample('a', 1))
    const [kept, ...more] = keeping.settle('a')
    assert.deepEqual([kept?.data, more], [{ ...store.head('a') }, []])
    assert.equal(store.head('a').entries, 1)
    assert.deepEqual(
      [
        createKeeping(store, silentLog())
          .settle('a')
          .map(({ data }) => data),
        keeping.settle('b'),
      ],
      [[{ ...store.head('a') }], []],
    )
  })

  it('is nothing any more once the environment is finished', () => {
    const keeping = createKeeping(store, silentLog())
    keeping.add(sample('a', 1))
    keeping.settle('a')
    keeping.add(sample('a', 2))
    keeping.finish('a')
    keeping.add(sample('a', 3))
    keeping.add(sample('b', 1))
    keeping.look(Date.now() + 60_000)
    assert.deepEqual([store.head('a').entries, store.head('b').entries, keeping.marks().map(({ environment }) => environment)], [1, 1, ['b']])
  })

  it('is lost alone where the store does not take it: its neighbours and other environments are kept', () => {
    const keeping = createKeeping(store, silentLog())
    for (let cpu = 0; cpu < 9; cpu++) keeping.add(sample('a', cpu))
    keeping.add({ ...sample('a', 10), instance: 'nobody introduced it' })
    for (let cpu = 20; cpu < 25; cpu++) keeping.add(sample('a', cpu))
    keeping.add(sample('b', 1))
    keeping.look(Date.now() + 60_000)
    assert.deepEqual([store.head('a').entries, store.head('b').entries], [14, 1])
    assert.deepEqual(
      keeping.settle('a').map(({ type, data }) => [type, data['entries'], data['code']]),
      [
        ['activity.kept', 14, undefined],
        ['activity.lost', 1, 'internal'],
      ],
    )
  })

  it('is weighed by bytes: what a workload makes long fills no memory while the disk is full, nor one block', () => {
    const limits = { most: 1_000, heaviest: 64 * 1024, mostWaiting: 1_000, heaviestWaiting: 256 * 1024 }
    const keeping = createKeeping(store, silentLog(), limits)
    const long = (cpu: number): KernelEvent => ({
      ...{
        type: 'exec',
        time: 1_700_000_000_000 + cpu,
        environment: 'a',
        instance: 'i-a',
        pid: 1,
        tid: 1,
        vpid: 1,
        start: 1,
        parentPid: 0,
        parentStart: 0,
      },
      ...{ uid: 0, euid: 0, gid: 0, name: 'x', parentName: 'y', result: 0, args: ['x'.repeat(10_000)] },
    })
    for (let cpu = 0; cpu < 4; cpu++) keeping.add(long(cpu))
    assert.equal(store.head('a').entries, 4)
    full = true
    for (let cpu = 0; cpu < 100; cpu++) keeping.add(long(cpu))
    full = false
    keeping.look(Date.now() + 60_000)
    const [, lost] = keeping.settle('a')
    assert.deepEqual([store.head('a').entries, lost?.data], [16, { entries: 88, code: 'host' }])
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
