/** What the console works out by itself, without a browser. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLines, readable } from '../../src/apps/console/pages/environment/log-lines.ts'
import { samplesOf, seriesOf } from '../../src/apps/console/pages/environment/samples.ts'
import { ticks, zoomed } from '../../src/apps/console/pages/now/lanes.ts'

test('lines of output are whole, however they come, and what is for terminals is not in them', () => {
  let key = 0
  const lines = createLines('web 1', () => ++key)
  const piece = (data: string, time: number, stream: 'stdout' | 'stderr' = 'stdout') => lines.push({ time, stream, data, encoding: 'utf-8' })
  assert.deepEqual(
    piece('one\ntw', 1).map(({ text }) => text),
    ['one'],
  )
  assert.deepEqual(
    piece('other\n', 2, 'stderr').map(({ text, stream }) => [text, stream]),
    [['other', 'stderr']],
  )
  assert.deepEqual(
    piece('o\n', 3).map(({ text, time }) => [text, time]),
    [['two', 1]],
  )
  piece('no end', 4)
  assert.deepEqual(
    lines.rest().map(({ text }) => text),
    ['no end'],
  )
  assert.deepEqual(
    lines.push({ time: 5, stream: 'stderr', data: Buffer.from([0xff, 0x41, 0x0a]).toString('base64'), encoding: 'base64' }).map(({ text }) => text),
    ['\ufffdA'],
  )
})

test('escape sequences are taken out, controls and turned directions are shown as such', () => {
  assert.equal(readable('\u001b[31mred\u001b[0m \u001b]0;title\u0007done\r'), 'red done')
  assert.equal(readable('\u001b]8;;http://a\u001b\\link\u001b]8;;\u001b\\'), 'link')
  assert.equal(readable('a\u0007b\u202ec'), 'a\u2407b\ufffdc')
  assert.equal(readable('<b>\ttab</b>'), '<b>\ttab</b>')
})

test('rates are between samples, and a sum that begins anew has none', () => {
  const sample = (time: number, cpu: number, instance = 'a') => ({
    position: time,
    activity: { type: 'sample' as const, environment: 'e', instance, time, cpu, memory: 5 },
  })
  const samples = samplesOf([sample(3000, 500_000), sample(1000, 0), sample(2000, 1_500_000), sample(2000, 7, 'b')])
  const { times, lines } = seriesOf(samples, 'cpu', name => name)
  assert.deepEqual(times, [2])
  assert.deepEqual([...lines], [['a', [1.5]]])
  assert.deepEqual([...seriesOf(samples, 'memory', name => name).lines.keys()], ['a', 'b'])
})

test('zooming keeps what is under the pointer where it is', () => {
  const view = zoomed({ from: 0, to: 1000 }, 0.5, 250)
  assert.deepEqual(view, { from: 125, to: 625 })
  assert.equal((250 - view.from) / (view.to - view.from), 0.25)
  const { step, times } = ticks({ from: 1_000_000, to: 1_060_000 }, 6)
  assert.equal(step, 10_000)
  assert(times.length >= 6 && times.every(time => time % 10_000 === 0))
})
