import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../../base/log.ts'
import { createSupervision } from './supervision.ts'

const told = (variables: NodeJS.ProcessEnv) => {
  const messages: string[] = []
  const send = async (path: string, message: string): Promise<void> => {
    messages.push(`${path} ${message.split('\n')[0]}`)
  }
  return { messages, supervision: createSupervision({ variables, send, log: silentLog() }) }
}

test('systemd is told that it serves, again and again that it is well, and that it goes', async () => {
  const variables = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '30000', WATCHDOG_PID: String(process.pid), OTHER: 'x' }
  const { messages, supervision } = told(variables)
  assert.deepEqual(variables, { OTHER: 'x' })
  supervision.ready()
  while (messages.length < 3) await sleep(5)
  supervision.stopping()
  const count = messages.length
  await sleep(40)
  assert.equal(messages.length, count)
  assert.equal(messages[0], '/run/systemd/notify READY=1')
  assert.equal(messages[1], '/run/systemd/notify WATCHDOG=1')
  assert.equal(messages.at(-1), '/run/systemd/notify STOPPING=1')
})

test('without systemd nobody is told, and the watchdog of another process is none of ours', async () => {
  const alone = told({})
  alone.supervision.ready()
  alone.supervision.stopping()
  assert.deepEqual(alone.messages, [])
  const { messages, supervision } = told({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' })
  supervision.ready()
  await sleep(30)
  supervision[Symbol.dispose]()
  assert.deepEqual(messages, ['/n READY=1'])
})
