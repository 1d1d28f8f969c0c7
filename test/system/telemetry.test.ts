/** The steps of a start on the real kernel, as the metrics tell them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeFolder, root, startDaemon } from '../daemon.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces'

test('every step of a start is counted', { skip, timeout: 300_000 }, async () => {
  const folder = makeFolder('/tmp/dayfly-telemetry-')
  try {
    await using daemon = startDaemon({ folder })
    await daemon.ready
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    await daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
    const { instances } = await daemon.client.create({ image: 'busybox', command: ['/bin/true'] })
    await daemon.client.wait(instances[0]?.id ?? '')
    const [response] = await once(get({ socketPath: join(daemon.runDir, 'dayfly.sock'), path: '/metrics' }), 'response')
    let text = ''
    for await (const piece of response) text += String(piece)
    for (const step of ['admit', 'image', 'network', 'mount', 'dedicate', 'run', 'ready']) {
      assert.match(text, new RegExp(`^dayfly_start_step_duration_seconds_count\\{step="${step}",start="cold"\\} 1$`, 'm'))
    }
    assert.match(text, /^dayfly_starts_total\{start="cold",outcome="ok"\} 1$/m)
    assert.match(text, /^dayfly_pool_cells \d+$/m)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
