import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { AccessEntry } from '../model/access.ts'
import type { AccessOptions } from './access-lines.ts'
import { readAccessLog } from './access-lines.ts'

const line = (time: number, path = '/'): string => {
  const entry: AccessEntry = {
    ...{ time, target: 't', environment: 'e', workload: 'web', client: '127.0.0.1', protocol: 'HTTP/1.1', method: 'GET' },
    ...{ host: 'web.shop.localhost', path, status: 200, bytesIn: 0, bytesOut: 5, duration: 1 },
  }
  return `${JSON.stringify(entry)}\n`
}
const signal = new AbortController().signal
const inFolder = async (body: (path: string, times: (options?: Partial<AccessOptions>) => Promise<number[]>) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-access-lines-'))
  try {
    const path = join(folder, 'log')
    await body(path, async options => (await Array.fromAsync(readAccessLog(path, { signal, ...options }))).map(({ time }) => time))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('reading an access log', () => {
  test('gives what there is: all, the last, since a time', async () => {
    await inFolder(async (path, times) => {
      assert.deepEqual(await times(), [])
      appendFileSync(path, [1, 2, 3, 4, 5].map(time => line(time)).join(''))
      assert.deepEqual(await times(), [1, 2, 3, 4, 5])
      assert.deepEqual(await times({ since: 3 }), [3, 4, 5])
      for (const tail of [0, 1, 4, 5, 6]) assert.deepEqual(await times({ tail }), [1, 2, 3, 4, 5].slice(tail > 5 ? 0 : 5 - tail))
    })
  })

  test('passes over what is no entry, and what is torn', async () => {
    await inFolder(async (path, times) => {
      appendFileSync(path, `${line(1)}nothing\n{"time":2}\n\n${'x'.repeat(3 << 20)}\n${line(3)}${line(4).slice(0, -5)}`)
      assert.deepEqual(await times(), [1, 3])
    })
  })

  test('of many chunks finds its tail', async () => {
    await inFolder(async (path, times) => {
      appendFileSync(path, Array.from({ length: 2000 }, (_, index) => line(index, `/${'p'.repeat(index % 200)}`)).join(''))
      assert.deepEqual(
        await times({ tail: 1500 }),
        Array.from({ length: 1500 }, (_, index) => 500 + index),
      )
    })
  })

  test('follows what is written, from before the first line to the end', async () => {
    await inFolder(async path => {
      const { promise: until, resolve: end } = Promise.withResolvers<void>()
      const seen: number[] = []
      const reading = (async () => {
        for await (const { time } of readAccessLog(path, { signal, until })) {
          seen.push(time)
          if (time < 3) appendFileSync(path, line(time + 1).slice(0, 20))
          if (time < 3) appendFileSync(path, line(time + 1).slice(20))
          else end()
        }
      })()
      appendFileSync(path, line(1))
      await reading
      assert.deepEqual(seen, [1, 2, 3])
    })
  })
})
