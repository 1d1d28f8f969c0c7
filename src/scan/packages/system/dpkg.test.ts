import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { contentOf, entryOf, found } from '../../../../test/scan/content.ts'
import { dpkg } from './dpkg.ts'

const bookworm = { id: 'debian', version: '12', codename: 'bookworm', like: [] }
const status = 'var/lib/dpkg/status'

describe('dpkg', () => {
  const here = '/var/lib/dpkg/status'
  const skip = existsSync(here) ? false : 'this machine has no dpkg'
  it('agrees with dpkg-query about this machine', { skip }, async () => {
    const { packages, problems } = await found(dpkg, status, readFileSync(here), bookworm)
    assert.deepEqual(problems, [])
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own format
    const format = '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n'
    const expected = execFileSync('dpkg-query', ['-W', '-f', format], { encoding: 'utf8' })
      .split('\n')
      .filter(line => line && !/^(not-installed|config-files)\t/.test(line))
      .map(line => line.slice(line.indexOf('\t') + 1))
    const seen = packages.map(({ name, version, architecture, source }) => [name, version, architecture, source?.name, source?.version].join('\t'))
    assert.deepEqual(seen.sort(), expected.sort())
    for (const { purl, name, version } of packages) {
      const parsed = PackageURL.fromString(purl)
      assert.deepEqual([parsed.namespace, parsed.name, parsed.version, parsed.qualifiers?.['distro']], ['debian', name, version, 'debian-12'])
    }
  })

  it('reads a paragraph as dpkg does', async () => {
    const text = `Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: glibc (2.36-9+deb12u4)
Version: 2.36-9+deb12u4+b1
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
Description: GNU C Library: Shared libraries
 Version: 1
 .
 Package: other

PACKAGE: libc6
status: install ok installed
Architecture: i386
Version: 2.36-9+deb12u4
Source: glibc

Package: passwd
Status: install ok installed
Architecture: amd64
Version: 1:4.13+dfsg1-1
`
    const { packages, problems } = await found(dpkg, status, text, bookworm)
    assert.deepEqual(problems, [])
    assert.deepEqual(packages[0], {
      type: 'deb',
      name: 'libc6',
      version: '2.36-9+deb12u4+b1',
      purl: 'pkg:deb/debian/libc6@2.36-9%2Bdeb12u4%2Bb1?arch=amd64&distro=debian-12&upstream=glibc%402.36-9%2Bdeb12u4',
      source: { name: 'glibc', version: '2.36-9+deb12u4' },
      architecture: 'amd64',
      licenses: [],
      paths: [status],
    })
    assert.deepEqual(packages[1]?.source, { name: 'glibc', version: '2.36-9+deb12u4' })
    assert.equal(packages[1]?.architecture, 'i386')
    assert.equal(packages[2]?.purl, 'pkg:deb/debian/passwd@1:4.13%2Bdfsg1-1?arch=amd64&distro=debian-12')
    assert.equal(packages.length, 3)
  })

  it('counts what has files, whatever dpkg still has to do or is to do next', async () => {
    const states = [
      'install ok unpacked',
      'install ok half-configured',
      'install ok triggers-pending',
      'deinstall ok installed',
      'install reinstreq half-installed',
    ]
    const gone = ['deinstall ok config-files', 'purge ok not-installed', 'unknown ok not-installed']
    const text = [...states, ...gone].map((state, index) => `Package: p${index}\nStatus: ${state}\nVersion: 1\n`).join('\n')
    const { packages, problems } = await found(dpkg, status, text)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      packages.map(({ name }) => name),
      states.map((_, index) => `p${index}`),
    )
    const bare = await found(dpkg, status, gone.map((state, index) => `Package: p${index}\nStatus: ${state}\n`).join('\n'))
    assert.deepEqual(bare, { packages: [], problems: [] })
  })

  it('reads the files of distroless images', async () => {
    const folder = `${status}.d`
    for (const name of ['libssl3', 'base', 'bGlic3NsMw==', 'tzdata.list']) assert.equal(dpkg.wants(entryOf(`${folder}/${name}`, 9)), true, name)
    for (const name of ['libssl3.md5sums', '', 'a/b']) assert.equal(dpkg.wants(entryOf(`${folder}/${name}`, 9)), false, name)
    const path = `${folder}/libssl3`
    const { packages, problems } = await found(
      dpkg,
      path,
      'Package: libssl3\nSource: openssl\nVersion: 3.0.11-1~deb12u2\nArchitecture: amd64',
      bookworm,
    )
    assert.deepEqual(problems, [])
    assert.equal(packages[0]?.purl, 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl')
    assert.deepEqual(packages[0]?.paths, [path])
  })

  it('says what it cannot understand, and reads on', async () => {
    const text = 'Version: 1\n\nPackage: a\n\nPackage: b\nPackage: c\nVersion: 1\n\nPackage: d e\nVersion: 1\n\nPackage: f\nVersion: 2\n'
    const { packages, problems } = await found(dpkg, status, text)
    assert.equal(problems.length, 4)
    assert.deepEqual(
      packages.map(({ name }) => name),
      ['c', 'f'],
    )
  })

  it('is bounded: lines, packages, problems', async () => {
    const long = await found(dpkg, status, `Package: ${'a'.repeat(2 * 1024 * 1024)}`)
    assert.match(long.problems.join(), /has a line of more than/)
    const many = await found(dpkg, status, 'Package: a\nVersion: 1\n\n'.repeat(100_001))
    assert.equal(many.packages.length, 100_000)
    assert.match(many.problems.join(), /more than 100000 packages/)
    const bad = await found(dpkg, status, 'Package: a\n\n'.repeat(1000))
    assert.equal(bad.problems.length, 21)
    assert.match(bad.problems.at(-1) ?? '', /980 more problems/)
    const huge = await dpkg.read(entryOf(status, 0), { ...contentOf(Buffer.alloc(0)), size: 2 ** 40 }, undefined, new AbortController().signal)
    assert.match(huge.problems.join(), /is larger than/)
    const short = await dpkg.read(entryOf(status, 0), { ...contentOf(Buffer.from('Package: a')), size: 100 }, undefined, new AbortController().signal)
    assert.match(short.problems.join(), /ends after 10 of 100 bytes/)
  })

  it('throws at nothing', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        'Package: a',
        'Version: 1',
        'Status: install ok installed',
        'Source: (',
        'Source: x (1',
        'Source: y (2)',
        '',
        ' ',
        '\t',
        ':',
        'Package:',
      ),
      fc.string({ unit: 'binary' }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array(),
          fc.array(line).map(lines => Buffer.from(lines.join('\n'))),
        ),
        async bytes => {
          const { packages } = await found(dpkg, status, Buffer.from(bytes), bookworm)
          for (const { purl } of packages) PackageURL.fromString(purl)
        },
      ),
    )
  })

  it('ends with its signal', async () => {
    await assert.rejects(dpkg.read(entryOf(status, 1), contentOf(Buffer.from('x')), undefined, AbortSignal.abort()), { code: 'aborted' })
  })
})
