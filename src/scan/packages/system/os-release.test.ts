import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { contentOf, entryOf } from '../../../../test/scan/content.ts'
import { isOsRelease, parseOsRelease, readOsRelease } from './os-release.ts'
import { inDistribution, systemPurl } from './purl.ts'

describe('os-release', () => {
  it('says which distribution it is, however it is quoted', () => {
    assert.deepEqual(parseOsRelease('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n'), {
      ...{ id: 'debian', version: '12', codename: 'bookworm', like: [] },
    })
    assert.deepEqual(parseOsRelease('# comment\n\nID="almalinux"\r\nID_LIKE="rhel centos fedora"\nVERSION_ID=\'9.4\'\n'), {
      ...{ id: 'almalinux', version: '9.4', like: ['rhel', 'centos', 'fedora'] },
    })
    assert.deepEqual(parseOsRelease('ID=arch\nBUILD_ID=rolling'), { id: 'arch', version: '', like: [] })
    assert.deepEqual(parseOsRelease('ID=Alp\\ine\nVERSION_ID="3.2\\"0'), { id: 'alpine', version: '', like: [] })
    assert.equal(parseOsRelease('NAME=x\nVERSION_ID=1'), undefined)
    assert.equal(parseOsRelease('ID="$(id)"'), undefined)
  })

  it('is one of two files', async () => {
    for (const path of ['etc/os-release', 'usr/lib/os-release']) assert.equal(isOsRelease(entryOf(path, 1)), true)
    assert.equal(isOsRelease(entryOf('etc/os-release', 0, { kind: 'link' })), false)
    const read = (text: string) => readOsRelease(entryOf('etc/os-release', text.length), contentOf(Buffer.from(text)))
    assert.deepEqual(await read('ID=alpine\nVERSION_ID=3.20.3'), { distribution: { id: 'alpine', version: '3.20.3', like: [] } })
    assert.match((await read('')).problem ?? '', /^etc\/os-release does not say/)
    assert.match((await read('x'.repeat(70_000))).problem ?? '', /is larger than/)
  })

  it('throws at nothing', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void parseOsRelease(`ID=${text}`)))
  })
})

describe('the purl of a system package', () => {
  const debian = { id: 'debian', version: '12', like: [] }
  const leap = { id: 'opensuse-leap', version: '15.6', like: ['suse', 'opensuse'] }

  it('names vendor, distribution and architecture', () => {
    assert.equal(systemPurl('deb', 'G++', '4:12.2.0-3', debian, { arch: 'amd64' }), 'pkg:deb/debian/g%2B%2B@4:12.2.0-3?arch=amd64&distro=debian-12')
    assert.equal(systemPurl('rpm', 'GConf2', '3-1', leap, { epoch: '1' }), 'pkg:rpm/opensuse/GConf2@3-1?distro=opensuse-leap-15.6&epoch=1')
    assert.equal(systemPurl('rpm', 'a', '1', { id: 'rhel', version: '9.4', like: [] }, {}), 'pkg:rpm/redhat/a@1?distro=rhel-9.4')
    assert.equal(
      systemPurl('deb', 'a', '1', { id: 'debian', version: '', codename: 'trixie', like: [] }, {}),
      'pkg:deb/debian/a@1?distro=debian-trixie',
    )
    assert.equal(systemPurl('rpm', 'a', '1', undefined, { upstream: '' }), 'pkg:rpm/a@1')
    assert.equal(systemPurl('apk', 'a', '1', undefined, {}), 'pkg:apk/alpine/a@1')
  })

  it('is what the specification makes of it', () => {
    const word = fc.stringMatching(/^[!-~]{1,30}$/)
    // The library decodes qualifiers twice.
    const plain = fc.stringMatching(/^[!-$&-~]{1,30}$/)
    fc.assert(
      fc.property(
        fc.constantFrom('deb', 'apk', 'rpm'),
        word,
        word,
        plain,
        fc.option(fc.constantFrom(debian, leap), { nil: undefined }),
        (type, name, version, arch, distribution) => {
          const purl = systemPurl(type, name, version, distribution, { arch, upstream: undefined })
          const parsed = PackageURL.fromString(purl)
          assert.equal(parsed.name, type === 'rpm' ? name : name.toLowerCase())
          assert.equal(parsed.version, version)
          assert.equal(parsed.qualifiers?.['arch'], arch)
          assert.equal(inDistribution(purl, distribution), purl)
          assert.equal(inDistribution(inDistribution(purl, leap), debian), systemPurl(type, name, version, debian, { arch }))
        },
      ),
    )
  })

  it('of another kind stays as it is', () => {
    assert.equal(inDistribution('pkg:npm/%40a/b@1', debian), 'pkg:npm/%40a/b@1')
  })
})
