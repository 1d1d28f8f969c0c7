/** Images are scanned in the pass that unpacks them: what is known of each layer, and of what they show together. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import type { LayerFacts } from '../../src/scan/facts.ts'
import { startScan } from '../../src/scan/process/start.ts'
import { openSecretSearch, writeSettings } from '../../src/scan/secret-search.ts'
import { makeLayer } from './image/maker.ts'
import { createScannedPlace } from './image/scanned.ts'
import type { TarEntry } from './image/tar.ts'
import { buildUnpacker } from './image/unpacker.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

const paragraph = (name: string, version: string): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`
/** Made here, with the checksum that makes it one: nobody's. */
const secret = `AKIA${'Q3EGRIYH5WBL7TDZ'}`
const base: TarEntry[] = [
  { name: './', type: '5' },
  { name: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n' },
  { name: 'var/lib/dpkg/status', content: paragraph('openssl', '3.0.11-1') + paragraph('zlib1g', '1:1.2.13') },
  { name: 'bin/sh', type: '2', link: 'dash' },
  { name: 'usr/bin/apt-get', content: 'x', mode: 0o755 },
  { name: 'usr/bin/su', content: 'x', mode: 0o4755 },
  { name: 'opt/tool', content: 'x', mode: 0o4755 },
  { name: 'tmp', type: '5', mode: 0o1777 },
  { name: 'srv/open', type: '5', mode: 0o777 },
  { name: 'app/old/key.txt', content: `aws_access_key_id = ${secret}\n` },
]

describe('an image that is scanned as it is unpacked', { skip }, () => {
  before(buildUnpacker)

  it('has its packages, secrets and what stands out, from one import', async () => {
    using place = createScannedPlace()
    await using store = await place.open()
    await store.importRoot(place.tar('root.tar', base), { name: 'one' })
    assert.equal(readdirSync(join(place.folder, 'images/layer-notes')).length, 1, 'the note was made by the import')
    const facts = await store.facts('one')
    assert.deepEqual(facts.problems, [])
    assert.equal(facts.distribution?.id, 'debian')
    assert.deepEqual(
      facts.packages.map(({ purl }) => purl),
      ['pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12', 'pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12'],
    )
    assert.deepEqual(
      facts.secrets.map(found => found.places.map(({ path, line, hidden }) => [path, line, hidden])),
      [[['app/old/key.txt', 1, undefined]]],
    )
    assert.ok(!JSON.stringify(facts).includes(secret), 'the secret itself is nowhere')
    const byId = new Map(facts.misconfigurations.map(found => [found.id, found.places.map(({ path, field }) => path ?? field)]))
    assert.deepEqual(byId.get('image-setuid-file'), ['opt/tool'])
    assert.deepEqual(byId.get('image-setuid-usual'), ['usr/bin/su'])
    assert.deepEqual(byId.get('image-world-writable'), ['srv/open'])
    assert.deepEqual(byId.get('image-shell'), ['bin/sh'])
    assert.deepEqual(byId.get('image-package-manager'), ['usr/bin/apt-get'])
    assert.deepEqual(byId.get('image-root-user'), ['user'])
  })

  it('shows what its layers show together: whiteouts, opaque folders and rewrites win; hidden secrets stay', async () => {
    using place = createScannedPlace()
    await using store = await place.open()
    const upper: TarEntry[] = [
      { name: 'var/lib/dpkg/status', content: paragraph('openssl', '3.0.15-1') },
      { name: 'app/.wh..wh..opq', content: '' },
      { name: 'opt/.wh.tool', content: '' },
      { name: 'usr/bin/su', content: 'x', mode: 0o755 },
      { name: 'srv/open', type: '5', mode: 0o755 },
      { name: 'bin', type: '2', link: 'usr/bin' },
    ]
    const config = { User: '10001', ExposedPorts: { '80/tcp': {}, '8080/tcp': {} }, Env: [`AWS_ACCESS_KEY_ID=${secret}`] }
    const reference = place.image('two', { layers: [makeLayer(base), makeLayer(upper)], config })
    const { digest } = await store.pull(reference)
    const facts = await store.facts(digest)
    assert.deepEqual(facts.problems, [])
    assert.deepEqual(
      facts.packages.map(({ purl }) => purl),
      ['pkg:deb/debian/openssl@3.0.15-1?arch=amd64&distro=debian-12'],
      "the later status file counts, and its layer's packages are of the lower layer's distribution",
    )
    const places = facts.secrets.flatMap(found => found.places)
    assert.deepEqual(
      places.map(({ path, field, hidden }) => [path ?? field, hidden]),
      [
        ['app/old/key.txt', true],
        ['env.AWS_ACCESS_KEY_ID', undefined],
      ],
    )
    assert.equal(places[0]?.layer, makeLayer(base).diffId)
    assert.deepEqual(
      facts.misconfigurations.map(({ id, title }) => [id, title.includes('80/tcp')]),
      [
        ['image-package-manager', false],
        ['image-privileged-port', true],
      ],
    )
  })

  it('is looked at later where it was there before, or its note is of another version: once, whoever asks', async () => {
    using place = createScannedPlace()
    {
      await using blind = await place.open({ scanned: false })
      await blind.importRoot(place.tar('root.tar', base), { name: 'one' })
    }
    const notes = join(place.folder, 'images/layer-notes')
    assert.deepEqual(readdirSync(notes), [])
    await using store = await place.open()
    await using other = await place.open()
    const looks: string[] = []
    for (const each of [store, other]) {
      const { look } = each.scanning.watcher
      Object.assign(each.scanning.watcher, {
        look: (...args: Parameters<typeof look>) => {
          looks.push(args[1])
          return look(...args)
        },
      })
    }
    const all = await Promise.all([store.facts('one'), other.facts('one'), store.facts('one')])
    assert.equal(looks.length, 1)
    assert.equal(all[0]?.packages.length, 2)
    assert.deepEqual(all[0], all[1])

    const [name = ''] = readdirSync(notes)
    const kept = readFileSync(join(notes, name), 'utf8')
    writeFileSync(join(notes, name), kept.replace(/"scannerVersion":\d+/, '"scannerVersion":0'))
    await using later = await place.open()
    assert.deepEqual(await later.facts('one'), all[0])
    assert.equal(readFileSync(join(notes, name), 'utf8').includes('"scannerVersion":0'), false)

    // A damaged one is made again too.
    writeFileSync(join(notes, name), kept.slice(0, 100))
    await using last = await place.open()
    assert.deepEqual(await last.facts('one'), all[0])
  })

  it('says the same whether it is looked at in the pass or afterwards', async () => {
    using place = createScannedPlace()
    await using store = await place.open()
    await store.importRoot(place.tar('root.tar', [...base, { name: 'hard', type: '1', link: 'opt/tool' }]), { name: 'one' })
    const inPass = await store.facts('one')
    rmSync(join(place.folder, 'images/layer-notes'), { recursive: true })
    mkdirSync(join(place.folder, 'images/layer-notes'))
    await using again = await place.open()
    const afterwards = await again.facts('one')
    assert.deepEqual(afterwards, inPass)
  })

  it('takes its note with it when it is removed', async () => {
    using place = createScannedPlace()
    await using store = await place.open()
    await store.importRoot(place.tar('root.tar', base), { name: 'one' })
    await store.remove('one', new Set())
    assert.deepEqual(readdirSync(join(place.folder, 'images/layer-notes')), [])
    assert.deepEqual(readdirSync(join(place.folder, 'images/staging')), [])
  })

  it('loses notes of layers that never came, once they are old', async () => {
    using place = createScannedPlace()
    {
      await using store = await place.open()
      await store.importRoot(place.tar('root.tar', base), { name: 'one' })
    }
    const notes = join(place.folder, 'images/layer-notes')
    const kept = readdirSync(notes)
    writeFileSync(join(notes, '0123456789abcdef.json'), '{}')
    writeFileSync(join(notes, '.fedcba9876543210.json.1.2'), '{')
    writeFileSync(join(notes, '1111111111111111.json'), '{}')
    for (const name of [...kept, '0123456789abcdef.json', '.fedcba9876543210.json.1.2']) utimesSync(join(notes, name), 1, 1)
    await using _ = await place.open()
    assert.deepEqual(readdirSync(notes).sort(), [...kept, '1111111111111111.json'].sort())
  })
})

describe('the scanning process', { skip }, () => {
  before(buildUnpacker)
  const settings = { salt: Buffer.alloc(16, 1) }
  const options = writeSettings(settings)
  const secretRules = openSecretSearch(settings).version
  const walk = async (folder: string, deadline = 60_000): Promise<LayerFacts> => {
    await using scan = startScan({ folder, mode: 'walk', options, secretRules, deadline })
    return await scan.finish('sha256:test')
  }

  it('is nobody, may only read, and has no network', async () => {
    using place = createScannedPlace()
    await using scan = startScan({ folder: place.folder, mode: 'records', options, secretRules, deadline: 60_000 })
    assert.ok(scan.pid !== undefined)
    const until = Date.now() + 30_000
    const node = realpathSync(process.execPath)
    let status = ''
    // The same process becomes prlimit, unshare, setpriv and node, one after another, and setpriv gives up its rights step by step.
    while (Date.now() < until) {
      const isNode = readlinkSync(`/proc/${scan.pid}/exe`) === node
      status = readFileSync(`/proc/${scan.pid}/status`, 'utf8')
      if (isNode && /Uid:\s+65534/.test(status)) break
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    assert.match(status, /Uid:\t65534\t65534\t65534\t65534/)
    assert.match(status, /Gid:\t65534\t65534\t65534\t65534/)
    assert.match(status, /Groups:\t\s*\n/)
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match(status, new RegExp(`${set}:\\t0000000000000004`), 'CAP_DAC_READ_SEARCH')
    assert.match(status, /NoNewPrivs:\t1/)
    const links = readFileSync(`/proc/${scan.pid}/net/dev`, 'utf8').trim().split('\n').slice(2)
    assert.deepEqual(
      links.map(line => line.split(':')[0]?.trim()),
      ['lo'],
      'a network namespace with nothing in it',
    )
  })

  it('is killed at its deadline, and the facts say so; the unpacking is not touched', async () => {
    using place = createScannedPlace()
    await using scan = startScan({ folder: place.folder, mode: 'records', options, secretRules, deadline: 100 })
    // Nothing comes: it waits for ever.
    const facts = await scan.finish('sha256:test')
    assert.match(facts.problems.join(), /could not be scanned: it took more than/)
    assert.equal(existsSync(`/proc/${scan.pid}`), false)
  })

  it('says what it did not get to when the time is short, instead of nothing', async () => {
    using place = createScannedPlace()
    mkdirSync(join(place.folder, 'bin'))
    writeFileSync(join(place.folder, 'bin/bash'), '', { mode: 0o755 })
    for (let index = 0; index < 20; index++) writeFileSync(join(place.folder, `Dockerfile${index}`), 'ENV A=b\n')
    const facts = await walk(place.folder, 0)
    assert.match(facts.problems.join(), /no time to read 20 of the 20 files/)
    assert.deepEqual(facts.shells, ['bin/bash'])
  })

  it('whose layers there is too much to say about is not read into the memory of the daemon', async () => {
    using place = createScannedPlace()
    const layers = [1, 2, 3].map(number => makeLayer([{ name: `file-${number}`, content: `${number}` }]))
    await using plain = await place.open({ scanned: false })
    await plain.pull(place.image('many', { layers }))
    await using store = await place.open()
    let looked = 0
    Object.assign(store.scanning.watcher, { look: async () => ({ number: looked++, text: 'x'.repeat(12 * 1024 * 1024) }), isCurrent: () => true })
    const [image] = await store.list()
    await assert.rejects(store.noted(image?.digest ?? ''), { code: 'corrupt', message: /more to say about its layers/ })
    assert.equal(looked, 3)
  })

  it('that dies makes no unpacking fail', async () => {
    using place = createScannedPlace()
    await using store = await place.open()
    const { watch } = store.scanning.watcher
    Object.assign(store.scanning.watcher, {
      watch: (folder: string) => {
        const watching = watch(folder)
        setTimeout(() => watching[Symbol.asyncDispose](), 0)
        return watching
      },
    })
    const image = await store.importRoot(place.tar('root.tar', base), { name: 'one' })
    assert.equal(image.layers.length, 1)
    const [note = ''] = readdirSync(join(place.folder, 'images/layer-notes'))
    assert.match(readFileSync(join(place.folder, 'images/layer-notes', note), 'utf8'), /could not be scanned: .*killed by SIGKILL/)
  })
})
