/** The record says who did what: users of one daemon, whose socket their group may open, are told apart by the kernel. And what is stopped while it is frozen. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces, and is several users'
/** Nobody's, as far as /etc/passwd goes. */
const [ada, bob, both] = [471_101, 471_102, 471_100]

const request = `
import http.client, socket, sys
path, method, where, then = sys.argv[1:]
connection = http.client.HTTPConnection('localhost')
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(path)
connection.request(method, where, sys.stdin.read(), {'content-type': 'application/json'})
if then == 'and wait':
    answer = connection.getresponse()
    print(answer.read().decode())
    sys.exit(answer.status >= 300)
`
const compose = `
services:
  web: { image: box, command: ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 1 & wait; done"] }
  other: { image: box, command: ["sleep", "1000"] }
`

describe('a daemon of several users', { skip: needsRoot, timeout: 300_000 }, () => {
  const folder = needsRoot === false ? makeFolder('/tmp/dayfly-actors-') : ''
  let daemon: Daemon

  /** A request by another user; the checkout may be none of theirs. `then`: whether they wait for the answer. */
  const by = (uid: number, method: string, path: string, body: object, then: 'and wait' | 'and go' = 'and wait'): string => {
    const words = [`--reuid=${uid}`, `--regid=${both}`, '--clear-groups', '--', '/usr/bin/python3', '-c', request]
    const input = JSON.stringify(body)
    const { status, stdout, stderr } = spawnSync('setpriv', [...words, join(daemon.runDir, 'dayfly.sock'), method, path, then], {
      input,
      encoding: 'utf8',
    })
    assert.equal(status, 0, `${method} ${path}: ${stdout}${stderr}`)
    return stdout
  }
  const actorsOf = async (environment: string, type: string): Promise<string[]> => {
    const events = await daemon.client.events({ environment })
    return events.filter(event => event.type === type).map(({ actor }) => actor.name)
  }

  before(async () => {
    daemon = startDaemon({ folder: join(folder, 'daemon') })
    await daemon.ready
    // What --group does, of a group that need not be in /etc/group.
    chownSync(join(daemon.runDir, 'dayfly.sock'), -1, both)
    chmodSync(join(daemon.runDir, 'dayfly.sock'), 0o660)
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    await daemon.client.importImage({ path: tar, name: 'box' }, () => {})
  })
  after(async () => {
    // Of a test that has failed.
    for (const { id } of await daemon.client.environments()) await daemon.client.end(id, { force: true })
    const left = await daemon.client.leaks()
    await daemon[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
    assert.deepEqual(left, [])
  })

  it('names each of them in the record, and itself as its user', async () => {
    const environment = JSON.parse(by(ada, 'POST', '/v1/environments', { image: 'box', name: 'desk', command: ['sleep', '1000'] }))
    by(bob, 'POST', '/v1/environments/desk/extend', { ttl: 7_200_000 })
    await daemon.client.end('desk', { force: true })
    assert.deepEqual(await actorsOf(environment.id, 'environment.creating'), [`uid ${ada}`])
    assert.deepEqual(await actorsOf(environment.id, 'environment.extended'), [`uid ${bob}`])
    assert.deepEqual(await actorsOf(environment.id, 'environment.ending'), [userInfo().username])
  })

  it('names who has gone before the request was read', async () => {
    const { id } = await daemon.client.create({ image: 'box', name: 'chair', command: ['sleep', '1000'] })
    by(ada, 'POST', '/v1/environments/chair/extend', { ttl: 7_200_000 }, 'and go')
    for (;;) {
      const actors = await actorsOf(id, 'environment.extended')
      if (actors.length === 0) continue
      assert.deepEqual(actors, [`uid ${ada}`])
      break
    }
    await daemon.client.end('chair', { force: true })
  })

  it('has a frozen instance hear that it is to stop', async () => {
    writeFileSync(join(folder, 'compose.yaml'), compose)
    const dayfly = (...args: string[]): string => {
      const env = { PATH: process.env['PATH'], DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir }
      return execFileSync(dayflyProgram, args, { env, cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    }
    dayfly('up', '-p', 'cold')
    dayfly('pause', 'cold')
    const before = await daemon.client.environment('cold')
    const [web, other] = ['web', 'other'].map(name => before.instances.find(({ workload }) => workload === name)?.id ?? '')
    dayfly('stop', '--grace', '3s', web ?? '')
    const { exit } = await daemon.client.instance(web ?? '')
    assert.deepEqual([exit?.code, exit?.signal ?? null], [3, null], 'not by SIGKILL')
    assert.equal((await daemon.client.instance(other ?? '')).state, 'running')
    await daemon.client.end('cold', { force: true })
  })
})
