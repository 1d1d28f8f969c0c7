/** Dockerfiles by buildah, in namespaces of nobody's. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openBuildLimits } from '../../src/apps/daemon/builds.ts'
import { DayflyError } from '../../src/base/errors.ts'
import type { Builder, BuildOptions } from '../../src/host/image/build.ts'
import { openBuilder } from '../../src/host/image/build.ts'
import type { Image, ImageStore } from '../../src/host/image/store.ts'
import { busyboxEntries, makeImage, makeLayer } from './image/maker.ts'
import type { Registry } from './image/registry.ts'
import { startRegistry } from './image/registry.ts'
import type { Place } from './image/store.ts'
import { createPlace } from './image/store.ts'
import { buildUnpacker } from './image/unpacker.ts'

const hasBuildah = spawnSync('buildah', ['--version']).status === 0
const skip = process.getuid?.() !== 0 ? 'needs root' : hasBuildah ? false : 'buildah is not installed'

/** Beyond those of daemons (src/host/network/slots.ts), and beyond what a daemon builds as: this test may run beside one. */
const firstId = 0x60010000

/** What a container of the image would print. */
const inImage = (store: ImageStore, image: Image, command: string): string => {
  const lower = image.layers.map(({ folder }) => join(store.layersFolder, folder)).reverse()
  const script = `mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/u,workdir=/mnt/w" /mnt/r && exec chroot /mnt/r /bin/sh -c "$2"`
  return execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', lower.join(':'), command]).toString()
}

describe('images from Dockerfiles', { skip, timeout: 300_000 }, () => {
  let place: Place
  let store: ImageStore
  let builder: Builder
  let registry: Registry
  let context: string
  let log = ''

  const build = (dockerfile: string, change: Partial<BuildOptions> = {}): Promise<Image> => {
    log = ''
    return builder.build({
      ...{
        name: 'built',
        tags: [],
        context,
        dockerfile: { text: dockerfile },
        args: {},
        target: undefined,
        labels: {},
        contexts: {},
        hosts: {},
        ulimits: {},
      },
      ...{ secrets: new Map(), network: 'none', pull: false, cache: true, platform: undefined, auth: undefined, onProgress: () => {} },
      onLog: text => {
        log += text
      },
      signal: new AbortController().signal,
      ...change,
    })
  }
  const failure = async (work: Promise<unknown>): Promise<DayflyError> => {
    const error = await work.then(
      () => assert.fail('it was built'),
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof DayflyError, String(error))
    return error
  }
  const processesOf = (id: number): string[] =>
    readdirSync('/proc').filter(name => /^\d+$/.test(name) && statSync(`/proc/${name}`, { throwIfNoEntry: false })?.uid === id)

  before(async () => {
    buildUnpacker()
    place = createPlace()
    store = await place.open()
    builder = await openBuilder({ folder: join(place.images, 'builds'), firstId, store })
    registry = await startRegistry()
    context = join(place.folder, 'context')
    mkdirSync(join(context, 'bin'), { recursive: true, mode: 0o700 })
    execFileSync('cp', ['/bin/busybox', join(context, 'bin/busybox')])
    writeFileSync(join(context, 'app.txt'), 'the app\n', { mode: 0o600 })
  })
  after(async () => {
    await store?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
    place?.[Symbol.dispose]()
  })

  it('builds from nothing, as nobody of this host, without a network; and leaves nothing but its cache', async () => {
    const image = await build(
      `FROM scratch
COPY bin/busybox /bin/
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY app.txt /srv/app.txt
RUN id -u > /who; cat /proc/self/uid_map >> /who; ls /sys/class/net > /net; ls /tmp | wc -l > /hosts-tmp; chown 33:44 /srv/app.txt
ARG WORD
ENV WORD=$WORD
LABEL a=b
CMD ["cat", "/srv/app.txt"]
`,
      { name: 'base', tags: ['base:1'], args: { WORD: 'a b' }, labels: { more: 'c' } },
    )
    assert.deepEqual(image.names, ['docker.io/library/base:1', 'docker.io/library/base:latest'])
    const { cmd, env, labels } = image.config
    assert.deepEqual([cmd, env['WORD'], labels['a'], labels['more']], [['cat', '/srv/app.txt'], 'a b', 'b', 'c'])
    assert.equal(inImage(store, image, 'cat /srv/app.txt; stat -c %u:%g /srv/app.txt; head -1 /who'), 'the app\n33:44\n0\n')
    assert.match(inImage(store, image, 'tail -1 /who'), new RegExp(`^ +0 +${firstId} +65536\n$`))
    assert.equal(inImage(store, image, 'cat /net'), 'lo\n')
    assert.match(log, /STEP 1/)
    assert.ok(!existsSync(join(place.images, 'builds/work')))
    assert.deepEqual(processesOf(firstId), [])
    assert.ok(!readFileSync('/proc/self/mounts', 'utf8').includes(place.folder))
  })

  it('begins from an image of the store, however many layers it has, and from one of a registry', async () => {
    const image = await build('FROM base\nRUN rm /srv/app.txt; echo more > /more\n', { name: 'second' })
    assert.equal(inImage(store, image, 'ls /srv; cat /more'), 'more\n')
    const third = await build('FROM second AS one\nRUN cat /more > /copy\nFROM base\nCOPY --from=one /copy /copied\n', { name: 'third' })
    assert.equal(inImage(store, third, 'cat /copied'), 'more\n')

    const reference = `${registry.host}/team/base:1`
    const pushed = makeImage({ layers: [makeLayer(busyboxEntries())], config: { Env: ['PATH=/bin'] } })
    await registry.push('team/base', [pushed.config, ...pushed.layers])
    await registry.pushManifest('team/base', '1', pushed.manifest)
    const fourth = await build(`FROM ${reference}\nRUN echo fetched > /fetched\n`, { name: 'fourth' })
    assert.equal(inImage(store, fourth, 'cat /fetched'), 'fetched\n')
  })

  it('a step that was built is not built again, unless that is asked for', async () => {
    const text = 'FROM base\nRUN cat /proc/sys/kernel/random/uuid > /uuid\n'
    const [one, two] = [await build(text), await build(text)]
    assert.equal(inImage(store, one, 'cat /uuid'), inImage(store, two, 'cat /uuid'))
    assert.notEqual(inImage(store, await build(text, { cache: false }), 'cat /uuid'), inImage(store, two, 'cat /uuid'))
    await builder.clear()
    assert.deepEqual(readdirSync(join(place.images, 'builds')), [])
  })

  it('a secret is there while its step runs, and in no layer, output or argument', async () => {
    const image = await build('FROM base\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token > /seen\n', {
      secrets: new Map([['token', Buffer.from('hunter22')]]),
    })
    assert.equal(inImage(store, image, 'cat /seen; ls /run/secrets 2>/dev/null | wc -l'), '8\n0\n')
    assert.equal(spawnSync('grep', ['-r', '-l', 'hunter22', place.images]).stdout.toString(), '')
    assert.ok(!log.includes('hunter22'))
  })

  it('what fails says what, and nothing of it stays', async () => {
    const failed = await failure(build('FROM base\nRUN echo so it goes; exit 7\n', { name: 'never' }))
    assert.deepEqual([failed.code, failed.field], ['invalid', 'build'])
    assert.match(failed.message, /never cannot be built: .*exit status 7/)
    assert.match(log, /so it goes/)
    await assert.rejects(store.get('never'))
    const unknown = await failure(build(`FROM ${registry.host}/team/none\n`))
    assert.deepEqual([unknown.code, unknown.field], ['not_found', 'dockerfile'])
    assert.equal((await failure(build('', { dockerfile: { path: 'Dockerfile.none' } }))).field, 'dockerfile')
    assert.equal((await failure(build('FROM base', { context: '/nowhere' }))).field, 'context')
    assert.equal((await failure(build('FROM base', { name: 'Not A Name' }))).code, 'invalid')
    assert.ok(!existsSync(join(place.images, 'builds/work')))
  })

  it('one that is cancelled ends with everything it has begun', async () => {
    const controller = new AbortController()
    const building = build('FROM base\nRUN echo begun; sleep 1000\n', {
      signal: controller.signal,
      onLog: text => {
        if (/^begun/m.test(text)) controller.abort()
      },
    })
    assert.equal((await failure(building)).code, 'aborted')
    assert.deepEqual(processesOf(firstId), [])
    assert.ok(!existsSync(join(place.images, 'builds/work')))
  })

  describe('within limits', () => {
    const bounds = { cpus: 1, memory: 64 * 1024 ** 2, pids: 200, timeout: 60_000 }
    const groups = (): string[] => {
      const found = spawnSync('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-type', 'd', '-name', `dayfly-build-*`], { encoding: 'utf8' }).stdout
      return found.split('\n').filter(line => line !== '')
    }
    const limited = async <T>(change: Partial<typeof bounds>, work: () => Promise<T>): Promise<T> => {
      const unlimited = builder
      const limits = await openBuildLimits({ ...bounds, ...change }, place.folder)
      builder = await openBuilder({ folder: join(place.images, 'builds'), firstId, store, limits })
      try {
        return await work()
      } finally {
        builder = unlimited
      }
    }

    it('all of it is in a group of its own, which is gone with it', async () => {
      const before = groups()
      const image = await limited({}, () =>
        build('FROM base\nRUN cat /proc/self/cgroup > /group; ulimit -n > /files\n', { ulimits: { nofile: { soft: 100, hard: 200 } } }),
      )
      const seen = inImage(store, image, 'cat /group')
      for (const controller of ['memory', 'pids', 'cpu'])
        assert.match(seen, new RegExp(`^(\\d+:([a-z_,]*,)?${controller}(,[a-z,]*)?|0:):/dayfly-build-[0-9a-f]{8}/build$`, 'm'))
      assert.equal(inImage(store, image, 'cat /files'), '100\n')
      assert.deepEqual(groups(), before)
    })

    it('a step that wants more memory than there is ends the build, and says so', async () => {
      const hungry = 'FROM base\nRUN dd if=/dev/zero of=/dev/null bs=200M count=1; [ $? = 0 ]\n'
      const error = await failure(limited({}, () => build(hungry, { cache: false })))
      assert.deepEqual([error.code, error.field], ['exhausted', 'build'], error.message)
      assert.match(error.message, /wanted more than 64 MiB of memory/)
      assert.match(error.remedy ?? '', /--build-limits memory=/)
    })

    it('a step cannot have more processes than are allowed', async () => {
      const many = 'FROM base\nRUN i=0; while [ $i -lt 300 ]; do sleep 60 & i=$((i+1)); done; wait\n'
      const error = await failure(limited({ pids: 100, memory: 1024 ** 3 }, () => build(many, { cache: false })))
      assert.equal(error.code, 'invalid', error.message)
      assert.match(log, /can't fork|Resource temporarily unavailable/)
      assert.deepEqual(processesOf(firstId), [])
    })

    it('one that takes too long is ended, with everything it has begun', async () => {
      const error = await failure(limited({ timeout: 4000 }, () => build('FROM base\nRUN sleep 1000\n', { cache: false })))
      assert.deepEqual([error.code, error.field], ['timeout', 'build'])
      assert.match(error.message, /built took longer than 4s/)
      assert.deepEqual(processesOf(firstId), [])
      assert.ok(!existsSync(join(place.images, 'builds/work')))
    })
  })

  it('a build sees nothing of this host that others may not', async () => {
    const image = await build(
      'FROM base\nRUN (cat /proc/1/root/etc/shadow || chroot /proc/1/root ls /root) > /seen 2>&1; mknod /dev-sda b 8 0 2>> /seen; mount -t tmpfs t /mnt 2>> /seen; true\n',
    )
    const seen = inImage(store, image, 'cat /seen')
    assert.doesNotMatch(seen, /root:[$*!]/)
    assert.match(seen, /Operation not permitted|Permission denied|can't/)
    assert.equal(inImage(store, image, 'ls / | grep -c dev-sda || true'), '0\n')
  })
})
