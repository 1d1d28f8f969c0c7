import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { it } from 'node:test'
import { createGaps } from './gaps.ts'
import { describeProcesses } from './processes.ts'
import { redactionOf } from './redaction.ts'

it('processes with very long arguments are described as far as there is room, and how many are left out is said', async () => {
  const child = spawn('sleep', ['600'], { argv0: `sleep${'x'.repeat(120_000)}`, stdio: 'ignore' })
  try {
    await once(child, 'spawn')
    const gaps = createGaps()
    const pids = Array.from({ length: 400 }, () => child.pid ?? 0)
    const described = await describeProcesses(pids, redactionOf([]), gaps, new AbortController().signal)
    const bytes = Buffer.byteLength(JSON.stringify(described))
    assert.ok(described.length > 0 && described.length < pids.length && bytes <= 17 * 1024 * 1024, `${described.length} with ${bytes} bytes`)
    assert.match(gaps.list().join(), new RegExp(`cut off after ${described.length} of 400`))
  } finally {
    child.kill('SIGKILL')
  }
})
