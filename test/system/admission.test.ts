/** Nothing runs unadmitted, on the real kernel: images with a secret, with a vulnerability, without a signature; and what happens when more becomes known. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { importVulnerabilities } from '../../src/scan/vulnerabilities/import.ts'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, startDaemon } from '../daemon.ts'
import type { MadeImage } from './image/maker.ts'
import { busyboxEntries, makeImage, makeLayer } from './image/maker.ts'
import type { Registry } from './image/registry.ts'
import { startRegistry } from './image/registry.ts'
import { attestation, releaseKey, signature, slsa, tagOf } from './image/signing.ts'
import { until } from './monitor/patience.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: the daemon makes namespaces'

const debian = [
  { name: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n' },
  {
    name: 'var/lib/dpkg/status',
    content: 'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1~deb12u1\nMaintainer: x\nDescription: x\n',
  },
]
const vulnerable = {
  id: 'DEBIAN-CVE-2099-0001',
  modified: '2099-01-01T00:00:00Z',
  published: '2020-01-01T00:00:00Z',
  upstream: ['CVE-2099-0001'],
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: 'openssl' },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.13-1~deb12u1' }] }],
    },
  ],
}

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // It has gone.
  }
}

describe('admission', { skip }, () => {
  let folder = ''
  let registry: Registry
  let daemon: Daemon

  const dayfly = (...args: readonly string[]) => {
    const env = { PATH: process.env['PATH'], HOME: folder, DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir }
    return spawnSync(dayflyProgram, args, { env, encoding: 'utf8' })
  }
  const push = async (name: string, image: MadeImage): Promise<string> => {
    await registry.push(name, [image.config, ...image.layers])
    await registry.pushManifest(name, 'latest', image.manifest)
    return `${registry.host}/${name}:latest`
  }
  const settings = (spec: object): void => {
    mkdirSync(join(daemon.stateDir, 'policies'), { recursive: true })
    writeFileSync(join(daemon.stateDir, 'policies/settings.yaml'), JSON.stringify({ apiVersion: 'dayfly.dev/v1', kind: 'AdmissionSettings', spec }))
  }
  const restart = async (): Promise<void> => {
    await daemon.stop()
    daemon = startDaemon({ folder })
    await daemon.ready
  }

  before(async () => {
    folder = makeFolder('/tmp/dayfly-admission-')
    registry = await startRegistry()
    daemon = startDaemon({ folder })
    await daemon.ready
  })
  after(async () => {
    await daemon[Symbol.asyncDispose]()
    await registry[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('an image without anything against it runs', async () => {
    const name = await push('clean', makeImage({ layers: [makeLayer(busyboxEntries())] }))
    const { status, stdout, stderr } = dayfly('run', name, '--', 'echo', 'ran')
    assert.deepEqual([status, stdout], [0, 'ran\n'], stderr)
  })

  test('a secret denies the image, also where a later layer has deleted it, and is told redacted', async () => {
    // Made here, so that nobody takes this file for one that holds a secret.
    const token = `ghp_${'x7Kq2mZr9TbW4nLs8VdY3cHf6JgP1aRe5'.slice(0, 30)}`
    const secret = `${token}${checksum(token.slice(4))}`
    const layers = [
      makeLayer([...busyboxEntries(), { name: 'app/.env', content: `TOKEN=${secret}\n` }]),
      makeLayer([{ name: 'app/.wh..env', content: '' }]),
    ]
    const name = await push('leaky', makeImage({ layers }))
    const { status, stdout, stderr } = dayfly('run', name, '--', 'echo', 'ran')
    assert.deepEqual([status, stdout], [125, ''])
    assert.match(stderr, /it holds a secret: .*app\/\.env.*images\/secrets/s)
    const record = dayfly('events', '--json').stdout
    assert.match(record, /admission\.denied/)
    assert.ok(!stderr.includes(secret) && !record.includes(secret), 'nowhere in the clear')
  })

  test('what cannot be understood is denied: a damaged package database, a manifest beyond the limits, deep JSON', async () => {
    const hostile = {
      'var/lib/rpm/Packages': Buffer.alloc(100_000, 'noise'),
      'usr/lib/node_modules/x/package.json': Buffer.alloc(32 * 1024 * 1024, ' '),
      'usr/lib/node_modules/y/package.json': Buffer.from(`{"a":${'['.repeat(1_000_000)}`),
    }
    for (const [index, [path, content]] of Object.entries(hostile).entries()) {
      const name = await push(`hostile-${index}`, makeImage({ layers: [makeLayer([...busyboxEntries(), { name: path, content }])] }))
      const { status, stdout, stderr } = dayfly('run', name, '--', 'echo', 'ran')
      assert.deepEqual([status, stdout], [125, ''], stderr)
      assert.match(stderr, /could not be scanned whole: .*images\/incompleteScan/s)
      assert.ok(stderr.includes(path), stderr)
    }
  })

  test('an image whose scan was killed is denied, and runs once a pull has looked at it again', async () => {
    const name = await push('killed', makeImage({ layers: [makeLayer([...busyboxEntries(), { name: 'etc/killed', content: 'x' }])] }))
    const scanning = (): number[] =>
      readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8')
        .split(' ')
        .filter(pid => pid !== '' && commandLine(pid).includes('scan/process/main.ts'))
        .map(Number)
    const killing = setInterval(() => {
      for (const pid of scanning()) process.kill(pid, 'SIGKILL')
    }, 5)
    const env = { PATH: process.env['PATH'], HOME: folder, DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir }
    const run = spawn(dayflyProgram, ['run', name, '--', 'echo'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const [[status], stderr] = await Promise.all([once(run, 'close'), text(run.stderr)])
    clearInterval(killing)
    assert.equal(status, 125)
    assert.match(stderr, /has not been scanned: layer [0-9a-f:]*\S* the layer could not be scanned: .*SIGKILL.* \(images\/scanned\)/)
    assert.equal(dayfly('run', name, '--', 'echo').status, 125, 'what nobody has looked at stays out')
    assert.equal(dayfly('image', 'pull', name).status, 0)
    const again = dayfly('run', name, '--', 'echo', 'here')
    assert.deepEqual([again.status, again.stdout], [0, 'here\n'], again.stderr)
  })

  test('a vulnerability is known once there is data about it; a daemon that runs sees the new data', async () => {
    const name = await push('old', makeImage({ layers: [makeLayer([...busyboxEntries(), ...debian])] }))
    assert.equal(dayfly('run', name, '--', 'echo').status, 0, 'nobody knows of any')
    const records = join(folder, 'osv')
    mkdirSync(records)
    writeFileSync(join(records, 'one.json'), JSON.stringify(vulnerable))
    const options = { now: Date.now(), signal: AbortSignal.timeout(60_000) }
    await importVulnerabilities(join(daemon.stateDir, 'vulnerabilities'), [{ location: records }], options)
    const { status, stderr } = dayfly('run', name, '--', 'echo')
    assert.equal(status, 125)
    assert.match(stderr, /CVE-2099-0001 \(critical\) in openssl 3\.0\.11-1~deb12u1, fixed in 3\.0\.13-1~deb12u1 \(images\/vulnerabilities\)/)
    const updated = makeLayer([{ ...debian[1], name: 'var/lib/dpkg/status', content: debian[1]?.content.replace('3.0.11', '3.0.13') ?? '' }])
    const fixed = await push('updated', makeImage({ layers: [makeLayer([...busyboxEntries(), ...debian]), updated] }))
    assert.equal(dayfly('run', fixed, '--', 'echo').status, 0, 'a later layer has updated it')
  })

  test('an exemption lets one finding through, and says so in the record', async () => {
    mkdirSync(join(daemon.stateDir, 'policies'), { recursive: true })
    const end = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
    const spec = { policies: ['images'], match: { findings: ['CVE-2099-0001'] }, owner: 'ops', reason: 'not reachable', until: end }
    const exemption = { apiVersion: 'dayfly.dev/v1', kind: 'Exemption', metadata: { name: 'openssl' }, spec }
    writeFileSync(join(daemon.stateDir, 'policies/exemption.json'), JSON.stringify(exemption))
    await until('the exemption is read', () => dayfly('run', `${registry.host}/old:latest`, '--', 'echo').status === 0)
    assert.match(dayfly('events', '--json').stdout, /"exemption":"openssl"/)
    rmSync(join(daemon.stateDir, 'policies/exemption.json'))
  })

  test('where a signature is required, what is not signed is denied until somebody signs it, and needs no registry afterwards', async () => {
    const image = makeImage({ layers: [makeLayer([...busyboxEntries(), { name: 'etc/signed', content: 'x' }])] })
    const name = await push('signed', image)
    settings({ preset: 'permissive', images: { signature: { action: 'deny', keys: ['release'] } } })
    mkdirSync(join(daemon.stateDir, 'trust'), { recursive: true })
    writeFileSync(join(daemon.stateDir, 'trust/release.pub'), releaseKey)
    await restart()
    const { status, stderr } = dayfly('run', name, '--', 'echo')
    assert.equal(status, 125)
    assert.match(stderr, /is not signed by release \(images\/signature\)/)
    const { blobs, manifest } = signature(image.manifest.digest)
    await registry.push('signed', blobs)
    await registry.pushManifest('signed', tagOf(image.manifest.digest, '.sig'), manifest)
    await until('the registry is asked again', () => dayfly('run', name, '--', 'echo').status === 0)
    settings({ preset: 'permissive', images: { signature: { action: 'deny', keys: ['release'] }, attestations: { action: 'deny', types: [slsa] } } })
    await restart()
    const unattested = dayfly('run', name, '--', 'echo')
    assert.deepEqual([unattested.status, unattested.stderr.includes('(images/attestations)')], [125, true], unattested.stderr)
    const attested = attestation(image.manifest.digest)
    await registry.push('signed', attested.blobs)
    await registry.pushManifest('signed', tagOf(image.manifest.digest, '.att'), attested.manifest)
    assert.equal(dayfly('image', 'pull', name).status, 0)
    assert.equal(dayfly('run', name, '--', 'echo').status, 0, 'who pulls it anew does not wait')
    await registry[Symbol.asyncDispose]()
    await restart()
    assert.equal(dayfly('run', name, '--', 'echo').status, 0, 'what vouches for it is kept')
    const other = dayfly('run', `${registry.host}/clean:latest`, '--', 'echo')
    assert.equal(other.status, 125, 'whether this one is signed nobody can say')
    registry = await startRegistry()
  })

  test("the operator's own rules, in gitleaks' form, count after a restart, for images that are there already too", async () => {
    settings({ preset: 'standard' })
    rmSync(join(daemon.stateDir, 'trust'), { recursive: true, force: true })
    const layers = [makeLayer([...busyboxEntries(), { name: 'app/config', content: 'badge = ACME-2099-0001\n' }])]
    const name = await push('badge', makeImage({ layers }))
    await restart()
    assert.equal(dayfly('run', name, '--', 'echo').status, 0, 'nobody knows what a badge is')
    mkdirSync(join(daemon.stateDir, 'secret-rules'))
    const rule = "[[rules]]\nid = 'acme-badge'\ndescription = 'Badge of Acme'\nregex = '''ACME-\\d{4}-\\d{4}'''\nkeywords = ['acme-']\n"
    writeFileSync(join(daemon.stateDir, 'secret-rules/acme.toml'), rule)
    await restart()
    const { status, stderr } = dayfly('run', name, '--', 'echo')
    assert.equal(status, 125)
    assert.match(stderr, /Badge of Acme .* in app\/config/)
  })

  test('nothing is left', () => {
    assert.match(dayfly('doctor', '--leaks').stdout, /no leaks/)
  })
})

/** The last six characters of a GitHub token: CRC-32 of the rest, in base 62. */
function checksum(entropy: string): string {
  let crc = 0xffffffff
  for (const byte of Buffer.from(entropy)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  let rest = (crc ^ 0xffffffff) >>> 0
  let text = ''
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  for (let place = 0; place < 6; place++) {
    text = `${digits[rest % 62]}${text}`
    rest = Math.floor(rest / 62)
  }
  return text
}
