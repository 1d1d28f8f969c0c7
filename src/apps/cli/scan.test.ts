/** `dayfly scan` without a daemon: the real program on folders and compose files. */
import assert from 'node:assert/strict'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startFake } from '../../../test/cli/fake.ts'
import { openProject } from '../../../test/cli/offline.ts'
import { ScanDocument } from '../../scan/report/json.ts'

const password = 'w8Fq-zT3.kLm9pXr'
const leaking = { 'src/settings.py': `DEBUG = True\nDB_PASSWORD = "${password}"\n`, '.git/config': `DB_PASSWORD = "${password}"\n` }
const compose = `services:
  web:
    image: nginx
    privileged: true
    environment:
      DB_PASSWORD: ${password}
  db:
    image: nginx
    environment: ["POSTGRES_PASSWORD=t7Rz_uY2-mNb8vCx"]
`
const lock = JSON.stringify({
  ...{ name: 'shop', version: '1.0.0', lockfileVersion: 3 },
  packages: { '': { name: 'shop', version: '1.0.0' }, 'node_modules/left-pad': { version: '1.0.0' } },
})
const advisory = {
  ...{
    id: 'GHSA-aaaa-bbbb-cccc',
    modified: '2029-01-01T00:00:00Z',
    published: '2029-01-01T00:00:00Z',
    summary: 'Pads on the wrong side',
    aliases: ['CVE-2029-1'],
  },
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  affected: [{ package: { ecosystem: 'npm', name: 'left-pad' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.3.0' }] }] }],
}

const documentOf = (text: string) => ScanDocument.parse(JSON.parse(text))

describe('dayfly scan FOLDER', () => {
  test('finds secrets with their lines, not in .git, and shows none of them', async () => {
    using project = openProject(leaking)
    const { status, stdout, stderr } = await project.run(['scan', '.'])
    assert.deepEqual([status, stderr], [0, ''])
    assert.match(stdout, /^1 secret \(1 medium\)\nSEVERITY.*\nmedium +generic-secret +src\/settings\.py:2 +\S+ +/)
    for (const format of ['table', 'json', 'sarif', 'junit', 'cyclonedx', 'spdx', 'openvex']) {
      const told = await project.run(['scan', '.', '--format', format])
      assert.equal(told.status, 0, told.stderr)
      assert.equal(told.stdout.includes(password), false, format)
    }
  })

  test('fails by what is asked, and only by what is new to a baseline, wherever it has moved', async () => {
    using project = openProject(leaking)
    const exit = async (...args: readonly string[]): Promise<number | null> => (await project.run(['scan', '.', '-q', ...args])).status
    assert.deepEqual([await exit('--fail-on', 'medium'), await exit('--fail-on', 'high'), await exit('--fail-on', 'low,misconfiguration')], [1, 0, 0])
    assert.equal(await exit('--fail-on', 'critical', '--fail-on', 'low,secret'), 1)
    assert.equal(await exit('--severity', 'critical', '--fail-on', 'medium'), 1, 'what is not shown fails all the same')
    assert.equal(await exit('--write-baseline', 'known.json'), 0)
    project.put({ 'src/settings.py': `# A line more\n\n${leaking['src/settings.py']}` })
    assert.equal(await exit('--fail-on', 'medium', '--baseline', 'known.json'), 0)
    project.put({ 'src/new.py': 'API_TOKEN = "q7Rz_uY2-mNb8vCx"\n' })
    assert.equal(await exit('--fail-on', 'medium', '--baseline', 'known.json'), 1)
    const { stdout } = await project.run(['scan', '.', '--baseline', 'known.json', '--json'])
    const { findings, leftOut } = documentOf(stdout)
    assert.deepEqual([findings.map(({ places: [place] }) => place?.path), leftOut.baseline], [['src/new.py'], 1])
  })

  test('matches packages against data of a folder, by VEX too, and never passes without having looked', async () => {
    using project = openProject({ 'package-lock.json': lock, 'osv/a.json': JSON.stringify(advisory) })
    const blind = await project.run(['scan', '.', '--skip', 'osv', '--fail-on', 'high'])
    assert.equal(blind.status, 2)
    assert.match(blind.stderr, /^dayfly: --fail-on: packages were found \(1\), and no vulnerability data about them\n {2}Fetch some/)
    assert.equal((await project.run(['scan', '.', '--fail-on', 'high,secret'])).status, 0)
    assert.equal((await project.run(['vulndb', 'import', 'osv', '--db', 'db'])).status, 0)

    const seen = await project.run(['scan', '.', '--db', 'db', '--fail-on', 'high', '--json'])
    assert.equal(seen.status, 1, seen.stderr)
    const [finding] = documentOf(seen.stdout).findings
    assert.ok(finding?.kind === 'vulnerability')
    assert.deepEqual([finding.id, finding.fixed, finding.places[0]?.path], ['CVE-2029-1', '1.3.0', 'package-lock.json'])

    project.put({
      'app.vex.json': JSON.stringify({
        ...{
          '@context': 'https://openvex.dev/ns/v0.2.0',
          '@id': 'https://example.org/1',
          author: 'us',
          timestamp: '2020-01-01T00:00:00Z',
          version: 1,
        },
        statements: [
          {
            vulnerability: { name: 'CVE-2029-1' },
            products: [{ '@id': 'pkg:npm/left-pad' }],
            status: 'not_affected',
            justification: 'component_not_present',
          },
        ],
      }),
    })
    const settled = await project.run(['scan', '.', '--db', 'db', '--vex', 'app.vex.json', '--fail-on', 'high'])
    assert.deepEqual([settled.status, /1 settled by VEX/.test(settled.stdout)], [0, true], settled.stdout)
    const out = await project.run(['scan', '.', '--db', 'db', '--vex', 'app.vex.json', '--format', 'openvex', '-o', 'out.vex.json'])
    assert.equal(out.status, 0, out.stderr)
    const told = await project.run(['scan', '.', '--db', 'db', '--vex', 'out.vex.json', '--fail-on', 'high'])
    assert.deepEqual([told.status, /1 settled by VEX/.test(told.stdout)], [0, true], 'what is written out says the same when it is read')
    const open = await project.run(['scan', '.', '--db', 'db', '--format', 'openvex'])
    assert.match(open.stdout, /"name": "CVE-2029-1"[\s\S]*"@id": "pkg:npm\/left-pad@1\.0\.0"[\s\S]*"status": "under_investigation"/)
    const bom = await project.run(['scan', '.', '--db', 'db', '--format', 'cyclonedx'])
    assert.match(bom.stdout, /"purl": "pkg:npm\/left-pad@1\.0\.0"[\s\S]*"CVE-2029-1"/)
  })

  test('takes several files and folders, skips by pattern, and uses rules in gitleaks’ form', async () => {
    using project = openProject({
      ...leaking,
      'docs/a.md': 'acme-0123456789\n',
      'rules.toml': "[[rules]]\nid = 'acme'\ndescription = 'Acme'\nregex = '''acme-[0-9]{10}'''\n",
    })
    const paths = async (...args: readonly string[]): Promise<unknown> => {
      const { status, stdout, stderr } = await project.run(['scan', '--json', ...args])
      assert.equal(status, 0, stderr)
      return documentOf(stdout).findings.map(({ places: [place] }) => place?.path)
    }
    assert.deepEqual(await paths('.', '--gitleaks', 'rules.toml'), ['docs/a.md', 'src/settings.py'])
    assert.deepEqual(await paths('docs', 'rules.toml', '--gitleaks', 'rules.toml'), ['docs/a.md'])
    assert.deepEqual(await paths('.', '--skip', 'src/**', '--skip', '*.md', '--gitleaks', 'rules.toml'), [])
    assert.deepEqual(await paths('src/settings.py'), ['settings.py'])
    assert.deepEqual(await paths('src'), ['settings.py'])
  })

  test('follows no link out of the folder', async () => {
    using project = openProject({ 'inside/a.txt': 'nothing\n', 'outside/b.py': leaking['src/settings.py'] })
    symlinkSync('../outside', join(project.folder, 'inside/link'))
    assert.match((await project.run(['scan', 'inside'])).stdout, /^inside: nothing found; 0 packages\n$/)
  })

  test('SARIF names files from the working folder, whichever folder was scanned', async () => {
    using project = openProject(leaking)
    assert.equal((await project.run(['scan', 'src', '--format', 'sarif', '-o', 'a.sarif'])).stdout, '')
    const text = readFileSync(join(project.folder, 'a.sarif'), 'utf8')
    assert.match(text, /"uri": "src\/settings\.py",\n\s+"uriBaseId": "%SRCROOT%"/)
  })
})

describe('dayfly scan COMPOSE-FILE', () => {
  test('finds secrets by their names and lines, what Dayfly refuses, and how images are named', async () => {
    using project = openProject({ 'deploy/compose.yaml': compose })
    const { status, stdout, stderr } = await project.run(['scan', 'deploy/compose.yaml', '--json'])
    assert.equal(status, 0, stderr)
    assert.match(stderr, /no daemon answers: what is in the image was not looked at/)
    const told = documentOf(stdout).findings.flatMap(({ id, places }) => places.map(({ line, field }) => [id, line, field]))
    assert.deepEqual(told, [
      ['named-secret', 6, 'services.web.environment.DB_PASSWORD'],
      ['named-secret', 9, 'services.db.environment.POSTGRES_PASSWORD'],
      ['compose/privileged-containers', 4, 'services.web.privileged'],
      ['image-tag-latest', 3, 'services.web.image'],
      ['image-tag-latest', 8, 'services.db.image'],
      ['image-without-digest', 3, 'services.web.image'],
      ['image-without-digest', 8, 'services.db.image'],
    ])
    project.put({
      'built/compose.yaml': `services:\n  web:\n    build: ./app\n  own:\n    build: .\n    environment: { DB_PASSWORD: '${password}' }\n`,
      'built/app/settings.env': `API_TOKEN=${password}\n`,
      'built/app/.env': `API_TOKEN=${password}\n`,
      'built/app/.dockerignore': '.env*\ntmp\n!tmp/.env.kept\n',
      'built/app/tmp/.env': `API_TOKEN=${password}\n`,
      'built/app/tmp/.env.kept': `API_TOKEN=${password}\n`,
      'built/.dockerignore': 'app\n',
      'built/other/.env': `API_TOKEN=${password}\n`,
    })
    const built = documentOf((await project.run(['scan', 'built/compose.yaml', '--json'])).stdout)
    const paths = built.findings.filter(({ kind }) => kind === 'secret').flatMap(({ places }) => places.map(({ path }) => path))
    assert.deepEqual(paths.sort(), ['app/settings.env', 'app/tmp/.env.kept', 'compose.yaml', 'other/.env'])
    const sarif = await project.run(['scan', 'deploy/compose.yaml', '--format', 'sarif'])
    assert.match(sarif.stdout, /"uri": "deploy\/compose\.yaml"/)
    assert.equal(sarif.stdout.includes(password), false)
    assert.equal((await project.run(['scan', 'deploy/compose.yaml', '-q', '--fail-on', 'high,misconfiguration'])).status, 1)
  })
})

describe('dayfly scan IMAGE', () => {
  test('asks the daemon, for a compose file about its images, too', async () => {
    await using site = await startFake()
    const { status, stdout, stderr } = await site.cli(['scan', 'fake', '--json', '--fail-on', 'medium,misconfiguration'])
    assert.deepEqual([status, stderr], [1, ''])
    const document = documentOf(stdout)
    assert.deepEqual([document.target.kind, document.target.name, document.findings.length], ['image', 'fake', 3])
    assert.match(document.target.digest ?? '', /^sha256:[0-9a-f]{64}$/)
    assert.match((await site.cli(['scan', 'fake', '--format', 'sarif'])).stdout, /"uri": "fake"/)
    assert.match((await site.cli(['scan', 'fake', '--format', 'spdx'])).stdout, /"primaryPackagePurpose": "CONTAINER"/)

    const file = join(site.folder, 'compose.yaml')
    writeFileSync(file, 'services:\n  web:\n    image: fake\n  other:\n    image: nowhere\n')
    const composed = documentOf((await site.cli(['scan', file, '--json'])).stdout)
    const root = composed.findings.find(({ id }) => id === 'image-root-user')
    assert.deepEqual([root?.places[0]?.line, root?.places[0]?.field, root?.places[0]?.object], [3, 'services.web.image', 'fake'])
    assert.equal(composed.findings.filter(({ id }) => id === 'image-tag-latest').length, 2, 'each name once')
    assert.deepEqual(composed.problems, ['nowhere could not be looked at: there is no image nowhere'])

    for (const [args, message, remedy] of [
      [['scan', 'nowhere'], /IMAGE: there is no image nowhere/, /image/],
      [['scan', 'fake', '--pull', 'often'], /--pull: "often" is not one of missing, always, never/, /--pull missing/],
      [['scan', 'fake', '--gitleaks', 'x'], /--gitleaks: it has no effect on an image/, /the daemon scans images/],
    ] as const) {
      const wrong = await site.cli(args)
      assert.match(wrong.stderr, message)
      assert.match(wrong.stderr.split('\n').slice(1).join('\n'), remedy)
      assert.deepEqual([wrong.status, wrong.stdout], [2, ''])
    }
  })
})

describe('dayfly scan, mistakes', () => {
  const table: readonly (readonly [args: readonly string[], message: RegExp, remedy: RegExp])[] = [
    [['scan'], /TARGET: is missing/, /dayfly scan --help/],
    [['scan', './nowhere'], /TARGET: there is no file or folder \.\/nowhere/, /a folder, a compose file, or an image/],
    [['scan', 'missing.yaml'], /TARGET: there is no file or folder missing\.yaml/, /compose file/],
    [['scan', '.', '..'], /TARGET: \.\. is not in the working folder/, /by itself/],
    [['scan', '.', '--fail-on', 'hihg'], /--fail-on: "hihg" is no severity/, /critical, high, medium/],
    [['scan', '.', '--fail-on', 'high,secrets'], /--fail-on: "high,secrets" names no kind/, /high,secret/],
    [['scan', '.', '--severity', 'bad'], /--severity: "bad" is no severity/, /critical/],
    [['scan', '.', '--format', 'xml'], /--format: "xml" is none of table, json, sarif/, /--format json/],
    [['scan', '.', '--baseline', 'none.json'], /--baseline: there is no file none\.json/, /that you may read/],
    [['scan', '.', '--baseline', 'broken.json'], /--baseline: broken\.json: it is no JSON/, /--write-baseline/],
    [['scan', '.', '--vex', 'broken.json'], /--vex: broken\.json: /, /OpenVEX/],
    [['scan', '.', '--gitleaks', 'broken.json'], /broken\.json: it is no TOML/, /Correct/],
    [['scan', '.', '-o', 'no/such/folder/x'], /--output: no\/such\/folder\/x cannot be written: ENOENT/, /may write/],
    [['scan', 'compose.yaml'], /compose\.yaml:\d+:\d+: services\.web/, /^/],
    [['scan', 'other.yaml', '--skip', 'x'], /--skip: it has no effect on a compose file/, /Leave it out/],
    [['scan', '.', '--pull', 'never'], /--pull: it has no effect on a folder/, /Leave it out/],
    [['scan', 'debian:12', '--db', 'x'], /--db: it has no effect on an image/, /the daemon scans images/],
  ]
  test('each names the field and the remedy', async () => {
    using project = openProject({
      'broken.json': '{',
      'compose.yaml': 'services:\n  web:\n    imgae: x\n',
      'other.yaml': 'services: { web: { image: x } }\n',
    })
    for (const [args, message, remedy] of table) {
      const { status, stdout, stderr } = await project.run(args)
      assert.match(stderr, message)
      assert.match(stderr.split('\n').slice(1).join('\n'), remedy)
      assert.deepEqual([status, stdout], [2, ''], args.join(' '))
    }
  })
})
