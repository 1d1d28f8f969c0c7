import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Files } from '../../test/scan/layers.ts'
import { createLayerFolders } from '../../test/scan/layers.ts'
import { folderCataloguers } from './cataloguers.ts'
import { mergeLayers } from './merge.ts'
import { scanFolder } from './scan-folder.ts'
import { openSecretSearch } from './secret-search.ts'

interface Layer {
  readonly files: Files
  readonly opaque?: readonly string[]
}

/** What is found in an image of these layers beside the distribution's packages, with its places. */
const found = async (...layers: readonly Layer[]): Promise<string[]> => {
  using folders = createLayerFolders()
  const scanned = []
  for (const { files, opaque } of layers) scanned.push(await folders.layer(files, opaque))
  const { packages, problems } = await mergeLayers(scanned)
  assert.deepEqual(problems, [])
  return packages.flatMap(({ type, name, paths }) => (['deb', 'apk', 'rpm'].includes(type) ? [] : [`${name}: ${paths.join(' ')}`]))
}

const modules = 'usr/lib/python3/dist-packages'
const ours = `${modules}/requests-2.28.1.dist-info/METADATA`
const theirs = 'usr/local/lib/python3.11/dist-packages/urllib3-1.26.0.dist-info/METADATA'
const requests = 'Metadata-Version: 2.1\nName: requests\nVersion: 2.28.1\n'
const urllib3 = 'Metadata-Version: 2.1\nName: urllib3\nVersion: 1.26.0\n'
const state = (said: string): string => `Package: python3-requests\nStatus: ${said}\nVersion: 2.28.1+dfsg-1\n`
const status = { 'var/lib/dpkg/status': state('install ok installed') }
const listPath = 'var/lib/dpkg/info/python3-requests.list'
const list = { [listPath]: `/.\n/usr\n/usr/lib\n/${modules}\n/${modules}/requests-2.28.1.dist-info\n/${ours}\n` }
const installed = { ...status, ...list, [ours]: requests }
const listed = [`requests: ${ours}`]

describe('a Python package that a deb has brought', () => {
  it('is that deb, and what pip has installed beside it is found', async () => {
    assert.deepEqual(await found({ files: { ...installed, [theirs]: urllib3 } }), [`urllib3: ${theirs}`])
    assert.deepEqual(await found({ files: installed }, { files: { [theirs]: urllib3 } }), [`urllib3: ${theirs}`])
  })

  it('is found where its list is gone, or the deb is no longer declared', async () => {
    assert.deepEqual(await found({ files: { ...status, [ours]: requests } }), listed)
    assert.deepEqual(await found({ files: { ...list, [ours]: requests } }), listed)
    assert.deepEqual(await found({ files: installed }, { files: {}, opaque: ['var/lib/dpkg/info'] }), listed)
    assert.deepEqual(await found({ files: installed }, { files: { [listPath]: '/.\n/usr\n' } }), listed)
    const removed = { 'var/lib/dpkg/status': state('deinstall ok config-files') }
    assert.deepEqual(await found({ files: installed }, { files: removed }), listed)
    const other = { 'var/lib/dpkg/status': 'Package: python3-other\nStatus: install ok installed\nVersion: 1\n' }
    assert.deepEqual(await found({ files: installed }, { files: other }), listed)
  })

  it('is found where a layer above has written over it, also if a layer above that one repeats the list', async () => {
    assert.deepEqual(await found({ files: installed }, { files: { [ours]: requests } }), listed)
    assert.deepEqual(await found({ files: installed }, { files: { [ours]: requests } }, { files: { ...status, ...list } }), listed)
  })

  it('stays the deb when dpkg upgrades it, or its database comes in a later layer', async () => {
    assert.deepEqual(await found({ files: installed }, { files: installed }), [])
    assert.deepEqual(await found({ files: { [ours]: requests } }, { files: { ...status, ...list } }), [])
    assert.deepEqual(await found({ files: installed }, { files: { ...status, 'etc/x': '' } }), [])
  })

  it('cannot be claimed by a list before it is there', async () => {
    assert.deepEqual(await found({ files: { ...status, ...list } }, { files: { [ours]: requests } }), listed)
  })

  it('is found in the other of two places', async () => {
    const copy = 'opt/venv/lib/python3.11/site-packages/requests-2.28.1.dist-info/METADATA'
    assert.deepEqual(await found({ files: { ...installed, [copy]: requests } }), [`requests: ${copy}`])
    assert.deepEqual(await found({ files: installed }, { files: { [copy]: requests } }), [`requests: ${copy}`])
  })

  it('may be listed by the other name of a folder, where there is only one of them', async () => {
    const { [listPath]: text } = list
    const old = { ...status, [ours]: requests, [listPath]: text?.replaceAll('/usr/lib/', '/lib/') ?? '' }
    assert.deepEqual(await found({ files: { ...old, lib: { link: 'usr/lib' } } }), [])
    assert.deepEqual(await found({ files: { lib: { link: 'usr/lib' } } }, { files: old }), [])
    assert.deepEqual(await found({ files: { ...old, 'lib/x': '' } }), listed, 'there are two')
    assert.deepEqual(await found({ files: { ...old, lib: { link: 'usr/lib' } } }, { files: { 'lib/x': '' } }), listed, 'a folder covers the link')
  })

  it('is that deb in a folder, too, and found where only a part of the root file system is looked at', async () => {
    using folders = createLayerFolders()
    const { [listPath]: text } = list
    const files = { ...installed, [listPath]: text?.replaceAll('/usr/lib/', '/lib/') ?? '', lib: { link: 'usr/lib' }, [theirs]: urllib3 }
    await folders.layer(files)
    const scan = async (folder: string): Promise<string[]> => {
      const { signal } = new AbortController()
      const options = { cataloguers: folderCataloguers, secrets: openSecretSearch({ salt: Buffer.alloc(16) }), skip: () => false, signal }
      return (await scanFolder(folder, options)).packages.map(({ type, name }) => `${type} ${name}`).sort()
    }
    assert.deepEqual(await scan(`${folders.folder}/0`), ['deb python3-requests', 'pypi urllib3'])
    assert.deepEqual(await scan(`${folders.folder}/0/usr/lib`), ['pypi requests'])
  })

  it('is listed by its sums in distroless images', async () => {
    const folder = 'var/lib/dpkg/status.d'
    const sums = { [`${folder}/requests.md5sums`]: `d41d8cd98f00b204e9800998ecf8427e  ${ours}\n` }
    const part = { [`${folder}/requests`]: 'Package: python3-requests\nVersion: 2.28.1+dfsg-1\n' }
    assert.deepEqual(await found({ files: { [ours]: requests, ...sums, ...part } }), [])
    assert.deepEqual(await found({ files: { [ours]: requests, ...sums } }), listed)
  })
})

describe("a package of Alpine's", () => {
  const path = 'usr/lib/python3.12/site-packages/requests-2.28.1.dist-info/METADATA'
  const record = `C:Q1x=\nP:py3-requests\nV:2.28.1-r0\nA:noarch\nF:\nF:usr\nF:${path.replace('/METADATA', '')}\nR:METADATA\nZ:Q1y=\n\n`
  const curl = 'P:curl\nV:8.1-r0\nF:usr/bin\nR:curl\n\n'
  const database = 'lib/apk/db/installed'

  it('is that package, whoever adds others later', async () => {
    assert.deepEqual(await found({ files: { [path]: requests, [database]: record } }), [])
    assert.deepEqual(await found({ files: { [path]: requests, [database]: record } }, { files: { [database]: record + curl } }), [])
  })

  it('is found where its record is gone, or pip has written over it, whoever adds others later', async () => {
    assert.deepEqual(await found({ files: { [path]: requests, [database]: record } }, { files: { [database]: curl } }), [`requests: ${path}`])
    const pip = { files: { [path]: requests } }
    const layers = [{ files: { [path]: requests, [database]: record } }, pip, { files: { [database]: record + curl } }]
    assert.deepEqual(await found(...layers), [`requests: ${path}`])
  })
})
