/** The store over time: several users of it at once, crashes, collections, and its layers under overlayfs. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError } from '../../src/base/errors.ts'
import type { Image, ImageStore } from '../../src/host/image/store.ts'
import type { Layer } from './image/maker.ts'
import { busyboxEntries, makeImage, makeLayer } from './image/maker.ts'
import type { Registry } from './image/registry.ts'
import { startRegistry } from './image/registry.ts'
import type { Place } from './image/store.ts'
import { createPlace } from './image/store.ts'
import { buildUnpacker } from './image/unpacker.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const nothingInUse: ReadonlySet<string> = new Set()
const base = makeLayer(busyboxEntries())
const small = makeLayer([{ name: 'etc/motd', content: 'hello' }])
/** Takes long enough to unpack for a test to come in between. */
const many = makeLayer(Array.from({ length: 4_000 }, (_, index) => ({ name: `many/${index % 100}/${index}`, content: String(index) })))
const nameOf = ({ diffId }: Layer): string => diffId.slice(7, 23)

const hasCode = (code: string) => (error: unknown) => error instanceof DayflyError && error.code === code

/** What a container would see: overlayfs over the image's layers in a mount namespace of its own, and a command in it. */
const inImage = (place: Place, store: ImageStore, image: Image, command: string): string => {
  const scratch = join(place.folder, 'overlay')
  for (const name of ['upper', 'work', 'root']) mkdirSync(join(scratch, name), { recursive: true })
  const lower = image.layers
    .map(({ folder }) => join(store.layersFolder, folder))
    .reverse()
    .join(':')
  const script = `mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root" && exec chroot "$2/root" /bin/sh -c "$3"`
  const output = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', lower, scratch, command]).toString()
  rmSync(scratch, { recursive: true })
  return output
}

/** Children and grandchildren included: who still works in a folder. */
const processesIn = (folder: string): string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(folder) || readlinkSync(`/proc/${pid}/root`).startsWith(folder)
      } catch {
        return false
      }
    })

describe('the image store', { skip }, () => {
  let registry: Registry
  const pushed = new Map<string, string>()
  const push = async (name: string, layers: readonly Layer[]): Promise<string> => {
    const image = makeImage({ layers })
    await registry.push(name, [image.config, ...image.layers])
    pushed.set(name, await registry.pushManifest(name, 'latest', image.manifest))
    return `${registry.host}/${name}`
  }
  before(async () => {
    buildUnpacker()
    registry = await startRegistry()
  })
  after(async () => await registry[Symbol.asyncDispose]())

  const puller = (place: Place, reference: string): ChildProcess =>
    spawn(process.execPath, [resolve(import.meta.dirname, 'image/puller.ts'), place.images, place.countingUnpacker, reference], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  const untilLine = async (child: ChildProcess, wanted: RegExp): Promise<void> => {
    assert.ok(child.stdout)
    for await (const line of createInterface({ input: child.stdout })) if (wanted.test(line)) return
    assert.fail(`it ended without printing ${wanted}`)
  }

  it('unpacks a layer once for two pulls at once, of one image and of two that share it', async () => {
    using place = createPlace()
    await using store = await place.open()
    const [one, two] = [await push('once/one', [base, many]), await push('once/two', [base, many, small])]
    const images = await Promise.all([store.pull(one), store.pull(one), store.pull(two)])
    assert.equal(images[0]?.digest, images[1]?.digest)
    assert.equal(place.unpackings(), 3)
    assert.equal((await store.list()).length, 2)
  })

  it('lets the second pull go on when the first one is cancelled', async () => {
    using place = createPlace()
    await using store = await place.open()
    const reference = await push('cancelled', [many])
    const controller = new AbortController()
    let second: Promise<Image> | undefined
    const first = store.pull(reference, {
      signal: controller.signal,
      onProgress: ({ phase }) => {
        if (phase === 'download') second ??= store.pull(reference) // the first has its turn by now
        if (phase === 'unpack') controller.abort()
      },
    })
    await assert.rejects(first, hasCode('aborted'))
    assert.equal((await second)?.digest, pushed.get('cancelled'))
  })

  it('unpacks a layer once for two processes at once', async () => {
    using place = createPlace()
    const reference = await push('processes', [base, many])
    const children = [puller(place, reference), puller(place, reference)]
    const codes = await Promise.all(
      children.map(async child => {
        child.stdout?.resume()
        const [code] = await once(child, 'exit')
        return code
      }),
    )
    assert.deepEqual(codes, [0, 0])
    assert.equal(place.unpackings(), 2)
    assert.deepEqual(place.names('staging'), [])
    await using store = await place.open()
    assert.equal((await store.list()).length, 1)
  })

  it('leaves nothing half unpacked when its process is killed in the middle', async () => {
    using place = createPlace()
    const reference = await push('killed', [base, many])
    const child = puller(place, reference)
    await untilLine(child, new RegExp(`"unpack","layer":"${many.diffId}"`))
    while (
      !existsSync(join(place.images, 'staging')) ||
      place.names('staging').every(name => !existsSync(join(place.images, 'staging', name, `layer-${nameOf(many)}`, 'many')))
    ) {
      await sleep(2)
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    for (let patience = 500; processesIn(place.images).length > 0; patience--) {
      assert.ok(patience > 0, 'its children outlive it')
      await sleep(10)
    }
    assert.ok(!place.names('layers').includes(nameOf(many)))
    assert.notDeepEqual(place.names('staging'), [])

    await using store = await place.open()
    assert.deepEqual(place.names('staging'), [], 'opening the store sweeps what a dead process left')
    assert.deepEqual(await store.list(), [])
    const image = await store.pull(reference)
    assert.equal(inImage(place, store, image, 'cat /many/7/107'), '107')
  })

  it('does not sweep what a living process has under way, nor collect what it relies on', async () => {
    using place = createPlace()
    const reference = await push('living', [base, many])
    await using store = await place.open()
    const shared = await store.pull(await push('living-base', [base]))
    const child = puller(place, reference)
    await untilLine(child, /"unpack"/)
    child.stdout?.resume()
    await using other = await place.open() // sweeps
    const removed = await other.gc({ inUse: nothingInUse, keepNamed: false })
    assert.deepEqual(removed.images, [shared.digest])
    assert.deepEqual(removed.layers, [], 'the pull under way has pinned the shared layer')
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    const image = await store.get(reference)
    assert.equal(inImage(place, store, image, 'cat /many/7/107'), '107')
  })

  it('never collects what is in use, and says what it freed', async () => {
    using place = createPlace()
    await using store = await place.open()
    const one = await store.pull(await push('gc/one', [base, small]))
    const two = await store.pull(await push('gc/two', [base]))
    const inUse = new Set([one.digest])
    const [oneName = '', twoName = ''] = [...one.names, ...two.names]
    await assert.rejects(store.remove(oneName, inUse), hasCode('wrong_state'))
    assert.deepEqual(await store.gc({ inUse: nothingInUse, keepNamed: true }), { names: [], images: [], layers: [], freedBytes: 0 })

    const removedTwo = await store.remove(twoName, inUse)
    assert.deepEqual(removedTwo, { names: [twoName], images: [two.digest], layers: [], freedBytes: 0 }, 'its layer is still of another image')
    assert.deepEqual((await store.gc({ inUse, keepNamed: false })).images, [])
    assert.equal(inImage(place, store, one, 'cat /etc/motd'), 'hello')

    const removed = await store.gc({ inUse: nothingInUse, keepNamed: false })
    assert.deepEqual(
      { ...removed, layers: removed.layers.toSorted() },
      {
        names: [oneName],
        images: [one.digest],
        layers: [base.diffId, small.diffId].sort(),
        freedBytes: one.size,
      },
    )
    for (const part of ['images', 'names', 'layers', 'layer-info', 'staging']) assert.deepEqual(place.names(part), [], part)
    await assert.rejects(store.get(oneName), hasCode('not_found'))
  })

  it('collects at random while others pull, and every pulled image is whole', async () => {
    using place = createPlace()
    await using store = await place.open()
    const references = await Promise.all([push('race/a', [base]), push('race/b', [base, small]), push('race/c', [small, base])])
    let over = false
    const collecting = (async () => {
      while (!over) {
        await store.gc({ inUse: nothingInUse, keepNamed: false })
        await sleep(5)
      }
    })()
    for (let round = 0; round < 8; round++) {
      await Promise.all(
        references.map(async reference => {
          // It may be collected between the end of the pull and the look at it: then it is gone as a whole.
          const image = await store.pull(reference).catch((error: unknown) => {
            assert.ok(hasCode('not_found')(error), String(error))
          })
          if (image) assert.ok(image.layers.length > 0)
        }),
      )
    }
    over = true
    await collecting
    const images = await Promise.all(references.map(reference => store.pull(reference)))
    for (const image of images) assert.match(inImage(place, store, image, 'echo ok'), /ok/)
  })

  it('moves a name to the newer image, and finds images by name, digest and prefix', async () => {
    using place = createPlace()
    await using store = await place.open()
    const reference = await push('moving', [small])
    const old = await store.pull(reference)
    await push('moving', [base])
    const newer = await store.pull(reference)
    assert.notEqual(newer.digest, old.digest)
    assert.deepEqual((await store.get(old.digest)).names, [])
    assert.equal((await store.get(reference)).digest, newer.digest)
    assert.equal((await store.get(newer.configDigest)).digest, newer.digest)
    assert.equal((await store.get(newer.digest.slice(7, 19))).digest, newer.digest)
    const tagged = await store.tag(reference, 'mine:1')
    assert.deepEqual(tagged.names, [`${registry.host}/moving:latest`, 'docker.io/library/mine:1'])
    assert.equal((await store.get(`${registry.host}/moving:1@${newer.digest}`)).digest, newer.digest, 'by its digest, where it came from')
    for (const elsewhere of [
      `${registry.host}/other@${newer.digest}`,
      `registry.example.org/moving@${newer.digest}`,
      `${registry.host}/mov@${newer.digest}`,
    ]) {
      await assert.rejects(store.get(elsewhere), hasCode('not_found'), 'that another repository has it, too, only its registry can say')
    }
    assert.deepEqual((await store.remove('mine:1', nothingInUse)).images, [], 'it has another name')
    assert.deepEqual((await store.gc({ inUse: nothingInUse, keepNamed: true })).images, [old.digest])
  })

  it('an image that lost a layer is not there, and a pull repairs it', async () => {
    using place = createPlace()
    await using store = await place.open()
    const reference = await push('lost', [base, small])
    await store.pull(reference)
    rmSync(join(place.images, 'layers', nameOf(small)), { recursive: true })
    await assert.rejects(store.get(reference), hasCode('not_found'))
    assert.deepEqual(await store.list(), [])
    assert.equal(inImage(place, store, await store.pull(reference), 'cat /etc/motd'), 'hello')
    const [file = ''] = place.names('images')
    writeFileSync(join(place.images, 'images', file), '{"manifest":"{}","config":"{}","pulledAt":1}')
    assert.deepEqual(await store.list(), [], 'a document that does not have its digest is no image')
  })

  it('gives overlayfs what the layers say: whiteouts, opaque folders, links, capabilities, setuid', async () => {
    using place = createPlace()
    await using store = await place.open()
    const lower = makeLayer([
      { name: 'data/old', content: 'old' },
      { name: 'data/kept', content: 'kept' },
      { name: 'cache/stale', content: 'stale' },
      { name: 'file-becomes-folder', content: 'x' },
      { name: 'folder-becomes-file/inner', content: 'x' },
      { name: 'replaced/inner', content: 'old' },
      { name: 'su', content: 'x', mode: 0o4755 },
      { name: 'original', content: 'shared' },
      { name: 'link', type: '1', link: 'original' },
    ])
    const upper = makeLayer([
      { name: 'data/.wh.old' },
      { name: 'cache/.wh..wh..opq' },
      { name: 'cache/fresh', content: 'fresh' },
      { name: 'file-becomes-folder/', type: '5' },
      { name: 'file-becomes-folder/inner', content: 'y' },
      { name: 'folder-becomes-file', content: 'y' },
      { name: '.wh.replaced' },
      { name: 'replaced/', type: '5' },
      { name: 'replaced/new', content: 'new' },
    ])
    const image = await store.pull(await push('overlay', [base, lower, upper]))
    const see = (command: string): string => inImage(place, store, image, command).trim()
    assert.equal(see('ls /data /cache /replaced'), '/cache:\nfresh\n\n/data:\nkept\n\n/replaced:\nnew')
    assert.equal(see('cat /file-becomes-folder/inner /folder-becomes-file'), 'yy')
    assert.equal(see('stat -c %a /su /tmp'), '4755\n1777')
    assert.equal(see('stat -c %h /original /link'), '2\n2')
  })

  it('stacks a repeated layer once, and cuts what an opaque root hides', async () => {
    using place = createPlace()
    await using store = await place.open()
    const opaque = makeLayer([...busyboxEntries(), { name: '.wh..wh..opq' }, { name: 'only', content: 'this' }])
    const repeated = await store.pull(await push('repeated', [base, small, base]))
    assert.deepEqual(
      repeated.layers.map(({ diffId }) => diffId),
      [small.diffId, base.diffId],
    )
    assert.equal(inImage(place, store, repeated, 'cat /etc/motd'), 'hello')
    const cut = await store.pull(await push('opaque-root', [small, opaque]))
    assert.equal(inImage(place, store, cut, 'ls /etc; cat /only'), 'group\npasswd\nthis')
  })

  it("resolves users by the image's own files, through whiteouts and links, never out of it", async () => {
    using place = createPlace()
    await using store = await place.open()
    const image = await store.pull(await push('users', [base]))
    const resolve_ = (user: string, of = image) => store.resolveUser(of, user)
    assert.deepEqual(await resolve_(''), { uid: 0, gid: 0, additionalGids: [], home: '/root' })
    assert.deepEqual(await resolve_('web:audio'), { uid: 101, gid: 29, additionalGids: [], home: '/srv/web' })
    assert.deepEqual(await resolve_('4242'), { uid: 4242, gid: 0, additionalGids: [], home: '/' })
    const refused = async (user: string, of = image): Promise<void> =>
      await assert.rejects(resolve_(user, of), error => hasCode('invalid')(error) && error instanceof DayflyError && error.field === '--user')
    for (const user of ['nobody-here', 'web:nogroup', '4294967296', '-1', 'a:b:c', 'web:']) await refused(user)

    const gone = await store.pull(await push('users-gone', [base, makeLayer([{ name: 'etc/.wh.passwd' }])]))
    await refused('web', gone)
    const opaque = await store.pull(await push('users-opaque', [base, makeLayer([{ name: 'etc/.wh..wh..opq' }])]))
    await refused('web', opaque)
    const linked = makeLayer([
      { name: 'etc/passwd', type: '2', link: '/store/../store/passwd' },
      { name: 'store/passwd', content: 'linked:x:7:8::/:/bin/sh\n' },
    ])
    assert.equal((await resolve_('linked', await store.pull(await push('users-linked', [base, linked])))).uid, 7)
    // On this host that path has accounts; in the image it is nothing.
    const escaping = makeLayer([{ name: 'etc/passwd', type: '2', link: '../../../../../../../../../usr/share/base-passwd/passwd.master' }])
    assert.ok(existsSync('/usr/share/base-passwd/passwd.master'))
    await refused('nobody', await store.pull(await push('users-escaping', [base, escaping])))
    const loop = makeLayer([{ name: 'etc/passwd', type: '2', link: 'passwd' }])
    await refused('web', await store.pull(await push('users-loop', [base, loop])))
    const fifo = makeLayer([{ name: 'etc/passwd', type: '6' }])
    await refused('web', await store.pull(await push('users-fifo', [base, fifo])))
  })

  it('says that the disk is full, and keeps nothing of it', async () => {
    using place = createPlace()
    const reference = await push('full', [base, makeLayer([{ name: 'big', content: Buffer.alloc(24 << 20) }])])
    // In a mount namespace with a small file system for the store.
    const disk = join(place.folder, 'disk')
    execFileSync('sh', ['-c', `truncate -s 24M "$1" && mkfs.ext4 -q "$1" && mkdir -p "$2"`, 'sh', disk, place.images])
    const script = `mount -o loop "$1" "$2" && "$3" "$4" "$2" "$5" "$6"; ls "$2/staging" "$2/images" "$2/layers"`
    const child = spawn(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        script,
        'sh',
        disk,
        place.images,
        process.execPath,
        resolve(import.meta.dirname, 'image/puller.ts'),
        place.countingUnpacker,
        reference,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let output = ''
    let messages = ''
    child.stdout?.on('data', (bytes: Buffer) => (output += bytes.toString()))
    child.stderr?.on('data', (bytes: Buffer) => (messages += bytes.toString()))
    await once(child, 'close')
    assert.match(messages, /disk.* is full/)
    assert.match(messages, /code: 'host'/)
    assert.match(output, /images:\n\n.*layers:\n(?:[0-9a-f]{16}\n)?\n.*staging:\n$/s)
  })
})
