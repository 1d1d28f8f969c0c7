/** Output that goes nowhere: a full disk, which /dev/full is, and a message that nobody reads. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { doing, program, startFake } from '../../../test/cli/fake.ts'

describe('output that cannot be written', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  before(async () => {
    site = await startFake()
    assert.equal((await site.cli(['run', '-d', '--name', 'host', 'fake', '--', ...doing({ print: 'up\n' }, { sleep: 600_000 })])).status, 0)
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
  })

  /** What a shell line prints, in which `$0` is dayfly. */
  const shell = (line: string, ...args: readonly string[]): string =>
    execFileSync('/bin/bash', ['-c', line, program, ...args], {
      env: { PATH: process.env['PATH'], DAYFLY_RUN_DIR: site.runDir, DAYFLY_STATE_DIR: site.stateDir },
      encoding: 'utf8',
    })

  for (const words of [
    'ps',
    'ps --json',
    'logs host',
    'logs -t host',
    'events',
    'inspect host',
    'image ls',
    'doctor',
    'exec host -- fake "[{\\"print\\":\\"x\\"}]"',
  ]) {
    test(`dayfly ${words} > /dev/full: said in a line, 125`, () => {
      const said = shell(`"$0" ${words} 2>&1 >/dev/full; echo $?`)
      assert.match(said, /standard output cannot be written to: ENOSPC/)
      assert.match(said, /Free some space/)
      assert.doesNotMatch(said, /defect|node:/)
      assert.match(said, /\n125\n$/)
    })
  }

  test('dayfly run > /dev/full ends what it runs, and leaves its output in the log', async () => {
    const said = shell('"$0" run --name lost fake -- "$@" 2>&1 >/dev/full; echo $?', ...doing({ print: 'much\n' }, { sleep: 600_000 }))
    assert.match(said, /standard output cannot be written to: ENOSPC.*\n.*`dayfly logs` has what was printed\.\n125\n$/)
    const [ended] = (await site.client.environments({ all: true })).filter(({ name }) => name === 'lost')
    assert.equal(ended?.state, 'ended')
    assert.equal((await site.cli(['logs', ended?.instances[0]?.id ?? ''])).stdout, 'much\n')
  })

  test('messages that nobody reads change nothing', () => {
    assert.equal(shell('exec 3>&1; { "$0" ps nonsense; echo $? >&3; } 2>&1 | true'), '2\n')
    assert.equal(shell('"$0" ps nonsense 2>/dev/full; echo $?'), '2\n')
  })
})
