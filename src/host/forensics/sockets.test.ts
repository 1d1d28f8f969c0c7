import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createGaps } from './gaps.ts'
import { describeProcesses } from './processes.ts'
import { redactionOf } from './redaction.ts'
import { describeSockets, socketAddress } from './sockets.ts'

test('addresses are as people write them', () => {
  assert.equal(socketAddress('0100007F:1F90'), '127.0.0.1:8080')
  assert.equal(socketAddress('00000000:0016'), '0.0.0.0:22')
  assert.equal(socketAddress('00000000000000000000000001000000:0050'), '[0:0:0:0:0:0:0:1]:80')
})

test('a process and its sockets are described as they are, without what is secret', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const gaps = createGaps()
    const [own] = await describeProcesses(
      [process.pid, 2 ** 22 + 1],
      redactionOf([Buffer.from(process.execPath)]),
      gaps,
      new AbortController().signal,
    )
    assert.equal(own?.pid, process.pid)
    assert.equal(own.parentPid, process.ppid)
    assert.match(own.sha256 ?? '', /^[0-9a-f]{64}$/)
    assert.equal(own.exe, '[secret]')
    assert.ok(own.variables.includes('PATH') && !own.variables.some(name => name.includes('=')))
    const inodes = own.descriptors.flatMap(({ target }) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
    const holders = new Map(inodes.map(inode => [Number(inode), [process.pid]]))
    const sockets = await describeSockets(process.pid, holders, gaps)
    const listening = sockets.find(({ local }) => local === `127.0.0.1:${address.port}`)
    assert.deepEqual([listening?.protocol, listening?.state, listening?.pids], ['tcp', 'LISTEN', [process.pid]])
  } finally {
    server.close()
    await once(server, 'close')
  }
})
