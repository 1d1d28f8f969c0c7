import assert from 'node:assert/strict'
import { closeSync, constants, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { heapInUse } from '../../test/heap.ts'
import { DayflyError } from '../base/errors.ts'
import type { Cataloguer } from './catalogue.ts'
import { mostAtOnce, openTree } from './files.ts'
import { walk } from './folder.ts'
import type { LayerScanOptions } from './layer.ts'
import { createLayerScan } from './layer.ts'
import { createRecordReader } from './records.ts'
import { openSecretSearch, readSettings, writeSettings } from './secret-search.ts'
import type { Seen } from './seen.ts'

const seen = (path: string, more: Partial<Seen> = {}): Seen => ({
  ...{ path, kind: 'file', mode: 0o644, uid: 0, gid: 0, size: 1, magic: undefined, keywords: [], hits: '', more: false },
  ...more,
})
const layer = { diffId: 'sha256:x', bytes: 0, entries: 0 }
const until = { signal: new AbortController().signal, outOfTime: () => false }

interface Folder extends Disposable {
  readonly path: string
  readonly descriptor: number
}
const createFolder = (files: Readonly<Record<string, string>>): Folder => {
  const path = mkdtempSync(join(tmpdir(), 'dayfly-scan-'))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, '..'), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  return {
    path,
    descriptor,
    [Symbol.dispose]: () => {
      closeSync(descriptor)
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Wants files called `list`, each line of which is a package. */
const lists: Cataloguer = {
  name: 'lists',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('list'),
  read: async ({ path }, content) => {
    const text = (await content.whole(1000)).toString()
    return {
      packages: text.split('\n').map(name => ({ type: 'npm', name, version: '1', purl: `pkg:npm/${name}@1`, licenses: [], paths: [path] })),
      problems: text.includes('odd') ? [`${path} is odd`] : [],
    }
  },
}

const scanOf = async (files: Readonly<Record<string, string>>, entries: readonly Seen[], options: Partial<LayerScanOptions> = {}) => {
  using folder = createFolder(files)
  using tree = openTree(folder.descriptor)
  const scan = createLayerScan({ cataloguers: [lists], secrets: undefined, ...options })
  for (const each of entries) scan.see(each)
  return await scan.finish(tree, layer, until)
}

describe('the scan of a layer', () => {
  it('reads what is wanted and there, by name, and tells problems', async () => {
    const facts = await scanOf({ 'b/list': 'one\ntwo', 'a/list': 'odd', other: 'x' }, [
      seen('b/list'),
      seen('a/list'),
      seen('other'),
      seen('gone/list'),
    ])
    assert.deepEqual(
      facts.packages.map(({ name }) => name),
      ['odd', 'one', 'two'],
    )
    assert.deepEqual(facts.problems, ['a/list is odd'])
  })

  it('forgets what a later entry replaces', async () => {
    const facts = await scanOf({ list: 'one' }, [seen('list'), seen('list', { kind: 'link' }), seen('su', { mode: 0o4755 }), seen('su')])
    assert.deepEqual([facts.packages, facts.setuid, facts.problems], [[], [], []])
  })

  it('tells a file that was linked and then replaced: what it held is there by its other name, under which nobody reads it', async () => {
    const programs: Cataloguer = { ...lists, wants: ({ magic }) => magic === 'elf' }
    const link = seen('b', { kind: 'hardlink' })
    const program = seen('a', { magic: 'elf' })
    const problemsOf = async (files: Readonly<Record<string, string>>, entries: readonly Seen[]) =>
      (await scanOf(files, entries, { cataloguers: [programs] })).problems.join()
    assert.equal(await problemsOf({ a: 'one', b: 'one' }, [program, link]), '')
    assert.match(await problemsOf({ a: 'x', b: 'one' }, [program, link, seen('a')]), /1 files were replaced .* hard links/)
    assert.match(await problemsOf({ b: 'one' }, [program, link]), /hard links/, 'or its folder was')
    assert.equal(await problemsOf({ a: 'x' }, [program, seen('a')]), '')
  })

  it('cuts its lists, and says so', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `n${index}`)
    const many = { packages: 10, remarkable: 5, problems: 3 }
    const facts = await scanOf({ list: names.join('\n') }, [seen('list'), ...names.map(name => seen(name, { mode: 0o4755 }))], { limits: many })
    assert.deepEqual([facts.packages.length, facts.setuid.length], [10, 5])
    assert.match(facts.problems.join('\n'), /more than 10 packages/)
    assert.match(facts.problems.join('\n'), /modes that stand out/)
  })

  it('keeps no more than it may of a layer where everything is wanted', async () => {
    const scan = createLayerScan({ cataloguers: [lists], secrets: undefined, limits: { wantedBytes: 100_000 } })
    const before = heapInUse()
    for (let index = 0; index < 300_000; index++) scan.see(seen(`${'deep/'.repeat(20)}${index}/list`))
    assert.ok(heapInUse() - before < 64 * 1024 ** 2)
    using folder = createFolder({})
    using tree = openTree(folder.descriptor)
    const facts = await scan.finish(tree, layer, until)
    assert.match(facts.problems.join(), /more files would have to be read/)
  })

  it('says what it had no time for, and stops for its signal', async () => {
    using folder = createFolder({ list: 'one' })
    using tree = openTree(folder.descriptor)
    const scan = createLayerScan({ cataloguers: [lists], secrets: undefined })
    scan.see(seen('list'))
    const facts = await scan.finish(tree, layer, { ...until, outOfTime: () => true })
    assert.deepEqual([facts.packages, facts.problems], [[], ['there was no time to read 1 of the 1 files that had to be']])
    await assert.rejects(scan.finish(tree, layer, { ...until, signal: AbortSignal.abort() }), { code: 'aborted' })
  })

  it('goes on where a cataloguer fails', async () => {
    const broken: Cataloguer = {
      ...lists,
      read: async () => {
        throw new DayflyError('corrupt', 'no sense\nin it')
      },
    }
    const facts = await scanOf({ list: 'one', 'b/list': 'two' }, [seen('list'), seen('b/list')], { cataloguers: [broken, lists] })
    assert.equal(facts.problems.length, 2)
    assert.match(facts.problems[0] ?? '', /^b\/list cannot be read: no sense.in it$/)
  })
})

describe('files of a folder', () => {
  it('are read inside it only, and never through a link', async () => {
    using outside = createFolder({ secret: 'host' })
    using folder = createFolder({ 'a/b/file': 'inside', top: 'top' })
    symlinkSync(join(outside.path, 'secret'), join(folder.path, 'a/link'))
    symlinkSync(outside.path, join(folder.path, 'a/folder'))
    symlinkSync('b', join(folder.path, 'a/own'))
    using tree = openTree(folder.descriptor)
    for (const [path, content] of Object.entries({ 'a/b/file': 'inside', top: 'top' })) {
      using file = tree.open(path)
      assert.equal((await file?.whole(100))?.toString(), content)
    }
    const name = outside.path.split('/').at(-1)
    for (const path of [
      'a/link',
      'a/folder/secret',
      'a/own/file',
      'a/b',
      '',
      '.',
      '..',
      `../${name}/secret`,
      `a/../../${name}/secret`,
      'a//b/file',
      '/etc/passwd',
      'a/b/\0file',
      'n'.repeat(5000),
    ])
      assert.equal(tree.open(path), undefined, path)
  })

  it('are given as far as they go, and never more than a bounded piece', async () => {
    using folder = createFolder({ file: '0123456789' })
    using tree = openTree(folder.descriptor)
    using file = tree.open('file')
    assert.ok(file)
    assert.equal((await file.read(8, 100)).toString(), '89')
    assert.equal((await file.read(100, 5)).length, 0)
    await assert.rejects(file.whole(9), { code: 'corrupt' })
    await assert.rejects(file.read(0, mostAtOnce + 1), { code: 'corrupt' })
  })
})

describe('a folder that is walked', () => {
  it('shows every entry but those that are ignored, with the keywords in them', async () => {
    using folder = createFolder({ 'src/a.txt': 'my PassWord', '.git/config': 'password', 'b.sh': '#!/bin/sh' })
    symlinkSync('/etc/passwd', join(folder.path, 'link'))
    const found: string[] = []
    const walked = await walk(folder.descriptor, {
      secrets: { keywords: ['password'] },
      ignore: path => path === '.git',
      onSeen: ({ path, kind, magic, hits }) => found.push([path, kind, magic ?? '', hits].join(' ')),
    })
    assert.deepEqual(found.sort(), ['b.sh file script ', 'link link  ', 'src folder  ', 'src/a.txt file  0@3'])
    assert.deepEqual(walked, { bytes: 20, entries: 4 })
  })
})

describe('records', () => {
  it('that are none are an error of ours, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, framed) => {
        const reader = createRecordReader(() => {})
        const length = Buffer.alloc(4)
        length.writeUInt32LE(bytes.length)
        try {
          reader.feed(framed ? Buffer.concat([length, bytes]) : Buffer.from(bytes))
        } catch (error) {
          assert.ok(error instanceof DayflyError && error.code === 'internal', String(error))
        }
        assert.equal(reader.end, undefined)
      }),
    )
  })
})

describe('the search for secrets', () => {
  it('is the same in another process, with the rules of users', () => {
    const rule = '[[rules]]\nid = "acme"\nregex = \'acme_[a-z]{8}\'\nkeywords = ["acme_"]\n'
    const settings = {
      salt: Buffer.alloc(16, 7),
      gitleaks: [{ name: 'own.toml', text: `[extend]\npath = "base.toml"\n${rule}`, extended: { 'base.toml': rule.replaceAll('acme', 'base') } }],
    }
    const here = openSecretSearch(settings)
    const there = openSecretSearch(readSettings(writeSettings(settings)))
    assert.equal(there.version, here.version)
    assert.notEqual(there.version, openSecretSearch({ salt: settings.salt }).version)
    assert.ok(there.keywords.includes('acme_') && there.keywords.includes('base_'))
  })

  it('reads every file where a pass cannot look for all that users ask for', () => {
    const rules = Array.from({ length: 2000 }, (_, index) => `[[rules]]\nid = "r${index}"\nregex = "x"\nkeywords = ["${'k'.repeat(50)}${index}"]\n`)
    const search = openSecretSearch({ salt: Buffer.alloc(16), gitleaks: [{ name: 'many.toml', text: rules.join('') }] })
    assert.ok(search.keywords.length < 2000)
    assert.ok(search.keywords.reduce((sum, keyword) => sum + keyword.length, 0) < 65_535)
    assert.ok(search.wants(seen('any.bin')))
    assert.ok(!openSecretSearch({ salt: Buffer.alloc(16) }).wants(seen('any.bin')))
  })

  it('is given keywords that a pass can look for', () => {
    const { keywords } = openSecretSearch({ salt: Buffer.alloc(16) })
    assert.ok(keywords.length > 100)
    for (const keyword of keywords) {
      const length = Buffer.byteLength(keyword)
      assert.ok(length >= 3 && length <= 64 && !/[\0A-Z]/.test(keyword), JSON.stringify(keyword))
    }
  })
})
