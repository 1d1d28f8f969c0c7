import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { doing, outcome, startFake, until } from '../../../test/cli/fake.ts'

/** A client that leaves before it is answered: nothing listens where the fake's instances are. */
const leave = async (port: number, host: string, path: string): Promise<void> => {
  const sent = request({ host: '127.0.0.1', port, path, headers: { host }, agent: false })
  sent.on('error', () => {})
  sent.end()
  await once(sent, 'finish')
  const [socket] = sent.socket ? [sent.socket] : await once(sent, 'socket')
  // The gateway has read it once it is waiting for an instance; leaving sooner would be no request.
  await new Promise(resolve => setTimeout(resolve, 50))
  socket.destroy()
}

test('dayfly logs --access: who asked an environment for what', async () => {
  await using site = await startFake()
  const file = join(site.folder, 'compose.yaml')
  const service = (name: string): string => `  ${name}: { image: fake, command: ${JSON.stringify(doing({ sleep: 600_000 }))}, ports: ["80"] }\n`
  writeFileSync(file, `services:\n${service('web')}${service('api')}`)
  const up = await site.cli(['up', file, '-p', 'shop'])
  assert.equal(up.status, 0, up.stderr)
  const port = Number(/web\.shop\.localhost:(\d+)/.exec(up.stdout)?.[1])
  assert.equal((await site.cli(['logs', '--access', 'shop'])).stdout, '')

  const following = outcome(site.start(['logs', '--access', '--follow', '--json', 'shop']))
  await leave(port, 'web.shop.localhost', '/pay?card=4111')
  await until(async () => (await site.cli(['logs', '--access', 'shop'])).stdout !== '')
  await leave(port, 'api.shop.localhost', '/v1')
  await until(async () => (await site.cli(['logs', '--access', 'shop'])).stdout.split('\n').length === 3)

  const { stdout } = await site.cli(['logs', '--access', 'shop'])
  const [first = '', second = ''] = stdout.split('\n')
  assert.match(first, /^\d{4}-\S+Z web 127\.0\.0\.1 GET web\.shop\.localhost\/pay HTTP\/1\.1 499 0 B in, 0 B out, [\d.]+ ms, /)
  assert.match(second, /Z api 127\.0\.0\.1 GET api\.shop\.localhost\/v1 HTTP\/1\.1 499 /)
  assert.doesNotMatch(stdout, /4111/)
  assert.equal((await site.cli(['logs', '--access', 'shop', 'api'])).stdout, `${second}\n`)
  assert.equal((await site.cli(['logs', '--access', '-n', '1', 'shop'])).stdout, `${second}\n`)
  assert.equal((await site.cli(['logs', '--access', '--since', '1h', 'shop'])).stdout, stdout)
  assert.equal((await site.cli(['logs', '--access', '--since', '2099-01-01', 'shop'])).stdout, '')
  for (const words of [['--stderr', 'shop'], ['-t', 'shop'], ['-n', '1', 'shop', 'api'], ['shop', 'cache'], ['nowhere']]) {
    const refused = await site.cli(['logs', '--access', ...words])
    assert.equal(refused.status, 2, words.join(' '))
    assert.equal(refused.stdout, '')
  }

  assert.equal((await site.cli(['down', 'shop'])).status, 0)
  const followed = await following
  assert.equal(followed.status, 0, followed.stderr)
  const entries = followed.stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    entries.map(({ workload, path, status }) => [workload, path, status]),
    [
      ['web', '/pay', 499],
      ['api', '/v1', 499],
    ],
  )
  // It stays with the record, which vouches for it.
  const id = (await site.client.environments({ all: true })).find(({ name }) => name === 'shop')?.id ?? ''
  assert.equal((await site.cli(['logs', '--access', id])).stdout, stdout)
  const events = await site.client.events({ environment: id })
  assert.equal(events.findLast(({ type }) => type === 'gateway.access_log')?.data['lines'], 2)
})
