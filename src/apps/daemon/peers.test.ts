import assert from 'node:assert/strict'
import { once } from 'node:events'
import { fstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLog } from '../../base/log.ts'
import type { PeerUid } from './peers.ts'
import { createPeers } from './peers.ts'

test('who has connected is asked once for each connection, by descriptor and inode, and named', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-peers-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const passwd = join(folder, 'passwd')
  writeFileSync(passwd, 'root:x:0:0::/root:/bin/sh\nada:x:4711:100:Ada:/:/bin/sh\nalso-ada:x:4711:100::/:/bin/sh\n')
  const path = join(folder, 'socket')
  const server = createServer().listen(path)
  await once(server, 'listening')
  t.after(() => server.close())
  const accept = async (): Promise<Socket> => {
    const accepted = once(server, 'connection')
    const client = connect(path)
    t.after(() => client.destroy())
    const [socket] = await accepted
    t.after(() => socket.destroy())
    return socket
  }

  const asked: [number, number][] = []
  const lines: string[] = []
  const log = createLog({ write: line => lines.push(line), level: 'debug', json: true })
  const peersBy = (uidOf: PeerUid | undefined) => {
    const counting: PeerUid = async (...which) => {
      asked.push(which)
      return (await uidOf?.(...which)) ?? -1
    }
    return createPeers({ uidOf: uidOf && counting, owner: 'the daemon', log, passwd })
  }
  const named = async (uid: number): Promise<string> => await peersBy(async () => uid)(await accept())
  assert.equal(await named(4711), 'ada')
  assert.equal(await named(4712), 'uid 4712')
  assert.equal(await named(process.getuid?.() ?? -1), 'the daemon')
  assert.equal(await peersBy(undefined)(await accept()), 'the daemon')

  asked.length = 0
  const peers = peersBy(async () => 4711)
  const socket = await accept()
  assert.deepEqual(await Promise.all([peers(socket), peers(socket)]), ['ada', 'ada'])
  assert.equal(asked.length, 1)
  const [[descriptor, inode] = [-1, -1]] = asked
  assert.equal(fstatSync(descriptor).ino, inode)
  assert.ok(fstatSync(descriptor).isSocket())
  await peers(await accept())
  assert.equal(asked.length, 2)

  assert.deepEqual(lines, [])
  const failing = peersBy(async () => {
    throw new Error('no pidfd_getfd here')
  })
  assert.equal(await failing(await accept()), 'the daemon')
  assert.match(lines.join(), /no pidfd_getfd here/)
})
