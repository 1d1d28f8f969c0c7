/** Databases of other shapes than the samples, written by SQLite and by Berkeley DB themselves: sizes of pages, depths, byte orders, deletions. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { contentOf, entryOf, found } from '../../../../test/scan/content.ts'
import { rpm } from './rpm.ts'
import { parseRpmHeader } from './rpm-header.ts'

const folder = mkdtempSync(join(tmpdir(), 'dayfly-rpm-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** Tag, type, count, value. */
type Tag = readonly [tag: number, type: number, count: number, value: Buffer]
const text = (tag: number, value: string): Tag => [tag, 6, 1, Buffer.from(`${value}\0`)]

const headerOf = (tags: readonly Tag[]): Buffer => {
  const index = Buffer.alloc(8 + tags.length * 16)
  let size = 0
  for (const [at, [tag, type, count, value]] of tags.entries()) {
    for (const [word, number] of [tag, type, size, count].entries()) index.writeUInt32BE(number, 8 + at * 16 + word * 4)
    size += value.length
  }
  index.writeUInt32BE(tags.length, 0)
  index.writeUInt32BE(size, 4)
  return Buffer.concat([index, ...tags.map(([, , , value]) => value)])
}

/** `description` is of another tag: it makes the header long. */
const packageOf = (name: string, description: number): Buffer =>
  headerOf([text(1000, name), text(1001, '1.0'), text(1002, '1'), [1005, 9, 1, Buffer.from(`${name.padEnd(description, 'd')}\0`)]])

const sizes = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => (index % 97 === 5 ? 300_000 : index % 7 === 0 ? 6000 : 100 + index))

describe('a database that SQLite has written', () => {
  for (const pageSize of [512, 4096, 65_536]) {
    it(`with pages of ${pageSize} bytes, many rows, long ones, and holes, is read as SQLite reads it`, async () => {
      const path = join(folder, `${pageSize}.sqlite`)
      using database = new DatabaseSync(path)
      database.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = ${pageSize === 4096 ? 'WAL' : 'DELETE'}; CREATE TABLE 'Name' (key TEXT, hnum INTEGER);
        CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL); CREATE INDEX i ON Name(key); BEGIN`)
      const insert = database.prepare('INSERT INTO Packages (blob) VALUES (?)')
      const key = database.prepare('INSERT INTO Name VALUES (?, ?)')
      for (const [index, size] of sizes(1500).entries()) {
        insert.run(packageOf(`p${index}`, size))
        key.run(`p${index}`, index)
      }
      database.exec('COMMIT; DELETE FROM Packages WHERE hnum % 11 = 3')
      for (const size of [10, 200_000, 50]) insert.run(packageOf(`late${size}`, size))
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      const expected = database
        .prepare('SELECT blob FROM Packages')
        .all()
        .map(({ blob }) => (blob instanceof Uint8Array ? parseRpmHeader(Buffer.from(blob)).name : ''))
      const bytes = readFileSync(path)
      const content = contentOf(bytes)
      const { packages, problems } = await rpm.read(
        entryOf('var/lib/rpm/rpmdb.sqlite', bytes.length),
        content,
        undefined,
        new AbortController().signal,
      )
      assert.deepEqual(problems, [])
      assert.deepEqual(
        packages.map(({ name }) => name),
        expected,
      )
      assert.ok(content.bytesRead < bytes.length * 2 + 4096 * 16, `${content.bytesRead} of ${bytes.length} bytes are read`)
    })
  }
})

describe('a database that Berkeley DB has written', () => {
  const skip = spawnSync('db5.3_load', ['-V']).status === 0 ? false : 'db5.3_load is not installed: apt-get install db5.3-util'
  for (const [order, name] of [
    [1234, 'little'],
    [4321, 'big'],
  ] as const) {
    it(`on a ${name}-endian machine is read`, { skip }, async () => {
      const path = join(folder, `${name}.db`)
      const number = (value: number): Buffer => {
        const bytes = Buffer.alloc(4)
        if (order === 1234) bytes.writeUInt32LE(value)
        else bytes.writeUInt32BE(value)
        return bytes
      }
      // Sizes on both sides of what fits into a page.
      const long = [10, 100, 500, 900, 1000, 1100, 3000, 4096, 70_000]
      const rows = [
        [number(0), number(99)],
        ...long.flatMap((size, at) => Array.from({ length: 20 }, (_, i) => [number(at * 20 + i + 1), packageOf(`p${size}-${i}`, size)])),
      ]
      const lines = rows.flat().map(bytes => ` ${bytes.toString('hex')}`)
      const dump = ['VERSION=3', 'format=bytevalue', 'type=hash', `db_lorder=${order}`, 'db_pagesize=4096', 'HEADER=END', ...lines, 'DATA=END', '']
      execFileSync('db5.3_load', [path], { input: dump.join('\n') })
      const { packages, problems } = await found(rpm, 'var/lib/rpm/Packages', readFileSync(path))
      assert.deepEqual(problems, [])
      assert.deepEqual(packages.map(each => each.name).sort(), long.flatMap(size => Array.from({ length: 20 }, (_, i) => `p${size}-${i}`)).sort())
    })
  }
})

describe('a header of rpm', () => {
  it('has what its tags say, and of those that are there twice the later', () => {
    const epoch: Tag = [1003, 4, 1, Buffer.from([0, 0, 0, 7])]
    const header = parseRpmHeader(
      headerOf([epoch, text(1000, 'a'), text(1001, '2'), text(1002, '3.fc40'), text(1014, 'MIT'), text(1022, 'noarch'), text(1001, '4')]),
    )
    assert.deepEqual(header, {
      ...{ name: 'a', version: '4', release: '3.fc40', epoch: 7, license: 'MIT', arch: 'noarch', sourceRpm: undefined, modularity: undefined },
    })
  })

  it('that claims what it has not is refused', () => {
    const sound = [text(1000, 'a'), text(1001, '2'), text(1002, '3')]
    const wrong: readonly Buffer[] = [
      Buffer.alloc(0),
      Buffer.alloc(8),
      Buffer.alloc(4096, 0xff),
      headerOf(sound.slice(1)),
      headerOf([...sound, [1003, 4, 1, Buffer.from([1])]]),
      headerOf([...sound, [1003, 6, 1, Buffer.alloc(4)]]),
      headerOf([...sound, [1014, 4, 1, Buffer.alloc(4)]]),
      headerOf([...sound, [1014, 6, 1, Buffer.from('no end')]]),
      headerOf([...sound, [1014, 6, 0, Buffer.from('x\0')]]),
      headerOf([...sound, [1014, 6, 1, Buffer.from(`${'x'.repeat(5000)}\0`)]]),
      Buffer.concat([headerOf(sound), Buffer.from('x')]),
    ]
    for (const [index, bytes] of wrong.entries()) assert.throws(() => parseRpmHeader(bytes), { name: 'Malformed' }, `${index}`)
    const outside = headerOf(sound)
    outside.writeInt32BE(-1, 8 + 8)
    assert.throws(() => parseRpmHeader(outside), { name: 'Malformed' })
  })

  it('of any bytes is one or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        try {
          parseRpmHeader(Buffer.from(bytes))
        } catch (error) {
          assert.ok(error instanceof Error && error.name === 'Malformed', String(error))
        }
      }),
    )
  })
})
