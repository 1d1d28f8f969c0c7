/** Backups of a daemon that works, and what becomes of them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { doing, openSite, startFake, until } from '../../../../test/cli/fake.ts'
import { tarEnd, tarHeader, tarPadding } from '../../../seal/tar.ts'
import { finishRestore, restoreBackup } from './restore.ts'

/** Ids of environments that ran and ended. */
const life = async (site: Awaited<ReturnType<typeof startFake>>, count: number): Promise<string[]> => {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const { status, stderr } = await site.cli(['run', '--name', `life-${n}`, '--label', 'kind=life', 'fake', ...doing({ print: `hello ${n}\n` })])
    assert.equal(status, 0, stderr)
  }
  for (const { id, state } of await site.client.environments({ all: true })) if (state === 'ended') ids.push(id)
  return ids
}

test('a backup under load is restored elsewhere, and what it holds verifies', async () => {
  await using site = await startFake()
  const before = await life(site, 3)
  await until(async () => (await Promise.all(before.map(id => site.client.verify(id)))).every(({ verdict }) => verdict === 'whole'))
  const policies = join(site.stateDir, 'policies')
  mkdirSync(join(policies, 'team a'), { recursive: true })
  writeFileSync(join(policies, 'team a', 'notes.txt'), 'not read')

  const file = join(site.folder, 'backup.tar.zst')
  let busy = true
  const load = (async () => {
    for (let n = 0; busy; n++) await site.cli(['run', '--name', `load-${n}`, 'fake', ...doing({ print: 'x\n' })])
  })()
  const taken = await site.cli(['backup', file])
  busy = false
  await load
  assert.equal(taken.status, 0, taken.stderr)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.deepEqual(
    readdirSync(site.stateDir).filter(name => name.startsWith('backup-')),
    [],
  )

  await using other = openSite()
  const restored = await other.cli(['restore', file])
  assert.equal(restored.status, 0, restored.stderr)
  assert.equal(readFileSync(join(other.stateDir, 'policies', 'team a', 'notes.txt'), 'utf8'), 'not read')
  for (const name of ['record.key', 'secret.key']) {
    assert.deepEqual(readFileSync(join(other.stateDir, name)), readFileSync(join(site.stateDir, name)), name)
    assert.equal(statSync(join(other.stateDir, name)).mode & 0o777, 0o600)
  }
  const daemon = other.start(['serve', '--backend', 'fake'])
  daemon.stderr.resume()
  try {
    await until(() =>
      other.client.version().then(
        () => true,
        () => false,
      ),
    )
    for (const id of before) assert.equal((await other.client.verify(id)).verdict, 'whole')
    assert.match((await other.cli(['logs', before[0] ?? ''])).stdout, /^hello \d\n$/)
    // Nothing of the backup lives here: it is said to be lost, and its record is sealed as well.
    await until(async () => (await other.client.environments({ all: true })).every(({ state }) => state === 'ended'))
  } finally {
    daemon.kill('SIGTERM')
    await once(daemon, 'exit')
  }
})

test('a daemon that runs, a state that is there and a file that is none are refused, and nothing is changed', async () => {
  await using site = await startFake()
  await life(site, 1)
  const file = join(site.folder, 'backup.tar')
  assert.equal((await site.cli(['backup', file])).status, 0)

  const running = await site.cli(['restore', '--force', file])
  assert.equal(running.status === 0, false)
  assert.match(running.stderr, /a daemon runs on/)

  await using other = openSite()
  const missing = await other.cli(['restore', join(other.folder, 'nowhere')])
  assert.match(missing.stderr, /there is no/)
  assert.equal((await other.cli(['restore', file])).status, 0)
  const key = readFileSync(join(other.stateDir, 'record.key'))
  const again = await other.cli(['restore', file])
  assert.notEqual(again.status, 0)
  assert.match(again.stderr, /has a state already/)

  const whole = readFileSync(file)
  const faulty: Record<string, (path: string) => void> = {
    'cut off': path => truncateSync(path, Math.floor(whole.length / 2 / 512) * 512),
    'cut off before its manifest': path => truncateSync(path, whole.lastIndexOf('manifest.json')),
    'changed in the store': path => {
      const bytes = Buffer.from(whole)
      const at = bytes.indexOf('life-0')
      assert.ok(at > 0)
      bytes.write('lIfe-0', at)
      writeFileSync(path, bytes)
    },
  }
  for (const [what, spoil] of Object.entries(faulty)) {
    const path = join(other.folder, 'spoilt.tar')
    copyFileSync(file, path)
    spoil(path)
    const refused = await other.cli(['restore', '--force', path])
    assert.notEqual(refused.status, 0, what)
    assert.match(refused.stderr, /the (backup|bundle) /, what)
    assert.deepEqual(readFileSync(join(other.stateDir, 'record.key')), key, what)
    assert.deepEqual(
      readdirSync(other.stateDir).filter(name => /^(restoring-|before-)|restore\.json/.test(name)),
      [],
      what,
    )
  }

  const forced = await other.cli(['--json', 'restore', '--force', file])
  assert.equal(forced.status, 0, forced.stderr)
  const { aside } = JSON.parse(forced.stdout)
  assert.deepEqual(readFileSync(join(aside, 'record.key')), key)
})

/** An archive with these members, whose manifest says of them what it is told to. */
const archive = (members: Readonly<Record<string, string>>, manifest: unknown): Buffer => {
  const all = { ...members, 'manifest.json': JSON.stringify(manifest) }
  const parts = Object.entries(all).flatMap(([name, text]) => {
    const bytes = Buffer.from(text)
    return [tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)]
  })
  return Buffer.concat([...parts, tarEnd()])
}
const sha256 = async (text: string): Promise<string> => {
  const { createHash } = await import('node:crypto')
  return createHash('sha256').update(text).digest('hex')
}

test('a manifest leads nowhere but into the state', async () => {
  await using site = openSite()
  mkdirSync(site.stateDir)
  const said = { schemaVersion: 1, version: '1', createdAt: 0, host: 'x', evidence: false }
  const file = join(site.folder, 'x.tar')
  for (const path of [
    '../outside',
    'policies/../../outside',
    '/etc/passwd',
    'daemon.lock',
    'images/index.json',
    'restore.json',
    'policies//x',
    'dayfly.sqlite-wal',
  ]) {
    const files = [{ path, member: 'a', bytes: 1, sha256: await sha256('x') }]
    writeFileSync(file, archive({ a: 'x' }, { ...said, files }))
    await assert.rejects(restoreBackup(site.stateDir, file, false), { code: 'corrupt' }, path)
    assert.deepEqual(readdirSync(site.stateDir), [], path)
  }
  assert.equal(existsSync(join(site.folder, 'outside')), false)
  // And a store that is none.
  writeFileSync(file, archive({ a: 'x' }, { ...said, files: [{ path: 'dayfly.sqlite', member: 'a', bytes: 1, sha256: await sha256('x') }] }))
  await assert.rejects(restoreBackup(site.stateDir, file, false), { code: 'corrupt' })
  assert.deepEqual(readdirSync(site.stateDir), [])
})

test('an exchange that was cut off anywhere is finished', async () => {
  await using site = openSite()
  // What is done by then: of what is old and new, and of what is only old.
  for (const [number, done] of [[], ['old'], ['old', 'mark'], ['old', 'mark', 'new']].entries()) {
    const stateDir = join(site.folder, `state-${number}`)
    const [staging, aside] = [join(stateDir, 'restoring-1'), join(stateDir, 'before-restore-1')]
    for (const folder of [staging, aside]) mkdirSync(folder, { recursive: true })
    writeFileSync(join(stateDir, done.includes('old') ? 'before-restore-1/record.key' : 'record.key'), 'old')
    writeFileSync(join(stateDir, 'rules'), 'only old')
    if (done.includes('mark')) writeFileSync(join(staging, 'record.key.done'), '')
    writeFileSync(join(done.includes('new') ? stateDir : staging, 'record.key'), 'new')
    writeFileSync(
      join(stateDir, 'restore.json'),
      JSON.stringify({ staging: 'restoring-1', aside: 'before-restore-1', names: ['record.key', 'rules'] }),
    )
    finishRestore(stateDir)
    assert.equal(readFileSync(join(stateDir, 'record.key'), 'utf8'), 'new')
    assert.equal(readFileSync(join(aside, 'record.key'), 'utf8'), 'old')
    assert.equal(readFileSync(join(aside, 'rules'), 'utf8'), 'only old')
    assert.deepEqual(readdirSync(stateDir).toSorted(), ['before-restore-1', 'record.key'])
    finishRestore(stateDir)
    assert.equal(readFileSync(join(stateDir, 'record.key'), 'utf8'), 'new')
  }
})
