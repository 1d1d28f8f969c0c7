import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { entryOf, found } from '../../../../test/scan/content.ts'
import { rpmManifest } from './rpm-manifest.ts'

const path = 'var/lib/rpmmanifest/container-manifest-2'
const azure = { id: 'azurelinux', version: '3.0', like: [] }
const openssl = 'openssl\t3.3.0-1.azl3\t1726000000\t1725000000\tMicrosoft Corporation\t1\t99\tx86_64\t1\topenssl-3.3.0-1.azl3.src.rpm'

describe('the manifest of an image without a database', () => {
  it('is read', async () => {
    const text = `${openssl}\nopenssl-libs\t3.3.0-1.azl3\t1\t1\tMicrosoft Corporation\t(none)\t9\tx86_64\t0\topenssl-3.3.0-1.azl3.src.rpm\n`
    const { packages, problems } = await found(rpmManifest, path, text, azure)
    assert.deepEqual(problems, [])
    assert.deepEqual(packages[0], {
      type: 'rpm',
      name: 'openssl',
      version: '1:3.3.0-1.azl3',
      purl: 'pkg:rpm/azurelinux/openssl@3.3.0-1.azl3?arch=x86_64&distro=azurelinux-3.0&epoch=1&upstream=openssl-3.3.0-1.azl3.src.rpm',
      source: { name: 'openssl', version: '1:3.3.0-1.azl3' },
      architecture: 'x86_64',
      licenses: [],
      paths: [path],
    })
    assert.deepEqual([packages[1]?.name, packages[1]?.version], ['openssl-libs', '3.3.0-1.azl3'])
    assert.equal(rpmManifest.wants(entryOf(path, 1)), true)
    assert.equal(rpmManifest.wants(entryOf('var/lib/rpmmanifest/container-manifest-1', 1)), false)
  })

  it('that is none has problems', async () => {
    const { packages, problems } = await found(
      rpmManifest,
      path,
      `x\n\n${openssl.replace('\t1\t', '\tx\t')}\n${openssl.replace('-1.azl3', '')}\n${openssl}\n`,
    )
    assert.equal(packages.length, 1)
    assert.equal(problems.length, 3)
  })

  it('throws at nothing', async () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('a', '1-1', '-', '(none)', '-1', '1e9'))
    const lines = fc.array(fc.array(word, { maxLength: 12 }).map(words => words.join('\t'))).map(all => all.join('\n'))
    await fc.assert(fc.asyncProperty(fc.oneof(fc.uint8Array(), lines), async text => void (await found(rpmManifest, path, Buffer.from(text), azure))))
  })
})
