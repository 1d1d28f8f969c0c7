import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { fixture } from '../../../test/fixtures.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Package } from '../../model/package.ts'
import { databaseError } from './database.ts'
import type { ImportOptions, ImportSource } from './import.ts'
import { importVulnerabilities } from './import.ts'
import type { SourceStatus } from './vulnerabilities.ts'
import { openVulnerabilities } from './vulnerabilities.ts'

const now = Date.UTC(2026, 0, 15)
const day = 86_400_000
const root = mkdtempSync('/tmp/dayfly-vulnerabilities-')
after(() => rmSync(root, { recursive: true, force: true }))

let count = 0
const fresh = (): string => {
  const folder = join(root, String(count++))
  mkdirSync(folder)
  return folder
}
const written = (name: string, content: string | Buffer): string => {
  const path = join(fresh(), name)
  writeFileSync(path, content)
  return path
}

const signal = new AbortController().signal
const load = (folder: string, sources: readonly (string | ImportSource)[], options: Partial<ImportOptions> = {}): Promise<readonly unknown[]> =>
  importVulnerabilities(
    folder,
    sources.map(source => (typeof source === 'string' ? { location: source } : source)),
    { now, signal, ...options },
  )

const record = (id: string, more: object = {}): string =>
  JSON.stringify({
    id,
    modified: '2026-01-10T00:00:00Z',
    affected: [{ package: { ecosystem: 'npm', name: 'left' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }] }],
    ...more,
  })

const left: Package = { type: 'npm', name: 'left', version: '1.0.0', purl: 'pkg:npm/left@1.0.0', licenses: [], paths: ['package.json'] }
const idsIn = (folder: string): string[] => {
  using data = openVulnerabilities(folder)
  return data.match([left], undefined, now).findings.map(({ id }) => id)
}
const sourcesIn = (folder: string): readonly SourceStatus[] => {
  using data = openVulnerabilities(folder)
  return data.status(now).sources
}
const onlySource = (folder: string): SourceStatus => {
  const [source, ...others] = sourcesIn(folder)
  assert.ok(source && others.length === 0)
  return source
}

const rejects = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DayflyError, String(error))
  assert.equal(error.code, code)
  assert.match(error.message, message)
  return true
}

interface Member {
  readonly name: string
  readonly content: string | Buffer
  /** What the directory says its size is, when that is a lie. */
  readonly claims?: number
}

/** A zip as `zip` makes them; or one that lies. */
const zipOf = (members: readonly Member[]): Buffer => {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const { name, content, claims } of members) {
    const data = Buffer.from(content)
    const packed = deflateRawSync(data)
    const path = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(data), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claims ?? data.length, 18)
    common.writeUInt16LE(path.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, tail, path]))
    locals.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(members.length, 4)
  end.writeUInt16LE(members.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...locals, central, Buffer.from('PK\x05\x06'), end])
}

const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ readonly url: string } & AsyncDisposable> => {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('records from a folder', () => {
  it('are read in all its folders; what is bad is counted and named', async () => {
    const [folder, from] = [fresh(), fresh()]
    mkdirSync(join(from, 'npm'))
    writeFileSync(join(from, 'npm', 'A.json'), record('A-1'))
    writeFileSync(join(from, 'B.json'), '{')
    writeFileSync(join(from, 'C.json'), record('C-1', { modified: 'never' }))
    writeFileSync(join(from, 'README.md'), 'no record')
    writeFileSync(join(from, 'D.json'), '')
    truncateSync(join(from, 'D.json'), 1024 ** 3)
    symlinkSync('/dev/zero', join(from, 'E.json'))
    await load(folder, [from])
    assert.deepEqual(idsIn(folder), ['A-1'])
    const source = onlySource(folder)
    assert.deepEqual(
      { ...source, faults: source.faults.map(fault => fault.split(':')[0]).toSorted() },
      {
        ...{ location: from, format: 'osv', records: 1, withdrawn: 0, superseded: 0, bad: 3, importedAt: now, newest: Date.UTC(2026, 0, 10) },
        faults: ['B.json', 'C.json', 'D.json'],
      },
    )
  })

  it('replace what was imported from there before', async () => {
    const [folder, from] = [fresh(), fresh()]
    writeFileSync(join(from, 'A.json'), record('A-1'))
    writeFileSync(join(from, 'B.json'), record('B-1'))
    await load(folder, [from])
    assert.deepEqual(idsIn(folder), ['A-1', 'B-1'])
    rmSync(join(from, 'A.json'))
    await load(folder, [from])
    assert.deepEqual(idsIn(folder), ['B-1'])
    assert.equal(sourcesIn(folder).length, 1)
  })

  it('of two with one name the newer counts, whatever comes first; a withdrawn one takes away', async () => {
    const older = written('A.json', record('A-1', { modified: '2025-01-01T00:00:00Z', aliases: ['CVE-2025-1'] }))
    const newer = written('A.json', record('A-1', { aliases: ['CVE-2026-1'] }))
    const gone = written('A.json', record('A-1', { modified: '2026-01-11T00:00:00Z', withdrawn: '2026-01-11T00:00:00Z' }))
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      const folder = fresh()
      await load(folder, order)
      assert.deepEqual(idsIn(folder), ['CVE-2026-1'])
    }
    for (const order of [
      [older, gone],
      [gone, older],
    ]) {
      const folder = fresh()
      await load(folder, order)
      assert.deepEqual(idsIn(folder), [])
    }
  })

  it('are real ones', { skip: fixture('osv/go').skip || fixture('osv/pypi').skip }, async () => {
    const folder = fresh()
    await load(folder, [fixture('osv/go').path, fixture('osv/pypi').path])
    assert.deepEqual(
      sourcesIn(folder).map(({ records, bad, withdrawn }) => [records, bad, withdrawn]),
      [
        [280, 0, 0],
        [260, 0, 1],
      ],
    )
    using data = openVulnerabilities(folder)
    const trac: Package = { ...left, type: 'pypi', name: 'Trac', version: '0.10.5', purl: 'pkg:pypi/trac@0.10.5' }
    const go: Package = { ...left, type: 'golang', name: 'stdlib', version: 'go1.17.10', purl: 'pkg:golang/stdlib@1.17.10' }
    const { findings } = data.match([trac, go], undefined, now)
    assert.deepEqual(
      findings.filter(({ package: { name } }) => name === 'Trac').map(({ id, fixed, aliases }) => [id, fixed, aliases]),
      [['CVE-2008-5646', '0.11.2', ['PYSEC-2008-6']]],
    )
    assert.equal(findings.find(({ id }) => id === 'CVE-2022-30634')?.fixed, '1.17.11')
  })
})

describe('records from a zip', () => {
  it('are read; bombs and lies are faults of their own', async () => {
    const folder = fresh()
    const members = [
      { name: 'A.json', content: record('A-1') },
      { name: 'large.json', content: Buffer.alloc(20 * 1024 * 1024, 32) },
      { name: 'bomb.json', content: Buffer.alloc(20 * 1024 * 1024, 32), claims: 100 },
      { name: 'deep.json', content: '['.repeat(1_000_000) },
      { name: 'B.json', content: record('B-1') },
    ]
    await load(folder, [written('all.zip', zipOf(members))])
    assert.deepEqual(idsIn(folder), ['A-1', 'B-1'])
    const { bad, faults } = onlySource(folder)
    assert.equal(bad, 3, faults.join('\n'))
    assert.match(faults.join('\n'), /bomb\.json: Cannot create a Buffer larger than 100 bytes/)
  })

  it('that is damaged changes nothing', async () => {
    const folder = fresh()
    await load(folder, [written('A.json', record('A-1'))])
    const zip = zipOf([{ name: 'B.json', content: record('B-1') }])
    for (const damaged of [
      zip.subarray(0, zip.length - 10),
      Buffer.concat([zip.subarray(0, 60), Buffer.alloc(500, 1), zip.subarray(60)]),
      Buffer.from('PK\x03\x04'),
    ])
      await assert.rejects(load(folder, [written('all.zip', damaged)]), rejects('corrupt', /all\.zip is (no zip|damaged)/))
    assert.deepEqual(idsIn(folder), ['A-1'])
    assert.deepEqual(readdirSync(folder).toSorted(), ['import.lock', 'vulnerabilities.sqlite'])
  })
})

describe('data from a URL', () => {
  it('is fetched once, and again only when it has changed', async () => {
    const folder = fresh()
    const asked: (string | undefined)[] = []
    let [content, etag] = [zipOf([{ name: 'A.json', content: record('A-1') }]), '"1"']
    await using server = await serve((request, response) => {
      asked.push(request.headers['if-none-match'])
      if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
      else response.writeHead(200, { etag, 'last-modified': new Date(now - day).toUTCString() }).end(content)
    })
    const location = `${server.url}/npm/all.zip`
    assert.deepEqual(await load(folder, [location]), [{ location, unchanged: false }])
    assert.deepEqual(await load(folder, [location], { now: now + day }), [{ location, unchanged: true }])
    assert.deepEqual([onlySource(folder).importedAt, onlySource(folder).newest], [now + day, now - day])
    ;[content, etag] = [zipOf([{ name: 'B.json', content: record('B-1') }]), '"2"']
    assert.deepEqual(await load(folder, [location]), [{ location, unchanged: false }])
    assert.deepEqual(asked, [undefined, '"1"', '"1"'])
    assert.deepEqual(idsIn(folder), ['B-1'])
  })

  it('is bounded in size and time, and only follows to where it may go', async () => {
    const folder = fresh()
    await load(folder, [written('A.json', record('A-1'))])
    await using server = await serve((request, response) => {
      if (request.url === '/endless') {
        const more = (): void => {
          while (response.write(Buffer.alloc(65_536)));
          response.once('drain', more)
        }
        more()
      } else if (request.url === '/hanging') response.write('{')
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end()
      else if (request.url === '/away') response.writeHead(302, { location: 'http://example.com/x' }).end()
      else if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end()
      else if (request.url === '/there') response.writeHead(302, { location: '/A.json' }).end()
      else if (request.url === '/A.json') response.end(record('R-1'))
      else response.writeHead(404).end()
    })
    await assert.rejects(load(folder, [`${server.url}/endless`], { limits: { bytes: 1_000_000 } }), rejects('upstream', /larger than 1000000 bytes/))
    await assert.rejects(load(folder, [`${server.url}/hanging`], { limits: { time: 200 } }), rejects('timeout', /too long/))
    await assert.rejects(load(folder, [`${server.url}/loop`]), rejects('upstream', /redirects/))
    await assert.rejects(load(folder, [`${server.url}/away`]), rejects('invalid', /http:\/\/example\.com/))
    await assert.rejects(load(folder, [`${server.url}/file`]), rejects('invalid', /not fetched/))
    await assert.rejects(load(folder, [`${server.url}/none`]), rejects('upstream', /404/))
    await assert.rejects(load(folder, ['http://example.com/all.zip']), rejects('invalid', /not fetched/))
    await assert.rejects(load(folder, ['ftp://127.0.0.1/all.zip']), rejects('invalid', /not fetched/))
    await assert.rejects(load(folder, ['http://127.0.0.1:1/all.zip']), rejects('upstream', /cannot be downloaded/))
    assert.deepEqual(idsIn(folder), ['A-1'])
    await load(folder, [`${server.url}/there`])
    assert.deepEqual(idsIn(folder), ['A-1', 'R-1'])
    assert.deepEqual(readdirSync(folder).toSorted(), ['import.lock', 'vulnerabilities.sqlite'])
  })

  it('that is being fetched when the process is killed leaves what was there', async () => {
    const folder = fresh()
    await load(folder, [written('A.json', record('A-1'))])
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
    await using server = await serve((_request, response) => {
      response.write('PK')
      reach()
    })
    const program = `import { importVulnerabilities } from ${JSON.stringify(resolve(import.meta.dirname, 'import.ts'))}
      await importVulnerabilities(${JSON.stringify(folder)}, [{ location: '${server.url}/all.zip' }], { now: ${now}, signal: new AbortController().signal })`
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { stdio: 'ignore' })
    await reached
    await assert.rejects(load(folder, [written('B.json', record('B-1'))]), rejects('conflict', /being imported/))
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.ok(
      readdirSync(folder).some(name => name.endsWith('.new')),
      'it died in the middle',
    )
    assert.deepEqual(idsIn(folder), ['A-1'])
    await load(folder, [written('B.json', record('B-1'))])
    assert.deepEqual(idsIn(folder), ['A-1', 'B-1'])
    assert.deepEqual(readdirSync(folder).toSorted(), ['import.lock', 'vulnerabilities.sqlite'])
  })
})

describe('an import', () => {
  it('is of all sources or of none', async () => {
    const folder = fresh()
    await assert.rejects(load(folder, [written('A.json', record('A-1')), '/no/such/file']), rejects('not_found', /no\/such\/file/))
    assert.deepEqual(idsIn(folder), [])
    assert.deepEqual(readdirSync(folder), ['import.lock'])
  })

  it('stops when it is told to, and changes nothing', async () => {
    const [folder, from] = [fresh(), fresh()]
    for (let at = 0; at < 400; at++) writeFileSync(join(from, `${at}.json`), record(`X-${at}`))
    const controller = new AbortController()
    setImmediate(() => controller.abort())
    await assert.rejects(load(folder, [from], { signal: controller.signal }), rejects('aborted', /cancelled/))
    assert.deepEqual(readdirSync(folder), ['import.lock'])
  })

  it('takes the place of a file that is damaged, or not ours', async () => {
    const folder = fresh()
    const path = join(folder, 'vulnerabilities.sqlite')
    for (const content of ['rubbish', Buffer.alloc(100_000, 7), '']) {
      writeFileSync(path, content)
      using data = openVulnerabilities(folder)
      assert.throws(() => data.match([left], undefined, now), rejects('corrupt', /vulnerabilit/))
      await load(folder, [written('A.json', record('A-1'))])
      assert.deepEqual(idsIn(folder), ['A-1'])
    }
    const whole = readFileSync(path)
    writeFileSync(path, Buffer.concat([whole.subarray(0, 4_096), Buffer.alloc(whole.length - 4_096, 9)]))
    using data = openVulnerabilities(folder)
    assert.throws(() => data.match([left], undefined, now), rejects('corrupt', /vulnerabilit/))
    await load(folder, [written('B.json', record('B-1'))])
    assert.deepEqual(idsIn(folder), ['B-1'])
  })

  it('is seen by whoever has the data open', async () => {
    const folder = fresh()
    using data = openVulnerabilities(folder)
    const ids = (): string[] => data.match([left], undefined, now).findings.map(({ id }) => id)
    assert.deepEqual([ids(), data.version], [[], undefined])
    await load(folder, [written('A.json', record('A-1'))])
    const { version } = data
    assert.deepEqual(ids(), ['A-1'])
    await load(folder, [written('B.json', record('B-1'))])
    assert.deepEqual(ids(), ['A-1', 'B-1'])
    assert.notEqual(data.version, version)
  })

  it('says when the host is at fault, not the data', async () => {
    const file = written('file', '')
    await assert.rejects(load(join(file, 'below'), [written('A.json', record('A-1'))]), rejects('host', /cannot import/))
    using full = new DatabaseSync(':memory:')
    full.exec('PRAGMA max_page_count = 2; CREATE TABLE x (y)')
    assert.throws(
      () => {
        try {
          full.exec('INSERT INTO x VALUES (randomblob(100000))')
        } catch (error) {
          throw databaseError(error, 'here')
        }
      },
      rejects('host', /full/),
    )
  })

  it('refuses what it does not know', async () => {
    const folder = fresh()
    for (const content of ['', 'hello', '[]', '{}', '\u0000'.repeat(100), '{"a":'.repeat(10_000)])
      await assert.rejects(load(folder, [written('x', content)]), rejects('invalid', /no vulnerability data that Dayfly knows/))
    await assert.rejects(load(folder, ['/dev/zero']), rejects('invalid', /no vulnerability data/))
  })
})

describe('other sources', () => {
  const tracker = {
    openssl: {
      'CVE-2023-0001': {
        description: 'A flaw in OpenSSL',
        scope: 'remote',
        releases: {
          bookworm: { status: 'resolved', repositories: { bookworm: '3.0.9-1' }, fixed_version: '3.0.9-1', urgency: 'medium' },
          bullseye: { status: 'open', repositories: {}, urgency: 'unimportant' },
          sid: { status: 'resolved', fixed_version: '0', urgency: 'unimportant' },
        },
      },
      'CVE-2023-0002': { releases: { bookworm: { status: 'undetermined', urgency: 'not yet assigned' } } },
      'TEMP-0000000-ABCDEF': { releases: { bookworm: { status: 'open', urgency: 'not yet assigned' } } },
      'CVE-2023-0003': { releases: 'none' },
    },
  }
  const openssl: Package = {
    ...left,
    type: 'deb',
    name: 'libssl3',
    version: '3.0.8-1',
    purl: 'pkg:deb/debian/libssl3@3.0.8-1',
    source: { name: 'openssl', version: '3.0.8-1' },
  }

  it("Debian's tracker: by source and release, with its urgency", async () => {
    const folder = fresh()
    const path = written('data.json.gz', gzipSync(JSON.stringify(tracker)))
    utimesSync(path, (now - 3 * day) / 1_000, (now - 3 * day) / 1_000)
    await load(folder, [path])
    using data = openVulnerabilities(folder)
    const match = (version: string, codename?: string): unknown[] =>
      data
        .match([openssl], { id: 'debian', version, like: [], ...(codename ? { codename } : {}) }, now)
        .findings.map(({ id, fixed, severity, aliases }) => [id, fixed, severity, aliases])
    assert.deepEqual(match('12'), [
      ['CVE-2023-0001', '3.0.9-1', 'medium', []],
      ['TEMP-0000000-ABCDEF', undefined, 'unknown', []],
    ])
    assert.deepEqual(match('11'), [['CVE-2023-0001', undefined, 'negligible', []]])
    assert.deepEqual(match('', 'trixie'), [])
    const source = onlySource(folder)
    assert.deepEqual([source.format, source.records, source.bad, source.newest], ['debian', 3, 1, now - 3 * day])
    assert.match(source.faults[0] ?? '', /^openssl CVE-2023-0003: /)
    assert.equal(data.match([openssl], { id: 'debian', version: '12', like: [] }, now).dataFrom, now - 3 * day)
  })

  it('EPSS and KEV: how likely, and whether it is done', async () => {
    const folder = fresh()
    const epss = '#model_version:v2025.03.14,score_date:2026-01-14T00:00:00Z\ncve,epss,percentile\nCVE-2026-1,0.97,0.99\nCVE-2026-2,1.5,1\nrubbish\n'
    const kev = JSON.stringify({
      title: 'CISA Catalog',
      catalogVersion: '2026.01.14',
      vulnerabilities: [{ cveID: 'CVE-2026-1', dateAdded: '2026-01-02' }, { cveID: 'x' }],
    })
    const advisories = [
      written('A.json', record('GHSA-1', { aliases: ['CVE-2026-1'] })),
      written('B.json', record('GHSA-2', { aliases: ['CVE-2026-2'] })),
    ]
    await load(folder, [...advisories, written('epss.csv.gz', gzipSync(epss)), written('known.json', kev)])
    using data = openVulnerabilities(folder)
    assert.deepEqual(
      data.match([left], undefined, now).findings.map(({ id, epss: score, exploited }) => [id, score, exploited]),
      [
        ['CVE-2026-1', 0.97, true],
        ['CVE-2026-2', undefined, undefined],
      ],
    )
    assert.deepEqual(
      data.status(now).sources.flatMap(({ format, records, bad }) => (format === 'epss' || format === 'kev' ? [[format, records, bad]] : [])),
      [
        ['epss', 1, 2],
        ['kev', 1, 1],
      ],
    )
    assert.equal(data.status(now).records, 2)
  })

  it('gzip that is damaged or endless is refused', async () => {
    const folder = fresh()
    const whole = gzipSync(JSON.stringify(tracker))
    await assert.rejects(
      load(folder, [{ location: written('x.gz', whole.subarray(0, whole.length - 12)), format: 'debian' }]),
      rejects('corrupt', /cannot be unpacked/),
    )
    await assert.rejects(
      load(folder, [{ location: written('x.gz', gzipSync(Buffer.alloc(64 * 1024 * 1024, 32))), format: 'kev' }]),
      rejects('corrupt', /larger than/),
    )
    await assert.rejects(
      load(folder, [{ location: written('x.json', '{"openssl": {"CVE-1": {'), format: 'debian' }]),
      rejects('corrupt', /ends in its middle/),
    )
  })

  it('OpenVEX documents that cannot be used are refused', async () => {
    const folder = fresh()
    for (const statements of [{}, [{ vulnerability: { name: 'CVE-1' }, status: 'perhaps' }]])
      await assert.rejects(
        load(folder, [
          written('x.json', JSON.stringify({ '@context': 'https://openvex.dev/ns/v0.2.0', timestamp: '2026-01-01T00:00:00Z', statements })),
        ]),
        rejects('corrupt', /no OpenVEX document/),
      )
  })
})
