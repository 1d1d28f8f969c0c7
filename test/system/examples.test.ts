/** The examples run as they stand. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { globSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it makes real instances'

describe('examples', { skip: needsRoot }, () => {
  const folder = makeFolder('/tmp/dayfly-examples-')
  let daemon: Daemon
  before(async () => {
    daemon = startDaemon({ folder })
    await daemon.ready
    const image = spawnSync(join(root, 'scripts/make-image'), [folder], { encoding: 'utf8' })
    await daemon.client.importImage({ path: image.stdout.trim(), name: 'example' }, () => {})
  })
  after(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const example of globSync('examples/*.sh', { cwd: root }).sort()) {
    test(basename(example), async () => {
      const env = {
        ...process.env,
        PATH: `${dirname(dayflyProgram)}:${process.env['PATH']}`,
        DAYFLY_RUN_DIR: daemon.runDir,
        DAYFLY_STATE_DIR: daemon.stateDir,
      }
      const child = spawn(join(root, example), ['example'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          output += chunk.toString()
        })
      const [code] = await once(child, 'close')
      assert.equal(code, 0, output)
    })
  }

  test('leave nothing', async () => {
    assert.deepEqual(await daemon.client.environments(), [])
    assert.deepEqual(await daemon.client.leaks(), [])
  })
})
