/** Letting go of a process on a terminal, and taking it up again. */
import assert from 'node:assert/strict'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces'

interface Terminal {
  type(text: string): void
  /** Resolves when the screen shows it, after what was waited for before. */
  shows(text: RegExp): Promise<void>
  readonly screen: string
  readonly process: ChildProcessWithoutNullStreams
  /** Resolves to the exit code. */
  ends(): Promise<number | null>
}

describe('a process on a terminal', { skip }, () => {
  let folder = ''
  let daemon: Daemon
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: `${join(dayflyProgram, '..')}:${process.env['PATH']}`,
    HOME: folder,
    SHELL: '/bin/sh',
    DAYFLY_RUN_DIR: daemon.runDir,
    DAYFLY_STATE_DIR: daemon.stateDir,
  })
  const dayfly = (...args: readonly string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(dayflyProgram, args, { env: environment(), encoding: 'utf8' })

  const terminal = (line: string): Terminal => {
    const child = spawn('script', ['-qefc', `stty rows 30 cols 100; ${line}`, '/dev/null'], { env: environment() })
    let screen = ''
    let seen = 0
    let look = (): void => {}
    child.stdout.on('data', data => {
      screen += data
      look()
    })
    const ended = once(child, 'close')
    return {
      process: child,
      type: text => void child.stdin.write(text),
      shows: async wanted => {
        const found = new Promise<void>(resolve => {
          look = () => {
            const match = wanted.exec(screen.slice(seen))
            if (match === null) return
            seen += match.index + match[0].length
            resolve()
          }
          look()
        })
        const over = ended.then(() => assert.fail(`it ended before it showed ${wanted}: ${screen}`))
        over.catch(() => {})
        await Promise.race([found, over])
      },
      get screen() {
        return screen
      },
      ends: async () => (await ended)[0],
    }
  }

  before(async () => {
    folder = makeFolder('/tmp/dayfly-attach-')
    daemon = startDaemon({ folder })
    await daemon.ready
    const made = spawnSync(join(root, 'scripts/make-image'), [join(folder, 'image')], { encoding: 'utf8' })
    assert.equal(made.status, 0, made.stderr)
    assert.equal(dayfly('image', 'import', made.stdout.trim(), 'demo').status, 0)
  })
  after(async () => {
    dayfly('down', '--all', '--force')
    await daemon[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('ctrl-p ctrl-q leaves it to itself, attach takes it up, and exit ends it with its code', async () => {
    const first = terminal('dayfly run -it --name kept demo sh')
    await first.shows(/\/ #/)
    first.type('value=still; echo $value-there\r')
    await first.shows(/still-there/)
    first.type('\x10')
    first.type('\x11')
    await first.shows(/detached; it lives until its lease ends, and `dayfly attach kept`/)
    assert.equal(await first.ends(), 0)
    assert.equal(JSON.parse(dayfly('inspect', 'kept', '--json').stdout).state, 'running')

    const second = terminal('dayfly attach --detach-keys ctrl-a,d kept')
    // The shell has nothing to draw anew, but an answer to a new line.
    second.type('\r')
    await second.shows(/\/ #/)
    second.type('stty size; echo $value-here\r')
    await second.shows(/30 100/)
    await second.shows(/still-here/)
    second.type('\x01d')
    await second.shows(/detached/)
    assert.equal(await second.ends(), 0)

    const third = terminal('dayfly attach kept')
    third.type('\r')
    await third.shows(/\/ #/)
    third.process.stdin.write('exit 9\r')
    assert.equal(await third.ends(), 9)
    const types = dayfly('events', '--json')
      .stdout.trim()
      .split('\n')
      .map(line => JSON.parse(line).type)
    assert.equal(types.filter(type => type === 'attach.started').length, 3)
    assert.equal(types.filter(type => type === 'attach.ended').length, 3)
  })

  test('a terminal that goes away leaves it alone', async () => {
    const first = terminal('exec dayfly run -it --name lonely demo sh')
    await first.shows(/\/ #/)
    first.type('\x10\x11')
    assert.equal(await first.ends(), 0)
    const second = terminal('echo $$; exec dayfly attach lonely')
    await second.shows(/\d+\r\n/)
    second.type('\r')
    await second.shows(/\/ #/)
    process.kill(Number(/(\d+)\r\n/.exec(second.screen)?.[1]), 'SIGHUP')
    assert.equal(await second.ends(), 129)
    assert.equal(JSON.parse(dayfly('inspect', 'lonely', '--json').stdout).state, 'running')
    assert.equal(dayfly('down', '--force', 'lonely').status, 0)
  })

  test('without -i the keyboard still makes signals', async () => {
    const only = terminal('exec dayfly run -t demo -- sh -c \'trap "exit 7" INT; echo up; while :; do sleep 0.05; done\'')
    await only.shows(/up/)
    only.type('\x03')
    assert.equal(await only.ends(), 7)
  })

  test('a pipe cannot take part in a terminal, but can read along', () => {
    assert.equal(dayfly('run', '-d', '-it', '--name', 'drawn', 'demo', 'sh', '-c', 'read line; echo got $line; read line').status, 0)
    const refused = dayfly('attach', 'drawn')
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /--no-stdin: it has a terminal, and our standard input is none/)
    assert.equal(dayfly('down', '--force', 'drawn').status, 0)
  })
})
