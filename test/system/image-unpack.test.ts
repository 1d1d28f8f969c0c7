/** dayfly-unpack: what it writes, and what it refuses. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { TarEntry } from './image/tar.ts'
import { makeTar } from './image/tar.ts'
import { buildSanitized, buildUnpacker, contents, createBench, listing, unpackBinary } from './image/unpacker.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const xattr = (path: string, name: string): string =>
  execFileSync('getfattr', ['-h', '--only-values', '--absolute-names', '-n', name, path], { stdio: ['ignore', 'pipe', 'ignore'] }).toString('latin1')
const folder = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({ name, type: '5', ...more })

describe('dayfly-unpack', { skip }, () => {
  before(buildUnpacker)

  it('writes what an archive says: owners, modes, times, links, attributes', () => {
    using bench = createBench()
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex') // cap_net_raw+ep
    const archive = makeTar([
      folder('./', { mode: 0o711, mtime: 1_500_000_000 }),
      folder('./etc/', { mtime: 1_400_000_000, uid: 5, gid: 6 }),
      { name: './etc/passwd', content: 'root:x:0:0\n', uid: 1000, gid: 70_000, mode: 0o640 },
      { name: 'bin/su', content: '#!', mode: 0o4755, uid: 33 },
      { name: 'bin/ping', content: 'ELF', mode: 0o755, pax: { 'SCHILY.xattr.security.capability': capability, 'SCHILY.xattr.user.note': 'a\0b' } },
      { name: 'bin/ping6', type: '1', link: './bin/ping' },
      { name: 'bin/sh', type: '2', link: '../../../../etc/shadow' },
      { name: 'run/fifo', type: '6', mode: 0o600 },
      { name: 'dev/sda', type: '4' },
      { name: 'dev/null', type: '3' },
      { name: 'x', content: 'far', pax: { path: 'deep/e\u0301', mtime: '1234567890.123456789', uid: '3000000', size: '3' } },
      { name: 'x', content: 'near', pax: { path: 'deep/\u00e9' } },
      { name: Buffer.from('latin-\xff', 'latin1'), content: '' },
      { name: 'x', gnuName: `${'n'.repeat(200)}/${'m'.repeat(200)}`, content: 'long' },
      { name: 'x', type: '2', gnuName: 'long-link', gnuLink: 't'.repeat(300) },
    ])
    const {
      code,
      stderr,
      stdout,
      folder: layer,
    } = bench.unpack(gzipSync(archive), '--digest', sha256(archive), '--blob-digest', sha256(gzipSync(archive)))
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`^done \\d+ 15 ${sha256(archive)} ${sha256(gzipSync(archive))} 2 ${archive.length}\n$`))

    assert.equal(statSync(layer).mode & 0o7777, 0o711)
    assert.equal(statSync(layer).mtimeMs, 1_500_000_000_000, "the layer's own time, after everything was written into it")
    const etc = statSync(join(layer, 'etc'))
    assert.deepEqual([etc.uid, etc.gid, etc.mtimeMs], [5, 6, 1_400_000_000_000])
    const passwd = statSync(join(layer, 'etc/passwd'))
    assert.deepEqual([passwd.uid, passwd.gid, passwd.mode & 0o7777], [1000, 70_000, 0o640])
    const su = statSync(join(layer, 'bin/su'))
    assert.deepEqual([su.uid, su.mode & 0o7777], [33, 0o4755], 'the setuid bit outlives the change of owner')
    assert.match(execFileSync('getcap', [join(layer, 'bin/ping')]).toString(), /cap_net_raw=ep/)
    assert.equal(xattr(join(layer, 'bin/ping'), 'user.note'), 'a\0b')
    assert.equal(statSync(join(layer, 'bin/ping')).ino, statSync(join(layer, 'bin/ping6')).ino)
    assert.equal(readlinkSync(join(layer, 'bin/sh')), '../../../../etc/shadow')
    assert.ok(lstatSync(join(layer, 'run/fifo')).isFIFO())
    assert.deepEqual([statSync(join(layer, 'run')).mode & 0o7777, statSync(join(layer, 'run')).uid], [0o755, 0], 'a parent that no entry makes')
    assert.equal(existsSync(join(layer, 'dev')), false, 'devices are ignored')
    // Names are bytes: composed and decomposed stay two files.
    assert.equal(readFileSync(join(layer, 'deep/e\u0301'), 'utf8'), 'far')
    assert.equal(readFileSync(join(layer, 'deep/\u00e9'), 'utf8'), 'near')
    const far = lstatSync(join(layer, 'deep/e\u0301'), { bigint: true })
    assert.deepEqual([far.mtimeNs, far.uid], [1_234_567_890_123_456_789n, 3_000_000n])
    assert.ok(readdirSync(layer, { encoding: 'buffer' }).some(name => name.equals(Buffer.from('latin-\xff', 'latin1'))))
    assert.equal(readFileSync(join(layer, 'n'.repeat(200), 'm'.repeat(200)), 'utf8'), 'long')
    assert.equal(readlinkSync(join(layer, 'long-link')), 't'.repeat(300))
  })

  it('agrees with tar on all its formats, sparse files and compressions', () => {
    using bench = createBench()
    const tree = join(bench.folder, 'tree')
    mkdirSync(tree)
    execFileSync(
      'bash',
      [
        '-ec',
        `mkdir -p a/b "$(printf 'x%.0s' {1..90})/$(printf 'y%.0s' {1..90})"
         head -c 3000000 /dev/urandom > a/random; printf small > a/b/small; : > empty; ln a/b/small hard; ln -s a/b/small soft
         printf long > "$(printf 'x%.0s' {1..90})/$(printf 'y%.0s' {1..90})/file"
         truncate -s 40M holes; printf head | dd of=holes conv=notrunc status=none; printf tail | dd of=holes bs=1 seek=30000000 conv=notrunc status=none
         for i in $(seq 0 60); do printf piece | dd of=many bs=1 seek=$((i*65536)) conv=notrunc status=none; done
         mkfifo pipe; chown -R 123:456 a; chmod 4711 a/b/small; chmod 1777 a; setfattr -n user.x -v y a/random
         touch -d '2001-02-03 04:05:06' a/random a/b a`,
      ],
      { cwd: tree },
    )
    const formats = ['v7', 'ustar', 'oldgnu', 'gnu', 'posix']
    const versions = [
      ['--format=posix', '--sparse-version=0.0'],
      ['--format=posix', '--sparse-version=0.1'],
      ['--format=posix', '--sparse-version=1.0'],
    ]
    const variants = [
      ...formats.map(format => [`--format=${format}`]),
      ...['oldgnu', 'gnu'].map(format => [`--format=${format}`, '--sparse']),
      ...versions.map(args => [...args, '--sparse']),
      ['--format=posix', '--xattrs'],
      ['--format=gnu', '--gzip'],
      ['--format=gnu', '--zstd'],
    ]
    for (const args of variants) {
      const excluded = args.includes('--format=v7') || args.includes('--format=ustar') ? ['--exclude=x*'] : [] // names too long for them
      const made = spawnSync('tar', ['-c', '--numeric-owner', ...args, ...excluded, '.'], { cwd: tree, maxBuffer: 256 << 20 })
      assert.ok(made.stdout.length > 0, made.stderr.toString())
      const expected = join(bench.folder, `expected-${args.join('')}`)
      mkdirSync(expected)
      const decompress = args.filter(arg => arg === '--gzip' || arg === '--zstd')
      execFileSync('tar', ['-x', '--numeric-owner', '-p', '--same-owner', '--xattrs', ...decompress, '-C', expected], { input: made.stdout })
      const { code, stderr, folder: layer } = bench.unpack(made.stdout)
      assert.equal(code, 0, `${args}: ${stderr}`)
      const seconds = (text: string): string => text.replaceAll(/(\d{10})\.\d+/g, '$1')
      assert.equal(seconds(listing(layer)), seconds(listing(expected)), String(args))
      assert.equal(contents(layer), contents(expected), String(args))
      if (args.includes('--sparse'))
        assert.ok(lstatSync(join(layer, 'holes')).blocks * 512 < 1_000_000, `${args}: the holes of a sparse file are holes`)
    }
  })

  it('turns whiteouts into what overlayfs reads, whatever the order', () => {
    using bench = createBench()
    const {
      code,
      stderr,
      stdout,
      folder: layer,
    } = bench.unpack(
      makeTar([
        folder('etc'),
        { name: 'etc/.wh.gone' },
        { name: 'var/cache/.wh..wh..opq' },
        { name: 'var/cache/new', content: 'x' },
        folder('kept'),
        { name: '.wh.kept' }, // of the layers below, never of its own
        { name: 'file', content: 'mine' },
        { name: '.wh.file' },
        { name: '.wh.again' },
        folder('again'),
        { name: '.wh.back' },
        { name: 'back', content: 'new' },
        { name: '.wh..wh.plnk/1.2', content: 'aufs' },
        { name: 'sp ace%/.wh..wh..opq' },
      ]),
    )
    assert.equal(code, 0, stderr)
    const gone = lstatSync(join(layer, 'etc/gone'))
    assert.ok(gone.isCharacterDevice() && gone.rdev === 0)
    assert.equal(existsSync(join(layer, 'etc/.wh.gone')), false)
    for (const name of ['var/cache', 'kept', 'again', 'sp ace%']) assert.equal(xattr(join(layer, name), 'trusted.overlay.opaque'), 'y', name)
    assert.equal(readFileSync(join(layer, 'file'), 'utf8'), 'mine')
    assert.equal(readFileSync(join(layer, 'back'), 'utf8'), 'new')
    assert.deepEqual(
      stdout.split('\n').filter(line => line.startsWith('opaque')),
      ['opaque var/cache', 'opaque kept', 'opaque again', 'opaque sp%20ace%25'],
    )
    assert.deepEqual(readdirSync(layer).sort(), ['again', 'back', 'etc', 'file', 'kept', 'sp ace%', 'var'])

    const plain = bench.unpack(makeTar([{ name: '.wh.name', content: 'a file' }]), '--root-file-system')
    assert.equal(readFileSync(join(plain.folder, '.wh.name'), 'utf8'), 'a file', 'in a root file system it is nothing special')
  })

  it('lets a later entry replace an earlier one, as runtimes do', () => {
    using bench = createBench()
    const deep = Array.from({ length: 900 }, () => 'd').join('/')
    const {
      code,
      stderr,
      folder: layer,
    } = bench.unpack(
      makeTar([
        { name: 'a', content: 'file' },
        folder('a', { mode: 0o700 }),
        { name: 'a/b/c', content: 'x' },
        folder('a', { mode: 0o750 }), // merged
        { name: 'tree/one/two', content: 'x' },
        { name: 'tree/three', type: '2', link: 'one' },
        { name: 'tree', content: 'now a file' },
        { name: 'link', type: '2', link: '/etc' },
        { name: 'link', content: 'now a file' },
        { name: 'twice', content: 'first' },
        { name: 'twice', content: 'second' },
        { name: 'x', gnuName: `${deep}/end`, content: 'x' },
        { name: 'd', type: '2', link: '..' },
        { name: 'e/f/g', content: '1' },
        { name: 'e', content: 'file' },
        folder('e'),
        { name: 'e/f/g', content: '2' },
      ]),
    )
    assert.equal(code, 0, stderr)
    assert.equal(statSync(join(layer, 'a')).mode & 0o777, 0o750)
    assert.equal(readFileSync(join(layer, 'a/b/c'), 'utf8'), 'x')
    assert.equal(readFileSync(join(layer, 'tree'), 'utf8'), 'now a file')
    assert.equal(readFileSync(join(layer, 'link'), 'utf8'), 'now a file')
    assert.equal(readFileSync(join(layer, 'twice'), 'utf8'), 'second')
    assert.equal(readlinkSync(join(layer, 'd')), '..')
    assert.equal(readFileSync(join(layer, 'e/f/g'), 'utf8'), '2')
  })

  const base256 = (bytes: readonly number[]): Buffer =>
    Buffer.from([...Array.from({ length: 12 - bytes.length }, () => (bytes[0] === 0xff ? 0xff : 0)), ...bytes])
  const negative = Buffer.alloc(12, 0xff)
  const hostile: readonly (readonly [string, readonly TarEntry[], RegExp])[] = [
    ['a parent folder in the name', [{ name: '../canary', content: 'dead' }], /"\.\.\/canary".*"\.\."/],
    ['a parent folder inside the name', [folder('a'), { name: 'a/../../canary', content: 'dead' }], /"a\/\.\.\/\.\.\/canary"/],
    ['an absolute name', [{ name: '/tmp/dead', content: 'dead' }], /"\/tmp\/dead".*absolute/],
    ['an absolute name in a pax header', [{ name: 'x', content: 'dead', pax: { path: '/tmp/dead' } }], /"\/tmp\/dead".*absolute/],
    [
      'a symbolic link as a parent',
      [
        { name: 'l', type: '2', link: '../outside' },
        { name: 'l/canary', content: 'dead' },
      ],
      /"l\/canary".*symbolic link/,
    ],
    [
      'an absolute symbolic link as a parent',
      [
        { name: 'l', type: '2', link: '/tmp' },
        { name: 'l/dead', content: 'dead' },
      ],
      /"l\/dead".*symbolic link/,
    ],
    [
      'a symbolic link deeper down',
      [
        { name: 'a/l', type: '2', link: '../../outside' },
        { name: 'a/l/b/c', content: 'dead' },
      ],
      /"a\/l\/b\/c".*symbolic link/,
    ],
    [
      'a symbolic link to itself as a parent',
      [
        { name: 'l', type: '2', link: 'l' },
        { name: 'l/x', content: '' },
      ],
      /"l\/x".*symbolic link/,
    ],
    ['a folder through a symbolic link', [{ name: 'l', type: '2', link: '../outside' }, folder('l/new')], /"l\/new".*symbolic link/],
    ['a hard link out of the layer', [{ name: 'h', type: '1', link: '../canary' }], /"h".*target/],
    ['an absolute hard link', [{ name: 'h', type: '1', link: '/etc/shadow' }], /"h".*target is absolute/],
    [
      'a hard link through a symbolic link',
      [
        { name: 'l', type: '2', link: '../outside' },
        { name: 'h', type: '1', link: 'l/canary' },
      ],
      /"h".*symbolic link/,
    ],
    ['a hard link to nothing', [{ name: 'h', type: '1', link: 'nothing' }], /"h".*not in the layer/],
    ['a hard link to a folder', [folder('d'), { name: 'h', type: '1', link: 'd' }], /"h".*folder/],
    [
      'a hard link to itself',
      [
        { name: 'h', content: 'x' },
        { name: 'h', type: '1', link: './h' },
      ],
      /"h".*itself/,
    ],
    [
      'a hard link into what it replaces',
      [
        { name: 'd/f', content: 'x' },
        { name: 'd', type: '1', link: 'd/f' },
      ],
      /"d".*replaces/,
    ],
    ['a hard link to a whiteout', [{ name: '.wh.w' }, { name: 'h', type: '1', link: 'w' }], /"h".*removed/],
    ['a whiteout of the parent', [{ name: '.wh...' }], /"\.wh\.\.\."/],
    ['a whiteout of the folder', [{ name: 'a/.wh..' }], /"a\/\.wh\.\."/],
    ['a whiteout of nothing', [{ name: '.wh.' }], /"\.wh\."/],
    [
      'a whiteout through a symbolic link',
      [{ name: 'l', type: '2', link: '../outside' }, { name: 'l/.wh.canary' }],
      /"l\/\.wh\.canary".*symbolic link/,
    ],
    ['an opaque mark on a symbolic link', [{ name: 'l', type: '2', link: '../outside' }, { name: 'l/.wh..wh..opq' }], /"l\/\.wh\.\.wh\.\.opq"/],
    ['a file under a whiteout', [{ name: '.wh.d/f', content: '' }], /"\.wh\.d\/f".*reserved/],
    [
      'a file as a parent',
      [
        { name: 'f', content: '' },
        { name: 'f/g', content: '' },
      ],
      /"f\/g".*not a folder/,
    ],
    ["the layer's own folder as a link", [{ name: './', type: '2', link: '/etc' }], /"\.\/"/],
    ["the layer's own folder as a file", [{ name: '.', content: 'x' }], /"\."/],
    ['a negative size', [{ name: 'f', rawSize: negative }], /"f".*negative/],
    ['a huge size', [{ name: 'f', rawSize: base256([0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) }], /"f".*range/],
    ['a size beyond the archive', [{ name: 'f', rawSize: Buffer.from('00000777777\0') }], /"f".*ends in its middle/],
    ['a negative size in a pax header', [{ name: 'f', pax: { size: '-1' } }], /negative/],
    ['an overflowing size in a pax header', [{ name: 'f', pax: { size: '99999999999999999999999' } }], /range/],
    ['a component of 256 bytes', [{ name: 'x', gnuName: 'n'.repeat(256) }], /nnn.*255/],
    ['a name of 5000 bytes', [{ name: 'x', gnuName: 'abc/'.repeat(1250) }], /longer than 4095/],
    ['a NUL byte in a pax name', [{ name: 'x', pax: { path: 'a\0b' } }], /NUL/],
    ['an empty name', [{ name: '' }], /empty/],
    ['an empty target', [{ name: 'l', type: '2', link: '' }], /"l".*empty/],
    ['an unknown type', [{ name: 'f', type: 'Z' }], /"f".*'Z'/],
    [
      'a damaged checksum',
      [
        { name: 'ok', content: '' },
        { name: 'f', badChecksum: true },
      ],
      /"ok".*checksum/,
    ],
    ['a user id beyond 32 bits', [{ name: 'f', pax: { uid: '4294967296' } }], /"f".*uid/],
    [
      'a sparse file larger than the limit',
      [{ name: 'f', pax: { 'GNU.sparse.size': '9000000000000000000', 'GNU.sparse.map': '0,0' } }],
      /"f".*limit/,
    ],
    ['overlapping pieces', [{ name: 'f', content: 'ab', pax: { 'GNU.sparse.size': '9', 'GNU.sparse.map': '5,1,2,1' } }], /"f".*sparse/],
    ['pieces beyond the end', [{ name: 'f', content: 'ab', pax: { 'GNU.sparse.size': '9', 'GNU.sparse.map': '8,2' } }], /"f".*sparse/],
    ['an escape sequence in a name', [{ name: '/\u001b[31mred\n', content: '' }], /"\/\\x1b\[31mred\\x0a"/],
  ]
  for (const [what, entries, message] of hostile) {
    it(`refuses ${what}, and names the entry`, () => {
      using bench = createBench()
      const { code, stderr } = bench.unpack(makeTar(entries))
      assert.equal(code, 1, stderr)
      assert.match(stderr, message)
      assert.equal(stderr.trimEnd().split('\n').length, 1)
    })
  }

  it("ignores overlayfs's own attributes and other trusted ones", () => {
    using bench = createBench()
    const pax = {
      'SCHILY.xattr.trusted.overlay.opaque': 'y',
      'SCHILY.xattr.user.overlay.redirect': '/etc',
      'SCHILY.xattr.trusted.x': 'y',
      'SCHILY.xattr.user.ok': 'y',
    }
    const { code, stdout, folder: layer } = bench.unpack(makeTar([folder('d', { pax })]))
    assert.equal(code, 0)
    assert.match(stdout, / 3 \d+\n$/)
    assert.equal(
      execFileSync('getfattr', ['-d', '-m', '-', '--absolute-names', join(layer, 'd')])
        .toString()
        .match(/=/g)?.length,
      1,
    )
  })

  it('resolves parents component by component where the kernel lacks openat2', () => {
    // Injecting makes a call number that the system call filter ends the process for: the sanitized build has none.
    using place = createBench()
    using bench = createBench(buildSanitized(place.folder), [
      'strace',
      '-f',
      '-o',
      '/dev/null',
      '-e',
      'trace=openat2',
      '-e',
      'inject=openat2:error=ENOSYS',
    ])
    const good = bench.unpack(
      makeTar([
        { name: 'a/b/c', content: 'x' },
        { name: 'a/b/d', content: 'y' },
        { name: 'h', type: '1', link: 'a/b/c' },
      ]),
    )
    assert.equal(good.code, 0, good.stderr)
    assert.equal(readFileSync(join(good.folder, 'a/b/d'), 'utf8'), 'y')
    const bad = bench.unpack(
      makeTar([
        { name: 'a/l', type: '2', link: '../../outside' },
        { name: 'a/l/canary', content: 'dead' },
      ]),
    )
    assert.equal(bad.code, 1)
    assert.match(bad.stderr, /"a\/l\/canary".*symbolic link/)
  })

  it('needs nothing of its output: a terminal or /dev/null will do', () => {
    using bench = createBench()
    const archive = join(bench.folder, 'archive')
    writeFileSync(archive, makeTar([{ name: 'f', content: 'x' }]))
    for (const command of ['"$1" "$2" < "$3" > /dev/null', "script -qec \"'$1' '$2' < '$3'\" /dev/null"]) {
      const target = mkdtempSync(join(bench.folder, 'layer-'))
      execFileSync('sh', ['-c', command, 'sh', unpackBinary, target, archive])
      assert.equal(readFileSync(join(target, 'f'), 'utf8'), 'x')
    }
  })

  it('bounds entries and bytes, and is not blown up by a bomb', () => {
    using bench = createBench()
    const many = bench.unpack(makeTar(Array.from({ length: 20 }, (_, index) => ({ name: `f${index}` }))), '--max-entries', '10')
    assert.equal(many.code, 1)
    assert.match(many.stderr, /"f10".*more than 10 entries/)
    const bomb = gzipSync(makeTar([{ name: 'zeros', content: Buffer.alloc(64 << 20) }]))
    assert.ok(bomb.length < 100_000)
    const blown = bench.unpack(bomb, '--max-bytes', '1000000')
    assert.equal(blown.code, 1)
    assert.match(blown.stderr, /limit of 1000000 bytes/)
  })

  it('checks both digests, and that an archive is whole', () => {
    using bench = createBench()
    const archive = makeTar([{ name: 'f', content: 'x' }])
    const wrong = `sha256:${'0'.repeat(64)}`
    const diff = bench.unpack(archive, '--digest', wrong)
    assert.equal(diff.code, 1)
    assert.ok(diff.stderr.includes(wrong) && diff.stderr.includes(sha256(archive)), diff.stderr)
    assert.equal(bench.unpack(archive, '--blob-digest', wrong).code, 1)
    assert.match(bench.unpack(makeTar([{ name: 'f', content: 'x' }], { end: false })).stderr, /end mark/)
    assert.match(bench.unpack(Buffer.alloc(0)).stderr, /empty/)
    assert.match(bench.unpack(Buffer.from('hello, this is no archive'.repeat(40))).stderr, /no tar archive/)
    assert.equal(bench.unpack(archive, '--digest', 'md5:1').code, 2)
    const trailing = Buffer.concat([archive, Buffer.alloc(100_000, 1)])
    assert.equal(bench.unpack(trailing, '--digest', sha256(trailing)).code, 0, 'what follows the end mark belongs to the digest')
  })

  it('never crashes and never writes outside, on archives cut off or damaged anywhere', () => {
    using bench = createBench()
    const sanitized = buildSanitized(bench.folder)
    using cell = createBench(sanitized)
    const archive = makeTar([
      folder('d', { pax: { 'SCHILY.xattr.user.a': 'b', mtime: '12.5' } }),
      { name: 'd/f', content: 'some text '.repeat(300), pax: { path: `d/${'p'.repeat(120)}` } },
      { name: 'x', gnuName: `d/${'g'.repeat(150)}`, content: 'y' },
      { name: 'd/l', type: '2', link: 'f' },
      { name: 'd/h', type: '1', gnuLink: `d/${'p'.repeat(120)}` },
      { name: 's', content: 'abcd', pax: { 'GNU.sparse.size': '100000', 'GNU.sparse.map': '0,2,50000,2' } },
      { name: 'd/.wh.w' },
      { name: 'd/.wh..wh..opq' },
    ])
    const whole = cell.unpack(archive)
    assert.equal(whole.code, 0, whole.stderr)
    let seed = 42
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return seed % below
    }
    const check = (bytes: Buffer, what: string): void => {
      const { code, signal, stderr } = cell.unpack(bytes)
      assert.ok(code === 0 || code === 1, `${what}: ${code} ${signal} ${stderr}`)
      if (code === 1) assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    }
    const compressed = gzipSync(archive)
    for (let at = 0; at < compressed.length; at += Math.ceil(compressed.length / 40)) {
      const { code } = cell.unpack(compressed.subarray(0, at))
      assert.equal(code, 1, `a stream cut off after ${at} bytes`)
    }
    for (let at = 256; at < archive.length - 1024; at += 1024) check(archive.subarray(0, at), `cut off at ${at}`)
    for (let round = 0; round < 120; round++) {
      const damaged = Buffer.from(round % 3 === 0 ? compressed : archive)
      for (let flips = 0; flips <= random(4); flips++) damaged[random(damaged.length)] = random(256)
      check(damaged, `round ${round}`)
    }
    // With the checksums set right again, so that the damage reaches the fields behind them.
    for (let round = 0; round < 120; round++) {
      const damaged = Buffer.from(archive)
      for (let flips = 0; flips <= random(4); flips++) damaged[random(damaged.length / 512) * 512 + random(512)] = random(256)
      for (let at = 0; at + 512 <= damaged.length; at += 512) {
        if (damaged.toString('latin1', at + 257, at + 262) !== 'ustar') continue
        damaged.fill(' ', at + 148, at + 156)
        let sum = 0
        for (const byte of damaged.subarray(at, at + 512)) sum += byte
        damaged.write(`${sum.toString(8).padStart(6, '0')}\0`, at + 148, 'latin1')
      }
      check(damaged, `repaired round ${round}`)
    }
  })
})
