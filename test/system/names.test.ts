/** host/dns with host/nft on the real kernel: what is resolved, for whom, what that opens, for how long, and what is left. See names/world.ts. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import { resolverBuild } from '../../src/host/dns/build.ts'
import type { Target } from './firewall/agent.ts'
import type { Space } from './firewall/space.ts'
import { until } from './monitor/patience.ts'
import type { Question, Reply } from './names/question.ts'
import type { Daemon } from './names/stage.ts'
import { buildHelper, clear, dnsmasq, serve, startDaemon, uid } from './names/stage.ts'
import type { World } from './names/world.ts'
import { makeWorld } from './names/world.ts'

const skip =
  process.getuid?.() !== 0 ? 'needs root: it makes network namespaces' : existsSync(dnsmasq) ? false : 'needs dnsmasq: apt-get install dnsmasq-base'
const one = 'dfy0-1'
const two = 'dfy0-2'

const hosts = [
  { address: '10.208.0.2', names: ['web-1', 'web', 'www.shop'] },
  { address: '10.208.0.3', names: ['web-2', 'web'] },
  { address: '10.208.0.4', names: ['web-3', 'web', 'my_db', 'DB'] },
]

const tcp = (host: string, port: number): Target => ({ protocol: 'tcp', host, port })
const ask = (from: Space, name: string, more: Partial<Question> = {}): Promise<Reply | undefined> =>
  from.inquire({ server: '10.208.0.1', name, ...more })
const dataOf = (reply: Reply | undefined): string[] => (reply?.answers ?? []).map(({ data }) => data)

if (skip === false) buildHelper()

describe('names of an environment', { skip }, () => {
  let world: World
  let daemon: Daemon
  before(async () => {
    world = await makeWorld()
    daemon = await startDaemon(world)
  })
  afterEach(async () => {
    await daemon.resolvers.sweep(new Set())
    assert.deepEqual(daemon.resolvers.owned(), [])
    // What a connection of the test sends again is counted anew.
    await until('nothing to be left', async () => {
      for (const bridge of [one, two]) await daemon.firewall.forget(bridge)
      return (await daemon.firewall.bridges()).length === 0
    })
  })
  after(async () => {
    await daemon?.[Symbol.asyncDispose]()
    if (world !== undefined) await clear(world)
    await world?.[Symbol.asyncDispose]()
  })
  const pidOf = (bridge: string): number => {
    const part = daemon.resolvers.owned().find(({ kind, name }) => kind === 'process' && name === bridge)
    return Number(part?.label.split(' ')[0])
  }
  const log = (): { refused: string[]; lost: number } => {
    const { names, lost } = daemon.resolvers.of(one).refused()
    return { refused: names.map(({ source, type, name, reason, count }) => `${source} ${type} ${name} ${reason} ${count}`), lost }
  }
  /** The log comes by a pipe: what was asked before is there once this is. */
  const logged = async (from: Space): Promise<string[]> => {
    const found: string[] = []
    const mark = `mark-${Math.random().toString(36).slice(2)}.invalid`
    await ask(from, mark)
    await until('the log', () => {
      found.push(...log().refused)
      return found.some(entry => entry.includes(mark))
    })
    return found.filter(entry => !entry.includes('mark-'))
  }
  const elements = async (set: string): Promise<string> => daemon.helper.nft(`list set inet dayfly_0 ${set}`)

  test('without it there are none', async () => {
    assert.equal(await world.web.inquire({ server: '10.208.0.1', name: 'web' }, 'briefly'), undefined)
  })

  test('names and aliases, whatever their case, by UDP and TCP, to be kept by nobody; addresses lead back', async () => {
    assert.equal(await serve(daemon, one, { hosts }), 'started')
    const { web, api } = world
    for (const from of [web, api]) {
      for (const transport of ['udp', 'tcp'] as const) {
        assert.deepEqual(await ask(from, 'my_db', { transport }), { code: 'NOERROR', answers: [{ type: 'A', ttl: 0, data: '10.208.0.4' }] })
        assert.deepEqual(dataOf(await ask(from, 'WWW.Shop', { transport })), ['10.208.0.2'])
        assert.deepEqual(dataOf(await ask(from, 'db', { transport })), ['10.208.0.4'])
      }
    }
    assert.deepEqual(dataOf(await ask(web, '3.0.208.10.in-addr.arpa', { type: 'PTR' })), ['web-2'])
    assert.deepEqual(await ask(web, 'web', { type: 'AAAA' }), { code: 'NOERROR', answers: [] })
    assert.deepEqual(await ask(web, 'web', { type: 'TXT' }), { code: 'NOERROR', answers: [] })
    for (const name of ['wep', 'x.web', 'web-']) assert.equal((await ask(web, name))?.code, 'NXDOMAIN', name)
    assert.equal((await ask(web, '9.0.208.10.in-addr.arpa', { type: 'PTR' }))?.code, 'NXDOMAIN')
  })

  test('a name of several addresses tells all of them, each of them first at times', async () => {
    await serve(daemon, one, { hosts })
    const first = new Set<string | undefined>()
    for (let round = 0; round < 30; round++) {
      const found = dataOf(await ask(world.web, 'web'))
      assert.deepEqual(found.toSorted(), ['10.208.0.2', '10.208.0.3', '10.208.0.4'])
      first.add(found[0])
    }
    assert.equal(first.size, 3)
  })

  test('names change, come and go in one step: the next question gets the new answer', async () => {
    await serve(daemon, one, { hosts })
    const pid = pidOf(one)
    for (let round = 0; round < 40; round++) {
      assert.equal(await serve(daemon, one, { hosts: [{ address: `10.208.0.${round + 2}`, names: [`n${round}`, 'web'] }] }), 'changed')
      const [now, before, moved] = await Promise.all([`n${round}`, `n${round - 1}`, 'web'].map(name => ask(world.web, name)))
      assert.deepEqual([dataOf(now), before?.code, dataOf(moved)], [[`10.208.0.${round + 2}`], 'NXDOMAIN', [`10.208.0.${round + 2}`]])
    }
    assert.equal(await serve(daemon, one, { hosts: [] }), 'changed')
    assert.equal((await ask(world.web, 'web'))?.code, 'NXDOMAIN')
    assert.equal(pidOf(one), pid)
  })

  test('an environment asks its own resolver only, and nothing else of the host', async () => {
    await serve(daemon, one, { hosts })
    await serve(daemon, two, { hosts: [{ address: '10.208.0.66', names: ['other', 'web'] }] })
    assert.deepEqual(dataOf(await world.other.inquire({ server: '10.208.0.65', name: 'web' })), ['10.208.0.66'])
    assert.equal((await ask(world.web, 'other'))?.code, 'NXDOMAIN')
    for (const server of ['10.208.0.65', '198.18.0.1', '198.18.0.53', '127.0.0.1']) {
      for (const transport of ['udp', 'tcp'] as const)
        assert.equal(await world.web.inquire({ server, name: 'web', transport }, 'briefly'), undefined, server)
    }
    assert.equal(await world.other.inquire({ server: '10.208.0.1', name: 'web' }, 'briefly'), undefined)
    assert.equal(await world.web.outcome(tcp('10.208.0.1', 80)), 'silence')
    assert.equal(await world.internet.inquire({ server: '10.208.0.1', name: 'web' }, 'briefly'), undefined)
  })

  test('names outside are refused, told nobody, and counted', async () => {
    await serve(daemon, one, { hosts, egress: ['registry.example.org'] })
    await world.names.set('198.18.1.1 evil.test data.evil.test')
    world.names.asked()
    const { web, api } = world
    for (const type of ['A', 'AAAA', 'TXT', 'NS', 'ANY'] as const) assert.equal((await ask(web, 'data.evil.test', { type }))?.code, 'REFUSED', type)
    assert.equal((await ask(web, 'data.evil.test', { transport: 'tcp' }))?.code, 'REFUSED')
    assert.equal((await ask(api, '1.1.18.198.in-addr.arpa', { type: 'PTR' }))?.code, 'REFUSED')
    assert.equal((await ask(api, 'secret.registry.example.org'))?.code, 'NXDOMAIN')
    assert.equal((await ask(api, 'no-such-service'))?.code, 'NXDOMAIN')
    assert.deepEqual(world.names.asked(), [])
    assert.deepEqual((await logged(web)).toSorted(), [
      '10.208.0.2 A data.evil.test closed 2',
      '10.208.0.2 AAAA data.evil.test closed 1',
      '10.208.0.2 ANY data.evil.test closed 1',
      '10.208.0.2 NS data.evil.test closed 1',
      '10.208.0.2 TXT data.evil.test closed 1',
      '10.208.0.3 A secret.registry.example.org closed 1',
      '10.208.0.3 PTR 1.1.18.198.in-addr.arpa closed 1',
    ])
    assert.deepEqual(log(), { refused: [], lost: 0 })
  })

  test('a name is told whole, whatever is in it', async () => {
    await serve(daemon, one, { hosts })
    const { web } = world
    const expected = [
      ['google.com from.secretdata.evil.test', 'REFUSED'],
      ['x from 10.208.0.2.evil.test', 'REFUSED'],
      ['a is 192.0.2.1', 'REFUSED'],
      ['<name unprintable>', 'REFUSED'],
      ['WWW.Shop', '10.208.0.2'],
    ]
    const before = daemon.questions.length
    for (const [name = ''] of expected) await ask(web, name.replace('<name unprintable>', 'be\u0007ll.evil.test'))
    const refused = await logged(web)
    const told = (): string[][] =>
      daemon.questions.slice(before).flatMap(({ name, answers }) => (/^(mark-|data\.evil)/.test(name) ? [] : [[name, ...answers]]))
    await until('the answers', () => told().length >= expected.length)
    assert.deepEqual(told(), expected)
    assert.ok(
      refused.some(entry => entry.startsWith('10.208.0.2 A google.com from.secretdata.evil.test ')),
      refused.join(),
    )
  })

  test('an allowed name opens its addresses, for those who may, on its ports', async () => {
    const { web, other, names } = world
    await names.set(`198.18.1.1 registry.example.org\n198.18.1.2 mirror.registry.example.org\n198.18.1.3 a.example.com\n198.18.1.4 deep.a.example.com
198.18.1.5 example.com\n198.18.1.6 notexample.com\n198.18.1.7 cdn.example.net`)
    await serve(daemon, one, { hosts, egress: ['registry.example.org', '*.example.com:443', '*.example.com:80'] })
    await serve(daemon, two, {})
    assert.equal(await web.outcome(tcp('198.18.1.1', 443)), 'silence')

    const reply = await ask(web, 'registry.example.org')
    assert.deepEqual(dataOf(reply), ['198.18.1.1'])
    for (const port of [22, 80, 443]) assert.equal(await web.reach(tcp('198.18.1.1', port)), '198.18.0.1')
    assert.equal(await web.reach({ protocol: 'udp', host: '198.18.1.1', port: 443 }), '198.18.0.1')
    assert.equal(await other.outcome(tcp('198.18.1.1', 443)), 'silence')
    assert.throws(() => web.sh('busybox ping -c 1 -W 1 198.18.1.1'))

    for (const [name, address] of [
      ['a.example.com', '198.18.1.3'],
      ['deep.a.example.com', '198.18.1.4'],
      ['www.example.com', '198.18.1.7'],
    ] as const) {
      // biome-ignore format: a table
      assert.ok(dataOf(await ask(web, name)).includes(address), name)
      assert.equal(await web.reach(tcp(address, 443)), '198.18.0.1')
      assert.equal(await web.reach(tcp(address, 80)), '198.18.0.1')
      assert.equal(await web.outcome(tcp(address, 22)), 'silence', 'a port that is not allowed')
    }
    assert.equal((await ask(web, 'a.example.com', { type: 'TXT' }))?.answers.length, 1)
    for (const [name, code, address] of [
      ['mirror.registry.example.org', 'NXDOMAIN', '198.18.1.2'],
      ['example.com', 'NXDOMAIN', '198.18.1.5'],
      ['notexample.com', 'REFUSED', '198.18.1.6'],
      ['cdn.example.net', 'REFUSED', '198.18.1.8'],
    ] as const) {
      assert.equal((await ask(web, name))?.code, code, name)
      assert.equal(await web.outcome(tcp(address, 443)), 'silence', name)
    }
  })

  test('what is no longer allowed is closed at once; what is still allowed is not disturbed', async () => {
    const { web, names } = world
    await names.set('198.18.1.1 registry.example.org\n198.18.1.3 a.example.com')
    await serve(daemon, one, { hosts, egress: ['registry.example.org:80', '*.example.com:443'] })
    await ask(web, 'registry.example.org')
    await ask(web, 'a.example.com')
    await web.open(tcp('198.18.1.1', 80))
    assert.equal(await serve(daemon, one, { hosts, egress: ['registry.example.org:80'] }), 'started')
    assert.equal(await web.say('hello'), 'hello')
    assert.equal(await web.reach(tcp('198.18.1.1', 80)), '198.18.0.1')
    assert.equal(await web.outcome(tcp('198.18.1.3', 443)), 'silence')
    assert.equal((await ask(web, 'a.example.com'))?.code, 'REFUSED')
    await serve(daemon, one, { hosts })
    assert.equal(await web.outcome(tcp('198.18.1.1', 80)), 'silence')
    assert.ok(await web.isMute(), 'nor do connections go on')
    assert.equal((await ask(web, 'registry.example.org'))?.code, 'REFUSED')
  })

  test('a name that points at what is private, of the host or of metadata opens none of it', async () => {
    const { web, names } = world
    const bad = ['10.77.0.1', '10.208.0.1', '10.208.0.66', '198.18.0.1', '169.254.169.254', '127.0.0.1', '192.168.1.1', '100.100.100.200']
    await names.set(bad.map((address, index) => `${address} n${index}.example.com`).join('\n'))
    for (const privateAnswers of [false, true]) {
      await serve(daemon, one, { hosts, egress: ['*.example.com'], privateAnswers })
      for (const [index, address] of bad.entries()) {
        const found = dataOf(await ask(web, `n${index}.example.com`))
        const told = privateAnswers || address.startsWith('198.18.') || address.startsWith('100.')
        assert.deepEqual(found, told ? [address] : [], address)
        assert.equal(await web.outcome(tcp(address, 80)), address === '127.0.0.1' ? 'connect ECONNREFUSED 127.0.0.1:80' : 'silence', address)
      }
      const rebound = (await logged(web)).filter(entry => entry.includes('private'))
      assert.equal(rebound.length, privateAnswers ? 0 : 6, rebound.join())
    }
    await daemon.firewall.allow(one, [{ cidr: '10.77.0.0/16', port: 80 }])
    world.host.ip('route replace 10.77.0.0/16 via 198.18.0.2')
    assert.equal(await web.reach(tcp('10.77.0.1', 80)), '198.18.0.1', 'a network opens what a name does not')
    world.host.ip('route del 10.77.0.0/16')
  })

  test('answers are kept for a minute at most; asking again begins the time anew', async () => {
    const { web, names } = world
    await names.set('198.18.1.1 registry.example.org')
    await serve(daemon, one, { hosts, egress: ['registry.example.org', '*.example.com:443'] })
    assert.deepEqual(
      (await ask(web, 'slow.example.com'))?.answers.map(({ ttl }) => ttl),
      [60],
    )
    const left = async (): Promise<number> => Number(/198\.18\.1\.1 expires (\d+)s/.exec(await elements(`open-${one}-all`))?.[1])
    await ask(web, 'registry.example.org')
    assert.ok((await left()) > 150)
    const lowest = await until('a second to pass', async () => ((await left()) < 179 ? await left() : undefined))
    await ask(web, 'registry.example.org')
    assert.ok((await left()) > lowest)
  })

  test('the kernel closes what nobody asks for any more, and lets begun connections go on', async () => {
    await daemon[Symbol.asyncDispose]()
    await clear(world)
    daemon = await startDaemon(world, 2)
    const { web, names } = world
    await names.set('198.18.1.1 registry.example.org')
    await serve(daemon, one, { hosts, egress: ['registry.example.org:443'] })
    await ask(web, 'registry.example.org')
    await web.open(tcp('198.18.1.1', 443))
    await until(
      'its end',
      async () => !(await elements(`open-${one}-443`)).includes('198.18.1.1') && !(await elements(`gap-${one}-443`)).includes('198.18'),
    )
    assert.equal(await web.outcome(tcp('198.18.1.1', 443)), 'silence')
    assert.equal(await web.say('still here'), 'still here')
    await ask(web, 'registry.example.org')
    assert.equal(await web.reach(tcp('198.18.1.1', 443)), '198.18.0.1')
    await daemon.firewall.forget(one)
    assert.ok(await web.isMute(), 'but not beyond their environment')
    await daemon[Symbol.asyncDispose]()
    await clear(world)
    daemon = await startDaemon(world)
  })

  test('it outlives a daemon that is killed, with all that is open; the next one takes it over, or ends it', async () => {
    const { web, names } = world
    await names.set('198.18.1.1 registry.example.org')
    const egress = ['registry.example.org:443']
    await serve(daemon, one, { hosts, egress })
    await serve(daemon, two, {})
    const [pid, orphan] = [pidOf(one), pidOf(two)]
    await ask(web, 'registry.example.org')
    await web.open(tcp('198.18.1.1', 443))
    process.kill(daemon.helper.pid, 'SIGKILL')
    await daemon.helper.closed
    assert.deepEqual(dataOf(await ask(web, 'db')), ['10.208.0.4'])
    assert.deepEqual(dataOf(await ask(web, 'registry.example.org')), ['198.18.1.1'])
    await daemon[Symbol.asyncDispose]()
    // More than the pipe takes: it must neither wait for a reader nor end.
    for (let round = 0; round < 600; round++) await ask(web, `n${round}.evil.test`)
    assert.deepEqual(dataOf(await ask(web, 'db')), ['10.208.0.4'])

    daemon = await startDaemon(world)
    assert.equal(await web.say('hello'), 'hello')
    assert.deepEqual(await daemon.resolvers.sweep(new Set([one])), [two])
    assert.ok(!existsSync(`/proc/${orphan}/exe`))
    assert.equal(await serve(daemon, one, { hosts, egress }), 'kept')
    assert.equal(await web.reach(tcp('198.18.1.1', 443)), '198.18.0.1')
    assert.equal(await serve(daemon, one, { hosts: hosts.slice(0, 1), egress }), 'changed')
    assert.equal((await ask(web, 'db'))?.code, 'NXDOMAIN')
    assert.equal(pidOf(one), pid)
    const told = log()
    assert.ok(told.refused.length > 100 && told.lost > 0, JSON.stringify(told))
  })

  test('one that was killed comes back; another configuration is another process; no fork goes on by old names', async () => {
    await serve(daemon, one, { hosts })
    const first = pidOf(one)
    process.kill(first, 'SIGKILL')
    await until('its end', () => !existsSync(`/proc/${first}/exe`))
    assert.equal(await serve(daemon, one, { hosts }), 'started')
    await world.web.open(tcp('10.208.0.1', 53)).catch(() => undefined) // Silent: a name server waits to be asked. Its fork is there.
    await until('a fork', () => daemon.resolvers.owned().filter(({ kind }) => kind === 'process').length === 2)
    assert.equal(await serve(daemon, one, { hosts, egress: ['registry.example.org'] }), 'started')
    assert.equal(daemon.resolvers.owned().filter(({ kind }) => kind === 'process').length, 1)
  })

  test('the table taken away and made again knows no addresses: the resolver forgets them too, and they are asked for again', async () => {
    const { web, names } = world
    await names.set('')
    await serve(daemon, one, { hosts, egress: ['*.example.com:443'] })
    await ask(web, 'slow.example.com')
    assert.equal(await web.reach(tcp('198.18.1.8', 443)), '198.18.0.1')
    await daemon.helper.nft('flush ruleset')
    assert.equal(await daemon.firewall.ensure(), true)
    assert.equal(await web.outcome(tcp('198.18.1.8', 443)), 'silence')
    await daemon.resolvers.of(one).refresh()
    await ask(web, 'slow.example.com')
    assert.equal(await web.reach(tcp('198.18.1.8', 443)), '198.18.0.1')
  })

  test('it runs as nobody in particular, and may do no more than fill sets where it has any', async () => {
    const status = (): string => readFileSync(`/proc/${pidOf(one)}/status`, 'utf8')
    await serve(daemon, one, { hosts })
    assert.match(status(), new RegExp(`^Uid:(\\t${uid}){4}$`, 'm'))
    assert.match(status(), /^CapEff:\t0+$/m)
    assert.match(status(), /^CapPrm:\t0+$/m)
    await serve(daemon, one, { hosts, egress: ['registry.example.org'] })
    assert.match(status(), new RegExp(`^Uid:(\\t${uid}){4}$`, 'm'))
    assert.match(status(), /^CapPrm:\t0000000000001000$/m) // CAP_NET_ADMIN
    assert.deepEqual(readdirSync(join(world.folder, 'names', one)).sort(), ['dnsmasq.conf', 'hosts', 'log', 'servers'])
    assert.equal(resolverBuild(execFileSync(dnsmasq, ['--version'], { encoding: 'utf8' }))?.nftset, true)
  })

  test('where it cannot listen, it says so and leaves no process', async () => {
    const [program = '', ...enter] = world.host.enter
    const holder = spawn(program, [...enter, process.execPath, '-e', 'require("node:net").createServer().listen(53, "10.208.0.1")'], {
      stdio: 'ignore',
    })
    const ended = once(holder, 'exit')
    try {
      await until('a listener', () => world.host.sh('cat /proc/net/tcp').includes('0100D00A:0035 00000000:0000 0A'))
      await assert.rejects(serve(daemon, one, { hosts }), /10\.208\.0\.1: Address already in use/)
      assert.deepEqual(
        daemon.resolvers.owned().filter(({ kind }) => kind === 'process'),
        [],
      )
    } finally {
      holder.kill('SIGKILL')
      await ended
    }
    assert.equal(await serve(daemon, one, { hosts }), 'started')
  })
})
