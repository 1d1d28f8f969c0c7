import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { DayflyError } from '../../base/errors.ts'
import type { Activity, ActivityFilter, Found } from '../../model/activity.ts'
import type { KernelEvent } from '../../model/kernel-event.ts'
import type { ActivityProblem, ActivityStore } from './activity-store.ts'
import { activity, exampleEvent, filter, originOf, origins } from './examples.suite.ts'
import { openActivityReader, openActivityStore } from './open.ts'

let folder = ''
let count = 0
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'dayfly-activity-'))
})
after(() => rmSync(folder, { recursive: true }))
const newPath = (): string => join(folder, `${++count}.sqlite`)

const opened = (path: string, segment = 8): ActivityStore => {
  const store = openActivityStore({ path, segment })
  for (const origin of origins) store.introduce(origin)
  return store
}

/** The same by looking at the fields of an entry, one after another. */
const pathsOf = (event: KernelEvent): string[] => {
  const files = event.type === 'dns' ? [event.target] : [event.path, event.target]
  const joined = files.flatMap(file =>
    file === undefined || event.directory === undefined || file.startsWith('/') ? [] : [join(event.directory, file)],
  )
  const sockets =
    event.socket?.family === 'unix' ? [event.socket.localAddress, event.socket.remoteAddress].filter(value => value?.startsWith('/')) : []
  return [...files, ...joined, ...sockets].filter(value => value !== undefined)
}

const addressesOf = ({ type, path, detail, socket }: KernelEvent): string[] =>
  [socket?.localAddress, socket?.remoteAddress, ...(type === 'dns' ? [path, ...(detail ?? '').split(' ')] : [])]
    .filter(value => value !== undefined)
    .map(value => value.toLowerCase().replace(/\.$/, ''))

const programsOf = ({ type, name, exe, path }: KernelEvent): string[] => {
  const files = [exe, type === 'exec' ? path : undefined].filter(value => value !== undefined)
  return [name, ...files, ...files.map(file => basename(file))]
}

const wordsIn = (event: KernelEvent): Set<string> => {
  const { name, exe, detail, directory, cwd, sha256, args = [] } = event
  const texts = [name, exe, detail, directory, cwd, sha256, ...args, ...pathsOf(event), ...addressesOf(event)]
  return new Set(
    texts.flatMap(text =>
      (text ?? '')
        .toLowerCase()
        .split(/[^a-z0-9äöüßα-ω._-]+/)
        .map(word => word.replaceAll(/^[._-]+|[._-]+$/g, ''))
        .flatMap(word => [word, ...word.split(/[._-]+/)]),
    ),
  )
}

const naive = (wanted: ActivityFilter, entry: Activity): boolean => {
  const origin = originOf(entry)
  const event = entry.type === 'sample' ? undefined : entry
  const { path } = wanted
  const checks = [
    wanted.since === undefined || entry.time >= wanted.since,
    wanted.until === undefined || entry.time <= wanted.until,
    wanted.environment === undefined || entry.environment === wanted.environment,
    wanted.environments === undefined || wanted.environments.includes(entry.environment),
    wanted.instance === undefined || entry.instance === wanted.instance,
    wanted.workload === undefined || origin.workload === wanted.workload,
    wanted.image === undefined || [origin.image, origin.imageName].includes(wanted.image),
    wanted.owner === undefined || origin.owner === wanted.owner,
    wanted.types === undefined || wanted.types.includes(entry.type),
    wanted.process === undefined || (event !== undefined && programsOf(event).includes(wanted.process)),
    wanted.address === undefined || (event !== undefined && addressesOf(event).includes(wanted.address.toLowerCase().replace(/\.$/, ''))),
    wanted.port === undefined || [event?.socket?.localPort, event?.socket?.remotePort].includes(wanted.port),
    path === undefined || (event !== undefined && pathsOf(event).some(own => (path.endsWith('/') ? own.startsWith(path) : own === path))),
    wanted.text === undefined ||
      (event !== undefined &&
        wanted.text
          .toLowerCase()
          .split(' ')
          .every(word => wordsIn(event).has(word))),
  ]
  return checks.every(check => check)
}

const expected = (wanted: ActivityFilter, entries: readonly Found[]): Found[] => {
  const { oldestFirst = false, after: from, limit = 1000 } = wanted
  return (oldestFirst ? entries : entries.toReversed())
    .filter(({ position }) => from === undefined || (oldestFirst ? position > from : position < from))
    .filter(found => naive(wanted, found.activity))
    .slice(0, limit)
}

/** As they are kept: of each call the environments one after another. */
const placed = (calls: readonly (readonly Activity[])[]): Found[] =>
  calls
    .flatMap(entries => [...Map.groupBy(entries, ({ environment }) => environment).values()].flat())
    .map((entry, index) => ({ position: index + 1, activity: entry }))

describe('a search', () => {
  it('finds what looking at every entry finds, whatever is in the index, was purged, and was left by a crash', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(activity, { minLength: 1, maxLength: 20 }), { maxLength: 12 }),
        fc.array(filter, { minLength: 1, maxLength: 8 }),
        fc.nat(12),
        fc.constantFrom('nothing', 'ealpha', 'ebeta'),
        fc.constantFrom('as it is', 'tidied', 'killed', 'killed and tidied'),
        (calls, filters, cut, purged, state) => {
          const path = newPath()
          let store = opened(path)
          try {
            for (const [index, entries] of calls.entries()) {
              if (index === cut && state.startsWith('killed')) {
                store[Symbol.dispose]()
                store = opened(path)
              }
              store.append(entries)
            }
            if (purged !== 'nothing') store.purge(purged)
            if (state.endsWith('tidied')) while (store.tidy());
            const entries = placed(calls).filter(found => found.activity.environment !== purged)
            using reader = openActivityReader({ path })
            for (const wanted of filters) {
              assert.deepEqual(store.search(wanted), expected(wanted, entries))
              assert.deepEqual(reader.search(wanted), expected(wanted, entries))
            }
          } finally {
            store[Symbol.dispose]()
            for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is paged without gaps and doubles, either way', () => {
    using store = opened(newPath(), 64)
    for (let call = 0; call < 30; call++) {
      store.append(Array.from({ length: 40 }, (_, index) => exampleEvent({ time: call * 40 + index, type: index % 3 === 0 ? 'exec' : 'fork' })))
    }
    for (const oldestFirst of [false, true]) {
      const positions: number[] = []
      for (let from: number | undefined; ; ) {
        const page: Found[] = store.search({ types: ['exec'], oldestFirst, limit: 7, ...(from === undefined ? {} : { after: from }) })
        positions.push(...page.map(({ position }) => position))
        from = page.at(-1)?.position
        if (from === undefined) break
      }
      assert.equal(positions.length, 30 * 14)
      assert.deepEqual(
        positions,
        positions.toSorted((left, right) => (oldestFirst ? left - right : right - left)),
      )
      assert.equal(new Set(positions).size, positions.length)
    }
  })

  it('finds an entry that came late by its own time', () => {
    using store = opened(newPath(), 4)
    for (const time of [100, 101, 102, 103, 104, 3, 105, 106]) store.append([exampleEvent({ time })])
    assert.deepEqual(
      store.search({ since: 0, until: 50 }).map(found => found.activity.time),
      [3],
    )
    assert.deepEqual(
      store.search({ since: 103, until: 105, oldestFirst: true }).map(found => found.activity.time),
      [103, 104, 105],
    )
  })

  it('goes on around a damaged block, and tells of it', () => {
    const path = newPath()
    {
      using store = opened(path, 16)
      for (let call = 0; call < 10; call++) store.append(Array.from({ length: 4 }, () => exampleEvent({ time: call, args: ['word'] })))
    }
    {
      using database = new DatabaseSync(path)
      // In the index, and in what is not in it yet.
      for (const number of [2, 10])
        database.exec(`UPDATE block SET data = CAST(substr(data, 1, 30) || x'00' || substr(data, 32) AS BLOB) WHERE number = ${number}`)
    }
    const problems: ActivityProblem[] = []
    using reader = openActivityReader({ path, onProblem: problem => problems.push(problem) })
    for (const wanted of [{}, { text: 'word' }]) {
      problems.length = 0
      assert.deepEqual(
        reader.search(wanted).map(found => found.activity.time),
        [8, 7, 6, 5, 4, 3, 2, 0].flatMap(time => [time, time, time, time]),
      )
      assert.deepEqual(
        problems.map(({ environment, block }) => [environment, block]),
        [
          ['ealpha', 10],
          ['ealpha', 2],
        ],
      )
    }
  })

  it('refuses what cannot be meant', () => {
    using store = opened(newPath())
    const refused = (wanted: ActivityFilter, field: string): void => {
      assert.throws(
        () => store.search(wanted),
        error => error instanceof DayflyError && error.code === 'invalid' && error.field === field,
      )
    }
    refused({ text: '…' }, 'text')
    refused({ text: Array.from({ length: 100 }, (_, index) => `w${index}`).join(' ') }, 'text')
    refused({ limit: 0 }, 'limit')
    refused({ limit: 1.5 }, 'limit')
    refused({ after: -1 }, 'after')
  })
})
