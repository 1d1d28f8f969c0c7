/** `dayfly events` against a daemon whose state has activity: written here by the store itself, as no kernel is watched. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing, startFake } from '../../../test/cli/fake.ts'
import { exampleEvent } from '../../store/activity/examples.suite.ts'
import { openActivityStore } from '../../store/activity/open.ts'
import { activityText } from './activity-line.ts'

describe('what happened, and what was done', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  let environment = ''
  let instance = ''
  before(async () => {
    site = await startFake()
    assert.equal((await site.cli(['run', '--name', 'shop', '-d', 'fake', ...doing({ sleep: 600_000 })])).status, 0)
    const found = await site.client.environment('shop')
    environment = found.id
    instance = found.instances[0]?.id ?? ''
    using store = openActivityStore({ path: join(site.stateDir, 'activity.sqlite') })
    store.introduce({ environment, instance, workload: 'main', image: 'sha256:1', imageName: 'fake', owner: 'root' })
    const at = { environment, instance, time: Date.now() }
    store.append([
      exampleEvent({ ...at, exe: '/usr/bin/curl', name: 'curl', args: ['curl', '-d', 'two words', 'https://example.com'] }),
      exampleEvent({ ...at, type: 'open', path: '/etc/shadow', result: -13, name: 'e\u001b[31mvil', flags: ['sensitive'] }),
      { type: 'sample', ...at, cpu: 1_500_000, memory: 1024 },
      ...Array.from({ length: 1200 }, () => exampleEvent({ ...at, type: 'exit', result: 9, name: 'loop' })),
    ])
  })
  after(() => site[Symbol.asyncDispose]())

  const lines = async (...words: string[]): Promise<string[]> => {
    const { status, stdout, stderr } = await site.cli(['events', ...words])
    assert.equal(status, 0, stderr)
    return stdout.split('\n').slice(0, -1)
  }

  test('are told apart: entries of the record alone, and both on request', async () => {
    for (const words of [['shop'], ['--environment', 'shop']]) {
      assert.deepEqual(
        (await lines(...words)).map(line => line.split(/\s+/)[1] ?? ''),
        ['environment.creating', 'instance.pending', 'admission.allowed', 'instance.created', 'instance.running', 'environment.running'],
      )
    }
    const { stdout, stderr } = await site.cli(['events', 'shop', '--activity'])
    assert.equal(stdout.split('\n').length - 1, 1006)
    assert.match(stderr, /the newest 1000/)
    assert.equal((await lines('shop', '--activity', '--limit', '1150')).length, 1150)
    assert.equal((await lines('shop', '--activity', '--limit', '5000')).length, 1209)
  })

  test('are found by what is known of them, and nothing steers the terminal', async () => {
    const about = `${environment}/${instance}`
    const [exec, ...none] = await lines('--process', '/usr/bin/curl')
    assert.ok(exec?.endsWith(`${about}  /usr/bin/curl[1] curl -d 'two words' https://example.com`), exec ?? '')
    assert.deepEqual(none, [])
    const [open] = await lines('--path', '/etc/', '--workload', 'main', '--owner', 'root', '--image', 'fake', '--instance', instance)
    assert.ok(open?.endsWith(`${about}  e\ufffd[31mvil[1] /etc/shadow failed (13) (sensitive)`), open ?? '')
    assert.deepEqual(await lines('--path', '/etc/', '--workload', 'other'), [])
    assert.match((await lines('--type', 'sample')).join(), /cpu 1.50 s, memory 1 KiB$/)
    assert.equal((await lines('--type', 'exec', '--type', 'open')).length, 2)
    assert.deepEqual(
      (await lines('--type', 'instance')).map(line => line.split(/\s+/)[1] ?? ''),
      ['instance.pending', 'instance.created', 'instance.running'],
    )
    assert.equal((await lines('--text', 'example.com words')).length, 1)
    assert.equal((await lines('--type', 'exec', '--until', '2000-01-01')).length, 0)
    assert.match((await lines('--type', 'exit', '--limit', '1')).join(), /loop\[1\] by signal 9$/)
  })

  test('are JSON, a document a line', async () => {
    const [line = ''] = await lines('--process', 'curl', '--json')
    const { position, activity } = JSON.parse(line)
    assert.deepEqual([position, activity.type, activity.environment], [1, 'exec', environment])
  })

  test('faulty questions are refused with the option that is at fault', async () => {
    const refused = async (field: string, ...words: string[]): Promise<void> => {
      const { status, stderr } = await site.cli(['events', ...words])
      assert.equal(status, 2, words.join(' '))
      assert.ok(stderr.startsWith(`dayfly: ${field}: `), stderr)
    }
    await refused('--follow', '--follow', '--process', 'curl')
    await refused('--after', '--after', '3', '--type', 'exec')
    await refused('--until', '-f', '--until', '1m')
    await refused('--type', '--type', 'instance.exited', '--path', '/x')
    await refused('--limit', '--limit', '0', '--activity')
    await refused('--text', '--text', '…')
    await refused('--port', '--port', 'http')
    await refused('--environment', 'shop', '--environment', 'other')
  })
})

test('a line says who did what to what', () => {
  const cases: readonly (readonly [Parameters<typeof exampleEvent>[0], string])[] = [
    [{ type: 'fork', child: 77, childVpid: 2 }, 'sh[1] process 77'],
    [{ type: 'exit', result: 256 }, 'sh[1] with 1'],
    [{ type: 'rename', path: '/a', target: '/b', flags: ['user', 'would_deny'] }, 'sh[1] /a to /b (would deny)'],
    [
      {
        type: 'connect',
        socket: { family: 'inet6', protocol: 6, localAddress: 'fe80::1', localPort: 5, remoteAddress: 'fe80::2', remotePort: 443 },
        count: 3,
      },
      'sh[1] [fe80::1]:5 to [fe80::2]:443 tcp × 3',
    ],
    [{ type: 'connect', socket: { family: 'unix', protocol: 0, remoteAddress: '/run/x.sock' } }, 'sh[1] to /run/x.sock unix'],
    [{ type: 'dns', path: 'example.com', detail: '10.0.0.1' }, 'sh[1] example.com is 10.0.0.1'],
    [{ type: 'dup', fd: 0, socket: { family: 'inet', protocol: 6, remoteAddress: '10.0.0.1', remotePort: 9 } }, 'sh[1] as 0 to 10.0.0.1:9 tcp'],
    [{ type: 'setuid', numbers: [0, 0] }, 'sh[1] 0 0'],
    [{ type: 'exec', args: ['a', 'b'], argsLength: 9000, flags: ['truncated'] }, 'sh[1] a b … 9000 bytes in all (truncated)'],
    [{ type: 'exec', path: '/bin/x', args: [] }, 'sh[1] /bin/x'],
  ]
  for (const [values, expected] of cases) assert.equal(activityText(exampleEvent(values)), expected)
})
