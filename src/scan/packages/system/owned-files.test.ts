/** What packages' managers themselves write about whose files are whose, and what others may write in its place. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { contentOf, entryOf, found } from '../../../../test/scan/content.ts'
import { putFiles, scanLayer } from '../../../../test/scan/layers.ts'
import { mergeLayers } from '../../merge.ts'
import { apk } from './apk.ts'
import { dpkgFiles } from './dpkg-files.ts'
import { collectOwned } from './owned-files.ts'
import { eachRpmFile } from './rpm-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'dayfly-owned-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const installed = (...programs: readonly string[]): string | false => {
  const missing = programs.find(program => spawnSync(program, ['--version']).status !== 0)
  return missing === undefined ? false : `${missing} is not installed`
}
const metadata = (name: string): string => `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`
const place = (modules: string, name: string): string => `${modules}/${name}-1.0.dist-info/METADATA`

/** The packages of a root file system, without versions. */
const packagesOf = async (root: string): Promise<string[]> => {
  const { packages, problems } = await mergeLayers([await scanLayer(root)])
  assert.deepEqual(problems, [])
  return packages.map(({ type, name }) => `${type} ${name}`).sort()
}

describe('a root file system', () => {
  it('into which dpkg has installed a Python, a Node and a Ruby package has them once', { skip: installed('dpkg', 'dpkg-deb') }, async () => {
    const modules = 'usr/lib/python3/dist-packages'
    const [source, root, archive] = [join(folder, 'deb'), join(folder, 'deb-root'), join(folder, 'thing.deb')]
    putFiles(source, {
      'DEBIAN/control': 'Package: thing\nVersion: 1.0+dfsg-1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n',
      [place(modules, 'thing')]: metadata('thing'),
      'usr/share/nodejs/thing/package.json': '{"name":"thing","version":"1.0.0"}',
      'usr/share/rubygems-integration/all/specifications/thing-1.0.gemspec': 's.name = "thing".freeze\ns.version = "1.0"\n',
    })
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', source, archive], { stdio: 'ignore' })
    putFiles(root, {
      'var/lib/dpkg/status': '',
      'var/lib/dpkg/available': '',
      [place('usr/local/lib/python3.11/dist-packages', 'other')]: metadata('other'),
    })
    for (const name of ['info', 'updates', 'triggers']) mkdirSync(join(root, 'var/lib/dpkg', name))
    const forced = ['--force-not-root', '--force-bad-path', '--force-script-chrootless']
    execFileSync('dpkg', [...forced, `--root=${root}`, `--log=${join(folder, 'log')}`, '--install', archive], { stdio: 'ignore' })
    assert.deepEqual(await packagesOf(root), ['deb thing', 'pypi other'])
    rmSync(join(root, 'var/lib/dpkg/info/thing.list'))
    assert.deepEqual(await packagesOf(root), ['deb thing', 'gem thing', 'npm thing', 'pypi other', 'pypi thing'])
  })

  it('into which rpm has installed a Python package has it once, but not what is only reserved', { skip: installed('rpm', 'rpmbuild') }, async () => {
    const modules = 'usr/lib/python3.11/site-packages'
    const [top, root] = [join(folder, 'rpm'), join(folder, 'rpm-root')]
    const [brought, ghost] = [place(modules, 'thing'), place(modules, 'ghost')]
    putFiles(top, {
      'thing.spec': `Name: python3-thing
Version: 1.0
Release: 1
Summary: x
License: MIT
BuildArch: noarch
%description
x
%install
for name in thing ghost; do
  mkdir -p %{buildroot}/${modules}/$name-1.0.dist-info
  printf 'Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n' $name > %{buildroot}/${modules}/$name-1.0.dist-info/METADATA
done
%files
/${brought}
%ghost /${ghost}
`,
    })
    execFileSync('rpmbuild', ['-bb', '--define', `_topdir ${top}`, '--define', '_build_id_links none', join(top, 'thing.spec')], { stdio: 'ignore' })
    const archive = join(top, 'RPMS/noarch/python3-thing-1.0-1.noarch.rpm')
    const backend = ['--define', '_db_backend sqlite', '--dbpath', join(root, 'var/lib/rpm')]
    mkdirSync(join(root, 'var/lib/rpm'), { recursive: true })
    execFileSync('rpm', [...backend, '--install', '--justdb', '--nodeps', '--ignorearch', '--ignoreos', archive], { stdio: 'ignore' })
    putFiles(root, { [brought]: metadata('thing'), [ghost]: metadata('ghost') })
    {
      // As it is when nobody has it open any more.
      using database = new DatabaseSync(join(root, 'var/lib/rpm/rpmdb.sqlite'))
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    }
    assert.deepEqual(await packagesOf(root), ['pypi ghost', 'rpm python3-thing'])
  })
})

describe('what is owned', () => {
  it('is only what others may find packages in, and no folder', async () => {
    const paths = [
      'usr/share/doc/x/copyright',
      'usr/bin/x',
      'usr/lib/x',
      'usr/lib/x/tool',
      'usr/lib/libx.so.1',
      'usr/share/java/x.jar',
      'etc/x',
      'usr/lib/x.py',
    ]
    const { owned } = await found(dpkgFiles, 'var/lib/dpkg/info/x:amd64.list', `/.\n${paths.map(path => `/${path}\n`).join('')}`)
    assert.deepEqual(owned, [
      {
        list: 'var/lib/dpkg/info/x:amd64.list',
        declaredIn: 'var/lib/dpkg/status',
        name: 'x',
        paths: ['usr/bin/x', 'usr/lib/x/tool', 'usr/lib/libx.so.1', 'usr/share/java/x.jar'],
      },
    ])
  })

  it('is listed where dpkg keeps its lists, and nowhere else', () => {
    const folder = 'var/lib/dpkg'
    for (const path of [`${folder}/info/x.list`, `${folder}/status.d/x.md5sums`]) {
      assert.equal(dpkgFiles.wants(entryOf(path, 1)), true, path)
      assert.equal(dpkgFiles.wants(entryOf(path, 1, { kind: 'link' })), false, path)
      assert.equal(dpkgFiles.wants(entryOf(`srv/${path}`, 1)), false, path)
    }
    for (const path of [`${folder}/info/.list`, `${folder}/info/a/x.list`, `${folder}/info/x.md5sums`, `${folder}/status.d/x`])
      assert.equal(dpkgFiles.wants(entryOf(path, 1)), false, path)
  })
})

describe('a hostile list', () => {
  const path = 'var/lib/dpkg/info/x.list'
  const kept = (owned: readonly { readonly paths: readonly string[] }[] = []): number =>
    owned.reduce((sum, { paths }) => paths.reduce((all, each) => all + each.length + 32, sum), 0)
  const most = 5 * 1024 * 1024

  it('is kept in part when it is long, and not at all when it is none; neither is a problem', async () => {
    const long = Array.from({ length: 200_000 }, (_, index) => `/usr/lib/p${index}/package.json\n`).join('')
    const { owned, problems } = await found(dpkgFiles, path, long)
    assert.ok(kept(owned) > most / 2 && kept(owned) < most, `${kept(owned)}`)
    assert.deepEqual(problems, [])
    const line = await found(dpkgFiles, path, `/usr/bin/x\n${'/a'.repeat(1024 * 1024)}`)
    const deep = await found(dpkgFiles, path, `/${'a/'.repeat(3000)}package.json\n/usr/bin/x\n`)
    const huge = await dpkgFiles.read(entryOf(path, 1), { ...contentOf(Buffer.alloc(0)), size: 2 ** 40 }, undefined, new AbortController().signal)
    const binary = await found(dpkgFiles, path, Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) & 255)))
    for (const each of [line, deep, huge, binary]) assert.deepEqual(each.problems, [])
    assert.deepEqual([line.owned, huge.owned, deep.owned?.[0]?.paths], [undefined, undefined, ['usr/bin/x']])
  })

  it('of apk is bounded, and what comes before a name is nobody’s', async () => {
    const files = Array.from({ length: 100_000 }, (_, index) => `R:p${index}.jar\n`).join('')
    const { owned } = await found(apk, 'lib/apk/db/installed', `F:${'f'.repeat(4000)}\n${files}P:a\nV:1\nF:${'g'.repeat(4000)}\n${files}\n`)
    assert.deepEqual(
      owned?.map(({ name }) => name),
      ['a'],
    )
    assert.ok(kept(owned) < most && owned?.[0]?.paths.every(each => each.startsWith('g')))
  })

  it('stops being looked at', () => {
    const owned = collectOwned(path, 'x')
    let count = 0
    while (owned.add('x', '/usr/share/doc/x') && count < 10_000_000) count++
    assert.equal(count, 2_000_000)
  })

  it('of any bytes is read or not', async () => {
    const text = fc.oneof(
      fc.uint8Array(),
      fc
        .array(fc.constantFrom('/', '/usr/bin', '/usr/bin/x', '', '\0', '../../x', 'F:', 'R:', 'P:x', 'F:usr/bin', 'R:x', '\ufffd'))
        .map(lines => Buffer.from(lines.join('\n'))),
    )
    await fc.assert(
      fc.asyncProperty(text, async bytes => {
        for (const [cataloguer, name] of [
          [dpkgFiles, path],
          [dpkgFiles, 'var/lib/dpkg/status.d/x.md5sums'],
          [apk, 'lib/apk/db/installed'],
        ] as const) {
          const { owned = [] } = await found(cataloguer, name, Buffer.from(bytes))
          for (const { paths } of owned) assert.ok(paths.length > 0 && paths.every(each => each !== '' && !each.includes('\ufffd')))
        }
      }),
    )
  })

  it('in a header of rpm is read as far as it makes sense', () => {
    const numbers = fc.constantFrom(0, 1, 2, 5, 100, 0x7fffffff, 0x80000000, 0xffffffff)
    const tag = fc.tuple(fc.constantFrom(1116, 1117, 1118, 1037), fc.constantFrom(4, 8), numbers, numbers)
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 6 }), fc.uint8Array({ maxLength: 200 }), (tags, store) => {
        const blob = Buffer.alloc(8 + tags.length * 16 + store.length)
        blob.writeUInt32BE(tags.length, 0)
        blob.writeUInt32BE(store.length, 4)
        for (const [index, words] of tags.entries()) for (const [at, word] of words.entries()) blob.writeUInt32BE(word, 8 + index * 16 + at * 4)
        blob.set(store, 8 + tags.length * 16)
        let count = 0
        eachRpmFile(blob, () => ++count < 1000)
        assert.ok(count <= store.length)
      }),
      { numRuns: 2000 },
    )
  })

  it('ends with its signal', async () => {
    await assert.rejects(dpkgFiles.read(entryOf(path, 1), contentOf(Buffer.from('x')), undefined, AbortSignal.abort()), { code: 'aborted' })
  })
})
