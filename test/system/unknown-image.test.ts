/** An image that is not there: whatever its registry says or does not say, a run of it exits with 2 and says what is the matter. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, startDaemon } from '../daemon.ts'
import { freePort, startRegistry } from './image/registry.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: the daemon makes namespaces'

describe('an image that is not there', { skip }, () => {
  let folder = ''
  let daemon: Daemon
  let nobody = ''

  const dayfly = (...args: readonly string[]): { status: number | null; stderr: string } => {
    const env = { PATH: process.env['PATH'], HOME: folder, DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir }
    const { status, stderr } = spawnSync(dayflyProgram, args, { env, encoding: 'utf8' })
    return { status, stderr }
  }

  before(async () => {
    folder = makeFolder('/tmp/dayfly-unknown-image-')
    daemon = startDaemon({ folder })
    await daemon.ready
    nobody = `127.0.0.1:${await freePort()}`
  })
  after(async () => {
    await daemon[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('run, where nobody answers: 2, with registry, reason and remedy', () => {
    const { status, stderr } = dayfly('run', `${nobody}/app:1`, '--', 'true')
    assert.match(
      stderr,
      new RegExp(
        `^dayfly: IMAGE: ${nobody}/app:1 is not in the local store, and its registry ${nobody} cannot be reached: .*connection refused$`,
        'm',
      ),
    )
    assert.match(stderr, new RegExp(`dayfly image import PATH ${nobody}/app:1`))
    assert.equal(status, 2)
  })

  test('run, where the registry answers that it has none: 2', async () => {
    await using registry = await startRegistry()
    const { status, stderr } = dayfly('run', `${registry.host}/app:1`, '--', 'true')
    assert.match(
      stderr,
      new RegExp(`^dayfly: IMAGE: ${registry.host}/app:1 is not in the local store, and ${registry.host} has no app with the tag 1$`, 'm'),
    )
    assert.equal(status, 2)
  })

  test('run, where the registry wants to know who asks: 2', async () => {
    await using registry = await startRegistry({ authenticated: true })
    const { status, stderr } = dayfly('run', `${registry.host}/app:1`, '--', 'true')
    assert.match(stderr, /is not in the local store, and the registry 127.* refuses access/)
    assert.match(stderr, /skopeo login 127/)
    assert.equal(status, 2)
  })

  test('--pull never asks nobody: 2', () => {
    const { status, stderr } = dayfly('run', '--pull', 'never', `${nobody}/app:1`)
    assert.match(stderr, /there is no image/)
    assert.doesNotMatch(stderr, /registry/)
    assert.equal(status, 2)
  })

  test('whoever asks for the registry itself gets its failure: 125', () => {
    for (const args of [
      ['image', 'pull', `${nobody}/app:1`],
      ['run', '--pull', 'always', `${nobody}/app:1`],
    ]) {
      const { status, stderr } = dayfly(...args)
      assert.match(stderr, /cannot be reached: .*connection refused/)
      assert.equal(status, 125)
    }
  })
})
