import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Package } from '../../model/package.ts'
import { LayerFacts } from '../facts.ts'
import { fitted } from './fit.ts'

const facts = (given: Partial<LayerFacts>): LayerFacts => ({
  ...{ scannerVersion: 1, secretRules: '', diffId: '', entries: 1, bytes: 1, packages: [], owned: [], secrets: [], setuid: [], worldWritable: [] },
  ...{ shells: [], packageManagers: [], problems: [], ...given },
})
const pkg = (at: number, size: number): Package => ({
  ...{ type: 'npm', name: `p${at}`, version: '1', purl: `pkg:npm/p${at}@1`, licenses: [], paths: ['x'.repeat(size)] },
})
const packages = (count: number, size: number): Package[] => Array.from({ length: count }, (_, at) => pkg(at, size))
const read = (text: string): LayerFacts => LayerFacts.parse(JSON.parse(text))

test('what fits is said whole', () => {
  const all = facts({ packages: packages(10, 100), problems: ['a'] })
  assert.deepEqual(read(fitted(all, 100_000)), all)
})

test('what does not is cut where it is longest, and a problem says what', () => {
  const all = facts({ packages: packages(1000, 1000), setuid: [{ path: 'usr/bin/su', mode: 0o4755, uid: 0, gid: 0 }], problems: ['a'] })
  const text = fitted(all, 400_000)
  assert.ok(Buffer.byteLength(text) <= 400_000)
  const kept = read(text)
  assert.deepEqual([kept.packages.length, kept.setuid, kept.problems.at(-1)], [250, all.setuid, 'a'])
  assert.match(kept.problems[0] ?? '', /of 1000 packages the first 250 are listed/)
})

test('whose files are whose goes first where it is longest, and silently: more packages are listed without', () => {
  const owned = Array.from({ length: 1000 }, (_, at) => ({ list: `l${at}`, declaredIn: 'status', paths: ['y'.repeat(1000)] }))
  const kept = read(fitted(facts({ owned, packages: packages(10, 100) }), 200_000))
  assert.deepEqual([kept.packages.length, kept.problems], [10, []])
  assert.ok(kept.owned.length < 200)
})

test('one entry that is too long by itself goes; two-byte characters count as what they are', () => {
  const text = fitted(facts({ packages: [pkg(0, 1_000_000)] }), 100_000)
  assert.deepEqual([read(text).packages.length, read(text).problems.length], [0, 1])
  const wide = facts({ problems: Array.from({ length: 1000 }, () => 'ü'.repeat(500)) })
  assert.ok(Buffer.byteLength(fitted(wide, 300_000)) <= 300_000)
})
