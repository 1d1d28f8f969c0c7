/** A daemon whose settings name a webhook that wants to know of the lifecycle. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { doing, startFake, until } from '../../../test/cli/fake.ts'

test('a webhook is told of what becomes of environments, and may have it again', async () => {
  const received: { kind: string; rule: string; environmentName: string; fields: Record<string, string>; id: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', piece => {
      body += String(piece)
    })
    request.on('end', () => {
      received.push(JSON.parse(body))
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const { port } = address
  await using site = await startFake(folder => {
    mkdirSync(join(folder, 'policies'))
    writeFileSync(join(folder, 'key'), 'secret', { mode: 0o600 })
    const target = `{ name: hook, type: webhook, url: 'http://127.0.0.1:${port}/', secretFile: ${join(folder, 'key')}, lifecycle: true }`
    writeFileSync(
      join(folder, 'policies', 'detection.yaml'),
      `apiVersion: dayfly.dev/v1\nkind: DetectionSettings\nmetadata: { name: default }\nspec:\n  notify:\n    - ${target}\n`,
    )
    return ['--policies', join(folder, 'policies')]
  })
  try {
    assert.equal((await site.cli(['run', '--name', 'web', 'fake', ...doing({ print: 'x\n' })])).status, 0)
    await until(() => received.some(({ rule }) => rule === 'environment.ended'))
    assert.deepEqual(
      received.map(({ kind, rule, environmentName }) => [kind, rule, environmentName]),
      [
        ['lifecycle', 'environment.running', 'web'],
        ['lifecycle', 'environment.ended', 'web'],
      ],
    )
    const ended = received[1]
    assert.equal(ended?.fields['cause'], 'completed')
    await until(async () => (await site.client.notifyState()).targets.every(({ delivered }) => delivered === 2))
    const listed = await site.cli(['notify', 'deliveries'])
    assert.match(listed.stdout, /web: environment\.ended: /)
    const again = await site.cli(['notify', 'replay', ended?.id ?? ''])
    assert.equal(again.status, 0, again.stderr)
    await until(() => received.length === 3)
    assert.deepEqual(received[2], ended)
    assert.match((await site.cli(['notify', 'replay'])).stderr, /name one delivery/)
    assert.match((await site.cli(['notify', 'replay', 'nothing'])).stderr, /there is no delivery/)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
