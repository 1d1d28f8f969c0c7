/** What instances do is seen, attributed, judged, kept and bound by their record, whatever dies meanwhile: on the real kernel, with the real sensor. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Event } from '../../src/model/event.ts'
import { openActivityReader } from '../../src/store/activity/open.ts'

import type { Stage } from './sensing/stage.ts'
import { cannotSee, kernelEvents, makeStage, samples, until } from './sensing/stage.ts'

const only = (record: readonly Event[], type: string): Event[] => record.filter(event => event.type === type)

/** The record ends with what is kept, and that is so. */
const assertBound = (stage: Stage, record: readonly Event[], environment: string): void => {
  const kept = only(record, 'activity.kept').at(-1)
  assert.equal(record.at(-1)?.type, 'record.sealed')
  assert.ok(kept, 'the record binds what is kept')
  using reader = openActivityReader({ path: join(stage.daemon.stateDir, 'activity.sqlite') })
  const head = reader.head(environment)
  assert.deepEqual(kept.data, { ...head })
  assert.deepEqual(reader.verify(environment, head), {})
}

describe('what instances do', { skip: cannotSee }, () => {
  let stage: Stage
  before(async () => {
    stage = await makeStage()
  })
  after(async () => {
    await stage[Symbol.asyncDispose]()
  })

  test('a life of 2 ms leaves its exec, its exit, its first sample and its last, and the record binds them', async () => {
    for (let time = 0; time < 3; time++) {
      const { environment, instance } = await stage.run(['/bin/true'])
      const activity = stage.activity(environment)
      assert.deepEqual(new Set(activity.map(one => `${one.environment} ${one.instance}`)), new Set([`${environment} ${instance}`]))
      const events = kernelEvents(activity)
      assert.deepEqual(
        events.map(({ type, args, result }) => [type, ...(args ?? []), result]),
        [
          ['exec', '/bin/true', 0],
          ['exit', 0],
        ],
      )
      const [first, last] = [samples(activity)[0], samples(activity).at(-1)]
      assert.ok(first?.type === 'sample' && last?.type === 'sample' && first !== last)
      assert.ok(first.cpu > 0 && last.cpu >= first.cpu && first.memory > 0)
      const record = await stage.record(environment)
      assertBound(stage, record, environment)
      const [totals] = only(record, 'sensor.totals')
      assert.deepEqual([totals?.instance, totals?.data['emitted'], totals?.data['dropped']], [instance, { exec: 1, exit: 1 }, {}])
      assert.deepEqual(
        record.filter(({ type }) => /^sensor\.(absent|gap|blind)$|lost$/.test(type)),
        [],
      )
    }
  })

  test('children, and what is executed later, are attributed too', async () => {
    const { environment, instance } = await stage.begin('sh -c "cat /etc/shadow > /dev/null"; echo begun; exec sleep 600')
    await until('its child has ended', () => kernelEvents(stage.activity(environment)).some(({ type, name }) => type === 'exit' && name === 'cat'))
    const execution = await stage.daemon.client.exec(instance, { command: ['/bin/ls', '/etc'] })
    for await (const _ of execution.frames);
    execution.end()
    await until('the exec is kept', () => kernelEvents(stage.activity(environment)).some(({ args }) => args?.[0] === '/bin/ls'))
    await stage.end(environment)
    const events = kernelEvents(stage.activity(environment))
    assert.ok(events.some(({ type, path, name }) => type === 'open' && path === '/etc/shadow' && name === 'cat'))
    assert.deepEqual(new Set(events.map(event => event.instance)), new Set([instance]))
    const begun = events.flatMap(({ type, args = [] }) => (type === 'exec' ? [(args[0] ?? '').replace(/^.*\//, '')] : []))
    for (const name of ['sh', 'cat', 'sleep', 'ls']) assert.ok(begun.includes(name), `${name} in ${begun.join(', ')}`)
    assertBound(stage, await stage.record(environment), environment)
  })

  test('what it uses is sampled while it lives', async () => {
    const { environment } = await stage.begin('while :; do :; done')
    await until('three samples', async () => samples(stage.activity(environment)).length >= 3 || (await later()))
    await stage.end(environment)
    const all = samples(stage.activity(environment)).flatMap(one => (one.type === 'sample' ? [one] : []))
    assert.ok(all.length >= 3)
    const inOrder = all.toSorted((a, b) => a.time - b.time)
    for (const [index, one] of inOrder.entries()) assert.ok(index === 0 || one.cpu >= (inOrder[index - 1]?.cpu ?? 0), 'sums only grow')
    assert.ok((inOrder.at(-1)?.cpu ?? 0) - (inOrder[0]?.cpu ?? 0) > 100_000)
    assert.ok(inOrder.every(({ processes = -1, received = -1, sent = -1 }) => processes >= 0 && received >= 0 && sent >= 0))
  })

  test('1,000 containers of which none lives 5 ms by itself, 20 at a time: every exec and exit is its own, and in its record', {
    timeout: 170_000,
  }, async () => {
    const [count, atOnce] = [1_000, 20]
    const { client } = stage.daemon
    const made = new Map<string, { instance: string; mark: string }>()
    let next = 0
    const work = async (): Promise<void> => {
      while (next < count) {
        const mark = `mark-${next++}`
        // Of one shape each time, but for its name, so that it comes out of the pool.
        const { id, instances } = await client.create({ image: 'busybox', command: ['/bin/hostname'], hostname: mark, grace: 0 })
        made.set(id, { instance: instances[0]?.id ?? '', mark })
        await client.wait(id)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    await until('they have all ended', async () => (await client.environments({})).length === 0)
    assert.equal(made.size, count)
    using reader = openActivityReader({ path: join(stage.daemon.stateDir, 'activity.sqlite') })
    const firstProcesses = new Map(
      (await client.environments({ all: true })).flatMap(({ instances }) => instances.map(one => [one.id, one] as const)),
    )
    const wrong: string[] = []
    for (const [environment, { instance }] of made) {
      const events = kernelEvents([...reader.read(environment)])
      const told = events.map(({ type, args, vpid, result }) => `${type} ${args?.join(' ') ?? ''} ${vpid} ${result}`)
      if (told.toSorted().join() !== ['exec /bin/hostname 1 0', 'exit  1 0'].join()) wrong.push(`${environment}: ${told.join(', ')}`)
      if (events.some(event => event.instance !== instance || event.environment !== environment)) wrong.push(`${environment}: of somebody else`)
      if (events[0]?.pid !== events[1]?.pid) wrong.push(`${environment}: two processes`)
      assert.ok(firstProcesses.has(instance))
    }
    assert.deepEqual(wrong, [])
    for (const environment of [...made.keys()].filter((_, index) => index % 50 === 0))
      assertBound(stage, await stage.record(environment), environment)
  })

  test('a secret that is passed on in arguments is in no file of the state folder', async () => {
    const secret = `hunter-${process.pid}-of-the-shop`
    const encoded = Buffer.from(secret).toString('base64')
    const { environment } = await stage.run(
      ['/bin/sh', '-c', 'p=$(cat /run/secrets/password); /bin/true --say "$p" "x=$p" "$(echo -n "$p" | base64)"; touch "/tmp/$p"; cat "/tmp/$p"'],
      { secrets: { password: encoded } },
    )
    const told = kernelEvents(stage.activity(environment)).find(({ args }) => args?.[1] === '--say')
    // What fills base64 up says nothing, and is there or not by the length of this process's number.
    const args = told?.args?.map(argument => argument.replace(/=+$/, ''))
    assert.deepEqual(args, ['/bin/true', '--say', '[secret]', 'x=[secret]', '[secret]'])
    // Only /run/secrets has it, which is the run folder's.
    const found = execFileSync('sh', ['-c', `grep -rlaF -e '${secret}' -e '${encoded.replace(/=+$/, '')}' . || true`], {
      cwd: stage.daemon.stateDir,
      encoding: 'utf8',
    })
    assert.equal(found, '')
  })

  test('when the sensor is killed nothing ends, the gap is written, and the next one sees again', async () => {
    const { environment, instance } = await stage.begin('while :; do sleep 0.1; done')
    await until('it is seen', () => kernelEvents(stage.activity(environment)).length > 3)
    const killed = stage.sensor()
    assert.ok(killed !== undefined)
    const [before] = [Date.now(), process.kill(killed, 'SIGKILL')]
    await until('there is another sensor', () => ![undefined, killed].includes(stage.sensor()))
    await stage.attached()
    const to = Date.now()
    assert.equal((await stage.daemon.client.instance(instance)).state, 'running')
    await until('it is seen again', () => kernelEvents(stage.activity(environment)).some(({ time }) => time > to))
    await stage.end(environment)
    const [gap, ...more] = only(await stage.record(environment), 'sensor.gap')
    assert.deepEqual([gap?.instance, more], [instance, []])
    // What it had not told yet went with it: all is certain up to its last answer.
    assert.ok(Number(gap?.data['from']) <= before && Number(gap?.data['to']) >= before && Number(gap?.data['to']) <= Date.now())
    const [totals, ...others] = only(await stage.record(environment), 'sensor.totals')
    const kept = kernelEvents(stage.activity(environment)).reduce((sum, { count = 1 }) => sum + count, 0)
    const told = Object.values(Object(totals?.data['emitted'])).reduce((sum: number, count) => sum + Number(count), 0)
    assert.deepEqual([told, others], [kept, []], 'what both sensors have told is counted')
  })

  test('a sensor that hangs is found out, and replaced', async () => {
    const { environment } = await stage.begin('while :; do sleep 0.1; done')
    const hanging = stage.sensor()
    assert.ok(hanging !== undefined)
    process.kill(hanging, 'SIGSTOP')
    await until('there is another sensor', () => ![undefined, hanging].includes(stage.sensor()))
    await stage.attached()
    assert.ok(!readdirSync('/proc').includes(String(hanging)))
    const to = Date.now()
    await until('it is seen again', () => kernelEvents(stage.activity(environment)).some(({ time }) => time > to))
    await stage.end(environment)
    assert.equal(only(await stage.record(environment), 'sensor.gap').length, 1)
  })

  test('of an environment that goes on, an instance that is over is not thought of any more, and the record has all of it at the end', async () => {
    const deployment = { restart: { condition: 'always' as const, attempts: 0, delay: 10, window: 10 } }
    const draft = { name: 'again', workloads: { job: { image: 'busybox', command: ['/bin/hostname'], grace: 0, deployment } } }
    const { environment } = await stage.daemon.client.up({ draft }, () => {})
    const ended = async (): Promise<number> => (await stage.record(environment.id)).filter(({ type }) => type === 'instance.removed').length
    await until('some of its instances are over', async () => (await ended()) >= 3)
    await stage.end(environment.id)
    const record = await stage.record(environment.id)
    const instances = new Set(record.flatMap(({ type, instance }) => (type === 'instance.running' && instance !== undefined ? [instance] : [])))
    const totals = only(record, 'sensor.totals').map(({ instance }) => instance)
    assert.deepEqual([new Set(totals), totals.length], [instances, instances.size])
    assert.equal(only(record, 'instance.used').length, instances.size)
    assertBound(stage, record, environment.id)
  })

  test('an environment that ends under another daemon is bound, too, though that has never heard of its instances', async () => {
    const { environment } = await stage.begin('echo done')
    await until('its events are kept', () => kernelEvents(stage.activity(environment)).length >= 2)
    await stage.daemon.kill()
    await stage.another()
    await until('it ends', async () => (await stage.daemon.client.environment(environment)).state === 'ended')
    assertBound(stage, await stage.record(environment), environment)
    await stage.attached()
  })

  test('what the daemon does not see while it is dead is a gap; what it adopts it sees', async () => {
    const { environment, instance } = await stage.begin('while :; do sleep 0.1; done')
    await until('it is seen', () => kernelEvents(stage.activity(environment)).length > 3)
    const sensor = stage.sensor()
    await stage.daemon.kill()
    await until('the sensor goes with its daemon', () => !readdirSync('/proc').includes(String(sensor)))
    await stage.another()
    await stage.attached()
    const to = Date.now()
    await until('it is seen again', () => kernelEvents(stage.activity(environment)).some(({ time }) => time > to))
    const events = kernelEvents(stage.activity(environment))
    assert.deepEqual(new Set(events.map(event => event.instance)), new Set([instance]))
    await stage.end(environment)
    const record = await stage.record(environment)
    const [gap, ...more] = only(record, 'sensor.gap')
    assert.deepEqual([gap?.instance, more], [instance, []])
    assert.ok(Number(gap?.data['to']) > Number(gap?.data['from']))
    assertBound(stage, record, environment)
  })

  test('a program that was dropped is detected, and the record says so; with enforcement it does not run', async () => {
    const { daemon } = stage
    const drop = 'cp /bin/busybox /tmp/dropped; /tmp/dropped echo it runs; sleep 600'
    const raised = async (environment: string): Promise<Event | undefined> =>
      only(await stage.record(environment), 'detection.raised').find(({ data }) => data['rule'] === 'Program run from a folder for scratch')
    const first = await stage.begin(drop)
    await until('it is raised', async () => (await raised(first.environment)) !== undefined)
    const detection = await raised(first.environment)
    assert.equal(detection?.instance, first.instance)
    assert.match(JSON.stringify(detection.data), /\/tmp\/dropped/)
    const dropped = () => kernelEvents(stage.activity(first.environment)).find(({ type, path }) => type === 'exec' && path === '/tmp/dropped')
    await until('it is kept', () => dropped() !== undefined)
    assert.ok(dropped()?.flags?.includes('upper') && dropped()?.flags?.includes('would_deny'))
    await stage.end(first.environment)

    const policy = join(daemon.stateDir, 'policies/detection.yaml')
    mkdirSync(join(daemon.stateDir, 'policies'), { recursive: true })
    const head = 'apiVersion: dayfly.dev/v1\nkind: DetectionSettings\n'
    writeFileSync(policy, `${head}spec: { sensor: { droppedBinaries: enforce } }\n`)
    try {
      await until('it is enforced', async () => {
        const { environment } = await stage.run(['/bin/sh', '-c', 'cp /bin/busybox /tmp/dropped; /tmp/dropped echo it runs'])
        return kernelEvents(stage.activity(environment)).some(({ flags, path }) => path === '/tmp/dropped' && flags?.includes('denied'))
      })
      const { environment, instance } = await stage.run(['/bin/sh', '-c', 'cp /bin/busybox /tmp/dropped; /tmp/dropped echo it runs; echo "code $?"'])
      assert.equal(
        readFileSync(join(daemon.stateDir, `records/${instance}.log`), 'utf8')
          .replaceAll(/^\S+ stdout F /gm, '')
          .split('\n')
          .at(-2),
        'code 137',
      )
      const denied = kernelEvents(stage.activity(environment)).find(({ type, path }) => type === 'exec' && path === '/tmp/dropped')
      assert.ok(denied?.flags?.includes('denied'))
    } finally {
      rmSync(policy)
    }
  })

  test('rule files come into force while instances live; a faulty one changes nothing, and the doctor says so', async () => {
    const { daemon } = stage
    const folder = join(daemon.stateDir, 'rules')
    mkdirSync(folder, { recursive: true })
    const rule = (name: string, condition: string): string =>
      `- rule: ${name}\n  desc: of a test\n  condition: ${condition}\n  output: "%proc.name did it"\n  priority: NOTICE\n`
    const ruleCheck = async (): Promise<string> => (await daemon.client.doctor()).find(({ name }) => name === 'detection rules')?.found ?? ''
    const { environment } = await stage.begin('while :; do touch /tmp/a; rm /tmp/a; sleep 0.1; done')
    const raised = async (name: string): Promise<boolean> =>
      only(await stage.record(environment), 'detection.raised').some(({ data }) => data['rule'] === name)
    writeFileSync(join(folder, 'own.yaml'), rule('Own rule', 'evt.type in (unlink, unlinkat) and fd.name = /tmp/a or evt.type in (unlink, unlinkat)'))
    await until('it is in force', () => raised('Own rule'))
    const before = await ruleCheck()
    writeFileSync(join(folder, 'faulty.yaml'), rule('Faulty', 'evt.type = = x'))
    await until('the fault is told', async () => (await ruleCheck()).includes('faulty.yaml'))
    rmSync(join(folder, 'faulty.yaml'))
    await until('all is well again', async () => (await ruleCheck()) === before)
    await stage.end(environment)
    rmSync(folder, { recursive: true })
  })

  test('of what runs in gVisor the record says that the kernel does not see into it', async () => {
    const { environment, instance } = await stage.run(['/bin/true'], { runtime: 'runsc', limits: { memory: 256 * 1024 * 1024 } })
    const record = await stage.record(environment)
    assert.deepEqual(
      only(record, 'sensor.blind').map(event => [event.instance, event.data['runtime']]),
      [[instance, 'runsc']],
    )
    assert.ok(samples(stage.activity(environment)).length >= 2)
    assertBound(stage, record, environment)
  })

  test('names that are asked for are events, with what was answered', async () => {
    const { client } = stage.daemon
    const { environment } = await client.up(
      {
        draft: {
          name: 'names',
          workloads: {
            web: { image: 'busybox', command: ['/bin/sleep', '600'], grace: 0 },
            ask: { image: 'busybox', command: ['/bin/sh', '-c', 'until nslookup web; do sleep 0.2; done; sleep 600'], grace: 0 },
          },
        },
      },
      () => {},
    )
    const address = async (): Promise<string | null> =>
      (await client.instances(environment.id)).find(({ workload }) => workload === 'web')?.address ?? null
    const answers = () => kernelEvents(stage.activity(environment.id)).filter(({ type, path }) => type === 'dns' && path === 'web')
    await until('the answer is kept', () => answers().some(({ detail }) => detail !== 'NXDOMAIN' && detail !== 'NODATA'))
    const web = await address()
    const answer = answers().find(({ detail }) => detail === web)
    assert.ok(answer, JSON.stringify(answers()))
    assert.equal((await client.instances(environment.id)).find(({ id }) => id === answer.instance)?.workload, 'ask')
    assert.equal(answer.name, 'nslookup')
    await stage.end(environment.id)
  })

  test('nothing is left, and the doctor says how the sensor is', async () => {
    assert.deepEqual(await stage.daemon.client.leaks(), [])
    const checks = await stage.daemon.client.doctor()
    assert.match(checks.find(({ name }) => name === 'sensor')?.found ?? '', /^attached; \d+ events, 0 lost/)
  })
})

describe('where nothing can be seen', { skip: cannotSee }, () => {
  // The kernel tells its types in a folder that is hidden here.
  const wrapper = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', 'sh']
  const reason = /tells no types/

  test('everything goes on, samples too, and the record says that nobody saw it', async () => {
    await using stage = await makeStage({ wrapper, unseen: true })
    const { environment } = await stage.run(['/bin/true'])
    const record = await stage.record(environment)
    assert.match(only(record, 'sensor.absent')[0]?.reason ?? '', reason)
    assert.deepEqual(kernelEvents(stage.activity(environment)), [])
    assert.ok(samples(stage.activity(environment)).length >= 2)
    assertBound(stage, record, environment)
    assert.match((await stage.daemon.client.doctor()).find(({ name }) => name === 'sensor')?.found ?? '', reason)
    assert.deepEqual(await stage.daemon.client.leaks(), [])
  })

  test('nothing starts where that is demanded', async () => {
    await using stage = await makeStage({ wrapper, unseen: true, env: { ...process.env, DAYFLY_SENSOR: 'require' } })
    const { client } = stage.daemon
    await assert.rejects(client.create({ image: 'busybox', command: ['/bin/true'] }), (error: Error) => reason.test(error.message))
    await until('nothing is left', async () => (await client.environments({})).length === 0)
    const [refused] = await client.environments({ all: true })
    assert.deepEqual(only(await stage.record(refused?.id ?? ''), 'instance.running'), [])
    assert.deepEqual(await client.leaks(), [])
  })
})

const later = async (): Promise<false> => {
  await new Promise(resolve => setTimeout(resolve, 500))
  return false
}
