/** What dayfly-unpack tells of a layer while it writes it. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import fc from 'fast-check'
import { createKeywordFilter } from '../../src/scan/keyword-filter.ts'
import { keywordList } from '../../src/scan/secret-search.ts'
import type { TarEntry } from './image/tar.ts'
import { makeTar } from './image/tar.ts'
import { tell } from './image/told.ts'
import { buildSanitized, buildUnpacker, unpackBinary } from './image/unpacker.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

/** Every keyword at every offset, one comparison at a time. */
const naive = (keywords: readonly string[], content: Buffer): string => {
  const text = content.toString('latin1').replace(/[A-Z]+/g, upper => upper.toLowerCase())
  const hits: string[] = []
  for (let at = 0; at < text.length; at++) {
    const here = [...keywords.keys()].filter(index => text.startsWith(keywords[index] ?? '', at))
    here.sort((left, right) => (keywords[left]?.length ?? 0) - (keywords[right]?.length ?? 0))
    for (const index of here) hits.push(`${index}@${at}`)
  }
  return hits.join(',')
}

describe('the tap of dayfly-unpack', { skip }, () => {
  before(buildUnpacker)

  it('tells every entry with what it is, in the order of the archive, and the end', () => {
    const archive = makeTar([
      { name: './', type: '5', mode: 0o755 },
      { name: './usr/bin/app', content: Buffer.from('\x7fELF....', 'latin1'), mode: 0o4755, uid: 7, gid: 8 },
      { name: 'usr/bin/again', type: '1', link: 'usr/bin/app' },
      { name: 'a.jar', content: Buffer.from('PK\x03\x04 the SeCrEt is here', 'latin1') },
      { name: 'run.sh', content: '#!/bin/sh\n' },
      { name: 'link', type: '2', link: '/etc/shadow' },
      { name: 'pipe', type: '6', mode: 0o600 },
      { name: 'dev/null', type: '3' },
      { name: 'etc/.wh.gone', content: '' },
      { name: 'srv/.wh..wh..opq', content: '' },
      { name: Buffer.from('line\nbreak \xff', 'latin1'), content: 'token' },
      { name: 'run.sh', content: 'replaced' },
    ])
    for (const pieces of [1, 7, 65_536]) {
      const { code, seen, end, stderr } = tell(archive, ['token', 'secret'], { pieces })
      assert.equal(code, 0, stderr)
      assert.deepEqual(end, { bytes: 8 + 23 + 10 + 5 + 8, entries: 12 })
      const short = seen.map(({ kind, path, mode, uid, gid, size, magic, hits }) => [kind, path, mode, uid, gid, size, magic ?? '', hits].join(' '))
      assert.deepEqual(short, [
        'folder  493 0 0 0  ',
        'file usr/bin/app 2541 7 8 8 elf ',
        'hardlink usr/bin/again 2541 7 8 8  ',
        'file a.jar 420 0 0 23 zip 1@9',
        'file run.sh 420 0 0 10 script ',
        'link link 420 0 0 0  ',
        'fifo pipe 384 0 0 0  ',
        'whiteout etc/gone 0 0 0 0  ',
        'opaque srv 0 0 0 0  ',
        'file line\nbreak \ufffd 420 0 0 5  0@0',
        'file run.sh 420 0 0 8  ',
      ])
      assert.deepEqual(seen.at(9)?.raw, Buffer.from('line\nbreak \xff', 'latin1'))
      assert.deepEqual(seen.at(3)?.keywords, [1])
    }
  })

  it('finds what comparing every keyword at every offset finds, wherever reads end; the search in JavaScript agrees', () => {
    const letter = fc.constantFrom('a', 'b', 'A', 'B', '_', '\n', '\0', '\xe9')
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '_', '\n'), minLength: 3, maxLength: 7 })
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 1, maxLength: 12 }),
        fc.array(fc.string({ unit: letter, maxLength: 90 }), { minLength: 1, maxLength: 6 }),
        (keywords, texts) => {
          const contents = texts.map(text => Buffer.from(text, 'latin1'))
          const { code, seen, stderr } = tell(makeTar(contents.map((content, index) => ({ name: String(index), content }))), keywords)
          assert.equal(code, 0, stderr)
          const filter = createKeywordFilter(keywords)
          for (const [index, content] of contents.entries()) {
            const expected = naive(keywords, content)
            assert.equal(seen[index]?.hits, expected)
            for (const piece of [1, 2, 5, 64, 1000]) {
              const search = filter()
              for (let at = 0; at < content.length; at += piece) search.push(content.subarray(at, at + piece))
              const found = search.end().hits
              const same = (text: string): string[] => (text === '' ? [] : text.split(',')).sort()
              assert.deepEqual(found.map(hit => `${hit.keyword}@${hit.offset}`).sort(), same(expected))
            }
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  it('finds keywords across the ends of large reads, and says when there are more than it lists', () => {
    const content = Buffer.alloc(3 << 20, 'x')
    const places = [0, 65_530, 65_536, (1 << 20) - 3, (1 << 20) + 4, (2 << 20) - 1, (3 << 20) - 6]
    for (const place of places) content.write('SECRET', place, 'latin1')
    const { seen } = tell(
      makeTar([
        { name: 'big', content },
        { name: 'many', content: 'secret '.repeat(1000) },
      ]),
      ['unused', 'secret'],
    )
    assert.equal(seen[0]?.hits, places.map(place => `1@${place}`).join(','))
    assert.equal(seen[0]?.more, false)
    assert.equal(seen[1]?.hits.split(',').length, 256)
    assert.equal(seen[1]?.more, true)
  })

  it('looks into the pieces of sparse files where they stand, and not across their holes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-sparse-'))
    try {
      const make =
        'truncate -s 3M f; printf sec | dd of=f bs=1 seek=1048573 conv=notrunc; printf "ret token" | dd of=f bs=1 seek=2097152 conv=notrunc'
      spawnSync('sh', ['-c', `${make}; tar -cSf t.tar --format=posix f`], { cwd: folder })
      const archive = spawnSync('cat', [join(folder, 't.tar')], { maxBuffer: 1 << 24 }).stdout
      assert.ok(archive.length < 1 << 20, 'the archive is sparse')
      const { seen, code, stderr } = tell(archive, ['secret', 'token'])
      assert.equal(code, 0, stderr)
      assert.equal(seen[0]?.hits, `1@${2_097_152 + 4}`)
      assert.equal(seen[0]?.size, 3 << 20)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('refuses a list that it cannot look for', () => {
    const archive = makeTar([])
    for (const keywords of [['ab'], ['x'.repeat(65)], ['Secret'], Array.from({ length: 4097 }, (_, index) => `keyword${index}`)]) {
      const { code, stderr, end } = tell(archive, keywords)
      assert.equal(code, 2)
      assert.match(stderr, /keyword/)
      assert.equal(end, undefined)
    }
  })

  it('says no end for an archive that is damaged, has too many entries or is a bomb', () => {
    const entries: TarEntry[] = Array.from({ length: 50 }, (_, index) => ({ name: `f${index}`, content: 'x' }))
    const archive = makeTar(entries)
    assert.equal(tell(archive.subarray(0, 10_000), ['key']).end, undefined)
    const many = tell(archive, ['key'], { args: ['--max-entries', '20'] })
    assert.match(many.stderr, /more than 20 entries/)
    assert.equal(many.end, undefined)
    assert.equal(tell(archive, ['key'], { args: ['--max-bytes', '5000'] }).end, undefined)
  })

  it('unpacks all the same for a reader that goes away', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-gone-'))
    try {
      mkdirSync(join(folder, 'layer'))
      writeFileSync(join(folder, 'keywords'), keywordList(['secret']))
      const archive = makeTar(Array.from({ length: 6000 }, (_, index) => ({ name: `${'n'.repeat(90)}${index}`, content: '' })))
      const child = spawn(unpackBinary, [join(folder, 'layer'), '--scan', join(folder, 'keywords')], { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
      const reader = child.stdio[3]
      if (reader && 'destroy' in reader) reader.destroy()
      child.stdin?.end(archive)
      const [code] = await once(child, 'close')
      assert.equal(code, 0)
      assert.equal(readdirSync(join(folder, 'layer')).length, 6000)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('stays within its memory under the sanitizers', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-asan-'))
    try {
      const binary = buildSanitized(folder)
      const words = ['akia', 'abc', '-----begin', 'x'.repeat(64), 'a\nb']
      const contents = ['', 'ab', 'abc', `z${'x'.repeat(64)}`, 'x'.repeat(5000), 'AKIA-----BEGIN', Buffer.alloc(70_000, 'abc'), 'a\nb'.repeat(3)]
      const { code, seen, stderr } = tell(makeTar(contents.map((content, index) => ({ name: `f${index}`, content }))), words, { binary })
      assert.equal(code, 0, stderr)
      for (const [index, content] of contents.entries()) {
        const expected = naive(words, Buffer.from(content)).split(',').slice(0, 256).join(',')
        assert.equal(seen[index]?.hits, expected)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
