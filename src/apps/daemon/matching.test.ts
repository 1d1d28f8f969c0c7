import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Package } from '../../model/package.ts'
import { importVulnerabilities } from '../../scan/vulnerabilities/import.ts'
import { openVulnerabilities } from '../../scan/vulnerabilities/vulnerabilities.ts'
import { createMatching } from './matching.ts'

const now = Date.UTC(2026, 0, 15)
const root = mkdtempSync('/tmp/dayfly-matching-')
after(() => rmSync(root, { recursive: true, force: true }))

const record = (id: string, name: string, ranges: number): object => ({
  ...{ id, modified: '2026-01-10T00:00:00Z' },
  affected: [
    {
      package: { ecosystem: 'npm', name },
      ranges: Array.from({ length: ranges }, (_, at) => ({ type: 'SEMVER', events: [{ introduced: `${at}.0.0` }, { fixed: `${at}.9.0` }] })),
    },
  ],
})

let count = 0
const dataOf = async (...records: readonly object[]): Promise<string> => {
  const folder = join(root, `data-${count++}`)
  const location = `${folder}-records`
  mkdirSync(location)
  for (const [at, each] of records.entries()) writeFileSync(join(location, `${at}.json`), JSON.stringify(each))
  await importVulnerabilities(folder, [{ location }], { now, signal: new AbortController().signal })
  return folder
}

const pkg = (name: string, version: string): Package => ({
  ...{ type: 'npm', name, version, purl: `pkg:npm/${name}@${version}`, licenses: [], paths: [] },
})
const asked = (...packages: Package[]) => ({ packages, distribution: undefined, products: [], now })

test('the thread says what is said without it, also of data that comes while it lives', async () => {
  const folder = await dataOf(record('CVE-2026-1', 'left', 1))
  await using matching = createMatching({ folder })
  using vulnerabilities = openVulnerabilities(folder)
  const packages = [pkg('left', '0.5.0'), pkg('right', '0.5.0')]
  const first = await matching.match(asked(...packages))
  assert.deepEqual(first, vulnerabilities.match(packages, undefined, now))
  assert.deepEqual(
    first.findings.map(({ id }) => id),
    ['CVE-2026-1'],
  )
  const other = join(root, 'other.json')
  writeFileSync(other, JSON.stringify(record('CVE-2026-2', 'right', 1)))
  await importVulnerabilities(folder, [{ location: other }], { now, signal: new AbortController().signal })
  assert.deepEqual((await matching.match(asked(...packages))).findings.map(({ id }) => id).sort(), ['CVE-2026-1', 'CVE-2026-2'])
  assert.equal(matching.starts, 1)
})

test('while it works the daemon does, and an image that takes too long fails, not those behind it', async () => {
  const folder = await dataOf(record('CVE-2026-1', 'left', 1_000))
  await using matching = createMatching({ folder, patience: 500 })
  await matching.match(asked())
  // Long versions, each against a thousand ranges.
  const slow = Array.from({ length: 20_000 }, (_, at) => pkg('left', `1000000.${at}.${'1'.repeat(900)}`))
  let turns = 0
  const ticking = setInterval(() => turns++, 5)
  const [hostile, honest] = await Promise.allSettled([matching.match(asked(...slow)), matching.match(asked(pkg('left', '0.5.0')))])
  clearInterval(ticking)
  assert.ok(hostile.status === 'rejected')
  assert.equal(hostile.reason.code, 'timeout')
  assert.ok(honest.status === 'fulfilled')
  assert.equal(honest.value.findings.length, 1)
  assert.equal(matching.starts, 2)
  assert.ok(turns > 5, `the daemon had ${turns} turns meanwhile`)
})

test('what would take too much memory fails, and so does what no image has; the next one is answered', async () => {
  const folder = await dataOf(...Array.from({ length: 2_500 }, (_, at) => record(`CVE-2026-${at}`, 'left', 1)))
  await using matching = createMatching({ folder, memory: 32, patience: 120_000 })
  const many = Array.from({ length: 50 }, (_, at) => pkg('left', `0.5.0-${at}`))
  await assert.rejects(matching.match(asked(...many)), { code: 'exhausted' })
  assert.equal((await matching.match(asked(pkg('right', '1.0.0')))).findings.length, 0)
  await using roomy = createMatching({ folder })
  await assert.rejects(roomy.match(asked(...Array.from({ length: 2_000 }, (_, at) => pkg('left', `9.9.9-${at}`)))), { code: 'corrupt' })
})

test('damaged data is an error with a remedy', async () => {
  const folder = await dataOf(record('CVE-2026-1', 'left', 1))
  writeFileSync(join(folder, 'vulnerabilities.sqlite'), Buffer.alloc(8192, 7))
  await using matching = createMatching({ folder })
  await assert.rejects(matching.match(asked(pkg('left', '1.0.0'))), ({ code, remedy }) => code === 'corrupt' && /vulndb update/.test(remedy))
})

test('who goes does not wait, and the end of the daemon is an answer', async () => {
  const folder = await dataOf(record('CVE-2026-1', 'left', 1))
  const matching = createMatching({ folder })
  const gone = new AbortController()
  const first = matching.match(asked(pkg('left', '1.0.0')))
  const second = matching.match(asked(pkg('left', '1.0.0')), gone.signal)
  gone.abort()
  await assert.rejects(second, { code: 'aborted' })
  const disposing = matching[Symbol.asyncDispose]()
  await assert.rejects(first, { code: 'unreachable' })
  await disposing
  await assert.rejects(matching.match(asked()), { code: 'unreachable' })
})
