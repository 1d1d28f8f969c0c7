import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing, outcome, program, read, startFake, until } from '../../../test/cli/fake.ts'

describe('dayfly run, ps, exec, logs and the rest, on the fake backend', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  before(async () => {
    site = await startFake()
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
  })

  test('stdout and stderr arrive apart and byte for byte, and the exit code is the command’s', async () => {
    const script = doing({ print: 'one\ntwo' }, { print: 'bad\n', to: 'stderr' }, { print: ' three' }, { exit: 7 })
    const { status, stdout, stderr } = await site.cli(['run', 'fake', '--', ...script])
    assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'one\ntwo three', stderr: 'bad\n' })
  })

  test('without a command the image’s own is run, with -- and without', async () => {
    assert.equal((await site.cli(['run', 'fake'])).stdout, 'hello\n')
    assert.equal((await site.cli(['run', 'fake', ...doing({ print: 'x' })])).stdout, 'x')
  })

  test('when run returns, nothing of the environment is left and its name is free', async () => {
    for (let time = 0; time < 3; time++) assert.equal((await site.cli(['run', '--name', 'again', 'fake'])).status, 0)
    const { environments } = JSON.parse((await site.cli(['ps', '--json'])).stdout)
    assert.deepEqual(environments, [])
    assert.equal((await site.cli(['doctor', '--leaks'])).status, 0)
  })

  test('environment, files and secrets reach it; secrets show nowhere', async () => {
    const file = join(site.folder, 'env')
    writeFileSync(file, '# a comment\nFROM_FILE=of file\n\nINHERITED\nUNSET_HERE\n')
    const args = ['run', '--env-file', file, '-e', 'GIVEN=a=b', '--secret', 'token=cmd:printf %s hunter2', '--name', 'withenv', '-d', 'fake', '--']
    const script = doing(
      { variable: 'FROM_FILE' },
      { print: '|' },
      { variable: 'INHERITED' },
      { print: '|' },
      { variable: 'GIVEN' },
      { print: '|' },
      { secret: 'token' },
      { sleep: 60_000 },
    )
    const { status, stdout } = await site.cli([...args, ...script], { env: { INHERITED: 'from here' } })
    assert.equal(status, 0)
    const id = stdout.trim()
    await until(async () => (await site.cli(['logs', id])).stdout !== '')
    assert.equal((await site.cli(['logs', id])).stdout, 'of file|from here|a=b|hunter2')
    const shown = await site.cli(['inspect', id, '--json'])
    assert.deepEqual(JSON.parse(shown.stdout).workloads.main.env.UNSET_HERE, undefined)
    assert.doesNotMatch(shown.stdout + (await site.cli(['events', '--json'])).stdout + site.log(), /hunter2/)
    assert.equal((await site.cli(['down', '--force', 'withenv'])).stdout, `${id}\n`)
  })

  test('stdin is passed on with -i, whatever its size, and ends', async () => {
    const input = Buffer.alloc(3 * 1024 * 1024, 'abcdefghijklmnopqrstuvwxyz\n')
    const { status, stdout } = await site.cli(['run', '-i', '--log-limit', '8m', 'fake', '--', ...doing({ echo: true }, { exit: 4 })], {
      stdin: input,
    })
    assert.equal(status, 4)
    assert.ok(stdout === input.toString(), `${stdout.length} of ${input.length} bytes came back the same`)
  })

  test('output beyond the log limit is said to be missing', async () => {
    const { status, stdout, stderr } = await site.cli(['run', '--log-limit', '1k', 'fake', '--', ...doing({ lines: 1000 })])
    assert.equal(status, 0)
    assert.equal(stdout.length, 1024)
    assert.match(stderr, /of output beyond its --log-limit were not kept/)
  })

  test('a reader that goes away ends it: dayfly run … | head -1', async () => {
    const script = doing({ lines: 100_000 }, { sleep: 60_000 })
    const line = execFileSync('/bin/bash', ['-c', '"$0" run --name headed fake -- "$@" | head -1; echo $PIPESTATUS', program, ...script], {
      env: { PATH: process.env['PATH'], DAYFLY_RUN_DIR: site.runDir },
      encoding: 'utf8',
    })
    assert.equal(line, 'line 1\n141\n')
    const { environments } = JSON.parse((await site.cli(['ps', '--json'])).stdout)
    assert.deepEqual(environments, [])
  })

  test('SIGINT and SIGTERM are passed on, a second SIGINT kills', async () => {
    for (const [signals, code] of [
      [['SIGINT'], 5],
      [['SIGTERM'], 6],
    ] as const) {
      const child = site.start([
        'run',
        'fake',
        '--',
        ...doing({ on: 'SIGINT', exit: 5 }, { on: 'SIGTERM', exit: 6 }, { print: 'ready' }, { sleep: 60_000 }),
      ])
      const ended = outcome(child)
      await new Promise(resolve => child.stdout.once('data', resolve))
      for (const signal of signals) child.kill(signal)
      assert.equal((await ended).status, code)
    }
    const child = site.start(['run', '--name', 'deaf', 'fake', '--', ...doing({ print: 'ready' }, { sleep: 60_000 })])
    const ended = outcome(child)
    await new Promise(resolve => child.stdout.once('data', resolve))
    // Two that come at once are one to a process: the second waits until the first is seen to have arrived.
    const interrupts = async (): Promise<number> =>
      (await site.client.events({})).filter(({ type, data }) => type === 'instance.signalled' && data['signal'] === 'SIGINT').length
    const before = await interrupts()
    child.kill('SIGINT')
    await until(async () => (await interrupts()) > before)
    child.kill('SIGINT')
    assert.equal((await ended).status, 137)
  })

  test('a client that is killed leaves the run to its lease; logs take it up again', async () => {
    const child = site.start([
      'run',
      '--name',
      'orphan',
      'fake',
      '--',
      ...doing({ on: 'SIGUSR1', exit: 0 }, { print: 'before\n' }, { sleep: 60_000 }),
    ])
    const ended = outcome(child)
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.kill('SIGKILL')
    await ended
    assert.equal((await site.client.environment('orphan')).state, 'running')
    assert.equal((await site.cli(['logs', 'orphan'])).stdout, 'before\n')
    assert.equal((await site.cli(['stop', '--grace', '0s', 'orphan'])).status, 0)
  })

  test('--json: one document a line, each with its type', async () => {
    const { status, stdout } = await site.cli(['run', '--json', 'fake', '--', ...doing({ print: 'hi\n' }, { exit: 2 })])
    assert.equal(status, 2)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.deepEqual(
      lines.map(({ type }) => type),
      ['started', 'output', 'exit', 'ended'],
    )
    assert.deepEqual(lines[1], { type: 'output', stream: 'stdout', text: 'hi\n' })
    assert.equal(lines[2].code, 2)
    assert.equal(lines[3].environment.cause, 'completed')
  })

  test('a lease that ends it is told', async () => {
    const { status, stderr } = await site.cli(['run', '--ttl', '1s', '--grace', '0s', 'fake', '--', ...doing({ sleep: 60_000 })])
    assert.equal(status, 137)
    assert.match(stderr, /its lease ended it \(--ttl 1s\)/)
  })

  test('ps, inspect, extend, exec, wait, kill and down on one environment', async () => {
    const started = await site.cli(['run', '-d', '--name', 'web', '--label', 'team=blue', '--ttl', '10m', 'fake', '--', ...doing({ sleep: 600_000 })])
    const id = started.stdout.trim()
    assert.match(id, /^e[0-9a-z]{11}$/)

    const [head, row] = (await site.cli(['ps', '-l', 'team=blue'])).stdout.split('\n')
    assert.match(head ?? '', /^ID +NAME +IMAGE +STATE +AGE +LEASE LEFT +START$/)
    assert.match(row ?? '', new RegExp(`^${id} +web +fake +running +\\d+s +(9m\\d+s|10m) +cold$`))
    assert.doesNotMatch((await site.cli(['ps', '-l', 'team=red'])).stdout, /web/)
    assert.equal((await site.cli(['ps', '-q', '-l', 'team=blue'])).stdout, `${id}\n`)

    assert.match((await site.cli(['inspect', id.slice(0, 6)])).stdout, /egress +closed/)
    assert.match((await site.cli(['extend', 'web', '2h'])).stdout, /ends in (2h|1h59m)/)
    assert.deepEqual(await site.cli(['exec', 'web', '--', ...doing({ print: 'in it\n' }, { exit: 9 })]), {
      status: 9,
      signal: null,
      stdout: 'in it\n',
      stderr: '',
    })
    assert.equal((await site.cli(['exec', '-i', 'web', ...doing({ echo: true })], { stdin: 'through' })).stdout, 'through')

    const waiting = site.cli(['wait', id]) // By id: the name may be free again before it has asked.
    assert.equal((await site.cli(['kill', 'web'])).status, 0)
    assert.equal((await waiting).stdout, '137\n')
    assert.equal((await site.cli(['down', id])).status, 0)
    assert.match((await site.cli(['ps', '-a'])).stdout, new RegExp(`^${id} +web +fake +completed \\(137\\)`, 'm'))
  })

  test('logs: apart, tail, time stamps, follow until the end', async () => {
    const script = doing({ lines: 5 }, { print: 'oops\n', to: 'stderr' }, { echo: true }, { print: 'end\n' })
    const id = (await site.cli(['run', '-d', 'fake', '--', ...script])).stdout.trim()
    const followed = await site.cli(['logs', '-f', id])
    assert.deepEqual([followed.stdout, followed.stderr], ['line 1\nline 2\nline 3\nline 4\nline 5\nend\n', 'oops\n'])
    assert.deepEqual((await site.cli(['logs', '--stderr', id])).stdout, '')
    assert.deepEqual((await site.cli(['logs', '--tail', '1', id])).stdout, 'end\n')
    const stamped = (await site.cli(['logs', '-t', '--stdout', id])).stdout.trimEnd().split('\n')
    assert.equal(stamped.length, 6)
    for (const line of stamped) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (line \d|end)$/)
    const documents = (await site.cli(['logs', '--json', id])).stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    assert.ok(documents.every(({ time, stream, data, encoding }) => time > 0 && stream && data && encoding === 'utf-8'))
  })

  test('events -f shows what comes, with the record’s hashes in JSON', async () => {
    const child = site.start(['events', '-f', '--json'])
    const seen: string[] = []
    child.stdout.on('data', data => seen.push(String(data)))
    const ended = outcome(child)
    await site.cli(['run', '--name', 'watched', 'fake'])
    await until(() => seen.join('').includes('record.sealed'))
    child.kill('SIGTERM')
    await ended
    for (const line of seen.join('').trimEnd().split('\n')) assert.match(JSON.parse(line).hash, /^[0-9a-f]{64}$/)
  })

  test('a terminal is raw while it runs and as before afterwards', () => {
    const file = join(site.folder, 'modes')
    const script = doing({ on: 'SIGTERM', exit: 3 }, { print: 'in a terminal\n' }, { sleep: 600_000 })
    const modes = 'stty -g < /dev/tty'
    // Node puts back at its end what it found at its start: a program beside ours is to have nothing to do with this terminal.
    const watch = `until [ "$(${modes})" != "$(cat ${file}.1)" ]; do sleep 0.02; done; ${modes} > ${file}.2; ${program} kill -s TERM raw < /dev/null > /dev/null 2>&1`
    const inner = `${modes} > ${file}.1; (${watch}) & ${program} run -it --name raw fake -- '${script.join("' '")}'; echo code $?; wait; ${modes} > ${file}.3`
    const output = execFileSync('script', ['-qec', inner, '/dev/null'], {
      env: { PATH: process.env['PATH'], DAYFLY_RUN_DIR: site.runDir, SHELL: '/bin/sh' },
      encoding: 'utf8',
    })
    assert.match(output, /in a terminal/)
    assert.match(output, /code 3/)
    assert.equal(read(`${file}.3`), read(`${file}.1`))
    assert.notEqual(read(`${file}.2`), read(`${file}.1`))
  })

  test('completion knows commands, options, values and living names', async () => {
    await site.cli(['run', '-d', '--name', 'complete-me', 'fake', '--', ...doing({ sleep: 600_000 })])
    const words = async (...args: string[]): Promise<string[]> =>
      (await site.cli(['__complete', '--', ...args])).stdout.split('\n').filter(word => word !== '')
    assert.deepEqual(await words('ima'), ['image'])
    assert.deepEqual(await words('image', 'i'), ['import', 'inspect'])
    assert.deepEqual(await words('run', '--runtime', ''), ['crun', 'runsc'])
    assert.deepEqual(await words('run', '--read'), ['--read-only'])
    assert.deepEqual(await words('exec', 'comp'), ['complete-me'])
    assert.deepEqual(await words('exec', 'complete-me', ''), [], 'the command is none of our words')
    assert.deepEqual(await words('extend', 'complete-me', ''), [])
    assert.deepEqual(await words('down', 'complete-me', 'comp'), [], 'it is said already')
    assert.deepEqual(await words('help', 'conf'), ['config'])
    assert.deepEqual(await words('run', 'docker.io/library/f'), ['docker.io/library/fake:latest'])
    await site.cli(['down', '--all', '--force'])
    for (const shell of ['bash', 'zsh', 'fish']) assert.match((await site.cli(['completion', shell])).stdout, /__complete/)
    const bash = (await site.cli(['completion', 'bash'])).stdout
    const completed = execFileSync(
      '/bin/bash',
      [
        '-c',
        `${bash}\nCOMP_LINE='dayfly run --pul'; COMP_POINT=\${#COMP_LINE}; COMP_WORDS=(dayfly run --pul); COMP_CWORD=2; _dayfly; echo "\${COMPREPLY[@]}"`,
      ],
      {
        env: { PATH: `${join(program, '..')}:${process.env['PATH']}`, DAYFLY_RUN_DIR: site.runDir },
        encoding: 'utf8',
      },
    )
    assert.equal(completed, '--pull\n')
  })

  test('images: list, inspect, pull', async () => {
    assert.match((await site.cli(['image', 'ls'])).stdout, /docker\.io\/library\/fake:latest/)
    assert.match((await site.cli(['image', 'inspect', 'fake'])).stdout, /entry point/)
    assert.match((await site.cli(['image', 'pull', 'fake'])).stdout, /^sha256:[0-9a-f]{64}\n$/)
    assert.equal(JSON.parse((await site.cli(['image', 'gc', '--json'])).stdout).freedBytes, 0)
  })

  test('every command tells how it is used', async () => {
    const overview = (await site.cli(['help'])).stdout
    const names = [...overview.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}/gm)].map(([, name = '']) => name)
    assert.ok(names.length > 20, String(names.length))
    for (const name of names) {
      const { status, stdout } = await site.cli([...name.split(' '), '--help'])
      assert.equal(status, 0)
      assert.match(stdout, new RegExp(`^Usage: dayfly ${name}`))
    }
  })
})
