/** The end of a record by the command line: verified, exported, reported on, counted up. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { doing, openSite, startFake, until } from '../../../test/cli/fake.ts'
import { Report } from '../../model/report.ts'
import { Verification } from '../../model/seal.ts'

type Site = Awaited<ReturnType<typeof startFake>>

const verified = (text: string) => Verification.parse(JSON.parse(text))

const ended = async (site: Site, name: string): Promise<string> => {
  assert.equal((await site.cli(['run', '--name', name, '--label', 'team=<b>blue', 'fake', ...doing({ print: `${name}\n` })])).status, 0)
  const found = (await site.client.environments({ all: true })).find(one => one.name === name)
  assert.ok(found)
  return found.id
}

const endDaemon = async (site: Site): Promise<void> => {
  site.daemon.kill('SIGTERM')
  await once(site.daemon, 'exit')
}

/** Another daemon on the same folders, for as long as `body` takes. */
const withNext = async (site: Site, body: () => Promise<void>): Promise<void> => {
  const next = site.start(['serve', '--backend', 'fake'])
  try {
    await until(() => site.client.version().then(Boolean, () => false))
    await body()
  } finally {
    next.kill('SIGTERM')
    await once(next, 'exit')
  }
}

describe('verify, export and report', () => {
  test('what has ended is signed, whole, and can be proven elsewhere', async () => {
    await using site = await startFake()
    const id = await ended(site, 'shop')
    const own = await site.cli(['verify', id, '--json'])
    assert.equal(own.status, 0, own.stdout)
    const said = verified(own.stdout)
    assert.deepEqual([said.verdict, said.trust, said.sealed, said.faults], ['whole', 'known', true, []])

    const [bundle, packed, keys] = ['b.tar', 'b.tar.zst', 'keys.pem'].map(name => join(site.folder, name))
    assert.ok(bundle && packed && keys)
    for (const file of [bundle, packed]) assert.equal((await site.cli(['export', id, '-o', file])).status, 0)
    assert.equal((await site.cli(['export', '--public-key', '-o', keys])).status, 0)
    assert.equal(statSync(bundle).mode & 0o777, 0o600)
    const again = await site.cli(['export', id, '-o', '-'])
    assert.equal(again.stdout, readFileSync(bundle, 'utf8'), 'the same bytes each time')
    assert.match((await site.cli(['verify', id, '--key', keys])).stdout, /whole.*\n/)
    await endDaemon(site)

    // Another machine: no daemon, no state folder, another home.
    await using elsewhere = openSite()
    for (const file of [bundle, packed]) {
      const given = await elsewhere.cli(['verify', file, '--key', keys, '--json'])
      assert.equal(given.status, 0, given.stderr)
      assert.deepEqual([verified(given.stdout).verdict, verified(given.stdout).trust], ['whole', 'given'])
      assert.equal((await elsewhere.cli(['verify', file], { env: { DAYFLY_RECORD_KEY: keys } })).status, 0)
      const alone = await elsewhere.cli(['verify', file])
      assert.equal(alone.status, 1)
      assert.match(alone.stdout, /not proven[\s\S]*known from the bundle alone/)
    }
    assert.equal((await site.cli(['verify', bundle])).status, 0, 'this host’s own keys are known here')

    const changed = join(site.folder, 'changed.tar')
    writeFileSync(changed, readFileSync(bundle, 'latin1').replace('"name":"shop"', '"name":"shot"'), 'latin1')
    const broken = await elsewhere.cli(['verify', changed, '--key', keys])
    assert.equal(broken.status, 1)
    assert.match(broken.stdout, /BROKEN\n.*record\.ndjson +entry 1: it is not what was written/)
  })

  test('what was changed behind the daemon’s back is named: an entry, a log', async () => {
    await using site = await startFake()
    const [one, two] = [await ended(site, 'one'), await ended(site, 'two')]
    const [instance] = (await site.client.environment(two)).instances
    assert.ok(instance)
    assert.equal((await site.cli(['verify', one, two])).status, 0)
    await endDaemon(site)
    const database = new DatabaseSync(join(site.stateDir, 'dayfly.sqlite'))
    database.prepare("UPDATE event SET actor_name = 'nobody' WHERE environment = ? AND sequence = 3").run(one)
    database.close()
    appendFileSync(join(site.stateDir, 'records', `${instance.id}.log`), '2030-01-01T00:00:00.000000000Z stdout F and more\n')
    await withNext(site, async () => {
      const entry = await site.cli(['verify', one, '--json'])
      assert.equal(entry.status, 1)
      const { verdict, faults } = verified(entry.stdout)
      assert.deepEqual([verdict, faults[0]?.member, faults[0]?.sequence], ['broken', 'record.ndjson', 3])
      const log = await site.cli(['verify', two])
      assert.equal(log.status, 1)
      assert.match(log.stdout, new RegExp(`logs/${instance.id}\\.log +it (has|was)`))
    })
  })

  test('a record that was sealed and not signed, by a daemon that died in between, is signed by the next', async () => {
    await using site = await startFake()
    const id = await ended(site, 'shop')
    await endDaemon(site)
    const database = new DatabaseSync(join(site.stateDir, 'dayfly.sqlite'))
    database.exec('DELETE FROM signature; UPDATE record SET signed = 0')
    database.close()
    await withNext(site, async () => {
      const found = verified((await site.cli(['verify', id, '--json'])).stdout)
      assert.equal(found.verdict, 'whole')
    })
  })

  test('a record that was changed before it was signed is not signed, and not exported', async () => {
    await using site = await startFake()
    const id = await ended(site, 'shop')
    await endDaemon(site)
    const database = new DatabaseSync(join(site.stateDir, 'dayfly.sqlite'))
    database.exec('DELETE FROM signature; UPDATE record SET signed = 0')
    database.prepare("UPDATE event SET reason = 'nothing happened' WHERE environment = ? AND sequence = 2").run(id)
    database.close()
    await withNext(site, async () => {
      const found = await site.cli(['verify', id, '--json'])
      assert.equal(found.status, 1)
      const { verdict, faults, key } = verified(found.stdout)
      assert.deepEqual([verdict, faults[0]?.member, faults[0]?.sequence, key], ['broken', 'record.ndjson', 2, null])
      const refused = await site.cli(['export', id, '-o', join(site.folder, 'x.tar')])
      assert.equal(refused.status, 125)
      assert.match(refused.stderr, /is not whole and was not signed/)
    })
  })

  test('another key takes over; what the one before has signed stays proven', async () => {
    await using site = await startFake()
    const [one] = [await ended(site, 'one')]
    const before = verified((await site.cli(['verify', one, '--json'])).stdout).key
    await endDaemon(site)
    renameSync(join(site.stateDir, 'record.key'), join(site.stateDir, 'record.key.old'))
    await withNext(site, async () => {
      const two = await ended(site, 'two')
      const after = verified((await site.cli(['verify', two, '--json'])).stdout).key
      assert.notEqual(after, before)
      assert.equal(verified((await site.cli(['verify', one, '--json'])).stdout).key, before)
      const keys = await site.client.recordKeys()
      assert.deepEqual(
        keys.map(({ id, current }) => [id, current]),
        [
          [after, true],
          [before, false],
        ],
      )
      const bundle = join(site.folder, 'one.tar')
      await site.cli(['export', one, '-o', bundle])
      const found = verified((await site.cli(['verify', bundle, '--json'])).stdout)
      assert.deepEqual([found.verdict, found.trust], ['whole', 'known'])
    })
  })

  test('what lives is checked as far as it has come, and cannot be exported yet', async () => {
    await using site = await startFake()
    const { status } = await site.cli(['run', '--detach', '--name', 'web', 'fake', ...doing({ sleep: 600_000 })])
    assert.equal(status, 0)
    const found = await site.cli(['verify', 'web', '--json'])
    assert.equal(found.status, 0)
    const { verdict, sealed, faults, unchecked } = verified(found.stdout)
    assert.deepEqual([verdict, sealed, faults], ['unproven', false, []])
    assert.ok(unchecked.some(({ reason }) => reason.includes('is running')))
    const refused = await site.cli(['export', 'web', '-o', join(site.folder, 'x.tar')])
    assert.equal(refused.status, 125)
    assert.match(refused.stderr, /not sealed yet[\s\S]*dayfly down/)
    assert.ok(!existsSync(join(site.folder, 'x.tar')))
    const page = join(site.folder, 'r.html')
    assert.equal((await site.cli(['report', 'web', '-o', page])).status, 0)
    assert.match(readFileSync(page, 'utf8'), /open: it lives/)
  })

  test('a report is a page, or what it is made of', async () => {
    await using site = await startFake()
    const id = await ended(site, 'shop')
    const json = await site.cli(['report', id, '--json'])
    const report = Report.parse(JSON.parse(json.stdout))
    assert.equal(report.environment.name, 'shop')
    assert.deepEqual([report.environment.labels, report.seal.sealed, report.instances.items.length], [{ team: '<b>blue' }, true, 1])
    const page = await site.cli(['report', id, '-o', '-'])
    assert.match(page.stdout, /^<!doctype html>/)
    assert.ok(page.stdout.includes('team=&lt;b&gt;blue') && !page.stdout.includes('<b>blue'))
    const archive = join(site.folder, 'b.tar')
    await site.cli(['export', id, '-o', archive])
    const inside = execFileSync('tar', ['-xOf', archive, 'report.html'], { encoding: 'utf8' })
    assert.equal(inside, page.stdout)
  })

  test('a key that others may read is refused, and named', async () => {
    await using site = await startFake()
    await endDaemon(site)
    execFileSync('chmod', ['644', join(site.stateDir, 'record.key')])
    const { status, stderr } = await site.cli(['serve', '--backend', 'fake'])
    assert.equal(status, 125)
    assert.match(stderr, /record\.key may be read or written by others/)
    writeFileSync(join(site.stateDir, 'record.key'), 'nonsense', { mode: 0o600 })
    execFileSync('chmod', ['600', join(site.stateDir, 'record.key')])
    assert.match((await site.cli(['serve', '--backend', 'fake'])).stderr, /holds no key that can be read/)
  })

  test('bad input is told, with what to do', async () => {
    await using site = openSite()
    const cases: readonly [words: readonly string[], told: RegExp][] = [
      [['verify', './none.tar'], /there is no such file/],
      [['verify', './none.tar', '--key', '/none.pem'], /there is no such file|cannot be read/],
      [['verify', site.folder], /there is no such file/],
      [['export'], /ENV: is missing/],
      [['cost', '--by', 'colour'], /--by: "colour" is none of/],
      [['cost', '--since', 'soon'], /--since: "soon" is neither/],
    ]
    for (const [words, told] of cases) {
      const { status, stderr } = await site.cli(words)
      assert.equal(status, 2, words.join(' '))
      assert.match(stderr, told)
    }
    const keys = join(site.folder, 'keys')
    writeFileSync(keys, 'no keys')
    writeFileSync(join(site.folder, 'b.tar'), '')
    const { status, stderr } = await site.cli(['verify', join(site.folder, 'b.tar'), '--key', keys])
    assert.equal(status, 2)
    assert.match(stderr, /--key: that is no file of public keys/)
    rmSync(keys)
  })
})

test('cost is told by prices that the operator sets', async () => {
  await using site = await startFake(folder => {
    const prices = join(folder, 'prices.yaml')
    writeFileSync(prices, 'currency: EUR\ncpuSecond: 2\ngibSecond: 1\negressGiB: 0\nforgottenFor: 1h\n')
    return ['--prices', prices]
  })
  assert.match((await site.cli(['cost'])).stdout, /nothing was used/)
  const view = JSON.parse((await site.cli(['cost', '--by', 'label:team', '--since', '7d', '--json'])).stdout)
  assert.deepEqual(
    [view.by, view.label, view.prices],
    ['label', 'team', { currency: 'EUR', cpuSecond: 2, gibSecond: 1, egressGiB: 0, forgottenFor: 3_600_000 }],
  )
  const wrong = join(site.folder, 'wrong.yaml')
  for (const [text, told] of [
    ['currency: EUR', /cpuSecond/],
    ['currency: EUR\ncpuSecond: -1\ngibSecond: 1\negressGiB: 0', /cpuSecond/],
    ['currency: EUR\ncpuSecond: 1\ngibSecond: 1\negressGiB: 0\nforgottenFor: soon', /forgottenFor/],
    ['currency: EUR\ncpuSecond: 1\ngibSecond: 1\negressGiB: 0\nmore: 1', /more/],
    [': [', /--prices/],
  ] as const) {
    writeFileSync(wrong, text)
    const { status, stderr } = await site.cli([
      'serve',
      '--backend',
      'fake',
      '--prices',
      wrong,
      '--run-dir',
      join(site.folder, 'r2'),
      '--state-dir',
      join(site.folder, 's2'),
    ])
    assert.equal(status, 2, text)
    assert.match(stderr, told)
  }
})
