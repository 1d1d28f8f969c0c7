/** What follows from what is detected, on the real kernel, with the real sensor: processes killed, instances frozen, evidence taken, images blocked, others told. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders, Server } from 'node:http'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError } from '../../src/base/errors.ts'
import type { Event } from '../../src/model/event.ts'
import { dayflyProgram } from '../daemon.ts'
import type { Stage } from './sensing/stage.ts'
import { cannotSee, makeStage, until } from './sensing/stage.ts'

/** Each is told by how long a workload wants to sleep. */
const doings = {
  '601': ['kill-process'],
  '602': ['freeze'],
  '603': ['isolate'],
  '604': ['end-instance'],
  '605': ['end-environment'],
  '606': ['block-image'],
  '607': ['end-environment', 'alert'],
} as const

const rules = Object.keys(doings)
  .map(
    seconds => `
- rule: Sleeps ${seconds}
  desc: A marker of this test
  condition: evt.type in (execve, execveat) and proc.args = "${seconds}"
  output: it sleeps (command=%proc.cmdline pid=%proc.vpid)
  priority: CRITICAL
  tags: [test]
`,
  )
  .join('')

const settingsOf = (url: string, secretFile: string): string =>
  JSON.stringify({
    apiVersion: 'dayfly.dev/v1',
    kind: 'DetectionSettings',
    metadata: { name: 'test' },
    spec: {
      responses: Object.entries(doings).map(([seconds, actions]) => ({
        match: { rules: [`Sleeps ${seconds}`] },
        actions,
        forensics: seconds === '607',
      })),
      notify: [{ name: 'soc', type: 'webhook', url, secretFile }],
    },
  })

describe('what follows from what is detected', { skip: cannotSee, timeout: 300_000 }, () => {
  let stage: Stage
  let receiver: Server
  const received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []

  before(async () => {
    receiver = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        received.push({ headers: request.headers, body: Buffer.concat(parts).toString() })
        response.end()
      })
    }).listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const address = receiver.address()
    assert.ok(typeof address === 'object' && address !== null)
    stage = await makeStage()
    await stage.daemon.stop()
    const { stateDir } = stage.daemon
    for (const folder of ['policies', 'rules']) mkdirSync(join(stateDir, folder), { recursive: true })
    const key = join(stage.folder, 'key')
    writeFileSync(key, 'a secret\n', { mode: 0o600 })
    writeFileSync(join(stateDir, 'policies', 'detection.yaml'), settingsOf(`http://127.0.0.1:${address.port}/`, key))
    writeFileSync(join(stateDir, 'rules', 'test.yaml'), rules)
    await stage.another()
    await stage.attached()
  })
  after(async () => {
    receiver.closeAllConnections()
    receiver.close()
    await stage[Symbol.asyncDispose]()
  })

  const dayfly = (...args: readonly string[]) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: stage.folder, DAYFLY_RUN_DIR: stage.daemon.runDir, DAYFLY_STATE_DIR: stage.daemon.stateDir }
    return spawnSync(dayflyProgram, args, { env, encoding: 'utf8' })
  }
  const of = async (environment: string, type: string): Promise<Event[]> => (await stage.record(environment)).filter(event => event.type === type)
  /** Waits for what was done; what was not says why. */
  const taken = async (environment: string, action: string): Promise<Event> => {
    let found: Event | undefined
    await until(`${action} is done`, async () => {
      const [failed] = await of(environment, 'response.failed')
      assert.equal(failed, undefined, String(failed?.reason))
      found = (await of(environment, 'response.taken')).find(({ data }) => data['action'] === action)
      return found !== undefined
    })
    assert.ok(found)
    return found
  }
  const output = (instance: string): string => readFileSync(join(stage.daemon.stateDir, 'records', `${instance}.log`), 'utf8')

  test('the process is killed, and no other', async () => {
    const { environment, instance } = await stage.begin('sleep 601; echo "ended with $?"; exec sleep 600')
    await taken(environment, 'kill-process')
    await until('its parent goes on', () => output(instance).includes('ended with 137'))
    assert.equal((await stage.daemon.client.instance(instance)).state, 'running')
    const [raised] = await of(environment, 'detection.raised')
    assert.deepEqual([raised?.data['rule'], raised?.data['priority'], raised?.instance], ['Sleeps 601', 'critical', instance])
    await stage.end(environment)
  })

  test('an instance stands still, also under the next daemon, until somebody resumes it', async () => {
    const { environment, instance } = await stage.begin('(while :; do echo tick; sleep 0.02; done) & sleep 602; echo over')
    await taken(environment, 'freeze')
    const stands = async (): Promise<void> => {
      const before = output(instance).length
      await sleep(300)
      assert.equal(output(instance).length, before)
    }
    await stands()
    const refused = dayfly('exec', instance, '--', '/bin/true')
    assert.equal(refused.status, 125)
    assert.match(refused.stderr, /frozen because of Sleeps 602/)
    await stage.daemon.kill()
    await stands()
    await stage.another()
    await stands()
    const before = output(instance).length
    assert.equal(dayfly('resume', environment).status, 0)
    await until('it goes on', () => output(instance).length > before)
    assert.equal((await of(environment, 'instance.thawed')).length, 1)
    await stage.end(environment)
  })

  test('what is frozen is killed where it stands', async () => {
    const { environment, instance } = await stage.begin('trap "echo trapped" TERM; sleep 602 & wait; echo "woken with $?"; exec sleep 600', {
      grace: 10_000,
    })
    await taken(environment, 'freeze')
    await stage.daemon.client.end(environment, { force: false })
    await until('it has ended', async () => (await stage.daemon.client.environment(environment)).state === 'ended')
    assert.doesNotMatch(output(instance), /trapped|woken/)
    assert.equal((await of(environment, 'instance.exited'))[0]?.data['signal'], 9)
  })

  test('an environment is isolated; an instance is killed; an environment ends', async () => {
    const isolated = await stage.begin('sleep 603; exec sleep 600')
    await taken(isolated.environment, 'isolate')
    assert.equal((await of(isolated.environment, 'environment.isolated')).length, 1)
    await stage.end(isolated.environment)

    const killed = await stage.begin('sleep 604 & exec sleep 600')
    await until('its job is over', async () => (await stage.daemon.client.environment(killed.environment)).state === 'ended')
    assert.equal((await of(killed.environment, 'instance.exited'))[0]?.data['signal'], 9)
    assert.equal((await taken(killed.environment, 'end-instance')).instance, killed.instance)

    const ended = await stage.begin('sleep 605 & exec sleep 600')
    await until('it ends', async () => (await stage.daemon.client.environment(ended.environment)).state === 'ended')
    const environment = await stage.daemon.client.environment(ended.environment)
    assert.deepEqual([environment.cause, environment.reason], ['detection', 'ended because of Sleeps 605'])
  })

  test('evidence is taken before the end, without secrets, and others are told', async () => {
    const secret = `hunter-${process.pid}-of-the-evidence`
    const script = [
      'cp /run/secrets/password /root/copied; mkdir -p /root/deep; echo "it says $(cat /run/secrets/password)." > /root/deep/note',
      'ln -s /etc/passwd /root/link; mkfifo /root/pipe; ln /root/deep/note /root/again; dd if=/dev/zero of=/root/sparse bs=1 count=0 seek=1G 2>/dev/null',
      'rm /etc/group; rm -r /usr; mkdir /usr; echo new > /usr/only; touch "/root/$(printf "odd\\nname")"',
      'nc -l -p 7777 & /bin/sh -c "sleep 600; :" "$(cat /run/secrets/password)" & sleep 0.2; sleep 607 & exec sleep 600',
    ].join('; ')
    const { environment } = await stage.begin(script, {
      env: { TOKEN_OF: 'value-of-a-variable' },
      secrets: { password: Buffer.from(secret).toString('base64') },
    })
    await until('it ends', async () => (await stage.daemon.client.environment(environment)).state === 'ended')
    await taken(environment, 'forensics')

    const folder = join(stage.folder, 'case')
    const copied = dayfly('forensics', environment, '-o', folder)
    assert.equal(copied.status, 0, copied.stderr)
    const [own = ''] = readdirSync(folder)
    const path = (name: string): string => join(folder, own, name)
    const [told] = await of(environment, 'forensics.taken')
    const files = told?.data['files']
    assert.ok(Array.isArray(files))
    for (const file of files) {
      assert.ok(typeof file === 'object' && file !== null && 'name' in file && 'sha256' in file)
      assert.equal(
        createHash('sha256')
          .update(readFileSync(path(String(file['name']))))
          .digest('hex'),
        file['sha256'],
      )
    }
    assert.deepEqual(readdirSync(join(folder, own)).sort(), ['events.jsonl', 'layer.tar', 'maps.txt', 'processes.json', 'sockets.json'])

    const processes: { args: string[]; sha256?: string; exe: string; variables: string[]; parentPid: number; pid: number }[] = JSON.parse(
      readFileSync(path('processes.json'), 'utf8'),
    )
    const culprit = processes.find(({ args }) => args.join(' ') === 'sleep 607')
    assert.ok(culprit)
    assert.match(culprit.sha256 ?? '', /^[0-9a-f]{64}$/)
    assert.ok(culprit.variables.includes('TOKEN_OF'))
    assert.ok(
      processes.some(({ pid }) => pid === culprit.parentPid),
      'its parent is there',
    )
    const sockets: { protocol: string; state?: string; local: string; pids: number[] }[] = JSON.parse(readFileSync(path('sockets.json'), 'utf8'))
    const listener = sockets.find(({ local, state }) => /:7777$/.test(local) && state === 'LISTEN')
    assert.ok(listener?.pids.some(pid => processes.find(process => process.pid === pid)?.args[0] === 'nc'))
    assert.match(readFileSync(path('maps.txt'), 'utf8'), /\[stack\]/)

    const names = execFileSync('tar', ['-tf', path('layer.tar')], { encoding: 'utf8' }).split('\n')
    for (const name of [
      'root/deep/note',
      'root/link',
      'root/pipe',
      'root/again',
      'etc/.wh.group',
      'usr/.wh..wh..opq',
      'usr/only',
      'root/odd\\nname',
    ]) {
      assert.ok(names.includes(name), `${name} in ${names.join(' ')}`)
    }
    assert.ok(!names.includes('root/sparse'))
    assert.match(JSON.stringify(told?.data['gaps']), /root\/sparse/)
    assert.equal(
      execFileSync('tar', ['-xOf', path('layer.tar'), 'root/deep/note', 'root/again'], { encoding: 'utf8' }),
      `it says ${'*'.repeat(secret.length)}.\n`,
    )
    assert.match(execFileSync('tar', ['-tvf', path('layer.tar'), 'root/deep'], { encoding: 'utf8' }), /^drwxr-xr-x 0\/0/)
    const events = readFileSync(path('events.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    for (const seconds of ['0.2', '607']) assert.ok(events.some(event => event.args?.join(' ') === `sleep ${seconds}`))
    for (const name of readdirSync(join(folder, own))) {
      const content = readFileSync(path(name))
      for (const hidden of [secret, 'value-of-a-variable']) assert.equal(content.includes(hidden), false, `${hidden} is not in ${name}`)
    }
    const verified = dayfly('verify', environment)
    assert.equal(verified.status, 0, verified.stdout)

    await until('somebody was told', () => received.some(({ body }) => JSON.parse(body).rule === 'Sleeps 607'))
    const message = received.find(({ body }) => JSON.parse(body).rule === 'Sleeps 607')
    const [, seconds = '', hex] = /^t=(\d+),v1=(\w+)$/.exec(String(message?.headers['dayfly-signature'])) ?? []
    assert.equal(createHmac('sha256', 'a secret').update(`${seconds}.${message?.body}`).digest('hex'), hex)
    const notice = JSON.parse(message?.body ?? '')
    assert.deepEqual([notice.environment, notice.measures, notice.priority], [environment, ['end-environment'], 'critical'])
    assert.equal(received.filter(({ body }) => JSON.parse(body).rule !== 'Sleeps 607').length, 0, 'only who is to be told')
    assert.deepEqual(await stage.daemon.client.notifyTest([]), { results: [{ name: 'soc', type: 'webhook', failure: null }] })
    assert.equal(JSON.parse(received.at(-1)?.body ?? '').kind, 'test')
    assert.match(dayfly('notify', 'status').stdout, /soc +webhook +0 +1 +0 +-/)
  })

  test('an image is blocked until somebody unblocks it', async () => {
    const { environment } = await stage.begin('sleep 606; exec sleep 600')
    await taken(environment, 'block-image')
    await assert.rejects(
      stage.begin('true'),
      error => error instanceof DayflyError && error.code === 'denied' && /is blocked since/.test(error.message),
    )
    await stage.daemon.stop()
    await stage.another()
    await assert.rejects(stage.begin('true'), /is blocked since/)
    const { images } = JSON.parse(dayfly('image', 'blocked', '--json').stdout)
    assert.deepEqual([images.length, images[0].rule, images[0].environment], [1, 'Sleeps 606', environment])
    assert.equal(dayfly('image', 'unblock', images[0].digest).status, 0)
    assert.equal(dayfly('image', 'unblock', images[0].digest).status, 2)
    const again = await stage.begin('true')
    await until('it ends', async () => (await stage.daemon.client.environment(again.environment)).state === 'ended')
    assert.equal(dayfly('image', 'block', 'busybox').status, 2, 'without a reason')
    assert.equal(dayfly('image', 'block', 'busybox', '--reason', 'a test').status, 0)
    await assert.rejects(stage.begin('true'), /a test/)
    await stage.end(environment)
  })
})
