import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { appendFile, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError } from '../base/errors.ts'
import type { LogOptions, LogRecord } from '../model/log.ts'
import { readLog } from './logs.ts'

const at = (second: number): string => `2026-03-04T05:06:${String(second).padStart(2, '0')}.123456789Z`
const never = (): AbortSignal => new AbortController().signal

describe('reading a log', () => {
  let folder = ''
  let count = 0
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dayfly-logs-'))
  })
  after(() => rm(folder, { recursive: true }))

  const file = async (content: string | Buffer): Promise<string> => {
    const path = join(folder, `${++count}.log`)
    await writeFile(path, content)
    return path
  }
  const read = async (path: string, options: Partial<LogOptions> = {}): Promise<LogRecord[]> =>
    Array.fromAsync(readLog(path, { signal: never(), ...options }))
  const text = (records: readonly LogRecord[]): string => Buffer.concat(records.map(({ data }) => data)).toString('utf8')

  it('gives stream, time and bytes of each record', async () => {
    const path = await file(`${at(1)} stdout F one\n${at(2)} stderr F two\n`)
    const records = await read(path)
    assert.deepEqual(
      records.map(({ stream, time, data }) => [stream, time, Buffer.from(data).toString()]),
      [
        ['stdout', Date.parse('2026-03-04T05:06:01.123Z') + 0.456, 'one\n'],
        ['stderr', Date.parse('2026-03-04T05:06:02.123Z') + 0.456, 'two\n'],
      ],
    )
  })

  it('adds no newline to partial records and keeps empty lines', async () => {
    const path = await file(`${at(1)} stdout P half\n${at(1)} stdout F  and half\n${at(1)} stdout F \n${at(1)} stdout P prompt> \n`)
    assert.equal(text(await read(path)), 'half and half\n\nprompt> ')
  })

  it('keeps every byte', async () => {
    const payload = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter(byte => byte !== 10))
    const path = await file(Buffer.concat([Buffer.from(`${at(1)} stdout F `), payload, Buffer.from('\n')]))
    const [record] = await read(path)
    assert.deepEqual(Buffer.from(record?.data ?? []), Buffer.concat([payload, Buffer.from('\n')]))
  })

  it('takes a log that is not there, or empty, for empty', async () => {
    assert.deepEqual(await read(join(folder, 'none')), [])
    assert.deepEqual(await read(await file('')), [])
    assert.deepEqual(await read(join(folder, 'none'), { until: Promise.resolve() }), [])
  })

  it('gives what is readable of a torn last record', async () => {
    assert.equal(text(await read(await file(`${at(1)} stdout F whole\n${at(1)} stdout F to`))), 'whole\nto')
    assert.equal(text(await read(await file(`${at(1)} stdout F whole\n${at(1).slice(0, 9)}`))), 'whole\n')
    assert.equal(text(await read(await file(`${at(1)} stdout F whole\n${at(1)} stdou`))), 'whole\n')
  })

  it('passes over damaged lines', async () => {
    const path = await file(`${at(1)} stdout F a\ngarbage\n\nxxxx stdout F b\n${at(1)} stdlog F c\n${at(1)} stdout X d\n${at(1)} stdout F e\n`)
    assert.equal(text(await read(path)), 'a\ne\n')
  })

  it('refuses what is no log', async () => {
    const path = await file(Buffer.alloc(3 << 20, 'x'))
    await assert.rejects(read(path), (error: unknown) => error instanceof DayflyError && error.code === 'corrupt')
  })

  it('begins at a time', async () => {
    const path = await file([1, 2, 3, 4].map(second => `${at(second)} stdout F ${second}\n`).join(''))
    assert.equal(text(await read(path, { since: Date.parse('2026-03-04T05:06:03Z') })), '3\n4\n')
    assert.equal(text(await read(path, { since: Date.parse('2027-01-01T00:00:00Z') })), '')
  })

  it('begins at the last lines', async () => {
    const lines = Array.from({ length: 10_000 }, (_, index) => `${at(index % 60)} stdout F ${'x'.repeat(index % 70)} ${index}\n`)
    const path = await file(lines.join(''))
    const payload = (some: readonly string[]): string => some.map(line => line.slice(at(0).length + 10)).join('')
    for (const tail of [0, 1, 2, 1_000, 9_999, 10_000, 20_000]) {
      assert.equal(text(await read(path, { tail })), payload(tail === 0 ? [] : lines.slice(-tail)), `the last ${tail}`)
    }
  })

  it('counts partial records with the line they belong to', async () => {
    const path = await file(
      `${at(1)} stdout F 1\n${at(1)} stdout P 2\n${at(1)} stdout F 2\n${at(1)} stdout P 3\n${at(1)} stdout F 3\n${at(1)} stdout P 4\n${at(1)} stdout P 4\n`,
    )
    assert.equal(text(await read(path, { tail: 1 })), '44')
    assert.equal(text(await read(path, { tail: 2 })), '33\n44')
    assert.equal(text(await read(path, { tail: 3 })), '22\n33\n44')
    assert.equal(text(await read(path, { tail: 9 })), '1\n22\n33\n44')
  })

  it('follows to the end, the last line included', async () => {
    const path = await file(`${at(1)} stdout F first\n`)
    const { promise: until, resolve } = Promise.withResolvers<void>()
    const seen: string[] = []
    const following = (async () => {
      for await (const { data } of readLog(path, { until, signal: never() })) seen.push(Buffer.from(data).toString())
    })()
    const shown = async (line: string): Promise<void> => {
      while (!seen.includes(line)) await sleep(1)
    }
    await shown('first\n')
    await appendFile(path, `${at(2)} stdout F second\n`)
    await shown('second\n')
    await appendFile(path, `${at(3)} stdout F torn`)
    await appendFile(path, ' and mended\n')
    await shown('torn and mended\n')
    await appendFile(path, `${at(4)} stdout F last\n`)
    resolve()
    await following
    assert.deepEqual(seen, ['first\n', 'second\n', 'torn and mended\n', 'last\n'])
  })

  it('follows a log that is yet to come', async () => {
    const path = join(folder, 'late.log')
    const { promise: until, resolve } = Promise.withResolvers<void>()
    const following = read(path, { until })
    await sleep(20)
    await writeFile(path, `${at(1)} stdout F here\n`)
    resolve()
    assert.equal(text(await following), 'here\n')
  })

  it('ends when the signal aborts, and when the end of the instance is an error', async () => {
    const path = await file(`${at(1)} stdout F x\n`)
    const controller = new AbortController()
    const following = read(path, { until: new Promise(() => {}), signal: controller.signal })
    await sleep(20)
    controller.abort()
    assert.equal(text(await following), 'x\n')
    assert.equal(text(await read(path, { until: Promise.reject(new Error('lost')) })), 'x\n')
  })

  it('can be left at any record', async () => {
    const path = await file(`${at(1)} stdout F x\n${at(1)} stdout F y\n`)
    for await (const { data } of readLog(path, { until: new Promise(() => {}), signal: never() })) {
      assert.equal(Buffer.from(data).toString(), 'x\n')
      break
    }
  })

  it('loses nothing of a writer that writes as fast as it can, torn writes included', async () => {
    const path = await file('')
    const program = `
      const { openSync, writeSync } = require('node:fs')
      const file = openSync(process.argv[1], 'a')
      let line = 0
      for (let batch = 0; batch < 2000; batch++) {
        let text = ''
        for (let n = 0; n < 50; n++) text += '2026-03-04T05:06:07.000000001Z ' + (line % 3 ? 'stdout' : 'stderr') + ' F line ' + ++line + '\\n'
        const half = batch * 7 % text.length
        writeSync(file, text.slice(0, half))
        writeSync(file, text.slice(half))
      }`
    const writer = spawn(process.execPath, ['-e', program, path], { stdio: 'inherit' })
    const until = new Promise<void>(resolve => {
      writer.on('exit', () => resolve())
    })
    let expected = 0
    for await (const { data } of readLog(path, { until, signal: never() })) assert.equal(Buffer.from(data).toString(), `line ${++expected}\n`)
    assert.equal(expected, 100_000)
  })

  it('reads a long log without holding it', async () => {
    const path = await file('')
    await using writer = await open(path, 'a')
    const block = `${at(1)} stdout F ${'z'.repeat(1000)}\n`.repeat(1024)
    for (let n = 0; n < 64; n++) await writer.write(block)
    let bytes = 0
    let most = 0
    for await (const { data } of readLog(path, { signal: never() })) {
      bytes += data.length
      if (bytes % (1001 * 8192) === 0) most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    assert.equal(bytes, 64 * 1024 * 1001)
    assert.ok(most < 48 << 20, `${most} bytes of buffers`)
  })
})
