import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing, outcome, startFake, until } from '../../../test/cli/fake.ts'

const serving = doing({ on: 'SIGTERM', exit: 0 }, { sleep: 600_000 })

describe('waiting in line, on the fake backend', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  before(async () => {
    site = await startFake(folder => {
      const path = join(folder, 'quotas.yaml')
      writeFileSync(path, 'each: { environments: 1 }')
      return ['--quotas', path]
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
  })

  /** A command that waits: its process, what it has said, and its outcome. */
  const waiting = async (args: readonly string[], place: number) => {
    const child = site.start(args)
    child.stdin.end()
    const ended = outcome(child)
    let said = ''
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString()
    })
    await until(() => said.includes(`dayfly: waiting in line: place ${place}: `))
    return { child, ended, said: () => said }
  }
  const occupy = async (name: string): Promise<void> => {
    assert.equal((await site.cli(['run', '-d', '--name', name, 'fake', ...serving])).status, 0)
  }

  test('without --queue it is refused, and told of it', async () => {
    await occupy('first')
    const { status, stderr } = await site.cli(['run', 'fake', ...doing({ exit: 0 })])
    assert.equal(status, 125)
    assert.match(stderr, /has 1 environments and may have 1 environments.*\n.*--queue DURATION/)
    const bad = await site.cli(['run', '--queue', '25h', 'fake', ...doing({ exit: 0 })])
    assert.deepEqual([bad.status, /--queue/.test(bad.stderr)], [2, true])
  })

  test('it waits its turn: run, up and what is detached; their places are told as they change', async () => {
    const file = join(site.folder, 'compose.yaml')
    writeFileSync(file, `services:\n  web:\n    image: fake\n    command: ${JSON.stringify(serving)}\n`)
    const run = await waiting(['run', '--queue', '10m', 'fake', ...doing({ print: 'ran' }, { exit: 3 })], 1)
    const up = await waiting(['up', '--queue', '10m', '-p', 'second', file], 2)
    const detached = await waiting(['run', '-d', '--queue', '10m', '--name', 'third', 'fake', ...serving], 3)
    await site.cli(['down', 'first'])
    const { status, stdout } = await run.ended
    assert.deepEqual([status, stdout], [3, 'ran'])
    assert.equal((await up.ended).status, 0)
    assert.ok(up.said().indexOf('place 1') > up.said().indexOf('place 2'), up.said())
    await until(() => detached.said().includes('place 1'))
    await site.cli(['down', 'second'])
    assert.equal((await detached.ended).status, 0)
    assert.deepEqual(
      (await site.client.environments()).map(({ name }) => name),
      ['third'],
    )
    await site.cli(['down', 'third'])
  })

  test('Ctrl-C leaves the line, and so does a client that is killed; the others move up, and nothing is left', async () => {
    await occupy('fourth')
    const args = ['run', '--queue', '10m', 'fake', ...doing({ exit: 0 })]
    const interrupted = await waiting(args, 1)
    const killed = await waiting(args, 2)
    const last = await waiting([...args.slice(0, 3), '--name', 'last', ...args.slice(3)], 3)
    interrupted.child.kill('SIGINT')
    assert.notEqual((await interrupted.ended).status, 0)
    killed.child.kill('SIGKILL')
    await until(() => last.said().includes('place 1: '))
    const known = await site.client.environments({ all: true })
    await site.cli(['down', 'fourth'])
    assert.equal((await last.ended).status, 0)
    const after = await site.client.environments({ all: true })
    assert.deepEqual(
      after.filter(({ id }) => !known.some(other => other.id === id)).map(({ name }) => name),
      ['last'],
    )
  })

  test('patience has an end; --json tells places as frames', async () => {
    await occupy('fifth')
    const { status, stdout, stderr } = await site.cli(['run', '--json', '--queue', '300ms', 'fake', ...doing({ exit: 0 })])
    assert.equal(status, 125)
    const [queued] = stdout.split('\n').map(line => (line === '' ? {} : JSON.parse(line)))
    assert.deepEqual([queued.type, queued.queued.place], ['queued', 1])
    assert.match(stdout + stderr, /it waited in line for 300ms/)
    await site.cli(['down', 'fifth'])
  })
})
