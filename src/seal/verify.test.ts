import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import {
  activity,
  bundleOf,
  chained,
  contents,
  environment,
  image,
  makeKey,
  pieces,
  prunedText,
  story,
  verify,
  verifySealed,
} from '../../test/seal/bundle.ts'
import { keyMember, logMember, memberNames } from './bundle.ts'
import { verifyBundle } from './open.ts'
import { readTar, tarEnd, tarHeader, tarPadding } from './tar.ts'

const key = makeKey()
const other = makeKey()
const bundle = await bundleOf(contents(key), key)

const changed = (change: (texts: Map<string, string>) => void, by = key): Map<string, string> => {
  const texts = contents(by)
  change(texts)
  return texts
}
const replace = (texts: Map<string, string>, name: string, change: (text: string) => string): void => {
  const before = texts.get(name) ?? ''
  const after = change(before)
  assert.notEqual(after, before)
  texts.set(name, after)
}

describe('a bundle', () => {
  test('as it was exported is whole, and every part of it was looked at', async () => {
    const found = await verify(bundle, [key.publicKey])
    assert.deepEqual(found.faults, [])
    assert.deepEqual([found.verdict, found.trust, found.key, found.environment, found.sealed], ['whole', 'given', key.id, environment, true])
    assert.deepEqual(found.unchecked, [])
    assert.deepEqual(
      found.checked.map(({ member }) => member),
      [
        ...[memberNames.record, logMember('i000000000aa'), logMember('i000000000cc'), memberNames.access, memberNames.activity],
        ...['forensics/dump.json', 'forensics/tree.json', memberNames.manifest],
      ],
    )
  })

  test('is the same bytes each time, and Debian’s tar reads it', async () => {
    assert.ok((await bundleOf(contents(key), key)).equals(bundle))
    const { execFileSync } = await import('node:child_process')
    const listed = execFileSync('tar', ['-tf', '-'], { input: bundle, encoding: 'utf8' }).trim().split('\n')
    assert.deepEqual(listed, [memberNames.head, ...contents(key).keys(), memberNames.manifest])
    assert.equal(execFileSync('tar', ['-xOf', '-', memberNames.access], { input: bundle, encoding: 'utf8' }), contents(key).get(memberNames.access))
  })

  test('of a key that is only in itself says so: it proves nothing about who made it', async () => {
    for (const keys of [[], [other.publicKey]]) {
      const found = await verify(bundle, keys, 'known')
      assert.deepEqual([found.verdict, found.trust, found.faults], ['unproven', 'inside', []])
      assert.match(found.unchecked[0]?.reason ?? '', /known from the bundle alone/)
    }
  })

  test('of another key than the one that is asked for is broken', async () => {
    const found = await verify(bundle, [other.publicKey])
    assert.equal(found.verdict, 'broken')
    assert.ok(found.faults.some(({ member, message }) => member === memberNames.statement && message.includes(`it names ${key.id}`)))
  })

  test('whose keys were made anew by somebody else is not of the key that is asked for', async () => {
    const forged = await bundleOf(contents(other, chained(story.slice(0, -3).concat(story.slice(-1)))), other)
    assert.equal((await verify(forged, [key.publicKey])).verdict, 'broken')
    assert.equal((await verify(forged, [key.publicKey], 'known')).trust, 'inside')
  })

  test('whose manifest alone is of another key is not proven', async () => {
    const texts = changed(all => void all.set(keyMember(other.id), other.pem))
    const sorted = new Map([...texts].sort(([left], [right]) => Number(!left.startsWith('keys/')) - Number(!right.startsWith('keys/')) || 0))
    const keys = [...sorted.keys()].filter(name => name.startsWith('keys/')).sort()
    const found = await verify(
      await bundleOf([...keys.map(name => [name, sorted.get(name) ?? ''] as const), ...[...sorted].slice(2)], other),
      [key.publicKey],
      'known',
    )
    assert.deepEqual([found.verdict, found.trust, found.faults], ['unproven', 'inside', []])
  })

  test('with any one byte changed is broken', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.length - 1), fc.integer({ min: 1, max: 255 }), async (at, difference) => {
        const bad = Buffer.from(bundle)
        bad[at] = (bad[at] ?? 0) ^ difference
        const found = await verify(bad, [key.publicKey])
        assert.equal(found.verdict, 'broken', `byte ${at}`)
        assert.ok(found.faults.length > 0)
      }),
      { numRuns: 300 },
    )
  })

  test('that was cut off, or has something after its end, is broken', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.length - 1), async length => {
        assert.equal((await verify(bundle.subarray(0, length), [key.publicKey])).verdict, 'broken')
      }),
      { numRuns: 60 },
    )
    assert.equal((await verify(Buffer.concat([bundle, Buffer.from([0])]), [key.publicKey])).verdict, 'broken')
    assert.equal((await verify(Buffer.concat([bundle, bundle]), [key.publicKey])).verdict, 'broken')
  })

  test('with a member removed, doubled, moved, renamed, added or exchanged is broken, whoever wrote the archive anew', async () => {
    const names = [...contents(key).keys()]
    const index = fc.nat(names.length - 1)
    // The members of a genuine bundle, manifest included, in another archive: what somebody without the key can make.
    const genuine: { name: string; bytes: Buffer }[] = []
    for await (const { name, content } of readTar(pieces(bundle))) {
      const parts: Uint8Array[] = []
      for await (const part of content) parts.push(part)
      genuine.push({ name, bytes: Buffer.concat(parts) })
    }
    const archive = (list: readonly { name: string; bytes: Buffer }[]): Buffer =>
      Buffer.concat([...list.flatMap(({ name, bytes }) => [tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]), tarEnd()])
    assert.ok(archive(genuine).equals(bundle))
    await fc.assert(
      fc.asyncProperty(index, index, fc.constantFrom('remove', 'double', 'move', 'rename', 'add', 'exchange', 'grow'), async (from, to, how) => {
        const list = [...genuine]
        const one = list[from + 1]
        const two = list[to + 1]
        assert.ok(one && two)
        if (how === 'remove') list.splice(from + 1, 1)
        if (how === 'double') list.splice(to + 1, 0, one)
        if (how === 'move') {
          if (from === to) return
          list.splice(from + 1, 1)
          list.splice(to + 1, 0, one)
        }
        if (how === 'rename') list[from + 1] = { ...one, name: 'logs/i00000000000.log' }
        if (how === 'add') list.splice(to + 1, 0, { name: 'logs/i00000000000.log', bytes: Buffer.from('x') })
        if (how === 'grow') list[from + 1] = { ...one, bytes: Buffer.concat([one.bytes, Buffer.from('\n')]) }
        if (how === 'exchange') {
          if (one.bytes.equals(two.bytes)) return
          list[from + 1] = { ...one, bytes: two.bytes }
        }
        assert.equal((await verify(archive(list), [key.publicKey])).verdict, 'broken', `${how} ${one.name} ${two.name}`)
      }),
      { numRuns: 200 },
    )
  })
})

describe('what a seal binds is found without a manifest, and named', () => {
  const record = contents(key).get(memberNames.record)?.trimEnd().split('\n') ?? []
  const recordOf = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')

  test('all of it as it is, is whole', async () => {
    const found = await verifySealed(contents(key), [key.publicKey])
    assert.deepEqual([found.verdict, found.trust, found.faults], ['whole', 'known', []])
  })

  const cases: readonly [what: string, change: (texts: Map<string, string>) => void, member: string, sequence: number | null, message: RegExp][] = [
    [
      'an entry that was changed',
      all => replace(all, memberNames.record, text => text.replace('because of 3', 'because of 9')),
      memberNames.record,
      3,
      /not what was written/,
    ],
    [
      'an entry in other bytes',
      all => replace(all, memberNames.record, text => text.replace('"reason":"because of 3"', '"reason": "because of 3"')),
      memberNames.record,
      3,
      /no entry as one is written/,
    ],
    [
      'an entry that is missing',
      all => void all.set(memberNames.record, recordOf(record.filter((_, at) => at !== 3))),
      memberNames.record,
      4,
      /it is missing/,
    ],
    [
      'entries that are missing',
      all => void all.set(memberNames.record, recordOf(record.filter((_, at) => at !== 3 && at !== 4))),
      memberNames.record,
      4,
      /4 to 5 are missing/,
    ],
    [
      'the last entry that is missing',
      all => void all.set(memberNames.record, recordOf(record.slice(0, -1))),
      memberNames.record,
      record.length,
      /without its seal/,
    ],
    [
      'entries that were swapped',
      all => void all.set(memberNames.record, recordOf([record[1] ?? '', record[0] ?? '', ...record.slice(2)])),
      memberNames.record,
      1,
      /it is missing/,
    ],
    [
      'an entry that was added',
      all => replace(all, memberNames.record, text => text + recordOf(record.slice(-1))),
      memberNames.record,
      record.length + 1,
      /after the record was sealed/,
    ],
    ['a line that is torn', all => replace(all, memberNames.record, text => text.slice(0, -1)), memberNames.record, record.length, /does not end/],
    [
      'a record that was written anew without an entry',
      all => void all.set(memberNames.record, contents(key, chained(story.filter((_, at) => at !== 1))).get(memberNames.record) ?? ''),
      memberNames.record,
      record.length,
      /ends otherwise than what was signed/,
    ],
    [
      'a log that was changed',
      all => replace(all, logMember('i000000000cc'), text => text.replace('two', 'TWO')),
      logMember('i000000000cc'),
      null,
      /not what was signed/,
    ],
    [
      'a log that is shorter',
      all => replace(all, logMember('i000000000cc'), text => text.slice(0, 44)),
      logMember('i000000000cc'),
      null,
      /has 44 bytes; 88 were signed/,
    ],
    ['a log that is missing', all => void all.delete(logMember('i000000000aa')), logMember('i000000000aa'), null, /it is missing: 46 bytes/],
    [
      'a log of an instance that had none',
      all => void all.set(logMember('i000000000bb'), 'x'),
      logMember('i000000000bb'),
      null,
      /has 1 bytes; 0 were signed/,
    ],
    ['a log of nobody', all => void all.set(logMember('i000000000dd'), 'x'), logMember('i000000000dd'), null, /was added/],
    [
      'requests that were changed',
      all => replace(all, memberNames.access, text => text.replace('/2', '/9')),
      memberNames.access,
      5,
      /bytes 0 to 28 are not what was written/,
    ],
    ['requests that are missing', all => replace(all, memberNames.access, text => text.slice(0, 14)), memberNames.access, 5, /are missing/],
    [
      'requests that were added',
      all => replace(all, memberNames.access, text => `${text}{"path":"/3"}\n`),
      memberNames.access,
      5,
      /bytes 28 to 42 were added/,
    ],
    ['no requests at all', all => void all.delete(memberNames.access), memberNames.access, 5, /are missing/],
    [
      'an event of the kernel that was changed',
      all => replace(all, memberNames.activity, text => text.replace('exec', 'exit')),
      memberNames.activity,
      null,
      /block 1 is not what was kept/,
    ],
    [
      'a block that is missing at the end',
      all => void all.set(memberNames.activity, (activity.parts[0]?.head ?? '') + (activity.parts[0]?.bytes ?? '')),
      memberNames.activity,
      null,
      /ends with block 1; 2 were kept/,
    ],
    [
      'a block that is cut off',
      all => replace(all, memberNames.activity, text => text.slice(0, -4)),
      memberNames.activity,
      null,
      /cut off within block 2/,
    ],
    [
      'blocks that were swapped',
      all =>
        void all.set(
          memberNames.activity,
          activity.parts
            .toReversed()
            .map(({ head, bytes }) => head + bytes)
            .join(''),
        ),
      memberNames.activity,
      null,
      /block 3 is missing|is missing/,
    ],
    [
      'a head of a block that lies',
      all => replace(all, memberNames.activity, text => text.replace('"entries":2', '"entries":3')),
      memberNames.activity,
      null,
      /has 2 entries, and says 3/,
    ],
    ['evidence that was changed', all => replace(all, 'forensics/tree.json', () => '{}\n'), 'forensics/tree.json', null, /not what was signed/],
    ['evidence that is missing', all => void all.delete('forensics/tree.json'), 'forensics/tree.json', null, /it is missing/],
    ['evidence that was added', all => void all.set('forensics/tree2.json', 'x'), 'forensics/tree2.json', null, /was added/],
    ['no signature', all => void all.delete(memberNames.statement), memberNames.statement, null, /nobody has signed/],
    [
      'another signature',
      all => void all.set(memberNames.statement, contents(other).get(memberNames.statement) ?? ''),
      memberNames.statement,
      null,
      /none of the keys/,
    ],
  ]
  for (const [what, change, member, sequence, message] of cases) {
    test(what, async () => {
      const order = [...contents(key).keys()]
      const place = (name: string): number => {
        const at = order.indexOf(name)
        if (at >= 0) return at
        return order.indexOf(name.startsWith('logs/') ? memberNames.access : memberNames.inventory) - 0.5
      }
      const list = [...changed(change)].sort(([left], [right]) => place(left) - place(right))
      const found = await verifySealed(list, [key.publicKey])
      assert.equal(found.verdict, 'broken')
      const [first] = found.faults
      assert.deepEqual([first?.member, first?.sequence], [member, sequence], String(first?.message))
      assert.match(first?.message ?? '', message)
    })
  }

  describe('what is not there any more', () => {
    const [first, second] = activity.heads
    const gone = { blocks: 1, entries: first.entries, digest: { sha256: first.hash } }
    const rest = (activity.parts[1]?.head ?? '') + (activity.parts[1]?.bytes ?? '')
    const all = { blocks: 2, entries: 3, digest: { sha256: second.hash } }
    const verified = (change: (texts: Map<string, string>) => void, pruned?: string) => {
      const texts = [...changed(change)]
      if (pruned !== undefined) texts.splice(texts.findIndex(([name]) => name === memberNames.statement) + 1, 0, [memberNames.pruned, pruned])
      return verifySealed(texts, [key.publicKey])
    }
    const cut = (texts: Map<string, string>): void => void texts.set(memberNames.activity, rest)
    const taken = (texts: Map<string, string>): void => void texts.delete(memberNames.activity)
    const evidence = (texts: Map<string, string>): void => void texts.delete('forensics/dump.json')

    test('gave way to budgets where a signature says so: what is left is proven, and the rest is told', async () => {
      const some = await verified(cut, prunedText({ activity: gone, forensics: ['dump.json'] }, key))
      assert.deepEqual([some.verdict, some.faults], ['whole', []])
      assert.match(some.unchecked[0]?.reason ?? '', /its first 1 blocks are not there/)
      const none = await verified(taken, prunedText({ activity: all, forensics: [] }, key))
      assert.deepEqual([none.verdict, none.faults], ['whole', []])
      const files = await verified(evidence, prunedText({ activity: null, forensics: ['dump.json'] }, key))
      assert.deepEqual([files.verdict, files.faults], ['whole', []])
      assert.deepEqual(
        files.unchecked.map(({ member }) => member),
        ['forensics/dump.json'],
      )
    })

    const faulty: readonly (readonly [string, (texts: Map<string, string>) => void, string | undefined, string, RegExp])[] = [
      ['a beginning that nobody says to have removed', cut, undefined, memberNames.activity, /no signature says that they gave way/],
      ['all of it', taken, undefined, memberNames.activity, /3 entries were kept, and no signature/],
      ['evidence', evidence, undefined, 'forensics/dump.json', /bytes were signed/],
      ['more than was removed', taken, prunedText({ activity: gone, forensics: [] }, key), memberNames.activity, /no signature says/],
      [
        'another beginning',
        cut,
        prunedText({ activity: { ...gone, digest: all.digest }, forensics: [] }, key),
        memberNames.activity,
        /no signature says/,
      ],
      [
        'another number of entries',
        cut,
        prunedText({ activity: { ...gone, entries: 1 }, forensics: [] }, key),
        memberNames.activity,
        /no signature says/,
      ],
      [
        'what was said of another record',
        cut,
        prunedText({ activity: gone, forensics: [] }, key, activity.data.hash),
        memberNames.pruned,
        /of another record/,
      ],
      ['what somebody else says', cut, prunedText({ activity: gone, forensics: [] }, other), memberNames.pruned, /none of the keys has signed it/],
    ]
    for (const [what, change, pruned, member, message] of faulty) {
      test(`is missing otherwise: ${what}`, async () => {
        const found = await verified(change, pruned)
        assert.equal(found.verdict, 'broken')
        assert.ok(
          found.faults.some(one => one.member === member && message.test(one.message)),
          JSON.stringify(found.faults),
        )
      })
    }
  })

  test('an image that the statement leaves out', async () => {
    const entries = chained(
      story.map(one =>
        one.type === 'environment.creating'
          ? { ...one, data: JSON.parse(JSON.stringify(one.data).replaceAll(image, `sha256:${'cd'.repeat(32)}`)) }
          : one,
      ),
    )
    const found = await verifySealed(contents(key, entries), [key.publicKey])
    assert.deepEqual(found.faults, [{ member: memberNames.statement, sequence: null, message: 'its list of images is not what the record says' }])
  })
})

describe('a compressed bundle', () => {
  const packed = zstdCompressSync(bundle)
  const options = { keys: [key.publicKey], trust: 'given' as const }

  test('is whole as the plain one is', async () => {
    for (const length of [1, 3, 1000]) assert.equal((await verifyBundle(pieces(packed, length), options)).verdict, 'whole')
    assert.equal((await verifyBundle(pieces(bundle, 1), options)).verdict, 'whole')
  })

  test('that was changed or cut off is broken, or comes to the same bytes: it never fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(packed.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, difference, cut) => {
        const bad = cut ? packed.subarray(0, at) : Buffer.from(packed.map((byte, index) => (index === at ? byte ^ difference : byte)))
        const found = await verifyBundle(pieces(bad), options)
        const same = (): boolean => {
          try {
            return zstdDecompressSync(bad).equals(bundle)
          } catch {
            return false
          }
        }
        assert.equal(found.verdict, !cut && same() ? 'whole' : 'broken')
      }),
      { numRuns: 150 },
    )
  })

  test('that comes to very much is read no further than it is known to be wrong, and in bounded memory', async () => {
    // 1 GiB of zeros in some 30 KB, as the content of a log that was signed with 46 bytes; and as an archive of its own.
    const frame = zstdCompressSync(Buffer.alloc(64 * 1024 * 1024))
    const start = bundle.subarray(0, bundle.indexOf(Buffer.from(logMember('i000000000aa'))))
    const bomb = Buffer.concat([
      zstdCompressSync(Buffer.concat([start, tarHeader(logMember('i000000000aa'), 1024 ** 3)])),
      ...Array.from({ length: 16 }, () => frame),
    ])
    const before = process.memoryUsage.rss()
    const found = await verifyBundle(pieces(bomb), options)
    assert.match(found.faults[0]?.message ?? '', /has 1073741824 bytes; 46 were signed/)
    assert.equal((await verifyBundle(pieces(Buffer.concat(Array.from({ length: 16 }, () => frame))), options)).verdict, 'broken')
    assert.ok(process.memoryUsage.rss() - before < 512 * 1024 * 1024)
  })
})

describe('a hostile bundle', () => {
  const plain = (name: string, size: number, type = '0'): Buffer => {
    // A header that another program might write: any name, any kind.
    const header = Buffer.alloc(512)
    header.write(name, 0, 'latin1')
    header.write('0000644\0', 100)
    header.write('0000000\0', 108)
    header.write('0000000\0', 116)
    header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        ', 148)
    header.write(type, 156)
    header.write('ustar\x0000', 257)
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    )
    return header
  }
  for (const [what, header] of [
    ['a name that leads out', plain('../../etc/passwd', 0)],
    ['a name that leads out further on', plain('logs/../../x', 0)],
    ['an absolute name', plain('/etc/passwd', 0)],
    ['a hidden name', plain('logs/.bashrc', 0)],
    ['a symbolic link', plain('logs/a.log', 0, '2')],
    ['a hard link', plain('logs/a.log', 0, '1')],
    ['a folder', plain('logs', 0, '5')],
    ['a device', plain('logs/a.log', 0, '3')],
    ['an extended header', plain('PaxHeaders', 0, 'x')],
    ['a name with a NUL in it', plain('logs/a\0.log', 0)],
    ['a size that is none', Buffer.from(plain('bundle.json', 0).map((byte, at) => (at === 124 ? 0xff : byte)))],
    ['no archive at all', Buffer.from('{"not":"a tar"}'.repeat(100))],
    ['nothing', Buffer.alloc(0)],
  ] as const) {
    test(`${what} is refused`, async () => {
      const found = await verify(Buffer.concat([header, Buffer.alloc(1024)]), [key.publicKey])
      assert.equal(found.verdict, 'broken')
      assert.match(found.faults[0]?.message ?? '', /bundle|missing/)
    })
  }

  test('a member that is larger than what was signed is not read for its content', async () => {
    const huge = 8 * 1024 ** 3 - 1
    const start = bundle.subarray(0, bundle.indexOf(Buffer.from(logMember('i000000000aa'))))
    let asked = 0
    const endless = async function* (): AsyncGenerator<Buffer> {
      yield start
      yield tarHeader(logMember('i000000000aa'), huge)
      for (; asked < 3; asked++) yield Buffer.alloc(65536)
      // And here it ends, long before its time.
    }
    const { verifyMembers } = await import('./verify.ts')
    const found = await verifyMembers(readTar(endless()), { keys: [key.publicKey], trust: 'given', expects: { what: 'bundle' } })
    assert.equal(found.verdict, 'broken')
    assert.match(found.faults[0]?.message ?? '', /has 8589934591 bytes; 46 were signed/)
    const bounded = await verifyMembers(readTar(pieces(bundle)), { keys: [key.publicKey], trust: 'given', expects: { what: 'bundle' }, most: 2000 })
    assert.match(bounded.faults[0]?.message ?? '', /larger than is read/)
  })

  test('entries that are nested too deep, or one line that never ends, are faults', async () => {
    const deep = await verifySealed(
      changed(all => void all.set(memberNames.record, `{"data":${'['.repeat(200_000)}${']'.repeat(200_000)}}\n`)),
      [key.publicKey],
    )
    assert.deepEqual([deep.faults[0]?.member, deep.faults[0]?.sequence], [memberNames.record, 1])
    const long = await verifySealed(
      changed(all => void all.set(memberNames.record, 'x'.repeat(17 * 1024 * 1024))),
      [key.publicKey],
    )
    assert.match(long.faults[0]?.message ?? '', /longer than any/)
  })
})
