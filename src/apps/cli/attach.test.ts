/** `dayfly attach` on the fake backend: pipes and signals. On a terminal: test/system/attach.test.ts. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { doing, outcome, startFake, until } from '../../../test/cli/fake.ts'

describe('dayfly attach', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  before(async () => {
    site = await startFake()
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
  })

  const events = async (name: string): Promise<string[]> => (await site.client.events({ environment: name })).map(({ type }) => type)

  test('what is typed reaches the process, what it prints from then on reaches us, and the end of our input is not its', async () => {
    await site.cli(['run', '-d', '-i', '--name', 'echo', 'fake', '--', ...doing({ print: 'before\n' }, { echo: true }, { exit: 5 })])
    const first = site.start(['attach', 'echo'])
    first.stdin.end('one\n')
    const firstEnds = outcome(first)
    await new Promise(resolve => first.stdout.once('data', resolve))
    first.kill('SIGKILL')
    assert.equal((await firstEnds).stdout, 'one\n')
    const second = site.start(['attach', 'echo'])
    second.stdin.write('two\n')
    const secondEnds = outcome(second)
    await new Promise(resolve => second.stdout.once('data', resolve))
    await site.cli(['kill', 'echo'])
    const { status, stdout } = await secondEnds
    assert.deepEqual([status, stdout], [137, 'two\n'])
  })

  test('signals are passed on, however often, and the exit code is that of the process', async () => {
    await site.cli(['run', '-d', '--name', 'polite', 'fake', '--', ...doing({ on: 'SIGTERM', exit: 6 }, { sleep: 600_000 })])
    const child = site.start(['attach', '--json', 'polite'])
    const ended = outcome(child)
    await new Promise(resolve => child.stdout.once('data', resolve)) // The started frame: from here on signals are passed on.
    for (let count = 1; count <= 3; count++) {
      child.kill('SIGINT')
      await until(async () => (await events('polite')).filter(type => type === 'instance.signalled').length === count)
    }
    child.kill('SIGTERM')
    assert.equal((await ended).status, 6)
  })

  test('--sig-proxy false: a signal ends only us', async () => {
    await site.cli(['run', '-d', '--name', 'deaf', 'fake', '--', ...doing({ print: 'up\n' }, { sleep: 600_000 })])
    const child = site.start(['attach', '--sig-proxy', 'false', '--json', 'deaf'])
    const ended = outcome(child)
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.kill('SIGTERM')
    const { status, stdout } = await ended
    assert.equal(status, 143)
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).type),
      ['started', 'detached'],
    )
    assert.equal((await site.client.environment('deaf')).state, 'running')
    await until(async () => (await events('deaf')).includes('attach.ended'))
    await site.cli(['down', '--force', 'deaf'])
  })

  test('an instance that has ended, or keeps no stdin', async () => {
    await site.cli(['run', '-d', '--name', 'closed', 'fake', '--', ...doing({ print: 'up\n' }, { sleep: 600_000 })])
    const child = site.start(['attach', '--json', 'closed'])
    const ended = outcome(child)
    child.stdin.end('nobody reads this')
    await new Promise(resolve => child.stdout.once('data', resolve))
    const { instances } = await site.client.environment('closed')
    await site.cli(['down', '--force', 'closed'])
    assert.equal((await ended).status, 137)
    const late = await site.cli(['attach', instances[0]?.id ?? ''])
    assert.equal(late.status, 125)
    assert.match(late.stderr, /^dayfly: REF: the instance .* is not running but removed/)
  })
})
