/** The inside of an environment on the real kernel: who reaches whom, that nobody passes for another, and what is told of those who try. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { instanceAddress } from '../../src/host/network/slots.ts'
import type { Inside } from '../../src/host/nft/firewall.ts'
import type { Target } from './firewall/agent.ts'
import { missingBridgeFilter } from './firewall/bridge-filter.ts'
import type { Space } from './firewall/space.ts'
import { until } from './monitor/patience.ts'
import type { Daemon } from './names/stage.ts'
import { buildHelper, clear, startDaemon } from './names/stage.ts'
import type { World } from './names/world.ts'
import { makeWorld, portOf } from './names/world.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes network namespaces'
const one = 'dfy0-1'
const addresses = { web: '10.208.0.2', api: '10.208.0.3', db: '10.208.0.4' } as const
type Name = keyof typeof addresses
const names: readonly Name[] = ['web', 'api', 'db']
const macOf = (name: Name): string => instanceAddress({ slice: 0, slot: 0 }, names.indexOf(name)).mac

const tcp = (host: string, port = 80, local?: string): Target => ({ protocol: 'tcp', host, port, ...(local === undefined ? {} : { local }) })
const udp = (host: string, port = 80, local?: string): Target => ({ ...tcp(host, port, local), protocol: 'udp' })

/** Web and api share `front`, api and db share `back`. */
const usual: Readonly<Record<Name, readonly string[]>> = { web: ['front'], api: ['front', 'back'], db: ['back'] }

const insideOf = (networks: Readonly<Partial<Record<Name, readonly string[]>>>, withoutEgress: readonly Name[] = []): Inside => ({
  subnet: '10.208.0.0/26',
  gateway: '10.208.0.1',
  members: names.flatMap(name => {
    const of = networks[name]
    return of === undefined
      ? []
      : [{ port: portOf[name], mac: macOf(name), address: addresses[name], networks: of, egress: !withoutEgress.includes(name) }]
  }),
})

if (skip === false) buildHelper()

for (const bridgeFilter of [0, 1] as const) {
  describe(`inside an environment, bridge-nf-call-iptables ${bridgeFilter}`, { skip: skip || missingBridgeFilter(bridgeFilter) }, () => {
    let world: World
    let daemon: Daemon
    before(async () => {
      world = await makeWorld(bridgeFilter)
      daemon = await startDaemon(world)
    })
    afterEach(async () => {
      for (const name of names) {
        await daemon.helper.portIsolate(portOf[name], true)
        world[name].sh('ip neigh flush all')
      }
      world.host.sh('ip neigh flush all')
      // What a connection of the test sends again is counted anew.
      await until('nothing to be left', async () => {
        for (const bridge of [one, 'dfy0-2']) await daemon.firewall.forget(bridge)
        return (await daemon.firewall.bridges()).length === 0
      })
      assert.doesNotMatch(await daemon.helper.nft('list ruleset'), new RegExp(`"${one}`))
    })
    after(async () => {
      await daemon?.[Symbol.asyncDispose]()
      if (world !== undefined) await clear(world)
      await world?.[Symbol.asyncDispose]()
    })

    const open = async (inside: Inside): Promise<void> => {
      await daemon.firewall.setInside(one, inside)
      for (const { port } of inside.members) await daemon.helper.portIsolate(port, false)
    }
    /** Who gets an answer from whom, by TCP and UDP alike: `web>api`. */
    const reached = async (): Promise<string[]> => {
      // Who did not answer ARP just now is asked again only after a second.
      for (const name of names) world[name].sh('ip neigh flush all')
      const pairs = names.flatMap(from => names.filter(to => to !== from).map(to => [from, to] as const))
      const found = await Promise.all(
        pairs.map(async ([from, to]) => {
          const outcomes = await Promise.all([tcp, udp].map(target => world[from].outcome(target(addresses[to]))))
          const answers = outcomes.filter(outcome => outcome === addresses[from]).length
          assert.ok(answers !== 1, `${from} reaches ${to} by one of two protocols`)
          return answers === 2 ? [`${from}>${to}`] : []
        }),
      )
      return found.flat()
    }
    const deniedBetween = async (from: Name, to: Name): Promise<number> =>
      (await daemon.firewall.denied())
        .filter(({ bridge, source, destination }) => bridge === one && source === addresses[from] && destination === addresses[to])
        .reduce((sum, { packets }) => sum + packets, 0)

    test('closed at first', async () => {
      assert.deepEqual(await reached(), [])
    })

    test('those who share a network reach each other, and nobody else; changes take hold at once', async () => {
      await open(insideOf(usual))
      assert.deepEqual(await reached(), ['web>api', 'api>web', 'api>db', 'db>api'])
      assert.ok((await deniedBetween('web', 'db')) > 0)
      assert.ok(((await daemon.firewall.refused()).get(one) ?? 0) > 0)
      await daemon.firewall.setInside(one, insideOf({ web: ['a'], api: [], db: ['a', 'b'] }))
      assert.deepEqual(await reached(), ['web>db', 'db>web'])
      await daemon.firewall.setInside(one, insideOf({ web: ['default'], api: ['default'], db: ['default'] }))
      assert.deepEqual((await reached()).length, 6)
      world.web.sh('busybox ping -c 1 -W 2 10.208.0.4')
      await daemon.firewall.setInside(one, insideOf({ web: ['default'], db: ['default'] }))
      await daemon.helper.portIsolate(portOf.api, true)
      assert.deepEqual(await reached(), ['web>db', 'db>web'])
    })

    test('the host reaches instances, they do not reach the host, nor another environment', async () => {
      await open(insideOf(usual))
      const { host, web, other } = world
      for (const name of names) assert.equal(await host.reach(tcp(addresses[name])), '10.208.0.1')
      for (const target of [tcp('10.208.0.1'), tcp('198.18.0.1'), tcp('10.208.0.66'), udp('10.208.0.66')])
        assert.equal(await web.outcome(target), 'silence')
      for (const name of names) assert.equal(await other.outcome(tcp(addresses[name])), 'silence')
    })

    test('the way by the host is no way around networks', async () => {
      await open(insideOf(usual))
      const { web, host, db } = world
      const before = await db.arrivals()
      web.ip('route add 10.208.0.4/32 via 10.208.0.1')
      host.sh('echo 1 > /proc/sys/net/ipv4/ip_forward')
      try {
        assert.equal(await web.outcome(tcp(addresses.db)), 'silence')
        assert.equal(await web.outcome(udp(addresses.db)), 'silence')
        web.ip('route del 10.208.0.4/32')
        web.sh(`ip neigh replace 10.208.0.4 lladdr ${macOf('db')} dev eth0 nud permanent`)
        assert.equal(await web.outcome(udp(addresses.db)), 'silence', 'nor is knowing the other’s MAC')
        web.sh('ip neigh replace 10.208.0.4 lladdr ff:ff:ff:ff:ff:ff dev eth0 nud permanent')
        assert.equal(await web.outcome(udp(addresses.db)), 'silence', 'nor everybody’s')
        web.sh('ip neigh del 10.208.0.4 dev eth0')
        assert.deepEqual(await db.arrivals(), before)
      } finally {
        host.sh('echo 0 > /proc/sys/net/ipv4/ip_forward')
      }
    })

    test('nobody passes for another: neither by address, nor by MAC, nor by ARP', async () => {
      await open(insideOf({ web: ['net'], api: ['net'], db: ['net'] }))
      const { web, api, host } = world
      assert.equal((await reached()).length, 6)
      const neighbour = (space: Space, address: string): string => /lladdr (\S+)/.exec(space.sh(`ip neigh show ${address}`))?.[1] ?? 'none'
      await host.reach(tcp(addresses.db))

      web.ip('addr add 10.208.0.4/32 dev eth0')
      try {
        const before = await api.arrivals()
        assert.equal(await web.outcome(udp(addresses.api, 80, addresses.db)), 'silence')
        assert.equal(await web.outcome(tcp(addresses.api, 80, addresses.db)), 'silence')
        web.sh('for way in -U -A; do busybox arping $way -c 2 -I eth0 -s 10.208.0.4 10.208.0.4 || true; done')
        web.sh('for who in 10.208.0.1 10.208.0.3; do busybox arping -c 1 -w 1 -I eth0 -s 10.208.0.4 $who || true; done')
        assert.deepEqual(await api.arrivals(), before)
        for (const space of [host, api]) assert.equal(neighbour(space, addresses.db), macOf('db'))
        assert.equal(await host.reach(tcp(addresses.db)), '10.208.0.1')
      } finally {
        web.ip('addr del 10.208.0.4/32 dev eth0')
      }

      web.ip(`link set eth0 address ${macOf('db')}`, 'route replace default via 10.208.0.1')
      try {
        assert.equal(await web.outcome(tcp(addresses.api)), 'silence')
        assert.equal(await web.outcome(udp(addresses.api)), 'silence')
        assert.equal(await host.reach(tcp(addresses.db)), '10.208.0.1', 'the bridge has not learned it')
        assert.equal(await api.reach(tcp(addresses.db)), addresses.api)
      } finally {
        web.ip(`link set eth0 address ${macOf('web')}`, 'route replace default via 10.208.0.1')
      }
      assert.equal(await web.reach(tcp(addresses.api)), addresses.web)
    })

    test('nothing but IPv4 and ARP passes', async () => {
      await open(insideOf({ web: ['net'], api: ['net'], db: ['net'] }))
      const { web, api } = world
      const refused = async (): Promise<number> => (await daemon.firewall.refused()).get(one) ?? 0
      assert.equal(await web.reach(tcp(addresses.api)), addresses.web)
      const arrived = (): string => api.sh("sed -n 's/^ *eth0: *[0-9]* *\\([0-9]*\\).*/\\1/p' /proc/net/dev")
      const before = [arrived(), await refused()] as const
      // A VLAN's tag before IPv4 from the right address, a protocol for experiments, IPv6, and ARP that calls another machine the sender.
      const ip = '450000200000000040110000 0ad00002 0ad00003 1f90 0050 000c 0000 61626364'
      const arp = `0806 0001 0800 06 04 0002 ${macOf('db')} 0ad00002 ${macOf('api')} 0ad00003`
      const frames = [`8100 0007 0800 ${ip}`, '88b5 00000000', '86dd 6000000000003a40', arp]
      for (const frame of frames) {
        const bytes = `${macOf('api')} ${macOf('web')} ${frame}`.replaceAll(/[: ]/g, '').padEnd(120, '0')
        web.sh(`python3 -c "import socket; s = socket.socket(17, 3); s.bind(('eth0', 0)); s.send(bytes.fromhex('${bytes}'))"`)
      }
      assert.deepEqual([arrived(), await refused()], [before[0], before[1] + frames.length])
    })

    test('an instance on internal networks only has no egress, whatever is open', async () => {
      await open(insideOf(usual, ['db']))
      await daemon.firewall.allow(one, [{ cidr: '198.18.1.0/24' }])
      assert.equal(await world.api.reach(tcp('198.18.1.1', 443)), '198.18.0.1')
      assert.equal(await world.db.outcome(tcp('198.18.1.1', 443)), 'silence')
      assert.equal(await world.db.reach(tcp(addresses.api)), addresses.db)
    })

    test('what is denied is told once for each kind, with its count, and bounded', async () => {
      const { web } = world
      await daemon.firewall.forget(one)
      for (const target of [udp('198.18.1.1', 53), udp('198.18.1.1', 53), udp('10.208.0.1', 80), udp('198.18.1.1', 54)]) await web.outcome(target)
      assert.throws(() => web.sh('busybox ping -c 1 -W 1 198.18.1.1'))
      const denied = await daemon.firewall.denied()
      const told = denied.map(
        ({ bridge, source, destination, protocol, port, packets }) => `${bridge} ${source} ${destination} ${protocol} ${port} ${packets}`,
      )
      assert.deepEqual(told.toSorted(), [
        'dfy0-1 10.208.0.2 10.208.0.1 udp 80 1',
        'dfy0-1 10.208.0.2 198.18.1.1 icmp undefined 1',
        'dfy0-1 10.208.0.2 198.18.1.1 udp 53 2',
        'dfy0-1 10.208.0.2 198.18.1.1 udp 54 1',
      ])
      await Promise.all(Array.from({ length: 300 }, (_, index) => web.outcome(udp('198.18.1.2', 1000 + index))))
      await world.other.outcome(udp('198.18.1.9', 9))
      const later = await daemon.firewall.denied()
      const kinds = later.filter(({ bridge }) => bridge === one).length
      assert.ok(kinds >= 60 && kinds <= 70, `${kinds} kinds`)
      assert.ok(((await daemon.firewall.refused()).get(one) ?? 0) >= 305, 'the totals miss nothing')
      assert.equal(later.filter(({ bridge }) => bridge === 'dfy0-2').length, 1, 'another environment still has its place')
      await daemon.firewall.forget('dfy0-2')
      await daemon.firewall.forget(one)
      assert.deepEqual(await daemon.firewall.denied(), [])
    })

    test('a new daemon finds it as it was, and changes it; a table taken away comes back', async () => {
      await open(insideOf(usual))
      await daemon[Symbol.asyncDispose]()
      assert.deepEqual(await reached(), ['web>api', 'api>web', 'api>db', 'db>api'])
      daemon = await startDaemon(world)
      assert.deepEqual(await reached(), ['web>api', 'api>web', 'api>db', 'db>api'])
      assert.deepEqual(await daemon.firewall.bridges(), [one])
      const rules = await daemon.helper.nft('list table bridge dayfly_0', 'terse')
      await daemon.firewall.setInside(one, insideOf(usual))
      await daemon.helper.nft('flush ruleset')
      assert.equal(await daemon.firewall.ensure(), true)
      assert.equal(await daemon.helper.nft('list table bridge dayfly_0', 'terse'), rules)
      assert.deepEqual(await reached(), ['web>api', 'api>web', 'api>db', 'db>api'])
      await daemon.firewall.setInside(one, undefined)
      for (const name of names) await daemon.helper.portIsolate(portOf[name], true)
      assert.deepEqual(await reached(), [])
    })

    test('bad input is named and changes nothing', async () => {
      const before = await daemon.helper.nft('list ruleset')
      const good = insideOf(usual)
      const [member] = good.members
      assert.ok(member !== undefined)
      for (const bad of [
        { ...good, subnet: '10.208.0' },
        { ...good, gateway: 'x' },
        ...[{ port: 'dfy0-2.0' }, { port: 'dfy0-1.0" }' }, { mac: '02:DF' }, { address: '::1' }].map(part => ({
          ...good,
          members: [{ ...member, ...part }],
        })),
      ]) {
        await assert.rejects(daemon.firewall.setInside(one, bad), { code: 'invalid' })
      }
      await assert.rejects(daemon.firewall.setInside('eth0', good), { code: 'invalid' })
      await assert.rejects(daemon.firewall.openNames(one, [[0]]), { code: 'invalid' })
      await assert.rejects(daemon.firewall.allowResolver(one, 'x'), { code: 'invalid' })
      assert.equal(await daemon.helper.nft('list ruleset'), before)
    })
  })
}
