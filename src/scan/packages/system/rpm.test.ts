import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { contentOf, entryOf, found } from '../../../../test/scan/content.ts'
import { rpm } from './rpm.ts'

const data = (name: string): Buffer => gunzipSync(readFileSync(join(import.meta.dirname, 'test-data', `${name}.gz`)))
const alma = { id: 'almalinux', version: '9.4', like: ['rhel', 'centos', 'fedora'] }

/** The same packages, in a database of each form that rpm itself wrote: see test-data/README.md. */
const parts = Array.from({ length: 9 }, (_, index) => `openssl-part${index}`)
const names = ['libstdc++', 'nodejs', 'openssl', 'openssl-docs', 'openssl-libs', ...parts]
const databases = [
  { path: 'var/lib/rpm/rpmdb.sqlite', bytes: data('rpmdb.sqlite'), names },
  { path: 'var/lib/rpm/Packages', bytes: data('Packages'), names },
  { path: 'usr/lib/sysimage/rpm/Packages.db', bytes: data('Packages.db'), names },
]

/** Of a database that may be damaged. */
const look = async (path: string, bytes: Buffer) => {
  const content = contentOf(bytes)
  const result = await rpm.read(entryOf(path, bytes.length), content, alma, new AbortController().signal)
  assert.ok(content.bytesRead <= bytes.length * 8 + 16 * 1024 * 1024 && content.reads <= bytes.length / 512 + 4096, 'reads are bounded')
  for (const problem of result.problems) assert.ok(problem.startsWith(`${path} `) && problem.length < 1000, problem)
  assert.ok(result.problems.length <= 21)
  return result
}

describe('a database of rpm', () => {
  for (const { path, bytes, names } of databases) {
    it(`is read whole: ${path}`, async () => {
      const { packages, problems } = await look(path, bytes)
      assert.deepEqual(problems, [])
      assert.deepEqual(packages.map(({ name }) => name).sort(), names)
      assert.deepEqual(
        packages.find(({ name }) => name === 'openssl-libs'),
        {
          type: 'rpm',
          name: 'openssl-libs',
          version: '1:3.0.7-27.el9',
          purl: 'pkg:rpm/almalinux/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=almalinux-9.4&epoch=1&upstream=openssl-3.0.7-27.el9.src.rpm',
          source: { name: 'openssl', version: '1:3.0.7-27.el9' },
          architecture: 'x86_64',
          licenses: ['Apache-2.0 AND OpenSSL'],
          paths: [path],
        },
      )
      const node = packages.find(({ name }) => name === 'nodejs')
      assert.equal(node?.version, '18.19.0-1.module_el8+752+abc')
      assert.match(node?.purl ?? '', /@18\.19\.0-1\.module_el8%2B752%2Babc\?.*&rpmmod=nodejs:18:8090020231219104356:a75119d5&/)
      assert.match(packages.find(({ name }) => name === 'libstdc++')?.purl ?? '', /^pkg:rpm\/almalinux\/libstdc%2B%2B@/)
    })

    it(`that is cut off anywhere has a problem, and bounded reads: ${path}`, async () => {
      const cuts = new Set([0, 1, 7, 31, 99, 100, 511, 512, 4095, 4096, 4097, bytes.length - 1])
      for (let cut = 0; cut < bytes.length; cut += 1021) cuts.add(cut)
      for (const cut of cuts) {
        const { problems } = await look(path, bytes.subarray(0, cut))
        assert.ok(problems.length > 0, `cut at ${cut}`)
      }
    })

    it(`with flipped bits is read as far as it goes: ${path}`, async () => {
      const places = fc.array(fc.record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) }), { minLength: 1, maxLength: 8 })
      await fc.assert(
        fc.asyncProperty(places, async flips => {
          const damaged = Buffer.from(bytes)
          for (const { at, bit } of flips) damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
          const { packages } = await look(path, damaged)
          // One more than there are: the signing key, when the flips hit its name, is a package like any other.
          assert.ok(packages.length <= names.length + 1)
        }),
        { numRuns: 300 },
      )
    })

    it(`whose numbers are replaced by extreme ones is read or has a problem: ${path}`, async () => {
      const extremes = [0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]
      await fc.assert(
        fc.asyncProperty(fc.nat(Math.min(bytes.length, 12_000) - 4), fc.constantFrom(...extremes), fc.boolean(), async (at, value, little) => {
          const damaged = Buffer.from(bytes)
          if (little) damaged.writeUInt32LE(value, at)
          else damaged.writeUInt32BE(value, at)
          await look(path, damaged)
        }),
        { numRuns: 500 },
      )
    })

    it(`of random bytes has a problem: ${path}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 9000 }), fc.boolean(), async (random, headed) => {
          const head = headed ? bytes.subarray(0, 128) : Buffer.alloc(0)
          const { packages, problems } = await look(path, Buffer.concat([head, random]))
          assert.ok(problems.length > 0 && packages.length === 0)
        }),
      )
    })
  }

  it('with more in its journal than SQLite has written back is incomplete', async () => {
    const { packages, problems } = await found(rpm, 'var/lib/rpm/rpmdb.sqlite-wal', 'x')
    assert.deepEqual(packages, [])
    assert.match(problems[0] ?? '', /^var\/lib\/rpm\/rpmdb\.sqlite-wal holds 1 bytes/)
    assert.equal(rpm.wants(entryOf('var/lib/rpm/rpmdb.sqlite-wal', 0)), false)
    assert.equal(rpm.wants(entryOf('var/lib/rpm/rpmdb.sqlite-wal', 1)), true)
  })

  it('is looked for where rpm keeps it, and only files are read', () => {
    for (const { path } of databases) {
      assert.equal(rpm.wants(entryOf(path, 1)), true, path)
      assert.equal(rpm.wants(entryOf(path, 0, { kind: 'link' })), false, path)
      assert.equal(rpm.wants(entryOf(`srv/${path}`, 1)), false, path)
    }
    assert.equal(rpm.wants(entryOf('var/lib/rpm/Basenames', 1)), false)
  })

  it('is not read on when nobody wants it any more', async () => {
    const { path, bytes } = databases[0] ?? { path: '', bytes: Buffer.alloc(0) }
    await assert.rejects(rpm.read(entryOf(path, bytes.length), contentOf(bytes), alma, AbortSignal.abort()), { code: 'aborted' })
  })
})

describe('a hostile database of rpm', () => {
  it('in SQLite with a page that is its own child is refused', async () => {
    const bytes = Buffer.from(data('rpmdb.sqlite'))
    const pageSize = bytes.readUInt16BE(16)
    for (let page = 1; page < bytes.length / pageSize; page++) {
      if (bytes[page * pageSize] === 5) bytes.writeUInt32BE(page + 1, page * pageSize + 8)
    }
    const { problems } = await look('var/lib/rpm/rpmdb.sqlite', bytes)
    assert.match(problems.join(), /in two places/)
  })

  it('of Berkeley DB with a chain that is a loop gives the others', async () => {
    const bytes = Buffer.from(data('Packages'))
    const pageSize = bytes.readUInt32LE(20)
    for (let page = 1; page < bytes.length / pageSize; page++) {
      const at = page * pageSize
      if (bytes[at + 25] === 7 && bytes.readUInt32LE(at + 16) !== 0) bytes.writeUInt32LE(page, at + 16)
    }
    const { packages, problems } = await look('var/lib/rpm/Packages', bytes)
    assert.match(problems.join(), /in two places/)
    assert.ok(packages.length > 0)
  })

  it('in ndb with a package whose sum is wrong gives the others', async () => {
    const bytes = Buffer.from(data('Packages.db'))
    bytes[bytes.indexOf('openssl-part3', 4096)] = 0x58
    const { packages, problems } = await look('usr/lib/sysimage/rpm/Packages.db', bytes)
    assert.equal(packages.length, names.length - 1)
    assert.match(problems.join(), /damaged package/)
  })

  it('in SQLite whose rows are all the same bytes has few problems that say so', async () => {
    const bytes = Buffer.alloc(3 * 65_536)
    const real = data('rpmdb.sqlite')
    real.copy(bytes, 0, 0, 100)
    bytes.writeUInt16BE(1, 16)
    bytes.writeUInt32BE(3, 28)
    const schema = Buffer.concat([Buffer.from([6, 23, 29, 29, 1, 13]), Buffer.from('tablePackagesPackages\x02x')])
    const cell = Buffer.concat([Buffer.from([schema.length, 1]), schema])
    cell.copy(bytes, 60_000)
    bytes.writeUInt8(13, 100)
    bytes.writeUInt16BE(1, 103)
    bytes.writeUInt16BE(60_000, 108)
    const page = 65_536
    bytes.writeUInt8(13, page)
    bytes.writeUInt16BE(32_000, page + 3)
    Buffer.from([4, 1, 3, 0, 14, 0x78]).copy(bytes, page + 65_000)
    for (let row = 0; row < 32_000; row++) bytes.writeUInt16BE(65_000, page + 8 + row * 2)
    const { packages, problems } = await look('var/lib/rpm/rpmdb.sqlite', bytes)
    assert.equal(packages.length, 0)
    assert.match(problems.at(-1) ?? '', /more problems like these/)
  })
})
