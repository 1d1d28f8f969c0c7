/** The SDK as its users have it, a package, with real instances: the examples, files among hostile ones, and Vitest's own runner. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { buildSdk } from '../../scripts/sdk-build.ts'
import { DayflyError, Sandbox } from '../../sdk/src/index.ts'
import type { Daemon } from '../daemon.ts'
import { makeFolder, root, startDaemon } from '../daemon.ts'

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it makes real instances'
const deno = (process.env['PATH'] ?? '').split(delimiter).find(folder => existsSync(join(folder, 'deno')))

const outcome = async (child: ChildProcess): Promise<{ code: number | null; output: string }> => {
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => {
      output += piece.toString()
    })
  const [code] = await once(child, 'close')
  return { code, output }
}

describe('the SDK with real instances', { skip: needsRoot }, () => {
  const folder = makeFolder('/tmp/dayfly-sdk-')
  const project = join(folder, 'project')
  let daemon: Daemon
  let env: NodeJS.ProcessEnv = {}
  before(async () => {
    daemon = startDaemon({ folder })
    await daemon.ready
    const image = spawnSync(join(root, 'scripts/make-image'), [folder], { encoding: 'utf8' })
    await daemon.client.importImage({ path: image.stdout.trim(), name: 'demo' }, () => {})
    // As a user of it would: packed, unpacked where packages are, and next to it what else the examples import.
    const staged = join(folder, 'sdk')
    cpSync(join(root, 'sdk/package.json'), join(staged, 'package.json'))
    cpSync(join(root, 'sdk/README.md'), join(staged, 'README.md'))
    await buildSdk(join(staged, 'dist'))
    const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: staged, encoding: 'utf8' })
    assert.equal(packed.status, 0, packed.stderr)
    const installed = join(project, 'node_modules/dayfly')
    mkdirSync(installed, { recursive: true })
    const [archive] = globSync('dayfly-*.tgz', { cwd: folder })
    assert.equal(spawnSync('tar', ['-xzf', join(folder, archive ?? ''), '-C', installed, '--strip-components=1']).status, 0)
    symlinkSync(join(root, 'node_modules/vitest'), join(project, 'node_modules/vitest'))
    cpSync(join(root, 'examples/sdk'), project, { recursive: true })
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'scratch', type: 'module', dependencies: { dayfly: '0.1.0' } }))
    env = { PATH: process.env['PATH'], HOME: folder, DAYFLY_RUN_DIR: daemon.runDir, NO_COLOR: '1', IMAGE: 'demo' }
  })
  after(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const sandbox = (more: object = {}): Promise<Sandbox> => Sandbox.create({ socket: join(daemon.runDir, 'dayfly.sock'), image: 'demo', ...more })
  const start = (program: string, args: readonly string[], cwd = project): ChildProcess =>
    spawn(program, [...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })

  for (const example of globSync('examples/sdk/*.ts', { cwd: root }).sort()) {
    test(`the example ${basename(example)}`, async () => {
      const { code, output } = await outcome(start(process.execPath, [basename(example), 'demo']))
      assert.equal(code, 0, output)
    })
  }

  test('the package works in Deno', { skip: deno === undefined && 'there is no deno in PATH' }, async () => {
    for (const program of ['run.ts', 'sandbox.ts', 'environment.ts']) {
      const { code, output } = await outcome(start('deno', ['run', '--allow-all', '--no-remote', '--node-modules-dir=manual', program, 'demo']))
      assert.equal(code, 0, `${program}: ${output}`)
    }
  })

  test('its types are whole: a program is checked against the package alone', async () => {
    writeFileSync(
      join(project, 'typed.ts'),
      [
        "import type { CommandResult, FileEntry } from 'dayfly'",
        "import { Sandbox } from 'dayfly'",
        'export const listed = async (sandbox: Sandbox): Promise<readonly FileEntry[]> => await sandbox.files.list("/", { depth: 2 })',
        'export const made = async (): Promise<CommandResult> => {',
        "  await using sandbox = await Sandbox.create({ image: 'demo', timeoutMs: 1000 })",
        '  // @ts-expect-error a command is a text or words',
        '  await sandbox.commands.run(7)',
        "  return await sandbox.commands.run(['true'])",
        '}',
      ].join('\n'),
    )
    const types = join(root, 'node_modules/@types')
    const options = ['--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', '--typeRoots', types, '--types', 'node', 'typed.ts']
    const { code, output } = await outcome(start(process.execPath, [join(root, 'node_modules/@typescript/native/bin/tsc'), ...options]))
    assert.equal(code, 0, output)
  })

  test('Vitest: an environment for each file, which is gone after it, and the report of one that failed', async () => {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const tests = join(project, 'vitest')
    const good = await outcome(start(process.execPath, [vitest, 'run', '--root', tests, '--reporter=verbose'], tests))
    assert.equal(good.code, 0, good.output)
    assert.match(good.output, /2 passed/)
    assert.deepEqual(await daemon.client.environments(), [])
    assert.equal(existsSync(join(tests, '.dayfly')), false)

    const text = readFileSync(join(tests, 'store.test.ts'), 'utf8')
    writeFileSync(join(tests, 'store.test.ts'), text.replace("toBe('prepared')", "toBe('something else')"))
    const bad = await outcome(start(process.execPath, [vitest, 'run', '--root', tests], tests))
    assert.equal(bad.code, 1, bad.output)
    assert.match(bad.output, /the report of store-test-\w+ is kept in/)
    const report: { environment?: unknown } = JSON.parse(readFileSync(join(tests, '.dayfly/store-test-ts.json'), 'utf8'))
    assert.equal(typeof report, 'object')
    assert.deepEqual(await daemon.client.environments(), [])
  })

  const refused =
    (code: string) =>
    (error: unknown): boolean =>
      error instanceof DayflyError && error.code === code

  for (const runtime of ['crun', 'runsc'] as const) {
    test(`links lead nowhere but into the instance itself: ${runtime}`, async () => {
      await using made = await sandbox({ runtime })
      const { files, commands } = made
      const secret = join(folder, 'secret-of-the-host')
      writeFileSync(secret, 'secret')
      await commands.run(
        `mkdir /links && ln -s ${secret} /links/absolute && ln -s ../../../../../..${secret} /links/up && ln -s /proc/1/root${secret} /links/proc`,
      )
      await commands.run(`ln -s /etc /links/etc && mkfifo /links/pipe && ln -s loop /links/loop`)
      for (const name of ['absolute', 'up']) await assert.rejects(files.read(`/links/${name}`), refused('not_found'), name)
      // gVisor lets nobody through there at all.
      await assert.rejects(files.read('/links/proc'), refused(runtime === 'crun' ? 'not_found' : 'denied'))
      await assert.rejects(files.read(`/links/../../../..${secret}`), refused('not_found'))
      await assert.rejects(files.read('/links/pipe'), refused('invalid'))
      await assert.rejects(files.read('/links/loop'), refused('invalid'))
      await assert.rejects(files.read('/dev/zero'), refused('invalid'))
      await files.write('/links/up', 'mine')
      assert.equal(readFileSync(secret, 'utf8'), 'secret')
      assert.equal((await files.getInfo('/links/etc')).target, '/etc')
      assert.equal(
        (await files.list('/links', { depth: 5 })).some(({ path }) => path.startsWith('/links/etc/')),
        false,
        'no list follows a link',
      )
      await files.remove('/links')
      assert.match(await files.read('/etc/passwd'), /^root:/)
    })
  }

  test('folders that turn into links while they are read, written and removed', async () => {
    await using made = await sandbox()
    const { files, commands } = made
    await commands.run('mkdir -p /race/there /kept && echo kept >/kept/file')
    const swap = 'while :; do mv /race/there /race/aside; ln -s /kept /race/there; rm /race/there; mv /race/aside /race/there; done'
    await using _swapping = await commands.run(swap, { background: true })
    for (let round = 0; round < 15; round++) {
      // Whatever each of them comes to: what the link leads to stays.
      await Promise.allSettled([
        files.list('/race', { depth: 5 }),
        files.write(`/race/there/${round}`, 'x', { parents: false }),
        files.remove('/race/there'),
      ])
      await commands.run('mkdir -p /race/there /race/aside').catch(() => {})
    }
    assert.equal(await files.read('/kept/file'), 'kept\n')
  })

  test('as another user, with owner and mode, and what has no room', async () => {
    await using made = await sandbox({ user: 'app' })
    const { files, commands } = made
    await assert.rejects(files.write('/etc/new', 'x'), refused('denied'))
    await assert.rejects(files.read('/etc/shadow'), refused('denied'))
    await files.write('/etc/new', 'x', { user: 'root', owner: 'app:root', mode: 0o640 })
    assert.equal((await commands.run('stat -c "%U:%G %a" /etc/new')).stdout, 'app:root 640\n')
    await commands.run('echo more >>/etc/new')
    assert.equal(await files.read('/etc/new'), 'xmore\n')
    await assert.rejects(files.write('/dev/shm/big', new Uint8Array(400 * 1024 * 1024)), refused('exhausted'))
    assert.deepEqual(await files.list('/dev/shm'), [])
    await assert.rejects(files.write('/proc/self/x', 'x'), DayflyError)
    await assert.rejects(files.write('/dev/dayfly-files', 'x', { user: 'root' }), DayflyError)
  })

  test('a command, a terminal and a file that are given up leave no process', async () => {
    await using made = await sandbox()
    const { commands, files, pty } = made
    const running = await commands.run('sleep 1001', { background: true })
    const terminal = await pty.create({ cols: 80, rows: 24, onData: () => {}, command: ['sleep', '1002'] })
    const enough = new AbortController()
    const watch = await files.watch('/tmp', { signal: enough.signal })
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield new Uint8Array(1024)
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    const writing = files.write('/tmp/endless', endless(), { signal: enough.signal })
    const left = async (): Promise<string> => (await commands.run('ps -o args | grep -E "100[12]|dayfly-files" | grep -v grep || true')).stdout
    while ((await left()).trim().split('\n').length < 4) await new Promise(resolve => setTimeout(resolve, 20))
    enough.abort()
    await assert.rejects(writing, DayflyError)
    await watch.stop()
    await running.kill()
    await terminal[Symbol.asyncDispose]()
    while ((await left()) !== '') await new Promise(resolve => setTimeout(resolve, 20))
    assert.equal(await files.exists('/tmp/endless'), false)
    assert.deepEqual(
      (await files.list('/tmp')).map(({ path }) => path),
      [],
    )
  })

  test('nothing is left', async () => {
    assert.deepEqual(await daemon.client.environments(), [])
    assert.deepEqual(await daemon.client.leaks(), [])
  })
})
