/** The end of a record on the real kernel: what instances printed, did and used is bound by a signature, and whatever is changed afterwards is named. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import type { UpInput } from '../../src/api/schemas/workloads.ts'
import { Verification } from '../../src/model/seal.ts'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces'

const limits = { memory: 32 * 1024 * 1024, cpus: 0.5, pids: 32 }
const draft: UpInput['draft'] = {
  name: 'shop',
  labels: { team: 'blue' },
  workloads: {
    web: {
      image: 'busybox',
      command: ['/bin/sh', '-c', 'echo out; echo err >&2; cat /etc/hostname; nc -w 1 192.0.2.1 80; trap "exit 0" TERM; while :; do sleep 0.2; done'],
      limits,
      deployment: { restart: { condition: 'no', attempts: 0, delay: 100, window: 10_000 } },
    },
    job: {
      image: 'busybox',
      command: ['/bin/true'],
      limits,
      kind: 'job',
      deployment: { restart: { condition: 'no', attempts: 0, delay: 100, window: 10_000 } },
    },
  },
}

describe('the end of a record', { skip, timeout: 300_000 }, () => {
  let folder = ''
  let daemon: Daemon
  let id = ''
  const dayfly = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(dayflyProgram, args, {
      env: { PATH: process.env['PATH'], HOME: folder, DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir },
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
  const verified = (...args: readonly string[]): Verification => Verification.parse(JSON.parse(dayfly('verify', ...args, '--json').stdout))
  const path = (name: string): string => join(folder, name)
  const again = async (): Promise<void> => {
    daemon = startDaemon({ folder })
    await daemon.ready
  }

  before(async () => {
    folder = makeFolder('/tmp/dayfly-record-')
    await again()
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    await daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
    const { environment } = await daemon.client.up({ draft }, () => {})
    id = environment.id
    await daemon.client.exited(id, 'job')
    for await (const workloads of daemon.client.watchWorkloads(id)) if (workloads.some(({ name, ready }) => name === 'web' && ready > 0)) break
    // Two samples at least, and what `nc` waits for.
    await new Promise(resolve => setTimeout(resolve, 2_500))
    assert.equal(verified(id).verdict, 'unproven', 'it lives')
    await daemon.client.end(id, { force: false })
  })
  after(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('binds what instances printed and did; the bundle proves it without a daemon', () => {
    const own = verified(id)
    assert.deepEqual([own.verdict, own.faults], ['whole', []])
    assert.ok(own.checked.some(({ member }) => member.startsWith('logs/')))
    assert.ok(own.checked.some(({ member }) => member === 'activity.ndjson'))
    assert.equal(dayfly('export', id, '-o', path('b.tar.zst')).status, 0)
    assert.equal(dayfly('export', id, '-o', path('b.tar')).status, 0)
    assert.equal(dayfly('export', '--public-key', '-o', path('keys.pem')).status, 0)
    const elsewhere = spawnSync(dayflyProgram, ['verify', path('b.tar.zst'), '--key', path('keys.pem'), '--json'], {
      env: { PATH: process.env['PATH'], HOME: folder, DAYFLY_RUN_DIR: '/nonexistent', DAYFLY_STATE_DIR: '/nonexistent' },
      encoding: 'utf8',
    })
    assert.equal(elsewhere.status, 0, elsewhere.stdout)
    const found = Verification.parse(JSON.parse(elsewhere.stdout))
    assert.deepEqual([found.verdict, found.trust, found.unchecked], ['whole', 'given', []])
    const log = execFileSync('tar', ['-xOf', path('b.tar'), '--wildcards', 'logs/*'], { encoding: 'utf8' })
    assert.match(log, /stdout F out/)
    assert.match(log, /stderr F err/)
  })

  test('says what instances used, and the report what ran', async () => {
    const used = await daemon.client.cost({ by: 'label', label: 'team' })
    assert.equal(used.rows[0]?.key, 'blue')
    assert.ok((used.total.cpuSeconds ?? 0) > 0 && used.total.memoryGiBSeconds > 0)
    const report = await daemon.client.report(id)
    assert.deepEqual(
      report.workloads.map(({ name }) => name),
      ['web', 'job'],
    )
    assert.ok(report.resources.items.some(({ points }) => points.length > 1))
    assert.ok(report.instances.items.every(({ usage }) => usage !== null && usage.samples >= 1))
    assert.equal(dayfly('report', id, '-o', path('r.html')).status, 0)
    assert.match(readFileSync(path('r.html'), 'utf8'), /<h2 id="timeline-title">/)
  })

  test('finds one byte changed in a log, in the record and in what was kept, and names it', async () => {
    const instances = (await daemon.client.environment(id)).instances
    const web = instances.find(({ workload }) => workload === 'web')
    assert.ok(web)
    await daemon.stop()
    const log = join(folder, 'state', 'records', `${web.id}.log`)
    const genuine = readFileSync(log)
    writeFileSync(log, genuine.toString('latin1').replace('F out', 'F oat'), 'latin1')
    await again()
    const broken = verified(id)
    assert.deepEqual(
      [broken.verdict, broken.faults],
      ['broken', [{ member: `logs/${web.id}.log`, sequence: null, message: 'it is not what was signed' }]],
    )
    await daemon.stop()
    writeFileSync(log, genuine)

    const store = new DatabaseSync(join(folder, 'state', 'dayfly.sqlite'))
    store.prepare("UPDATE event SET reason = reason || '.' WHERE environment = ? AND sequence = 4").run(id)
    store.close()
    await again()
    assert.deepEqual(
      verified(id).faults.map(({ member, sequence }) => [member, sequence]),
      [['record.ndjson', 4]],
    )
    await daemon.stop()
    const undo = new DatabaseSync(join(folder, 'state', 'dayfly.sqlite'))
    undo.prepare('UPDATE event SET reason = substr(reason, 1, length(reason) - 1) WHERE environment = ? AND sequence = 4').run(id)
    undo.close()

    const activity = new DatabaseSync(join(folder, 'state', 'activity.sqlite'))
    activity.exec('DELETE FROM block WHERE position = (SELECT max(position) FROM block)')
    activity.close()
    await again()
    const less = verified(id)
    assert.deepEqual([less.verdict, less.faults[0]?.member], ['broken', 'activity.ndjson'])
    // What was exported before is what it was.
    assert.equal(verified(path('b.tar'), '--key', path('keys.pem')).verdict, 'whole')
  })
})
