/** The command line on the real backend: what only a real process, a real terminal and real pipes show. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, root, startDaemon } from '../daemon.ts'

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces'

describe('dayfly on the linux backend', { skip: needsRoot }, () => {
  let folder = ''
  let daemon: Daemon

  const dayfly = (args: readonly string[], input?: Buffer): { status: number | null; stdout: Buffer; stderr: string } => {
    const env = { PATH: process.env['PATH'], DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir }
    const { status, stdout, stderr } = spawnSync(dayflyProgram, args, { env, maxBuffer: 64 * 1024 * 1024, ...(input === undefined ? {} : { input }) })
    return { status, stdout, stderr: stderr.toString() }
  }
  /** Runs a shell line on a terminal of 30 rows and 100 columns. */
  const onTerminal = (line: string, typed: string): { status: number | null; screen: string } => {
    const { status, stdout } = spawnSync('script', ['-qefc', `stty rows 30 cols 100; ${line}`, '/dev/null'], {
      env: { PATH: `${join(dayflyProgram, '..')}:${process.env['PATH']}`, DAYFLY_RUN_DIR: daemon.runDir, SHELL: '/bin/sh' },
      input: typed,
      encoding: 'utf8',
    })
    return { status, screen: stdout }
  }

  before(async () => {
    folder = mkdtempSync('/tmp/dayfly-cli-system-')
    chmodSync(folder, 0o711) // Containers pass through it.
    daemon = startDaemon({ folder })
    await daemon.ready
    const made = spawnSync(join(root, 'scripts/make-image'), [join(folder, 'image')], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    assert.equal(dayfly(['image', 'import', made.stdout.trim(), 'demo']).status, 0)
  })
  after(async () => {
    dayfly(['down', '--all', '--force'])
    await daemon[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('exit codes: the command’s own, of a signal, and of a command that is not there', () => {
    assert.equal(dayfly(['run', 'demo', '--', 'sh', '-c', 'exit 42']).status, 42)
    assert.equal(dayfly(['run', 'demo', '--', 'sh', '-c', 'sh -c "kill -TERM \\$\\$"; exit $?']).status, 143)
    assert.equal(dayfly(['run', 'demo', '--', 'no-such-command']).status, 127)
  })

  test('bytes pass through run and exec unchanged, stdout and stderr apart', () => {
    const bytes = randomBytes(5 * 1024 * 1024)
    const ran = dayfly(['run', '-i', 'demo', '--', 'sh', '-c', 'echo complaint >&2; cat'], bytes)
    assert.deepEqual([ran.status, ran.stderr], [0, 'complaint\n'])
    assert.ok(ran.stdout.equals(bytes))
    assert.equal(dayfly(['run', '-d', '--name', 'host', '--grace', '0s', 'demo', '--', 'sleep', '600']).status, 0)
    const executed = dayfly(['exec', '-i', 'host', '--', 'cat'], bytes)
    assert.equal(executed.status, 0)
    assert.ok(executed.stdout.equals(bytes))
    assert.equal(dayfly(['exec', 'host', '--', 'sh', '-c', 'kill -KILL $$']).status, 137)
    assert.equal(dayfly(['down', 'host']).status, 0)
  })

  test('run -it and exec -it have a terminal of the size of ours', () => {
    const ran = onTerminal("dayfly run -it demo -- sh -c 'read line; tty; stty size; exit 5'; echo code $?", '\n')
    assert.match(ran.screen, /\/dev\/pts\/0\r\n30 100\r\n/)
    assert.match(ran.screen, /code 5/)
    assert.equal(dayfly(['run', '-d', '--name', 'host', '--grace', '0s', 'demo', '--', 'sleep', '600']).status, 0)
    const executed = onTerminal("dayfly exec -it host -- sh -c 'read line; stty size; exit 6'; echo code $?", '\n')
    assert.match(executed.screen, /30 100\r\n/)
    assert.match(executed.screen, /code 6/)
    assert.equal(dayfly(['down', 'host']).status, 0)
  })

  test('--hostname is what it is called, in whatever container it runs', () => {
    const script = 'hostname; cat /etc/hostname; sed -n 2p /etc/hosts | cut -f2'
    const kinds = new Set<string>()
    for (let round = 0; round < 12 && !kinds.has('prepared'); round++) {
      const ran = dayfly(['run', '--json', '--hostname', `web${round}.example.org`, 'demo', '--', 'sh', '-c', script])
      const documents = ran.stdout
        .toString()
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
      kinds.add(documents.find(({ type }) => type === 'started').environment.instances[0].start)
      const text = documents
        .filter(({ type }) => type === 'output')
        .map(document => document.text)
        .join('')
      assert.equal(text, `web${round}.example.org\nweb${round}.example.org\nweb${round}.example.org web${round}\n`)
      if (round > 0) spawnSync('sleep', ['0.3']) // For the pool, which makes ready while nothing starts.
    }
    assert.ok(kinds.has('prepared'), `only ${[...kinds].join(', ')}`)
    assert.equal(dayfly(['run', '--name', 'plain', 'demo', '--', 'hostname']).stdout.toString(), 'plain\n')
  })

  test('a user that the image does not know, a user that it does', () => {
    const refused = dayfly(['run', '--user', 'nobody-there', 'demo', '--', 'id'])
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /--user/)
    assert.equal(dayfly(['run', '--user', '1234:56', 'demo', '--', 'sh', '-c', 'echo $(id -u):$(id -g)']).stdout.toString(), '1234:56\n')
  })

  test('an image in use is not removed; afterwards it is, with its layers', () => {
    assert.equal(dayfly(['run', '-d', '--name', 'user', '--grace', '0s', 'demo', '--', 'sleep', '600']).status, 0)
    const { status, stderr } = dayfly(['image', 'rm', 'demo'])
    assert.notEqual(status, 0)
    assert.match(stderr, /use/)
    assert.equal(dayfly(['down', 'user']).status, 0)
    assert.match(dayfly(['image', 'rm', 'demo']).stdout.toString(), /^layer {2}sha256:/m)
    assert.equal(dayfly(['run', '--pull', 'never', 'demo', '--', 'true']).status, 2)
    assert.equal(dayfly(['doctor', '--leaks']).stdout.toString(), 'no leaks\n')
  })
})
