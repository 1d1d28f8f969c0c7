import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { doing, openSite, outcome, program, startFake, until } from '../../../test/cli/fake.ts'
import { failureIn } from '../cli/daemon.ts'

const fake = { DAYFLY_BACKEND: 'fake' }

const stop = async (pid: number): Promise<void> => {
  process.kill(pid, 'SIGTERM')
  await until(() => !existsSync(`/proc/${pid}`))
}

test('run starts a daemon where none answers, and says so; at once from two sides: one', async () => {
  await using site = openSite()
  const outcomes = await Promise.all([1, 2, 3].map(() => site.cli(['run', 'fake'], { env: fake })))
  const { pid } = await site.client.version()
  try {
    for (const { status, stdout, stderr } of outcomes) {
      assert.deepEqual([status, stdout], [0, 'hello\n'], stderr)
      assert.match(stderr, new RegExp(`^(dayfly: started a daemon in the background \\(process ${pid}, log ${site.runDir}/daemon.log\\)\n)?$`))
    }
    assert.ok(outcomes.some(({ stderr }) => stderr !== ''))
    assert.equal((await site.cli(['run', 'fake'])).stderr, '')
  } finally {
    await stop(pid)
  }
})

test('the daemon that run starts gets none of the caller’s other variables', async () => {
  await using site = openSite()
  await site.cli(['run', 'fake'], { env: { ...fake, MY_TOKEN: 'hunter2' } })
  const { pid } = await site.client.version()
  try {
    assert.doesNotMatch(readFileSync(`/proc/${pid}/environ`, 'utf8'), /hunter2/)
  } finally {
    await stop(pid)
  }
})

test('a daemon that cannot come up is quoted', async () => {
  await using site = openSite()
  const { status, stderr } = await site.cli(['run', 'fake'], { env: { DAYFLY_BACKEND: 'none' } })
  assert.equal(status, 2)
  assert.match(stderr, /--backend: "none" is not one of linux, fake/)
  assert.ok(!existsSync(join(site.runDir, 'dayfly.sock')))
})

test('folders and socket are the owner’s alone', async () => {
  await using site = await startFake()
  const mode = (path: string): number => statSync(path).mode & 0o777
  assert.equal(mode(join(site.runDir, 'dayfly.sock')), 0o600)
  assert.equal(mode(site.stateDir), 0o700)
  assert.equal(mode(join(site.stateDir, 'dayfly.sqlite')), 0o600)
  assert.equal(mode(site.runDir), 0o711)
})

test('--group opens the socket to that group and nobody else', {
  skip: process.getuid?.() === 0 ? false : 'needs root: it changes a group',
}, async () => {
  await using site = openSite()
  const daemon = site.start(['serve', '--backend', 'fake', '--group', 'daemon'])
  try {
    const socket = join(site.runDir, 'dayfly.sock')
    await until(() => existsSync(socket) && (statSync(socket).mode & 0o777) === 0o660)
    assert.notEqual(statSync(socket).gid, 0)
  } finally {
    daemon.kill()
    await once(daemon, 'exit')
  }
  const refused = await site.cli(['serve', '--backend', 'fake', '--group', 'no-such-group'])
  assert.match(refused.stderr, /there is no group no-such-group/)
  assert.equal(refused.status, 2)
})

test('a second one on the same folders is refused and named; the first goes on', async () => {
  await using site = await startFake()
  for (const words of [['serve'], ['serve', '--state-dir', join(site.folder, 'other')], ['serve', '--run-dir', join(site.folder, 'elsewhere')]]) {
    const { status, stderr } = await site.cli([...words, '--backend', 'fake'])
    assert.equal(status, 2)
    assert.match(stderr, new RegExp(`a daemon runs on ${site.folder}/(run|state) already \\(process ${site.daemon.pid}\\)`))
  }
  assert.equal((await site.client.version()).pid, site.daemon.pid)
})

test('the socket of a dead daemon is in nobody’s way', async () => {
  await using site = openSite()
  const path = join(site.runDir, 'dayfly.sock')
  const child = site.start(['serve', '--backend', 'fake'])
  const ended = outcome(child)
  await until(() => existsSync(path))
  child.kill('SIGKILL')
  await ended
  assert.ok(existsSync(path))
  assert.match((await site.cli(['ps'])).stderr, /no daemon answers/)
  const next = site.start(['serve', '--backend', 'fake'])
  await until(() =>
    site.client.version().then(
      () => true,
      () => false,
    ),
  )
  next.kill()
  assert.equal((await once(next, 'exit'))[0], 0)
})

test('SIGTERM: it says what lives on, takes its socket away, and ends open streams', async () => {
  await using site = await startFake()
  await site.cli(['run', '-d', '--name', 'survivor', 'fake', '--', ...doing({ sleep: 600_000 })])
  const following = site.cli(['events', '-f'])
  await until(async () => (await site.client.events({})).length > 0)
  site.daemon.kill('SIGTERM')
  const [code] = await once(site.daemon, 'exit')
  assert.equal(code, 0)
  await following
  assert.match(site.log(), /"message":"stopped; what lives goes on, and the next daemon adopts it","living":1/)
  assert.ok(!existsSync(join(site.runDir, 'dayfly.sock')))
})

test('doctor works with and without a daemon, and reports the same checks', async () => {
  await using site = await startFake()
  const names = async (): Promise<string[]> => {
    const { checks } = JSON.parse((await site.cli(['doctor', '--json'])).stdout)
    return checks.map(({ name }: { name: string }) => name)
  }
  const asked = await names()
  assert.ok(asked.includes('kernel') && asked.includes('crun'))
  site.daemon.kill('SIGTERM')
  await once(site.daemon, 'exit')
  assert.deepEqual(await names(), asked)
  assert.equal((await site.cli(['doctor', '--leaks'], { env: fake })).stdout, 'no leaks\n')
})

test('the program finds its parts through links', async () => {
  await using site = openSite()
  const [first, second] = [join(site.folder, 'first'), join(site.folder, 'second')]
  symlinkSync(program, first)
  symlinkSync('first', second)
  assert.match(execFileSync(second, ['--version'], { encoding: 'utf8', cwd: '/' }), /^dayfly \d+\.\d+\.\d+\n$/)
  assert.match(
    execFileSync('dayfly', ['--version'], { encoding: 'utf8', cwd: '/', env: { PATH: `${join(program, '..')}:${process.env['PATH']}` } }),
    /^dayfly /,
  )
})

test('a daemon that goes away under a run is a failure of Dayfly’s, not of the input: 125', async () => {
  await using site = await startFake()
  const child = site.start(['run', 'fake', '--', ...doing({ print: 'up' }, { sleep: 600_000 })])
  const ended = outcome(child)
  await new Promise(resolve => child.stdout.once('data', resolve))
  const following = site.start(['events', '-f'])
  const followed = outcome(following)
  await new Promise(resolve => following.stdout.once('data', resolve))
  site.daemon.kill('SIGKILL')
  const { status, stderr } = await ended
  assert.match(stderr, /^dayfly: the daemon went away\n {2}What it started lives on/)
  assert.equal(status, 125)
  assert.equal((await followed).status, 125)
  assert.equal((await site.cli(['ps'])).status, 2)
})

const mounts = process.getuid?.() === 0 ? false : 'needs root: it mounts a small tmpfs, in a mount namespace of its own'

test('a state folder on a full or read-only disk: which folder, why, and what to do', { skip: mounts }, async () => {
  await using site = openSite()
  const run = (mount: string): string =>
    execFileSync('unshare', ['--mount', 'sh', '-c', `mkdir -p "$1"; ${mount}; "$0" run fake 2>&1; echo $?`, program, site.stateDir], {
      env: { PATH: process.env['PATH'], DAYFLY_RUN_DIR: site.runDir, DAYFLY_STATE_DIR: site.stateDir, ...fake },
      encoding: 'utf8',
    })
  assert.match(
    run('mount -t tmpfs -o size=4k none "$1"; echo x > "$1/fill"'),
    /^dayfly: --state-dir: \S+ cannot be written to: ENOSPC: .*\n {2}Free some space on the disk of the state folder.*\n125\n$/,
  )
  assert.match(run('mount -t tmpfs -o ro none "$1"'), /^dayfly: --state-dir: \S+ cannot be made: EROFS: .*\n.*\n125\n$/)
  assert.equal((await site.cli(['ps'])).status, 2)
})

test('why a daemon did not come up is not what another wrote into the same log', () => {
  const line = (pid: number, message: string): string =>
    JSON.stringify({ level: 'error', process: pid, error: { code: 'host', message }, remedy: 'Do.' })
  const log = `${line(1, 'of the old one')}\n${line(2, 'of the new one')}\n${line(1, 'of the old one, again')}\nnot json\n`
  assert.deepEqual([failureIn(log, 2)?.message, failureIn(log, 3)], ['of the new one', undefined])
})

test('folders that cannot be: what is in the way is said', async () => {
  await using site = openSite()
  const file = join(site.folder, 'file')
  writeFileSync(file, '')
  const cases: readonly (readonly [args: readonly string[], message: RegExp, status: number])[] = [
    [['--run-dir', file], /a daemon cannot be started: ENOTDIR: .*file is not a folder/, 2],
    [['--state-dir', file], /--state-dir: .*file cannot be made: ENOTDIR: .*file is not a folder/, 2],
    [['--state-dir', join(file, 'x')], /--state-dir: .*x cannot be made: ENOTDIR: .*file is not a folder/, 2],
    [['--run-dir', '/proc/dayfly/run'], /a daemon cannot be started: ENOENT: .*mkdir '\/proc\/dayfly'/, 125],
  ]
  for (const [args, message, status] of cases) {
    const ran = await site.cli(['run', ...args, 'fake'], { env: fake })
    assert.match(ran.stderr, message)
    assert.equal(ran.status, status, ran.stderr)
  }
})
