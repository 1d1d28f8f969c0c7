import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { exampleEnvironment, exampleInstance } from '../../engine/store.suite.ts'
import type { ActivityHead } from '../../model/activity.ts'
import { dayfly } from '../../model/event.ts'
import type { Verification } from '../../model/seal.ts'
import { defaultPrices } from '../../model/usage.ts'
import { openActivityStore } from '../../store/activity/open.ts'
import { entryHash, genesisHash } from '../../store/chain.ts'
import { openStore } from '../../store/sqlite.ts'
import { createActivityArchive } from './activity-archive.ts'
import { createActivitySearch } from './activity-search.ts'
import { openHeadKey } from './head-key.ts'
import { openRecordKey } from './record-key.ts'
import { createRecords } from './records.ts'
import { createSealing } from './sealing.ts'

const clock = systemClock()
const log = silentLog()
let all = ''
before(() => {
  all = mkdtempSync(join(tmpdir(), 'dayfly-sealing-'))
})
after(() => rmSync(all, { recursive: true }))

/** What the daemon has to do with records, on a folder of its own or on that of one before. */
const opened = (folder = mkdtempSync(join(all, 's-')), change: { cut?: (environment: string, head: ActivityHead) => Promise<void> } = {}) => {
  const stack = new AsyncDisposableStack()
  const headKey = openHeadKey(folder)
  const store = stack.use(openStore({ path: join(folder, 'dayfly.sqlite'), clock, headKey }))
  headKey.keep()
  const archive = stack.use(createActivityArchive({ stateDir: folder, log }))
  const { search } = stack.use(createActivitySearch({ stateDir: folder, log }))
  const sources = {
    ...{ store, archive, search, prunedEvidence: async () => false, evidencePath: () => '' },
    ...{ logPath: ({ id }: { id: string }) => join(folder, `${id}.log`), accessLogPath: (id: string) => join(folder, `${id}.access`) },
  }
  const key = openRecordKey(folder, store.signatures, clock.wall())
  const sealing = stack.use(createSealing({ ...sources, key, clock, log, cut: change.cut ?? (async () => undefined) }))
  const records = createRecords({ ...sources, sealing, prices: defaultPrices, flush: () => undefined })
  const verified = async (id: string): Promise<Verification> => {
    const environment = store.environment(id)
    assert.ok(environment)
    return await records.verify(environment)
  }
  /** An environment with its whole record. */
  const ended = (first = '', note: () => void = () => undefined, made = exampleEnvironment('x')) => {
    const instance = exampleInstance(made.id, { state: 'removed' })
    store.putEnvironment(made)
    store.putInstance(instance)
    const say = (type: string, data: Record<string, never> | object = {}, of?: string): void =>
      void store.append({
        environment: made.id,
        type,
        actor: dayfly,
        reason: 'because',
        data: { ...data },
        ...(of === undefined ? {} : { instance: of }),
      })
    const workloads = first === '' ? {} : { web: { image: first, imageName: 'first:1' } }
    say('environment.creating', { name: made.spec.name, owner: made.spec.owner, workloads })
    say('instance.pending', {}, instance.id)
    note()
    say('environment.ended', { cause: 'requested' })
    store.putEnvironment({ ...made, state: 'ended', endedAt: clock.wall() })
    store.seal(made.id, dayfly)
    return { id: made.id, instance: instance.id }
  }
  return { folder, store, sealing, records, verified, ended, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('signing', () => {
  test('goes on with the others when one cannot be signed now', async () => {
    await using daemon = opened()
    const [one, two] = [daemon.ended(), daemon.ended()]
    const first = [one.id, two.id].sort()[0]
    const bad = first === one.id ? one : two
    const good = bad === one ? two : one
    mkdirSync(join(daemon.folder, `${bad.instance}.log`))
    daemon.sealing.begin()
    for (let turn = 0; turn < 200 && daemon.store.signatures.of(good.id) === undefined; turn++) await new Promise(resolve => setTimeout(resolve, 10))
    assert.ok(daemon.store.signatures.of(good.id))
    assert.equal(daemon.store.signatures.of(bad.id), undefined)
    rmSync(join(daemon.folder, `${bad.instance}.log`), { recursive: true })
    assert.equal(await daemon.sealing.signed(bad.id), true)
  })

  test('names the images that an update has taken away', async () => {
    await using daemon = opened()
    const { id } = daemon.ended(`sha256:${'ef'.repeat(32)}`)
    const { verdict, faults } = await daemon.verified(id)
    assert.deepEqual([verdict, faults], ['whole', []])
  })

  test('removes before what nothing binds', async () => {
    const cuts: unknown[] = []
    await using daemon = opened(undefined, { cut: async (environment, head) => void cuts.push([environment, head.blocks]) })
    const { id } = daemon.ended()
    await daemon.sealing.signed(id)
    assert.deepEqual(cuts, [[id, 0]])
  })
})

describe('a store that somebody else has written to', () => {
  /** The whole chain anew, as one does who knows how hashes are made and has no key: what is said of it is another thing. */
  const forge = (folder: string, id: string): void => {
    using database = new DatabaseSync(join(folder, 'dayfly.sqlite'))
    let hash = genesisHash(id)
    for (const row of database.prepare('SELECT * FROM event WHERE environment = ? ORDER BY sequence').all(id)) {
      const sequence = Number(row['sequence'])
      const seal = row['type'] === 'record.sealed'
      const data = seal ? { count: sequence - 1, hash } : JSON.parse(String(row['data']))
      const reason = sequence === 1 ? 'somebody else asked for it' : String(row['reason'])
      const entry = {
        ...{ sequence, environment: id, time: Number(row['time']), type: String(row['type']), actor: dayfly, reason, data },
        ...(row['instance'] === null ? {} : { instance: String(row['instance']) }),
      }
      hash = entryHash(hash, entry)
      database.prepare('UPDATE event SET reason = ?, data = ?, hash = ? WHERE cursor = ?').run(reason, JSON.stringify(data), hash, row['cursor'] ?? 0)
    }
    database.prepare('UPDATE record SET hash = ?, signed = 0 WHERE environment = ?').run(hash, id)
    database.prepare('DELETE FROM signature WHERE environment = ?').run(id)
  }

  test('gets no signature from the next daemon, and verify says why', async () => {
    const folder = mkdtempSync(join(all, 's-'))
    let id = ''
    {
      await using daemon = opened(folder)
      id = daemon.ended().id
      assert.equal((await daemon.verified(id)).verdict, 'whole')
    }
    forge(folder, id)
    await using daemon = opened(folder)
    assert.equal(daemon.store.verify(id), undefined, 'its hashes hold')
    assert.equal(await daemon.sealing.signed(id), false)
    const { verdict, faults } = await daemon.verified(id)
    assert.equal(verdict, 'broken')
    assert.match(faults.map(({ message }) => message).join(), /not written by this installation/)
  })
})

describe('activity of a record', () => {
  const entry = (environment: string, instance: string, time: number) => ({ type: 'sample', time, environment, instance, cpu: 1, memory: 2 }) as const

  test('that was taken away is a fault, and what gave way to the budget is none, in exports too', async () => {
    for (const [how, verdict] of [
      ['kept', 'whole'],
      ['pruned', 'whole'],
      ['taken', 'broken'],
      ['marked', 'broken'],
    ] as const) {
      await using daemon = opened()
      const made = exampleEnvironment('x')
      using activity = openActivityStore({
        path: join(daemon.folder, 'activity.sqlite'),
        budget: how === 'pruned' ? 1 : 1 << 30,
        key: openHeadKey(daemon.folder).key,
      })
      const { id } = daemon.ended(
        '',
        () => {
          activity.introduce({ environment: made.id, instance: 'i1', workload: 'w', image: 'm', imageName: 'n', owner: 'o' })
          for (let time = 0; time < 200; time++) activity.append([entry(made.id, 'i1', time)])
          const { blocks, entries, hash } = activity.head(made.id)
          daemon.store.append({ environment: made.id, type: 'activity.kept', actor: dayfly, reason: 'r', data: { blocks, entries, hash } })
        },
        made,
      )
      assert.equal(await daemon.sealing.signed(id), true)
      if (how === 'pruned') assert.equal(activity.prune([id]).length, 1)
      using database = new DatabaseSync(join(daemon.folder, 'activity.sqlite'))
      if (how === 'taken' || how === 'marked') database.exec('DELETE FROM block WHERE number <= 100')
      if (how === 'marked') {
        const hash = String(database.prepare('SELECT hash FROM environment').get()?.['hash'])
        database.prepare("UPDATE environment SET pruned_blocks = 100, pruned_entries = 100, pruned_hash = ?, pruned_mac = 'made up'").run(hash)
      }
      const found = await daemon.verified(id)
      assert.equal(found.verdict, verdict, `${how}: ${JSON.stringify(found.faults)}`)
    }
  })

  test('is exported of one moment, whatever is pruned meanwhile', async () => {
    await using daemon = opened()
    const made = exampleEnvironment('x')
    using activity = openActivityStore({ path: join(daemon.folder, 'activity.sqlite'), budget: 1, key: openHeadKey(daemon.folder).key })
    const { id } = daemon.ended(
      '',
      () => {
        activity.introduce({ environment: made.id, instance: 'i1', workload: 'w', image: 'm', imageName: 'n', owner: 'o' })
        for (let time = 0; time < 300; time++) activity.append([entry(made.id, 'i1', time)])
        const { blocks, entries, hash } = activity.head(made.id)
        daemon.store.append({ environment: made.id, type: 'activity.kept', actor: dayfly, reason: 'r', data: { blocks, entries, hash } })
      },
      made,
    )
    const environment = daemon.store.environment(id)
    assert.ok(environment)
    let bytes = ''
    for await (const chunk of await daemon.records.export(environment)) {
      if (bytes === '') assert.equal(activity.prune([id]).length, 1)
      bytes += Buffer.from(chunk).toString('latin1')
    }
    assert.equal(bytes.match(/"type":"sample"/g)?.length, 300)
  })
})
