/** What a workload chooses - names, arguments, paths - may be any bytes: the sensor's lines stay JSON, and say what can be said of them. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import type { Heard, Programs } from './sensor/cell.ts'
import { compilePrograms, deed, listen, sensorBinary, whyNot } from './sensor/cell.ts'

/** How many characters stand for how many bytes that are none is nobody's business. */
const readable = (text: string): string => text.replaceAll(/\uFFFD+/g, '\uFFFD')

describe('hostile input of the sensor', { skip: whyNot() }, () => {
  let programs: Programs
  let heard: Heard

  before(async () => {
    programs = compilePrograms()
    heard = await listen()
  })
  after(async () => {
    await heard?.sensor[Symbol.asyncDispose]()
    programs?.[Symbol.dispose]()
  })

  test('names, paths, sockets and arguments of random bytes', async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const { events, output } = await deed(heard, programs, 'random', String(seed))
      const exec = events.filter(event => event.type === 'exec').at(-1)
      const want = output.split('\n').map(line => readable(Buffer.from(line.replace('.', ''), 'hex').toString('utf8')))
      const whole = (exec?.args?.slice(1) ?? []).map(readable)
      assert.equal(exec?.argsCount, 8)
      assert.deepEqual(whole, want.slice(0, whole.length))
      assert.equal(whole.length, 7)
      assert.equal(events.filter(event => event.type === 'bind').length, 1)
      for (const event of events) assert.ok(JSON.stringify(event).isWellFormed())
    }
  })

  const talk = async (input: string): Promise<{ status: number | null; lines: string[] }> => {
    const sensor = spawn(sensorBinary, [], { stdio: ['pipe', 'pipe', 'ignore'] })
    sensor.stdout.setEncoding('utf8')
    let said = ''
    sensor.stdout.on('data', (text: string) => {
      said += text
    })
    sensor.stdin.on('error', () => undefined)
    sensor.stdin.end(input)
    await once(sensor, 'close')
    return { status: sensor.exitCode, lines: said.trimEnd().split('\n').slice(1) }
  }

  test('commands that are none are refused one by one, and it goes on', async () => {
    const lines = [
      '1 nonsense',
      '',
      'x sync',
      '2 namespace 1',
      '3 namespace -1 1 0',
      '4 namespace 1 1 99999',
      '5 path sensitive %00',
      '6 path sensitive /%zz',
    ]
    const { status, lines: said } = await talk(`${lines.join('\n')}\n7 unregister 18446744073709551616\n8 sync x\n9 sync\n`)
    assert.equal(status, 0)
    const acks = said.map(line => JSON.parse(line))
    assert.deepEqual(
      acks.map(ack => [ack.type, ack.tag, ack.errno === 0]),
      [1, 0, 0, 2, 3, 4, 5, 6, 7, 8, 9].map(tag => ['ack', tag, tag === 9]),
    )
  })

  test('a command without an end ends it', async () => {
    const { status } = await talk('x'.repeat(100_000))
    assert.equal(status, 1)
  })

  test('at the end of its input it ends, and answers what was asked before', async () => {
    const { status, lines } = await talk('1 sync\n')
    assert.equal(status, 0)
    assert.deepEqual(
      lines.map(line => JSON.parse(line)),
      [{ type: 'ack', tag: 1, errno: 0 }],
    )
  })
})
