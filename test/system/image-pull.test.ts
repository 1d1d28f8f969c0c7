/** Pulls from a real registry and from every other transport. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DayflyError } from '../../src/base/errors.ts'
import type { ImageProgress } from '../../src/host/image/store.ts'
import type { Compression, Format, ImageSpec, MadeImage } from './image/maker.ts'
import { busyboxEntries, machineArchitecture, makeImage, makeIndex, makeLayer, sha256, writeLayout } from './image/maker.ts'
import type { Registry } from './image/registry.ts'
import { account, freePort, startRegistry } from './image/registry.ts'
import { createPlace } from './image/store.ts'
import type { TarEntry } from './image/tar.ts'
import { buildUnpacker } from './image/unpacker.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const base = makeLayer(busyboxEntries())
const top = makeLayer([{ name: 'etc/motd', content: 'hello' }])

const contentBytes = (entries: readonly TarEntry[]): number => entries.reduce((sum, { content = '' }) => sum + Buffer.byteLength(content), 0)

const expectError = async (work: Promise<unknown>, code: string, message: RegExp): Promise<DayflyError> => {
  try {
    await work
  } catch (error) {
    assert.ok(error instanceof DayflyError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return error
  }
  return assert.fail(`no error: expected ${code}`)
}

describe('pulling images', { skip }, () => {
  let registry: Registry
  before(async () => {
    buildUnpacker()
    registry = await startRegistry()
  })
  after(async () => await registry[Symbol.asyncDispose]())

  const push = async (name: string, spec: ImageSpec, tag = 'latest'): Promise<MadeImage> => {
    const image = makeImage(spec)
    await registry.push(name, [image.config, ...image.layers])
    await registry.pushManifest(name, tag, image.manifest)
    return image
  }

  for (const format of ['oci', 'docker'] satisfies Format[]) {
    for (const compression of ['gzip', 'zstd', 'plain'] satisfies Compression[]) {
      if (format === 'docker' && compression !== 'gzip') continue // schema 2 in practice has no other
      it(`pulls ${format} manifests with ${compression} layers, byte for byte`, async () => {
        using place = createPlace()
        await using store = await place.open()
        const config = {
          Entrypoint: ['/bin/echo'],
          Cmd: ['hi'],
          Env: ['PATH=/bin', 'A=1', 'A=2', 'EMPTY'],
          User: 'web',
          WorkingDir: '/srv',
          StopSignal: 'int',
          Labels: { a: 'b' },
          ExposedPorts: { '80/tcp': {} },
          Volumes: { '/data': {} },
        }
        const name = `kinds/${format}-${compression}`
        const made = await push(name, { layers: [base, top], format, compression, config })
        const image = await store.pull(`${registry.host}/${name}`)
        assert.equal(image.digest, made.manifest.digest)
        assert.equal(image.configDigest, made.config.digest)
        assert.deepEqual(image.names, [`${registry.host}/${name}:latest`])
        assert.deepEqual(
          image.layers.map(({ diffId, folder }) => [diffId, folder]),
          [base, top].map(({ diffId }) => [diffId, diffId.slice(7, 23)]),
        )
        assert.deepEqual(image.config, {
          entrypoint: ['/bin/echo'],
          cmd: ['hi'],
          env: { PATH: '/bin', A: '2', EMPTY: '' },
          user: 'web',
          workingDir: '/srv',
          stopSignal: 'SIGINT',
          labels: { a: 'b' },
          exposedPorts: ['80/tcp'],
          volumes: ['/data'],
        })
        assert.equal(image.createdAt, Date.parse('2024-05-06T07:08:09Z'))
        assert.deepEqual(readFileSync(join(store.layersFolder, image.layers[0]?.folder ?? '', 'bin/busybox')), readFileSync('/bin/busybox'))
        assert.equal(image.size, contentBytes(busyboxEntries()) + 'hello'.length)
        assert.deepEqual(await store.get(image.digest.slice(7, 15)), image)
        assert.deepEqual(await store.list(), [image])
        assert.deepEqual(place.names('staging'), [])
        assert.deepEqual(await store.resolveUser(image, image.config.user), { uid: 101, gid: 102, additionalGids: [29, 200], home: '/srv/web' })
      })
    }
  }

  it('tells its progress, layer by layer, and never backwards', async () => {
    using place = createPlace()
    await using store = await place.open()
    const big = makeLayer([{ name: 'noise', content: Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 2654435761) >>> 13)) }])
    const made = await push('progress', { layers: [base, big] })
    const seen: ImageProgress[] = []
    await store.pull(`${registry.host}/progress`, { onProgress: progress => seen.push(progress) })
    assert.deepEqual(seen[0], { phase: 'resolve', layer: '', bytes: 0, total: undefined })
    const order = ['download', 'unpack', 'done']
    for (const [index, { diffId }] of [base, big].entries()) {
      const own = seen.filter(({ layer }) => layer === diffId)
      assert.deepEqual([...new Set(own.map(({ phase }) => phase))], order)
      for (const [at, progress] of own.entries()) {
        assert.equal(progress.total, made.layers[index]?.bytes.length)
        const before = own[at - 1]
        if (before?.phase === progress.phase) assert.ok(progress.bytes >= before.bytes)
      }
      assert.equal(own.at(-1)?.bytes, made.layers[index]?.bytes.length)
    }
  })

  it('fetches and unpacks only the layers that it does not have', async () => {
    using place = createPlace()
    await using store = await place.open()
    const first = await push('share/one', { layers: [base] })
    const second = await push('share/two', { layers: [base, top] })
    await store.pull(`${registry.host}/share/one`)
    const phases: string[] = []
    await store.pull(`${registry.host}/share/two`, { onProgress: ({ phase, layer }) => phases.push(`${phase} ${layer}`) })
    assert.equal(place.unpackings(), 2)
    assert.ok(phases.includes(`done ${base.diffId}`) && !phases.includes(`download ${base.diffId}`))
    const requests = registry.blobRequests().filter(path => path.startsWith('/v2/share/two/'))
    assert.ok(requests.some(path => path.endsWith(second.layers[1]?.digest ?? '-')))
    assert.ok(!requests.some(path => path.endsWith(first.layers[0]?.digest ?? '-')), 'a known layer is not downloaded')
    await store.pull(`${registry.host}/share/two`)
    assert.equal(place.unpackings(), 2)
    const detail = await store.inspect(`${registry.host}/share/two`)
    assert.deepEqual(
      detail.layers.map(layer => layer.images),
      [2, 1],
    )
    assert.deepEqual(detail.history, ['step 0', 'step 1'])
  })

  it("chooses this machine's image of several, and says what there is when none fits", async () => {
    using place = createPlace()
    await using store = await place.open()
    const mine = makeImage({ layers: [base] })
    const other = makeImage({ layers: [top], architecture: 's390x' })
    await registry.push('multi', [mine.config, other.config, ...mine.layers, ...other.layers])
    for (const image of [mine, other]) await registry.pushManifest('multi', image.manifest.digest, image.manifest)
    await registry.pushManifest(
      'multi',
      'both',
      makeIndex([
        ['s390x', other],
        [machineArchitecture, mine],
      ]),
    )
    const index = makeIndex([['s390x', other]], 'docker')
    await registry.pushManifest('multi', 'foreign', index)
    assert.equal((await store.pull(`${registry.host}/multi:both`)).digest, mine.manifest.digest)
    await expectError(store.pull(`${registry.host}/multi:foreign`), 'invalid', new RegExp(`linux/${machineArchitecture}.*linux/s390x`))
    await expectError(store.pull(`${registry.host}/multi@${other.manifest.digest}`), 'invalid', /linux\/s390x/)
    const pinned = await store.pull(
      `${registry.host}/multi@${
        makeIndex([
          ['s390x', other],
          [machineArchitecture, mine],
        ]).digest
      }`,
    )
    assert.equal(pinned.digest, mine.manifest.digest)
  })

  it('reads every transport of files', async () => {
    using place = createPlace()
    await using store = await place.open()
    const made = makeImage({ layers: [base, top] })
    const layout = join(place.folder, 'layout')
    writeLayout(layout, 'v1', made)
    const copy = (...args: string[]): void => void execFileSync('skopeo', ['copy', '--quiet', ...args])
    copy(`oci:${layout}:v1`, `oci-archive:${place.folder}/oci.tar:v1`)
    copy(`oci:${layout}:v1`, `docker-archive:${place.folder}/docker.tar:demo:v1`)
    copy(`oci:${layout}:v1`, `dir:${place.folder}/dir`)
    for (const reference of [
      `oci:${layout}:v1`,
      `oci-archive:${place.folder}/oci.tar:v1`,
      `docker-archive:${place.folder}/docker.tar`,
      `dir:${place.folder}/dir`,
    ]) {
      const image = await store.pull(reference)
      assert.deepEqual(
        image.layers.map(({ diffId }) => diffId),
        [base.diffId, top.diffId],
        reference,
      )
      assert.ok(image.names.includes(reference))
      assert.equal((await store.get(reference)).digest, image.digest)
      if (!reference.startsWith('docker-archive')) assert.equal(image.digest, made.manifest.digest)
    }
    assert.equal(place.unpackings(), 2, 'they share their layers')
    await expectError(store.pull(`oci:${layout}:v2`), 'not_found', /v2/)
    await expectError(store.pull('oci-archive:/no/such/file'), 'not_found', /no such file/)
    await expectError(store.pull('dir:/no/such/folder'), 'not_found', /no such file/)
    writeFileSync(join(place.folder, 'junk.tar'), 'junk'.repeat(500))
    await expectError(store.pull(`oci-archive:${place.folder}/junk.tar`), 'corrupt', /junk\.tar/)
    assert.deepEqual(place.names('staging'), [])
  })

  it('verifies digests: of the name, of a damaged layer, of what it unpacks to', async () => {
    using place = createPlace()
    await using store = await place.open()
    const made = await push('digests', { layers: [base, top] })
    const named = await store.pull(`${registry.host}/digests@${made.manifest.digest}`)
    assert.deepEqual(named.names, [`${registry.host}/digests@${made.manifest.digest}`])
    assert.equal((await store.get(`${registry.host}/digests@${made.manifest.digest}`)).digest, made.manifest.digest)

    const wrong = `sha256:${'12'.repeat(32)}`
    const error = await expectError(store.pull(`${registry.host}/digests@${wrong}`), 'invalid', new RegExp(wrong))
    assert.ok(error.message.includes(made.manifest.digest), 'both digests are named')
    assert.equal(error.field, 'image')

    const cut = makeLayer([{ name: 'cut', content: Buffer.alloc(300_000, 'cut off') }])
    const truncated = await push('truncated', { layers: [base, cut], compression: 'plain' })
    const damaged = truncated.layers[1]?.digest ?? ''
    registry.truncateBlob(damaged, 1000)
    assert.match((await expectError(store.pull(`${registry.host}/truncated`), 'corrupt', new RegExp(damaged))).message, /layer/)

    const flipped = makeLayer([{ name: 'flipped', content: Buffer.alloc(300_000, 'flip') }])
    const changed = await push('changed', { layers: [flipped], compression: 'plain' })
    const digest = changed.layers[0]?.digest ?? ''
    const bytes = readFileSync(registry.blobPath(digest))
    bytes[2000] = 0
    writeFileSync(registry.blobPath(digest), bytes)
    await expectError(store.pull(`${registry.host}/changed`), 'corrupt', new RegExp(digest))

    const lie = await push('lie', { layers: [top], diffIds: [sha256(Buffer.from('other'))] })
    const told = await expectError(store.pull(`${registry.host}/lie`), 'corrupt', new RegExp(sha256(Buffer.from('other'))))
    assert.ok(told.message.includes(top.diffId) && told.message.includes(lie.layers[0]?.digest ?? '-'))

    const few = await push('few', { layers: [base, top], diffIds: [base.diffId] })
    assert.ok(few.manifest.digest)
    await expectError(store.pull(`${registry.host}/few`), 'corrupt', /2 layers.*1/)

    assert.deepEqual(
      (await store.list()).map(image => image.digest),
      [made.manifest.digest],
      'nothing of the failures is an image',
    )
    assert.deepEqual(place.names('staging'), [])
  })

  it('refuses a hostile layer by the name of its entry, and keeps nothing of it', async () => {
    using place = createPlace()
    await using store = await place.open()
    const hostile = makeLayer([
      { name: 'l', type: '2', link: '/etc' },
      { name: 'l/dayfly-was-here', content: 'x' },
    ])
    const made = await push('hostile', { layers: [base, hostile] })
    const error = await expectError(store.pull(`${registry.host}/hostile`), 'corrupt', /"l\/dayfly-was-here".*symbolic link/)
    assert.ok(error.message.includes(made.layers[1]?.digest ?? '-'))
    assert.equal(existsSync('/etc/dayfly-was-here'), false)
    assert.deepEqual(await store.list(), [])
    assert.ok(!place.names('layers').includes(hostile.diffId.slice(7, 23)))
  })

  it('says what is wrong with a name, a registry, or what is behind them', async () => {
    using place = createPlace()
    await using store = await place.open()
    const host = registry.host
    await push('present', { layers: [top] })
    await expectError(store.pull(`${host}/absent`), 'not_found', /absent/)
    const error = await expectError(store.pull(`${host}/present:nope`), 'not_found', /present.*nope/)
    assert.ok(error.remedy)
    await expectError(store.pull(`127.0.0.1:${await freePort()}/x`), 'upstream', /connection refused/)
    const plain = await expectError(store.pull(`${host}/present`, { tlsVerify: true }), 'upstream', /HTTP response to HTTPS/)
    assert.match(plain.remedy ?? '', /tls-verify/)
    for (const name of ['UPPER/case', 'a b', 'x:', '', 'a@sha256:12', 'ftp://x/y', 'containers-storage:x', 'oci:relative']) {
      assert.equal((await expectError(store.pull(name), 'invalid', /image/)).field, 'image', name)
    }
    const artifact = makeImage({ layers: [top] })
    const strange = {
      ...JSON.parse(artifact.manifest.bytes.toString()),
      config: { mediaType: 'application/x-chart', digest: artifact.config.digest, size: artifact.config.bytes.length },
    }
    await registry.push('chart', [artifact.config, ...artifact.layers])
    const bytes = Buffer.from(JSON.stringify(strange))
    await registry.pushManifest('chart', 'latest', { bytes, digest: sha256(bytes), mediaType: artifact.manifest.mediaType })
    await expectError(store.pull(`${host}/chart`), 'invalid', /application\/x-chart/)
    await expectError(store.get('nothing-here'), 'not_found', /nothing-here/)
    assert.match((await expectError(store.get('nothing-here'), 'not_found', /./)).remedy ?? '', /dayfly image pull nothing-here/)
    await expectError((await place.open({ skopeoBinary: '/no/skopeo' })).pull(`${host}/present`), 'host', /not installed/)
  })

  it("uses the caller's credentials, and never shows them", async () => {
    using place = createPlace()
    await using store = await place.open()
    await using closed = await startRegistry({ authenticated: true })
    const image = makeImage({ layers: [top] })
    await closed.push('private/app', [image.config, ...image.layers])
    await closed.pushManifest('private/app', '1', image.manifest)
    const reference = `${closed.host}/private/app:1`
    const content = (password: string): string =>
      JSON.stringify({
        auths: { [closed.host]: { auth: Buffer.from(`${account.user}:${password}`).toString('base64') } },
        credsStore: 'must-not-run',
      })

    const refused = await expectError(store.pull(reference), 'denied', /refuses access/)
    assert.match(refused.remedy ?? '', /login/)
    const wrong = await expectError(store.pull(reference, { auth: { content: content('wrong-pass') } }), 'denied', /refuses access/)
    assert.doesNotMatch(`${wrong.message} ${wrong.remedy}`, /wrong-pass/)
    await expectError(store.pull(reference, { auth: { content: 'not json s3cret-Pass' } }), 'invalid', /^(?!.*s3cret).*$/)

    // A skopeo that shows what it was called with.
    const spy = join(place.folder, 'skopeo')
    writeFileSync(
      spy,
      `#!/bin/sh\necho "$@" >> ${place.folder}/args; find ${place.images} -type f -exec cat {} + >> ${place.folder}/files 2>/dev/null\nexec skopeo "$@"\n`,
    )
    chmodSync(spy, 0o755)
    await using spied = await place.open({ skopeoBinary: spy })
    assert.equal((await spied.pull(reference, { auth: { content: content(account.password) } })).digest, image.manifest.digest)
    const shown = readFileSync(join(place.folder, 'args'), 'latin1') + readFileSync(join(place.folder, 'files'), 'latin1')
    const encoded = Buffer.from(`${account.user}:${account.password}`).toString('base64')
    assert.ok(!shown.includes(account.password) && !shown.includes(encoded), 'neither in an argument nor in a file of the store')

    const file = join(place.folder, 'auth.json')
    writeFileSync(file, content(account.password), { mode: 0o600 })
    assert.equal((await store.pull(reference, { auth: { file } })).digest, image.manifest.digest)
  })

  it('stops when it is told to, and leaves nothing', async () => {
    using place = createPlace()
    await using store = await place.open()
    await push('cancel', { layers: [base] })
    const controller = new AbortController()
    const pulling = store.pull(`${registry.host}/cancel`, {
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'download' && controller.abort(),
    })
    await expectError(pulling, 'aborted', /cancelled/)
    await expectError(store.pull(`${registry.host}/cancel`, { signal: AbortSignal.abort() }), 'aborted', /./)
    assert.deepEqual([place.names('staging'), place.names('images'), place.names('layers')], [[], [], []])
    assert.ok(await store.pull(`${registry.host}/cancel`))
  })

  it('imports a root file system from a folder and from archives, the same each time', async () => {
    using place = createPlace()
    await using store = await place.open()
    const tree = join(place.folder, 'tree')
    mkdirSync(join(tree, 'bin'), { recursive: true })
    writeFileSync(join(tree, 'bin/busybox'), readFileSync('/bin/busybox'), { mode: 0o755 })
    symlinkSync('busybox', join(tree, 'bin/sh'))
    writeFileSync(join(tree, '.wh.kept'), 'x')
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'kept', join(tree, 'bin/busybox')])
    const image = await store.importRoot(tree, { name: 'demo' })
    assert.deepEqual(image.names, ['docker.io/library/demo:latest'])
    assert.deepEqual(image.config.cmd, ['/bin/sh'])
    assert.equal(image.layers.length, 1)
    const layer = join(store.layersFolder, image.layers[0]?.folder ?? '')
    assert.ok(existsSync(join(layer, '.wh.kept')))
    assert.match(execFileSync('getfattr', ['-d', '--absolute-names', join(layer, 'bin/busybox')]).toString(), /user\.note="kept"/)
    assert.equal((await store.importRoot(tree, { name: 'demo:2' })).digest, image.digest)
    assert.deepEqual((await store.get('demo')).names, ['docker.io/library/demo:2', 'docker.io/library/demo:latest'])

    for (const [name, flag] of Object.entries({ plain: '', gzip: '-z', xz: '-J', zstd: '--zstd', bzip2: '-j' })) {
      const archive = join(place.folder, `root-${name}`)
      execFileSync('tar', ['-c', ...(flag === '' ? [] : [flag]), '--xattrs', '-f', archive, '-C', tree, '.'])
      const imported = await store.importRoot(archive, { name: `archive-${name}` })
      assert.equal(readFileSync(join(store.layersFolder, imported.layers[0]?.folder ?? '', '.wh.kept'), 'utf8'), 'x', name)
    }
    const cut = join(place.folder, 'cut')
    writeFileSync(cut, readFileSync(join(place.folder, 'root-gzip')).subarray(0, 5000))
    await expectError(store.importRoot(cut, { name: 'cut' }), 'corrupt', /cut off/)
    await expectError(store.importRoot('/no/such', { name: 'x' }), 'invalid', /does not exist/)
    await expectError(store.importRoot(tree, { name: 'Not A Name' }), 'invalid', /./)
    await expectError(store.importRoot('relative', { name: 'x' }), 'invalid', /absolute/)
    await expectError(store.importRoot('/dev/null', { name: 'x' }), 'invalid', /neither/)
    assert.deepEqual(place.names('staging'), [])
  })
})
