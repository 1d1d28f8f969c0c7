/** `dayfly scan IMAGE` on the real kernel: an image is imported, scanned in its pass, matched against data, and told in every format; compose files with it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ScanDocument } from '../../src/scan/report/json.ts'
import { dayflyProgram, makeFolder, startDaemon } from '../daemon.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

const password = 'w8Fq-zT3.kLm9pXr'
const image: Readonly<Record<string, string>> = {
  'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'var/lib/dpkg/status': 'Package: openssl\nStatus: install ok installed\nVersion: 3.0.8-1\nArchitecture: amd64\n\n',
  'srv/settings.py': `DB_PASSWORD = "${password}"\n`,
}
const advisory = {
  ...{ id: 'DEBIAN-CVE-2023-0464', modified: '2029-01-01T00:00:00Z', upstream: ['CVE-2023-0464'] },
  affected: [
    { package: { ecosystem: 'Debian:12', name: 'openssl' }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.9-1' }] }] },
  ],
}

test('dayfly scan IMAGE', { skip }, async t => {
  const folder = makeFolder('/tmp/dayfly-scan-command-')
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await using daemon = startDaemon({ folder })
  await daemon.ready
  for (const [path, text] of Object.entries(image)) {
    mkdirSync(dirname(join(folder, 'root', path)), { recursive: true })
    writeFileSync(join(folder, 'root', path), text)
  }
  writeFileSync(join(folder, 'advisory.json'), JSON.stringify(advisory))
  writeFileSync(join(folder, 'compose.yaml'), 'services:\n  web:\n    image: app:1\n')

  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(dayflyProgram, [...args, '--run-dir', daemon.runDir, '--state-dir', daemon.stateDir], {
      cwd: folder,
      encoding: 'utf8',
    })
    return { status, stdout, stderr }
  }
  const scanned = (...args: readonly string[]) => {
    const { stdout, stderr } = run('scan', '--json', ...args)
    assert.notEqual(stdout, '', stderr)
    return ScanDocument.parse(JSON.parse(stdout))
  }
  assert.equal(run('image', 'import', 'root', 'app:1').status, 0)

  const blind = run('scan', 'app:1', '--fail-on', 'critical')
  assert.deepEqual([blind.status, /no vulnerability data/.test(blind.stderr)], [2, true], blind.stderr)
  assert.equal(run('vulndb', 'import', 'advisory.json').status, 0)

  const told = scanned('app:1')
  assert.deepEqual([told.complete, told.packages, told.distribution?.id], [true, 1, 'debian'], told.problems.join('\n'))
  const places = new Map(told.findings.map(({ id, places: [place] }) => [id, place?.path ?? place?.field]))
  assert.deepEqual(
    [places.get('CVE-2023-0464'), places.get('generic-secret'), places.get('image-root-user')],
    ['var/lib/dpkg/status', 'srv/settings.py', 'user'],
  )
  assert.equal(run('scan', 'app:1', '--fail-on', 'medium,secret').status, 1)
  for (const format of ['table', 'json', 'sarif', 'junit', 'cyclonedx', 'spdx']) {
    const { status, stdout } = run('scan', 'app:1', '--format', format)
    assert.deepEqual([status, stdout.includes(password)], [0, false])
    assert.match(stdout, /openssl|CVE-2023-0464/)
  }

  const composed = scanned('compose.yaml')
  assert.deepEqual(
    composed.findings.flatMap(({ id, places: all }) => (id === 'CVE-2023-0464' ? all.map(({ path, line, object }) => [path, line, object]) : [])),
    [['compose.yaml', 3, 'app:1:var/lib/dpkg/status']],
  )
  assert.equal(run('scan', 'compose.yaml', '--write-baseline', 'known.json').status, 0)
  assert.equal(run('scan', 'compose.yaml', '--baseline', 'known.json', '--fail-on', 'unknown').status, 0)
})
