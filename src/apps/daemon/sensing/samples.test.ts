import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseInterfaces } from './samples.ts'

test('what the host’s end of a network sends, its instance receives', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     10       1    0    0    0     0          0         0       10       1    0    0    0     0       0          0
dfy0-1.0: 4096      12    0    0    0     0          0         0     8192      14    0    0    0     0       0          0
`
  const interfaces = parseInterfaces(text)
  assert.deepEqual(interfaces.get('dfy0-1.0'), { received: 8192, sent: 4096 })
  assert.deepEqual([...interfaces.keys()], ['lo', 'dfy0-1.0'])
})
