/** A daemon that is killed around the end of an environment leaves a record that the next one seals and that proves itself. On the real kernel. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Daemon } from '../daemon.ts'
import { makeFolder, root, startDaemon } from '../daemon.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces'
const rounds = 20
/** ms after the end was asked for: from before anything of it is done to after it is signed. */
const longest = 1_500

const workloads = {
  busy: {
    image: 'busybox',
    command: ['/bin/sh', '-c', 'while :; do /bin/true; sleep 0.02; done'],
    limits: { memory: 32 * 1024 * 1024, cpus: 0.5, pids: 32 },
    deployment: { restart: { condition: 'no' as const, attempts: 0, delay: 100, window: 10_000 } },
  },
}

describe('a daemon that is killed around the end of an environment', { skip, timeout: 600_000 }, () => {
  let folder = ''
  let daemon: Daemon
  const again = async (): Promise<void> => {
    daemon = startDaemon({ folder })
    await daemon.ready
  }
  before(async () => {
    folder = makeFolder('/tmp/dayfly-killed-')
    await again()
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    await daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
  })
  after(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test(`leaves a record that verifies, ${rounds} times, at random points`, async () => {
    const ids: string[] = []
    for (let round = 0; round < rounds; round++) {
      const { environment } = await daemon.client.up({ draft: { name: `round-${round}`, workloads } }, () => {})
      ids.push(environment.id)
      for await (const workloads of daemon.client.watchWorkloads(environment.id)) if (workloads.some(({ ready }) => ready > 0)) break
      // What was kept within the last second goes with the daemon.
      await sleep(1_500)
      const ending = daemon.client.end(environment.id, { force: true }).catch(() => undefined)
      const delay = Math.round(Math.random() * longest)
      await sleep(delay)
      await daemon.kill()
      await ending
      await again()
      // What it had not been asked for yet when it was killed is asked for again.
      await daemon.client.end(environment.id, { force: true })
      const { verdict, faults, checked } = await daemon.client.verify(environment.id)
      assert.deepEqual([verdict, faults], ['whole', []], `killed ${delay} ms after the end was asked for`)
      assert.ok(
        checked.some(({ member }) => member === 'activity.ndjson'),
        'something was kept of it',
      )
    }
    for (const id of ids) assert.equal((await daemon.client.verify(id)).verdict, 'whole', 'and it stays so')
  })
})
