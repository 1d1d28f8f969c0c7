/** host/nft on the real kernel: what gets through, what does not, what is counted and what is left. In namespaces of its own, see firewall/world.ts. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { DayflyError } from '../../src/base/errors.ts'
import type { Helper } from '../../src/host/native/helper.ts'
import { spawnHelper } from '../../src/host/native/helper.ts'
import { allSlices, interfacePrefix, sliceNetwork } from '../../src/host/network/slots.ts'
import type { Firewall } from '../../src/host/nft/firewall.ts'
import { openFirewall } from '../../src/host/nft/firewall.ts'
import type { Target } from './firewall/agent.ts'
import { missingBridgeFilter } from './firewall/bridge-filter.ts'
import type { Space } from './firewall/space.ts'
import type { World } from './firewall/world.ts'
import { makeWorld } from './firewall/world.ts'
import { until } from './monitor/patience.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes network namespaces'
const root = new URL('../..', import.meta.url).pathname
const everything = { cidr: '0.0.0.0/0' }
/** The host's own addresses, metadata, other environments: what nothing opens. */
const closed = ['10.208.0.1', '10.208.0.65', '10.209.0.1', '192.0.2.1', '198.18.0.1', '203.0.113.9', '169.254.169.254', '10.208.0.66', '10.209.0.2']
const far = ['192.0.2.2', '198.51.100.7', '198.18.0.2']
const [one, two] = ['dfy0-1', 'dfy0-2']

const tcp = (host: string, port = 80, local?: string): Target => ({ protocol: 'tcp', host, port, ...(local === undefined ? {} : { local }) })
const udp = (host: string, port = 80, local?: string): Target => ({ ...tcp(host, port, local), protocol: 'udp' })

/** All of them silent. */
const assertClosed = async (from: Space, ...targets: readonly Target[]): Promise<void> => {
  const outcomes = await Promise.all(targets.map(target => from.outcome(target)))
  assert.deepEqual(
    targets.map((target, index) => ({ ...target, outcome: outcomes[index] })).filter(({ outcome }) => outcome !== 'silence'),
    [],
  )
}

/** All of them answer, to this address. */
const assertOpen = async (from: Space, seenAs: string, ...targets: readonly Target[]): Promise<void> => {
  for (const target of targets) assert.equal(await from.reach(target), seenAs, JSON.stringify(target))
}

const code = (wanted: string) => (error: unknown) => error instanceof DayflyError && error.code === wanted

if (skip === false) execFileSync('make', ['-s', '-C', `${root}/native`, 'build/dayfly-helper'], { stdio: 'inherit' })

for (const bridgeFilter of [0, 1] as const) {
  describe(`a firewall, bridge-nf-call-iptables ${bridgeFilter}`, { skip: skip || missingBridgeFilter(bridgeFilter) }, () => {
    let world: World
    let helper: Helper
    before(async () => {
      world = await makeWorld(bridgeFilter)
      helper = await spawnHelper({ binary: `${root}/native/build/dayfly-helper`, wrapper: world.host.enter })
    })
    after(async () => {
      await helper?.[Symbol.asyncDispose]()
      await world?.[Symbol.asyncDispose]()
    })

    const open = (slice = 0, owner = '/run/dayfly'): Promise<Firewall> =>
      openFirewall({
        nft: (commands, output) => helper.nft(commands, output),
        slice,
        bridgePrefix: interfacePrefix(slice),
        sliceNetwork: sliceNetwork(slice),
        allSlices,
        owner,
        files: world.host.files,
      })
    /** Removed at the end, and then nothing is left in the kernel. */
    const opened = async (slice = 0): Promise<Firewall> => {
      const firewall = await open(slice)
      return {
        ...firewall,
        [Symbol.asyncDispose]: async () => {
          await firewall.remove()
          assert.equal((await helper.nft('list tables')).includes(`dayfly_${slice}`), false)
        },
      }
    }
    const forwarding = (device: string): string => world.host.sh(`cat /proc/sys/net/ipv4/conf/${device}/forwarding`)
    const forwardEverything = (on: 0 | 1): string => world.host.sh(`echo ${on} > /proc/sys/net/ipv4/ip_forward`)
    const refusals = async (firewall: Firewall, bridge: string): Promise<number> => (await firewall.refused()).get(bridge) ?? 0

    test('without it everything is reachable: what follows is not closed by accident', async () => {
      const { host, outside, first } = world
      forwardEverything(1)
      try {
        for (const address of closed) await assertOpen(first, '10.208.0.2', tcp(address), udp(address))
        for (const address of far) await assertOpen(first, '10.208.0.2', tcp(address), udp(address))
        await assertOpen(outside, '192.0.2.2', tcp('10.208.0.2'), udp('10.208.0.2'))
        await assertOpen(host, '10.208.0.1', tcp('10.208.0.2'))
        {
          using ipv6 = await world.speakIpv6()
          assert.match(await first.reach(tcp(ipv6.hostAddress, 86)), /^fe80:/)
        }
        first.ip('addr add 10.208.0.99/32 dev eth0', 'addr add 198.51.100.99/32 dev eth0')
        outside.ip('route add 198.51.100.99/32 via 192.0.2.1')
        host.ip('route add 198.51.100.99/32 dev dfy0-1')
        await assertOpen(first, '198.51.100.99', tcp('192.0.2.2', 80, '198.51.100.99'))
        host.ip('route del 198.51.100.99/32 dev dfy0-1')
      } finally {
        forwardEverything(0)
      }
    })

    for (const forwards of [0, 1] as const) {
      test(`closed by default, ip_forward ${forwards}`, async () => {
        const { host, outside, first, second } = world
        await using _ = await opened()
        forwardEverything(forwards)
        try {
          using ipv6 = await world.speakIpv6()
          await assertClosed(first, ...[...closed, ...far].flatMap(address => [tcp(address), udp(address)]), tcp(ipv6.hostAddress, 86))
          await assertClosed(outside, tcp('10.208.0.2'), udp('10.208.0.2'))
          await assertClosed(second, tcp('10.208.0.2'))
          await assertOpen(host, '10.208.0.1', tcp('10.208.0.2'), udp('10.208.0.2'))
        } finally {
          forwardEverything(0)
        }
      })
    }

    test('a network and port opens just that, for TCP and UDP, to the bridge that asked', async () => {
      const { first, second } = world
      await using firewall = await opened()
      await firewall.allow(one, [{ cidr: '192.0.2.0/30', port: 443 }])
      await assertOpen(first, '192.0.2.1', tcp('192.0.2.2', 443), udp('192.0.2.2', 443))
      await assertClosed(first, tcp('192.0.2.2'), udp('192.0.2.2'), tcp('198.51.100.7', 443), tcp('192.0.2.1', 443))
      await assertClosed(second, tcp('192.0.2.2', 443), udp('192.0.2.2', 443))
      assert.throws(() => first.sh('busybox ping -c 1 -W 1 192.0.2.2'), 'a port is no permission for ICMP')
    })

    test('a network opens every port and protocol in it; openings add up and may overlap', async () => {
      const { first } = world
      await using firewall = await opened()
      await firewall.allow(one, [{ cidr: '192.0.2.2/32', port: 443 }])
      await firewall.allow(one, [{ cidr: '192.0.2.0/24' }, { cidr: '192.0.2.0/24', port: 443 }])
      await firewall.allow(one, [{ cidr: '192.0.2.0/24' }])
      await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'), udp('192.0.2.2'), tcp('192.0.2.2', 443))
      first.sh('busybox ping -c 1 -W 5 192.0.2.2')
      await assert.rejects(first.reach(udp('192.0.2.2', 81)), /ECONNREFUSED/, 'an ICMP error about what is open is an answer')
      await assertClosed(first, tcp('198.51.100.7'), udp('198.51.100.7'))
      await firewall.allow(one, [{ cidr: '198.51.100.7/32', port: 80 }])
      await assertOpen(first, '192.0.2.1', tcp('198.51.100.7'), udp('198.51.100.7'), tcp('192.0.2.2'))
    })

    test('0.0.0.0/0 opens neither the host, nor metadata, nor another environment, nor the way in', async () => {
      const { host, outside, neighbour, first, second, other } = world
      await using firewall = await opened()
      forwardEverything(1)
      try {
        for (const bridge of [one, two]) await firewall.allow(bridge, [everything, { ...everything, port: 80 }])
        await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'), udp('198.51.100.7'))
        await assertOpen(first, '198.18.0.1', tcp('198.18.0.2'))
        using ipv6 = await world.speakIpv6()
        await assertClosed(first, ...closed.flatMap(address => [tcp(address), udp(address)]), tcp(ipv6.hostAddress, 86))
        assert.throws(() => first.sh('busybox ping -c 1 -W 1 10.208.0.1'))
        for (const stranger of [outside, neighbour, second, other]) await assertClosed(stranger, tcp('10.208.0.2'), udp('10.208.0.2'))
        await assertOpen(host, '10.208.0.1', tcp('10.208.0.2'))
      } finally {
        forwardEverything(0)
      }
    })

    test('what the host publishes on its own address stays as closed as the address, and open to others', async () => {
      const { host, outside, first } = world
      await using firewall = await opened()
      await firewall.allow(one, [everything])
      await helper.nft(`add table ip published
        add chain ip published before { type nat hook prerouting priority -100; }
        add rule ip published before ip daddr { 192.0.2.1, 203.0.113.9 } tcp dport 8080 dnat to 198.18.0.2:80
        add rule ip published before ip daddr 198.51.100.7 tcp dport 8081 dnat to 10.208.0.66:80
        add rule ip published before ip daddr 198.51.100.7 tcp dport 8082 redirect to :80
        add rule ip published before ip daddr 198.51.100.7 tcp dport 8083 dnat to 169.254.169.254:80
        add chain ip published late { type filter hook prerouting priority 50; }
        add rule ip published late ip daddr 198.51.100.7 udp dport 8084 ip daddr set 169.254.169.254 udp dport set 80`)
      // As docker does when it publishes a port for the first time.
      host.sh('echo 1 > /proc/sys/net/ipv4/conf/lan0/forwarding')
      try {
        await assertOpen(outside, '192.0.2.2', tcp('192.0.2.1', 8080))
        await assertClosed(first, tcp('192.0.2.1', 8080), tcp('203.0.113.9', 8080), ...[8081, 8082, 8083].map(port => tcp('198.51.100.7', port)))
        const before = await outside.arrivals()
        await assertClosed(first, udp('198.51.100.7', 8084))
        assert.deepEqual(await outside.arrivals(), before)
      } finally {
        await helper.nft('delete table ip published')
        host.sh('echo 0 > /proc/sys/net/ipv4/conf/lan0/forwarding')
      }
    })

    test('a source address that is not of its bridge goes nowhere', async () => {
      const { host, outside, first, second } = world
      await using firewall = await opened()
      await firewall.allow(one, [everything])
      await firewall.allow(two, [everything])
      first.ip('addr add 10.208.0.67/32 dev eth0', 'addr add 192.0.2.77/32 dev eth0')
      host.ip('route add 198.51.100.99/32 dev dfy0-1')
      try {
        const before = [await outside.arrivals(), await second.arrivals(), await refusals(firewall, one)] as const
        // From the second's network, the uplink's, somebody's, and one that is wrongly routed to the bridge.
        await assertClosed(
          first,
          ...['10.208.0.67', '192.0.2.77', '10.208.0.99', '198.51.100.99'].flatMap(local => [
            tcp('192.0.2.2', 80, local),
            udp('192.0.2.2', 80, local),
          ]),
        )
        await assertClosed(first, udp('10.208.0.66', 80, '10.208.0.67'))
        assert.deepEqual([await outside.arrivals(), await second.arrivals()], before.slice(0, 2))
        assert.ok((await refusals(firewall, one)) >= before[2] + 9)
        await assertOpen(first, '192.0.2.1', tcp('192.0.2.2', 80, '10.208.0.2'))
      } finally {
        host.ip('route del 198.51.100.99/32 dev dfy0-1')
      }
    })

    test('a connection lives as long as its opening, and the next environment at its address does not inherit it', async () => {
      const { outside, first } = world
      await using firewall = await opened()
      await firewall.allow(one, [everything])
      await first.open(tcp('192.0.2.2'))
      assert.equal(await first.say('hello'), 'hello')
      await outside.push('unasked')
      await until('what outside says', async () => (await first.heard()).includes('unasked'))
      await firewall.forget(one)
      await firewall.allow(one, [{ cidr: '198.51.100.7/32' }])
      await outside.push('too late')
      assert.ok(await first.isMute())
      assert.doesNotMatch(await first.heard(), /too late/)
      await firewall.allow(one, [{ cidr: '192.0.2.0/24', port: 80 }])
      await first.say(' Again!')
      assert.match(await first.heard(), /unasked.*too late/s)
      await first.hangUp()
    })

    test('nothing gets out of a bridge that is isolated, whatever is open or opened, nor over a connection that was there; the host reaches it', async () => {
      const { host, outside, first, second } = world
      await using firewall = await opened()
      for (const bridge of [one, two]) await firewall.allow(bridge, [{ cidr: '192.0.2.0/24' }])
      await first.open(tcp('192.0.2.2'))
      assert.equal(await first.say('hello'), 'hello')
      await firewall.isolate(one)
      await firewall.isolate(one)
      await outside.push('too late')
      assert.ok(await first.isMute())
      assert.doesNotMatch(await first.heard(), /too late/)
      await first.hangUp()
      await assertClosed(first, tcp('192.0.2.2'), udp('192.0.2.2'))
      await firewall.allow(one, [everything])
      await assertClosed(first, tcp('192.0.2.2'), udp('198.51.100.7'))
      await assertOpen(second, '192.0.2.1', tcp('192.0.2.2'))
      await assertOpen(host, '10.208.0.1', tcp('10.208.0.2'))
      assert.ok((await refusals(firewall, one)) > 0)

      // The next daemon, and a table that somebody took away.
      const heir = await open()
      await assertClosed(first, tcp('192.0.2.2'))
      await helper.nft('flush ruleset')
      assert.equal(await heir.ensure(), true)
      await assertClosed(first, tcp('192.0.2.2'))
      await assertOpen(second, '192.0.2.1', tcp('192.0.2.2'))

      // Whoever has the bridge next is not.
      await heir.forget(one)
      await heir.allow(one, [{ cidr: '192.0.2.0/24' }])
      await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'))
    })

    test('refused packets are counted for the bridge they came from, and nothing else is', async () => {
      const { host, outside, first, second } = world
      await using firewall = await opened()
      assert.deepEqual(await firewall.refused(), new Map())
      await firewall.allow(one, [{ cidr: '192.0.2.2/32' }])
      await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'))
      await assertOpen(host, '10.208.0.1', tcp('10.208.0.2'))
      await assertClosed(outside, udp('10.208.0.2'))
      assert.deepEqual(await firewall.refused(), new Map())
      // Datagrams are sent once: the counts are exact.
      await assertClosed(first, udp('10.208.0.1'), udp('198.51.100.7'), udp('10.208.0.66'))
      await assertClosed(second, udp('192.0.2.2'))
      assert.deepEqual(new Map([...(await firewall.refused())].sort()), new Map([[one, 3], [two, 1]])) // biome-ignore format: a table
      assert.deepEqual([...(await firewall.bridges())].sort(), [one, two])
    })

    test('forget leaves nothing of a bridge, and everything of the others', async () => {
      const { first, second } = world
      await using firewall = await opened()
      for (const bridge of [one, two]) await firewall.allow(bridge, [{ cidr: '192.0.2.0/24' }, { cidr: '198.51.100.7/32', port: 80 }])
      await assertClosed(first, tcp('10.208.0.1'))
      await firewall.forget(one)
      await firewall.forget(one)
      assert.equal((await helper.nft('list ruleset')).includes(`"${one}"`), false)
      assert.deepEqual(await firewall.bridges(), [two])
      assert.deepEqual(await firewall.refused(), new Map())
      assert.equal(forwarding(one), '0')
      await assertOpen(second, '192.0.2.1', tcp('192.0.2.2'), tcp('198.51.100.7'))
      await assertClosed(first, tcp('192.0.2.2'), tcp('198.51.100.7'))
      await firewall.allow(one, [{ cidr: '198.51.100.7/32', port: 80 }])
      await assertOpen(first, '192.0.2.1', tcp('198.51.100.7'))
    })

    test("its owner adopts a table with what is open and counted; another's is a conflict and left alone", async () => {
      const { first } = world
      await using firewall = await opened()
      await firewall.allow(one, [{ cidr: '192.0.2.0/24' }, { cidr: '198.51.100.7/32', port: 80 }])
      await assertClosed(first, udp('10.208.0.1'), udp('10.208.0.66'))
      await helper.nft('add rule inet dayfly_0 opened accept') // What is no part of it does not survive.
      const heir = await open()
      assert.deepEqual(await heir.refused(), new Map([[one, 2]]))
      await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'), udp('198.51.100.7'))
      await assertClosed(first, tcp('198.51.100.7', 443), tcp('198.18.0.2'))

      const table = await helper.nft('list table inet dayfly_0')
      for (const stranger of ['/run/other', '', '/run/dayfly"; }', '/run/dayfly\n', `/run/${'x'.repeat(200)}`])
        await assert.rejects(open(0, stranger), code('conflict'))
      await helper.nft('add table inet dayfly_1')
      await assert.rejects(open(1), code('conflict'))
      await helper.nft('delete table inet dayfly_1')
      assert.equal(await helper.nft('list table inet dayfly_0'), table)

      await heir.forget(one)
      assert.deepEqual(await heir.bridges(), [])
      await assertClosed(first, tcp('192.0.2.2'))
    })

    test('an owner whose name fits into no comment is known again', async () => {
      const owner = `/run/${'a b"'.repeat(100)}`
      const firewall = await open(0, owner)
      await firewall.allow(one, [everything])
      const heir = await open(0, owner)
      assert.deepEqual(await heir.bridges(), [one])
      await heir.remove()
      await heir.remove()
      assert.equal(await helper.nft('list tables'), '')
    })

    test('a table that was taken away comes back as it was, by ensure or by the next call', async () => {
      const { first } = world
      await using firewall = await opened()
      await firewall.allow(one, [{ cidr: '192.0.2.0/24' }])
      assert.equal(await firewall.ensure(), false)
      await helper.nft('flush ruleset')
      assert.equal(await firewall.ensure(), true)
      assert.equal(await firewall.ensure(), false)
      await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'))
      await assertClosed(first, tcp('10.208.0.1'))
      for (const call of [() => firewall.allow(two, [everything]), () => firewall.forget(two), () => firewall.refused(), () => firewall.bridges()]) {
        await helper.nft('flush ruleset')
        await call()
        await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'))
      }
    })

    test('forwarding is switched on where it is needed, for environments only, and off again at the end', async () => {
      const { host, outside, neighbour, first } = world
      assert.deepEqual(['up0', 'lan0', one, two].map(forwarding), ['0', '0', '0', '0'])
      {
        await using firewall = await opened()
        assert.equal(forwarding(one), '0')
        await firewall.allow(one, [{ cidr: '192.0.2.2/32', port: 80 }])
        assert.deepEqual(['up0', 'lan0', one, two].map(forwarding), ['1', '0', '1', '0'])
        await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'))
        // The host has not become outside's way to its neighbour, nor the other way round.
        await assertClosed(outside, tcp('198.18.0.2'), udp('198.18.0.2'))
        await assertClosed(neighbour, tcp('192.0.2.2'))
        await firewall.allow(one, [everything])
        assert.deepEqual(['up0', 'lan0'].map(forwarding), ['1', '1'])
        await assertClosed(outside, tcp('198.18.0.2'))
        await assertOpen(first, '198.18.0.1', tcp('198.18.0.2'))

        // Two daemons: the last one that needs it switches it off.
        {
          await using second = await opened(1)
          await second.allow('dfy1-0', [{ cidr: '198.18.0.0/24' }])
          await assertOpen(world.other, '198.18.0.1', tcp('198.18.0.2'))
          await firewall.remove()
          assert.deepEqual(['up0', 'lan0'].map(forwarding), ['0', '1'])
          await assertOpen(world.other, '198.18.0.1', tcp('198.18.0.2'))
        }
        assert.deepEqual(['up0', 'lan0'].map(forwarding), ['0', '0'])
      }
      forwardEverything(1)
      try {
        await using firewall = await opened()
        await firewall.allow(one, [everything])
        await assertOpen(outside, '192.0.2.2', tcp('198.18.0.2'))
      } finally {
        assert.deepEqual(['up0', 'lan0', one].map(forwarding), ['1', '1', '1'])
        forwardEverything(0)
      }
      assert.equal(host.sh('cat /proc/sys/net/ipv4/ip_forward'), '0')
    })

    test('a later daemon undoes what an earlier one switched on', async () => {
      await (await open()).allow(one, [{ cidr: '192.0.2.0/24' }])
      assert.equal(forwarding('up0'), '1')
      const heir = await open()
      await heir.remove()
      assert.equal(forwarding('up0'), '0')
      assert.equal(await helper.nft('list ruleset'), '')
    })

    test('bad input is named and changes nothing', async () => {
      await using firewall = await opened()
      const rules = await helper.nft('list ruleset')
      for (const cidr of [
        '192.0.2.1/24',
        '192.0.2.0',
        '192.0.2.0/33',
        '192.0.2/24',
        '::/0',
        '0.0.0.0/0 }; flush ruleset',
        '256.0.0.0/8',
        '01.0.0.0/8',
        '',
      ]) {
        await assert.rejects(firewall.allow(one, [{ cidr: '192.0.2.0/24' }, { cidr }]), code('invalid'), cidr)
      }
      for (const port of [0, 65_536, 1.5, Number.NaN]) await assert.rejects(firewall.allow(one, [{ ...everything, port }]), code('invalid'))
      for (const bridge of ['dfy1-0', 'eth0', 'dfy0-1" }', 'dfy0-1.0', 'dfy0-1234567890ab', '']) {
        await assert.rejects(firewall.allow(bridge, [everything]), code('invalid'), bridge)
        await assert.rejects(firewall.forget(bridge), code('invalid'), bridge)
      }
      await assert.rejects(firewall.allow('dfy0-999', [everything]), code('host'))
      const many = Array.from({ length: 6001 }, (_, index) => ({ cidr: `100.64.${index >> 8}.${index & 255}/32`, port: 1 }))
      await assert.rejects(firewall.allow(one, many), code('exhausted'))
      assert.equal(await helper.nft('list ruleset'), rules)
    })

    test('as many openings as there may be are made, adopted and forgotten', async () => {
      const { first } = world
      await using firewall = await opened()
      const many = Array.from({ length: 5999 }, (_, index) => ({ cidr: `100.127.${index >> 8}.${index & 255}/32`, port: 60_000 }))
      await firewall.allow(one, [...many, { cidr: '192.0.2.2/32', port: 80 }])
      await assert.rejects(firewall.allow(two, [everything]), code('exhausted'))
      const heir = await open()
      await assertOpen(first, '192.0.2.1', tcp('192.0.2.2'))
      await heir.forget(one)
      assert.deepEqual(await heir.bridges(), [])
      await heir.allow(two, [everything])
    })
  })
}
