/** Layers that want to harm whoever scans them: bounded time and memory, a clear error or a problem, and nothing of the host in what is found. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { DayflyError } from '../../src/base/errors.ts'
import type { LayerFacts } from '../../src/scan/facts.ts'
import { startScan } from '../../src/scan/process/start.ts'
import { openSecretSearch, writeSettings } from '../../src/scan/secret-search.ts'
import { createScannedPlace } from './image/scanned.ts'
import { makeTar } from './image/tar.ts'
import { buildUnpacker } from './image/unpacker.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const settings = { salt: Buffer.alloc(16, 1) }
const mebibyte = 1024 ** 2

interface Folder extends Disposable {
  readonly path: string
}
const createFolder = (): Folder => {
  const path = mkdtempSync(join(tmpdir(), 'dayfly-hostile-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Looks at a folder by the scanning process; also its highest resident memory, bytes. */
const look = async (folder: string): Promise<{ readonly facts: LayerFacts; readonly memory: number }> => {
  const request = {
    folder,
    mode: 'walk',
    options: writeSettings(settings),
    secretRules: openSecretSearch(settings).version,
    deadline: 60_000,
  } as const
  await using scan = startScan(request)
  let memory = 0
  const timer = setInterval(() => {
    try {
      memory = Math.max(memory, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${scan.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024)
    } catch {} // it has ended
  }, 20)
  try {
    return { facts: await scan.finish('sha256:test'), memory }
  } finally {
    clearInterval(timer)
  }
}

describe('a hostile layer', { skip }, () => {
  before(buildUnpacker)

  it('with ten million entries is refused, and leaves nothing', async () => {
    using place = createScannedPlace()
    await using store = await place.open()
    // Devices, which are only counted: the limit is what is tried, not the disk.
    const member = gzipSync(Buffer.concat(Array.from({ length: 20_000 }, () => makeTar([{ name: 'dev/x', type: '3' }]).subarray(0, 512))))
    const path = join(place.folder, 'many.tar.gz')
    writeFileSync(path, Buffer.concat(Array.from({ length: 500 }, () => member)))
    await assert.rejects(
      store.importRoot(path, { name: 'many' }),
      (error: unknown) => error instanceof DayflyError && error.code === 'corrupt' && /more than 2000000 entries/.test(error.message),
    )
    for (const part of ['layers', 'layer-notes', 'staging']) assert.deepEqual(readdirSync(join(place.folder, 'images', part)), [], part)
  })

  it('cannot lead the scan out of itself: links to files and folders of the host are not followed, also where a folder became one', async () => {
    using outside = createFolder()
    mkdirSync(join(outside.path, 'lib'))
    writeFileSync(join(outside.path, 'lib/status'), 'Package: stolen\nStatus: install ok installed\nVersion: 1\n\n')
    writeFileSync(join(outside.path, 'os-release'), 'ID=stolen\n')
    writeFileSync(join(outside.path, '.env'), `AWS_ACCESS_KEY_ID=AKIA${'Q3EGRIYH5WBL7TDZ'}\n`)
    using place = createScannedPlace()
    await using store = await place.open()
    const entries = [
      { name: 'etc/os-release', type: '2', link: join(outside.path, 'os-release') },
      { name: 'srv/.env', type: '2', link: join(outside.path, '.env') },
      // Its file is told first, as a file; then its folder is replaced by a link to one of the host that has that file too.
      { name: 'var/lib/dpkg/status', content: 'Package: replaced\nStatus: install ok installed\nVersion: 1\n\n' },
      { name: 'var/lib/dpkg', type: '2', link: join(outside.path, 'lib') },
    ]
    await store.importRoot(place.tar('root.tar', entries), { name: 'links' })
    const facts = await store.facts('links')
    assert.deepEqual([facts.packages, facts.secrets, facts.distribution], [[], [], undefined])

    // The same as a folder, by the other road.
    using folder = createFolder()
    mkdirSync(join(folder.path, 'var/lib'), { recursive: true })
    symlinkSync(join(outside.path, 'lib'), join(folder.path, 'var/lib/dpkg'))
    symlinkSync(join(outside.path, '.env'), join(folder.path, '.env'))
    const { facts: walked } = await look(folder.path)
    assert.deepEqual([walked.packages, walked.secrets], [[], []])
    assert.equal(walked.entries, 4)
  })

  it('with names that break lines, or are no text, is looked at under those names', async () => {
    using place = createScannedPlace()
    await using store = await place.open()
    const key = `aws_access_key_id = AKIA${'Q3EGRIYH5WBL7TDZ'}\n`
    const entries = [
      { name: 'a\nf\0etc', content: key, pax: { path: 'srv/line\nbreak.txt' } },
      { name: Buffer.from('srv/bytes-\xff\xfe.txt', 'latin1'), content: key },
      { name: Buffer.from('srv/\xff/package.json', 'latin1'), content: '{"name":"x","version":"1.0.0"}' },
    ]
    await store.importRoot(place.tar('root.tar', entries), { name: 'names' })
    const facts = await store.facts('names')
    const paths = facts.secrets.flatMap(({ places }) => places.map(({ path }) => path))
    assert.deepEqual(paths.sort(), ['srv/bytes-\ufffd\ufffd.txt', 'srv/line\nbreak.txt'])
    assert.deepEqual(facts.packages, [], 'no cataloguer wants a name that is no text')
  })

  it('with package files of a gigabyte, deep JSON or noise costs little memory, and is incomplete', async () => {
    using folder = createFolder()
    const put = (path: string, content: string | Buffer): void => {
      mkdirSync(join(folder.path, path, '..'), { recursive: true })
      writeFileSync(join(folder.path, path), content)
    }
    const large = [
      'a/package.json',
      'a/package-lock.json',
      'var/lib/dpkg/status',
      'lib/apk/db/installed',
      'a/x.jar',
      'etc/os-release',
      'usr/lib/sysimage/rpm/rpmdb.sqlite',
    ]
    // The first is a gigabyte. All of them are sparse: what is tried is memory, not the disk.
    for (const [index, path] of large.entries()) {
      put(path, path.endsWith('.jar') ? 'PK\x03\x04' : '{')
      truncateSync(join(folder.path, path), (index === 0 ? 1024 : 100) * mebibyte)
    }
    put('b/package-lock.json', `${'{"dependencies":{"x":'.repeat(300_000)}${'}}'.repeat(300_000)}`)
    put('b/composer.lock', '['.repeat(5 * mebibyte))
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919 + (index >> 3)) & 255))
    for (const path of ['var/lib/rpm/Packages', 'var/lib/rpm/Packages.db', 'var/lib/rpm/rpmdb.sqlite', 'b/x.jar']) put(path, noise)
    const { facts, memory } = await look(folder.path)
    assert.ok(memory > 0 && memory < 300 * mebibyte, `${Math.round(memory / mebibyte)} MiB`)
    assert.ok(!facts.problems.some(problem => problem.includes('could not be scanned')), facts.problems.join('\n'))
    for (const path of ['etc/os-release', 'var/lib/rpm/Packages'])
      assert.ok(
        facts.problems.some(problem => problem.includes(path)),
        `a problem names ${path}`,
      )
    assert.deepEqual(facts.packages, [])
  })

  it('with lists of files that are long, many or noise costs little memory', async () => {
    using folder = createFolder()
    const put = (path: string, content: string | Buffer): void => {
      mkdirSync(join(folder.path, path, '..'), { recursive: true })
      writeFileSync(join(folder.path, path), content)
    }
    const info = 'var/lib/dpkg/info'
    const short = '/a\n'.repeat(10 * mebibyte)
    put(`${info}/short.list`, short)
    put(`${info}/jars.list`, Array.from({ length: 1_000_000 }, (_, index) => `/usr/share/java/${index}.jar\n`).join(''))
    put(`${info}/line.list`, '/usr/bin/a'.repeat(3 * mebibyte))
    put(`${info}/noise.list`, Buffer.from(Array.from({ length: mebibyte }, (_, index) => (index * 7919 + (index >> 3)) & 255)))
    for (let index = 0; index < 5000; index++) put(`${info}/p${index}.list`, `/usr/bin/${'x'.repeat(3000)}${index}\n`)
    put('lib/apk/db/installed', `P:a\nV:1\nF:${'f'.repeat(4000)}\n${'R:x.jar\n'.repeat(5 * mebibyte)}\n`)
    const { facts, memory } = await look(folder.path)
    assert.ok(memory > 0 && memory < 300 * mebibyte, `${Math.round(memory / mebibyte)} MiB`)
    assert.deepEqual([facts.problems, facts.packages.map(({ name }) => name)], [[], ['a']])
    const kept = JSON.stringify(facts.owned).length
    assert.ok(kept > mebibyte && kept < 10 * mebibyte, `${kept} bytes`)
  })

  it('with endless folders one in another ends', async () => {
    using folder = createFolder()
    const made = spawnSync('sh', ['-c', 'i=0; while [ $i -lt 600 ]; do mkdir d && cd -P d || exit 1; i=$((i+1)); done'], { cwd: folder.path })
    assert.equal(made.status, 0)
    const { facts } = await look(folder.path)
    assert.match(facts.problems.join(), /levels deep/)
    spawnSync('rm', ['-rf', join(folder.path, 'd')])
  })
})
