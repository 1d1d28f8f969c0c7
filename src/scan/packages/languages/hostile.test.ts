/** Whatever the bytes: no cataloguer throws, hangs, or gives what is no package. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { contentOf, entryOf } from '../../../../test/scan/content.ts'
import { makeElf } from '../../../../test/scan/elf.ts'
import { makeZip } from '../../../../test/scan/zip.ts'
import type { Content, Entry, Found } from '../../catalogue.ts'
import { isWord } from '../system/collect.ts'
import { languageCataloguers, lockCataloguers } from './cataloguers.ts'
import { mostJson } from './json.ts'

const all = [...languageCataloguers, ...lockCataloguers]
const data = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'test-data', name))
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

const goData = Buffer.concat([
  Buffer.from('\xff Go buildinf:\x08\x02', 'latin1'),
  Buffer.alloc(16),
  Buffer.from('\x08go1.22.4\x64', 'latin1'),
  Buffer.from(`${'0'.repeat(16)}mod\texample.com/app\tv1.0.0\ndep\tgithub.com/a/b\tv1.0.0\th1:x=\nb\n`.padEnd(83, 'x')),
  Buffer.from(`\n${'9'.repeat(16)}`),
])

/** One good file for each. */
const seeds: Readonly<Record<string, readonly [path: string, bytes: Buffer]>> = {
  npm: ['app/node_modules/@s/p/package.json', json({ name: '@s/p', version: '1.0.0', license: { type: 'MIT' }, licenses: ['x'] })],
  python: [
    'lib/x.dist-info/METADATA',
    Buffer.from('Name: x\nVersion: 1.0\nLicense: MIT\nClassifier: License :: OSI Approved :: MIT License\n\ntext\n'),
  ],
  java: [
    'lib/a.war',
    makeZip(
      {
        'META-INF/MANIFEST.MF': 'Manifest-Version: 1.0\r\nBundle-SymbolicName: g.a\r\n',
        'WEB-INF/lib/b-1.0.jar': makeZip({ 'META-INF/maven/g/b/pom.properties': 'groupId=g\nartifactId=b\nversion=1.0\n' }),
      },
      { deflate: true },
    ),
  ],
  program: ['bin/x', makeElf({ word: 8, littleEndian: true, address: 0, data: goData, sections: [{ name: '.go.buildinfo', size: goData.length }] })],
  ruby: ['gems/specifications/x.gemspec', Buffer.from('s.name = "x".freeze\ns.version = "1.0"\ns.licenses = ["MIT".freeze]\n')],
  composer: ['vendor/composer/installed.json', json({ packages: [{ name: 'a/b', version: 'v1.0', license: ['MIT'] }] })],
  dotnet: ['app.deps.json', json({ runtimeTarget: { name: 'x' }, targets: { x: {} }, libraries: { 'A/1.0': { type: 'package' } } })],
  'npm-lock': ['package-lock.json', data('npm-3.txt')],
  'yarn-lock': ['yarn.lock', data('yarn-4.txt')],
  'pnpm-lock': ['pnpm-lock.yaml', data('pnpm-8.txt')],
  'python-lock': ['uv.lock', data('uv.txt')],
  requirements: ['requirements.txt', Buffer.from('idna==3.7\nx[a]==1 ; b\n')],
  'go-modules': ['go.mod', Buffer.from('module x\ngo 1.21\nrequire (\n\ta/b v1.0.0\n)\nreplace a/b => c/d v1.1.0\n')],
  'gemfile-lock': ['Gemfile.lock', Buffer.from('GEM\n  specs:\n    rake (13.0.6)\n')],
  'composer-lock': ['composer.lock', json({ packages: [{ name: 'a/b', version: '1.0' }] })],
  'cargo-lock': ['Cargo.lock', data('cargo.txt')],
  'nuget-lock': ['packages.lock.json', json({ dependencies: { net: { A: { resolved: '1.0' } } } })],
}

const look = async (name: string, bytes: Buffer, content: Content = contentOf(bytes)): Promise<Found> => {
  const cataloguer = all.find(each => each.name === name)
  const path = seeds[name]?.[0]
  assert.ok(cataloguer && path)
  const entry: Entry = entryOf(path, content.size, { magic: 'elf' })
  const found = await cataloguer.read(entry, content, undefined, new AbortController().signal)
  assert.ok(found.problems.length <= 21)
  for (const problem of found.problems) assert.ok(problem.startsWith(path) && problem.length < 600 && !/[\n\0]/.test(problem), problem)
  for (const { name: word, version, purl } of found.packages) {
    assert.ok(isWord(word) && isWord(version))
    PackageURL.fromString(purl)
  }
  return found
}

const runs = { numRuns: 150 }

describe('cataloguers of languages', () => {
  it('each have a seed here, that they want and read', async () => {
    assert.deepEqual(Object.keys(seeds).sort(), all.map(({ name }) => name).sort())
    for (const cataloguer of all) {
      const [path, bytes] = seeds[cataloguer.name] ?? ['', Buffer.alloc(0)]
      assert.ok(cataloguer.wants(entryOf(path, bytes.length, { magic: 'elf' })), path)
      const found = await look(cataloguer.name, bytes)
      assert.deepEqual(found.problems, [], cataloguer.name)
      assert.ok(found.packages.length > 0, cataloguer.name)
    }
  })

  for (const { name } of all) {
    const [, bytes] = seeds[name] ?? ['', Buffer.alloc(0)]
    it(`throw at nothing: ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async random => void (await look(name, Buffer.from(random)))),
        runs,
      )
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length), async length => void (await look(name, bytes.subarray(0, length)))),
        runs,
      )
      const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
      await fc.assert(
        fc.asyncProperty(flips, async changes => {
          const copy = Buffer.from(bytes)
          for (const [at, value] of changes) copy[at] = value
          await look(name, copy)
        }),
        { numRuns: 400 },
      )
    })
  }

  it('throw at no JSON of any shape', async () => {
    for (const name of ['npm', 'composer', 'dotnet', 'npm-lock', 'composer-lock', 'nuget-lock']) {
      const keys = [
        'name',
        'version',
        'packages',
        'dependencies',
        'libraries',
        'targets',
        'license',
        '__proto__',
        'constructor',
        'node_modules/a',
        'A/1',
      ]
      const value = fc.letrec(tie => ({
        any: fc.oneof(
          { maxDepth: 4 },
          fc.constantFrom('1.0.0', 'a', 'package', '__proto__', '', null, true, 5),
          fc.array(tie('any'), { maxLength: 3 }),
          fc.dictionary(fc.constantFrom(...keys), tie('any'), { maxKeys: 5 }),
        ),
      })).any
      await fc.assert(
        fc.asyncProperty(value, async any => void (await look(name, json(any)))),
        { numRuns: 300 },
      )
    }
  })

  it('refuse what is too large without reading it', async () => {
    const unread = ['python', 'java', 'program']
    for (const { name } of all.filter(each => !unread.includes(each.name))) {
      const content = { ...contentOf(Buffer.alloc(0)), size: 2 ** 30, read: () => assert.fail(name), whole: () => assert.fail(name) }
      assert.match((await look(name, Buffer.alloc(0), content)).problems.join(), /is larger than \d+ bytes/, name)
    }
  })

  it('say so when a file is shorter than it should be', async () => {
    for (const { name } of all) {
      if (name === 'python' || name === 'program') continue // these do not need the end
      const content = { ...contentOf(Buffer.from('{')), size: 100 }
      assert.ok((await look(name, Buffer.alloc(0), content)).problems.length > 0, name)
    }
  })

  it('refuse deep and wide JSON before it is built', async () => {
    const deep = Buffer.from('['.repeat(1_000_000))
    const wide = Buffer.from(`[${'{},'.repeat(2_000_000)}{}]`)
    const text = Buffer.from(JSON.stringify({ name: `${'[{'.repeat(1000)}\\"`, version: '"[' }))
    for (const name of ['composer', 'dotnet', 'npm-lock', 'composer-lock', 'nuget-lock']) {
      assert.match((await look(name, deep)).problems.join(), /nested deeper than 128/)
      assert.match((await look(name, wide)).problems.join(), /more than 750000 values/)
      assert.doesNotMatch((await look(name, text)).problems.join(), /nested|values/)
    }
    assert.match((await look('npm', deep)).problems.join(), /nested deeper than 128/)
    assert.match((await look('composer', Buffer.alloc(mostJson + 1))).problems.join(), /is larger than/)
    // The longest there may be, all in one string of escapes.
    assert.match((await look('composer', Buffer.from(`"${'\\"'.repeat(4_000_000)}"`))).problems.join(), /is not Composer's list/)
  })

  it('refuse TOML that is deep, long-keyed or none', async () => {
    for (const text of [
      `a = ${'['.repeat(100_000)}`,
      `a = ${'{b='.repeat(100_000)}`,
      `${'a.'.repeat(100_000)}b = 1`,
      'a = ',
      `[${'a.'.repeat(50_000)}b]`,
    ]) {
      for (const name of ['cargo-lock', 'python-lock']) assert.deepEqual((await look(name, Buffer.from(text))).packages, [])
    }
    for (const piece of ['[[package]]\n', 'a.b=1\n', '[],'])
      assert.match((await look('cargo-lock', Buffer.from(piece.repeat(500_000)))).problems.join(), /more than \d+ values/)
  })

  it('refuse programs whose tables are absurd', async () => {
    const good = seeds['program']?.[1] ?? Buffer.alloc(0)
    const changed = async (change: (copy: Buffer) => void): Promise<string> => {
      const copy = Buffer.from(good)
      change(copy)
      const counted = contentOf(copy)
      const found = await look('program', copy, counted)
      assert.ok(counted.bytesRead < 32 * 1024 * 1024)
      return found.problems.join()
    }
    assert.match(await changed(copy => copy.writeUInt16LE(0xffff, 60)), /65535 sections/)
    assert.match(await changed(copy => copy.writeUInt16LE(0, 60)), /0 sections/)
    assert.match(await changed(copy => copy.writeUInt16LE(1, 58)), /sections of 1 bytes/)
    assert.match(await changed(copy => copy.writeBigUInt64LE(2n ** 62n, 40)), /sections lie outside/)
    assert.match(await changed(copy => copy.writeBigUInt64LE(BigInt(good.length - 8), 40)), /sections lie outside/)
    assert.match(await changed(copy => copy.writeUInt16LE(0xfff0, 56)), /65520 segments/)
    assert.match(await changed(copy => copy.writeBigUInt64LE(2n ** 52n, 32)), /segments lie outside/)
  })

  it('refuse a list of crates that unpacks to too much', async () => {
    const bomb = (packed: Buffer): Promise<Found> =>
      look('program', makeElf({ word: 8, littleEndian: true, address: 0, data: packed, sections: [{ name: '.dep-v0', size: packed.length }] }))
    assert.match((await bomb(deflateSync(Buffer.alloc(9 * 1024 * 1024, ' ')))).problems.join(), /packed wrongly or too large/)
    assert.match((await bomb(deflateSync('{"packages":[{}]}'))).problems.join(), /a crate without a name/)
    assert.match((await bomb(Buffer.alloc(5 * 1024 * 1024))).problems.join(), /more than 4194304 bytes/)
  })

  it('end with their signal', async () => {
    for (const cataloguer of all) {
      const [path, bytes] = seeds[cataloguer.name] ?? ['', Buffer.alloc(0)]
      await assert.rejects(cataloguer.read(entryOf(path, 1), contentOf(bytes), undefined, AbortSignal.abort()), { code: 'aborted' }, cataloguer.name)
    }
  })
})
