/** The SDK over the network: TLS with a pinned certificate, tokens, and what roles may. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Door } from '../../test/access.ts'
import { openDoor } from '../../test/access.ts'
import { doing } from '../../test/cli/fake.ts'
import { DayflyError, DeniedError, NotFoundError, run, Sandbox, UnreachableError } from './index.ts'

const sleeping = doing({ on: 'SIGTERM', exit: 0 }, { sleep: 3_600_000 })

describe('the SDK over the network', () => {
  let door: Door
  before(async () => {
    door = await openDoor()
  })
  after(async () => await door[Symbol.asyncDispose]())
  const at = (token: string, ca = `sha256:${door.fingerprint.replace(/^sha256:/, '')}`) => ({ host: door.origin, token, ca })

  test('a developer does all of it: commands, files as they come, events', async () => {
    const place = at(door.token('developer', 'blue'))
    assert.equal((await run('fake', doing({ print: 'over the network\n' }), place)).stdout, 'over the network\n')
    const made = await Sandbox.create({ ...place, image: 'fake', command: sleeping })
    const large = Buffer.alloc(3_000_000, 'largish ')
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let from = 0; from < large.length; from += 100_000) yield large.subarray(from, from + 100_000)
    }
    assert.equal((await made.files.write('/tmp/large', pieces())).bytes, large.length)
    assert.ok(Buffer.from(await made.files.read('/tmp/large', { format: 'bytes' })).equals(large))
    assert.equal((await made.commands.run(doing({ echo: true }), { stdin: 'typed' })).stdout, 'typed')
    await assert.rejects(made.getHost(80), (error: unknown) => error instanceof DayflyError && error.field === 'host')
    assert.equal(await made.kill(), true)
    const types: string[] = []
    for await (const { type } of made.events()) types.push(type)
    assert.equal(types.at(-1), 'record.sealed')
  })

  test('a viewer reads no file, and another team knows of nothing', async () => {
    await using made = await Sandbox.create({ ...at(door.token('developer', 'blue')), image: 'fake', command: sleeping })
    await made.files.write('/tmp/one', 'x')
    const viewer = at(door.token('viewer', 'blue'))
    assert.equal((await Sandbox.list(viewer)).length, 1)
    const seen = await Sandbox.connect(made.sandboxId, viewer).catch((error: unknown) => error)
    assert.ok(seen instanceof DeniedError, 'it may not wake it')
    const path = `/v1/environments/${made.sandboxId}`
    assert.equal((await door.ask('GET', path, { token: viewer.token })).status, 200)
    for (const tail of ['?path=/tmp/one', '/stat?path=/tmp/one', '/list?path=/tmp', '/watch?path=/tmp']) {
      assert.equal((await door.ask('GET', `/v1/instances/${made.sandboxId}/files${tail}`, { token: viewer.token })).status, 403, tail)
    }
    const other = at(door.token('developer', 'red'))
    assert.deepEqual(await Sandbox.list(other), [])
    await assert.rejects(Sandbox.connect(made.sandboxId, other), NotFoundError)
    assert.equal((await door.ask('GET', `/v1/instances/${made.sandboxId}/files?path=/tmp/one`, { token: other.token })).status, 404)
  })

  test('whom it does not know, it does not speak with', async () => {
    const token = door.token('developer', 'blue')
    await assert.rejects(
      Sandbox.list(at(token, `sha256:${'0'.repeat(64)}`)),
      (error: unknown) => error instanceof UnreachableError && error.field === 'DAYFLY_CA',
    )
    await assert.rejects(Sandbox.list({ host: door.origin, token }), UnreachableError)
    await assert.rejects(Sandbox.list(at('not-a-token')), DayflyError)
  })
})
