import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { silentLog } from '../../base/log.ts'
import type { Activity } from '../../model/activity.ts'
import { openActivityStore } from '../../store/activity/open.ts'
import { createActivitySearch } from './activity-search.ts'

let stateDir = ''
before(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'dayfly-activity-search-'))
})
after(() => rmSync(stateDir, { recursive: true }))

const log = silentLog()
const never = new AbortController().signal
const sample = (time: number): Activity => ({ type: 'sample', time, environment: 'e1', instance: 'i1', cpu: 1, memory: 2 })

describe('searches in a thread', () => {
  it('find nothing before anything was kept, then what is kept, each its own', async () => {
    await using searching = createActivitySearch({ stateDir, log })
    assert.deepEqual(await searching.search({}, never), [])
    using store = openActivityStore({ path: join(stateDir, 'activity.sqlite') })
    store.introduce({ environment: 'e1', instance: 'i1', workload: 'w', image: 'm', imageName: 'n', owner: 'o' })
    store.append([sample(1), sample(2), sample(3)])
    const answers = await Promise.all([1, 2, 3].map(time => searching.search({ since: time, until: time }, never)))
    assert.deepEqual(
      answers.map(found => found.map(({ activity }) => activity)),
      [[sample(1)], [sample(2)], [sample(3)]],
    )
  })

  it('fail as the store says, by the signal, and by their patience; the next one is answered', async () => {
    await using searching = createActivitySearch({ stateDir, log })
    await assert.rejects(
      searching.search({ limit: 0 }, never),
      error => error instanceof DayflyError && error.code === 'invalid' && error.field === 'limit' && error.remedy !== undefined,
    )
    await assert.rejects(searching.search({}, AbortSignal.abort()), error => error instanceof DayflyError && error.code === 'aborted')
    assert.equal((await searching.search({}, never)).length, 3)
    await using hasty = createActivitySearch({ stateDir, log, patience: 0 })
    await assert.rejects(hasty.search({}, never), error => error instanceof DayflyError && error.code === 'timeout')
  })

  it('end with the daemon', async () => {
    const searching = createActivitySearch({ stateDir, log })
    const pending = assert.rejects(searching.search({}, never), error => error instanceof DayflyError && error.code === 'unreachable')
    await searching[Symbol.asyncDispose]()
    await pending
    await assert.rejects(searching.search({}, never), error => error instanceof DayflyError && error.code === 'unreachable')
  })
})
