import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { entryOf, found } from '../../../../test/scan/content.ts'
import { apk } from './apk.ts'

const alpine = { id: 'alpine', version: '3.20.3', like: [] }
const path = 'lib/apk/db/installed'

/** In the shape that apk writes: see apk-installed(5). */
const database = `C:Q1uzR8vYE0WfYNVqkFyL5oVqV5mXA=
P:alpine-baselayout
V:3.6.5-r0
A:x86_64
S:8515
I:315392
T:Alpine base dir structure and init scripts
U:https://git.alpinelinux.org/cgit/aports/tree/main/alpine-baselayout
L:GPL-2.0-only
o:alpine-baselayout
m:Natanael Copa <ncopa@alpinelinux.org>
t:1714981135
c:66187892e05b03a41d08e9acabd19b7576a1c875
D:alpine-baselayout-data=3.6.5-r0 /bin/sh
q:1000
F:dev
F:etc
R:motd
Z:Q1SLkS9hBidUbPwwrw+XR0Whv3ww8=
F:etc/crontabs
R:root
a:0:0:600
Z:Q1vfk1apUWI4yLJGhhNRd0kJixfvY=

C:Q1hbFNDFvlNcqOQH3FGAqF3/UHJVE=
P:libcrypto3
V:3.3.2-r1
A:x86_64
L:Apache-2.0
o:openssl
p:so:libcrypto.so.3=3
F:usr/lib
R:libcrypto.so.3

C:Q1x
P:libstdc++
V:13.2.1_git20240309-r0
A:x86_64
L:GPL-2.0-or-later AND LGPL-2.1-or-later
o:gcc

`

describe('apk', () => {
  it('reads a database', async () => {
    const { packages, problems } = await found(apk, path, database, alpine)
    assert.deepEqual(problems, [])
    assert.deepEqual(packages.slice(1), [
      {
        type: 'apk',
        name: 'libcrypto3',
        version: '3.3.2-r1',
        purl: 'pkg:apk/alpine/libcrypto3@3.3.2-r1?arch=x86_64&distro=alpine-3.20.3&upstream=openssl',
        source: { name: 'openssl', version: '3.3.2-r1' },
        architecture: 'x86_64',
        licenses: ['Apache-2.0'],
        paths: [path],
      },
      {
        type: 'apk',
        name: 'libstdc++',
        version: '13.2.1_git20240309-r0',
        purl: 'pkg:apk/alpine/libstdc%2B%2B@13.2.1_git20240309-r0?arch=x86_64&distro=alpine-3.20.3&upstream=gcc',
        source: { name: 'gcc', version: '13.2.1_git20240309-r0' },
        architecture: 'x86_64',
        licenses: ['GPL-2.0-or-later AND LGPL-2.1-or-later'],
        paths: [path],
      },
    ])
    assert.equal(packages[0]?.purl, 'pkg:apk/alpine/alpine-baselayout@3.6.5-r0?arch=x86_64&distro=alpine-3.20.3')
  })

  it('has its database in one of two places', () => {
    for (const place of [path, `usr/${path}`]) assert.equal(apk.wants(entryOf(place, 1)), true)
    assert.equal(apk.wants(entryOf(path, 1, { kind: 'link' })), false)
    assert.equal(apk.wants(entryOf(`srv/${path}`, 1)), false)
  })

  it('says what it cannot understand, and reads on', async () => {
    const { packages, problems } = await found(apk, path, 'P:a\n\nV:1\n\nP:b\nV:1\nV:2\n\nP:c\nV:3\n')
    assert.equal(problems.length, 3)
    assert.deepEqual(
      packages.map(({ name, version }) => `${name} ${version}`),
      ['b 2', 'c 3'],
    )
  })

  it('throws at nothing, however it is cut or mixed', async () => {
    const lines = database.split('\n')
    const mixed = fc.array(fc.constantFrom(...lines)).map(some => some.join('\n'))
    const cut = fc.nat(database.length).map(length => database.slice(0, length))
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), mixed, cut), async text => {
        const { packages } = await found(apk, path, Buffer.from(text), alpine)
        for (const { purl } of packages) PackageURL.fromString(purl)
      }),
    )
  })
})
