/**
 * What environments may reach: one nftables table per daemon, and one of the bridge family, closed by default. The rules are in ruleset.ts and
 * inside.ts, what is changed on the host for allowed egress is in forwarding.ts.
 *
 * Never reachable, whatever is allowed: the host's own addresses, all of them (the host itself may connect to instances, and gets its answers); what the
 * host publishes by translating destinations of its own addresses; link-local and metadata addresses; the addresses of all environments of all daemons. From
 * outside nothing gets to an instance but answers. IPv6 is dropped. Source addresses that do not belong to the bridge are dropped.
 *
 * A drop of ours is final. An accept is not: other tables of the host (docker's, which drops forwarding that it does not know; firewalld's; an
 * administrator's own) still have their say, and egress that they drop stays dropped until they allow it: for docker by a rule in its chain DOCKER-USER.
 *
 * Three things are opened: networks (openings.ts), names, by what a resolver puts into sets (names.ts), and the inside of a bridge (inside.ts).
 * The first two never open what is closed above, the last opens nothing but instances of the same bridge to each other.
 *
 * What is allowed at an address is decided by the address after the host's own translations. An instance may reach containers and virtual machines of
 * other tools on this host when their network is within what is allowed, as far as their own rules let it.
 */
import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Contents } from './contents.ts'
import { emptyContents } from './contents.ts'
import type { Denied } from './denied.ts'
import { deniedFrom, deniedSets } from './denied.ts'
import type { HostFiles } from './forwarding.ts'
import { devicesTowards, hostForwards, isForwarding, ownFiles, setForwarding, stopForwarding } from './forwarding.ts'
import type { Inside } from './inside.ts'
import { insideElements } from './inside.ts'
import { listedElements, listedTables } from './listing.ts'
import type { Ports } from './names.ts'
import { defaultNameLifetime, nameRules, nftsetOf, portsKey, withoutNameRules, withoutNameSets } from './names.ts'
import type { EgressOpening } from './openings.ts'
import { elementsOf } from './openings.ts'
import { maskOf, tablePrefix } from './ruleset.ts'
import type { Nft } from './tables.ts'
import { additions, createTables, errnoIn, foreignTable } from './tables.ts'

export type { Denied } from './denied.ts'
export type { Inside, Member } from './inside.ts'
export type { Ports } from './names.ts'
export type { EgressOpening } from './openings.ts'

export interface Firewall extends AsyncDisposable {
  /**
   * Opens destinations for a bridge, which must exist. Adds to what is open; all of them or none. Switches IPv4 forwarding on for the bridge and for the
   * interfaces that answers come from, where it is off (see forwarding.ts). Throws `invalid` for what is no network, port or bridge of this slice, `exhausted`
   * when the table is full, `host` when nftables or the kernel refuses.
   */
  allow(bridge: string, openings: readonly EgressOpening[]): Promise<void>
  /** Lets instances of a bridge ask the resolver on its address, by UDP and TCP, port 53. Idempotent. */
  allowResolver(bridge: string, address: string): Promise<void>
  /**
   * The lists of ports that names of a bridge are open on, all of them: what is not among them any more is closed. For each, by the list, the value of
   * dnsmasq's --nftset that opens the addresses of a name. Switches forwarding on as `allow` does. Throws `invalid` for what is no port.
   */
  openNames(bridge: string, lists: readonly Ports[]): Promise<ReadonlyMap<Ports, string>>
  /**
   * Who may talk to whom on a bridge; undefined: it is closed inside, as at first. Replaces what was set before, in one step. A member's port must be taken out
   * of the bridge's isolation after this, and not before. Throws `invalid` for what is no address, MAC, or port of that bridge.
   */
  setInside(bridge: string, inside: Inside | undefined): Promise<void>
  /** Nothing gets out of a bridge any more, whatever is or will be open for it; until it is forgotten. Idempotent. */
  isolate(bridge: string): Promise<void>
  /** Nothing of this bridge is left. Idempotent. A packet that comes from the bridge later is counted anew: delete the bridge first. */
  forget(bridge: string): Promise<void>
  /** Bridges that rules or elements exist for: for the leak check and the sweep. */
  bridges(): Promise<readonly string[]>
  /** Packets refused since the bridge came, by bridge. Only bridges with any. */
  refused(): Promise<ReadonlyMap<string, number>>
  /** What was refused, by who wanted to reach what: the first 64 kinds of a bridge, and one more a minute. See denied.ts. */
  denied(): Promise<readonly Denied[]>
  /**
   * Makes the table again, with what was open, when somebody took it away (`nft flush ruleset`, as the host's own nftables service does when it is
   * restarted). Resolves to whether that was so. Counts start again at 0, and addresses that were open by name must be asked for again: let resolvers
   * forget their answers. To be called every few seconds.
   */
  ensure(): Promise<boolean>
  /** Removes the whole table: nothing lives any more. Switches off the forwarding that was switched on, unless another daemon needs it. Idempotent. */
  remove(): Promise<void>
}

export interface FirewallOptions {
  readonly nft: Nft
  readonly slice: number
  /** What the names of the slice's bridges start with: `dfy0-`. */
  readonly bridgePrefix: string
  /** IPv4 network of the slice's environments, and that of all slices. */
  readonly sliceNetwork: string
  readonly allSlices: string
  /** Prefix length of every bridge's network. Default: 26. */
  readonly bridgePrefixLength?: number
  /** Seconds that an address stays open after a resolver got it. Default: 180, see names.ts. */
  readonly nameLifetime?: number
  /** Whose table it is: the daemon's run folder. */
  readonly owner: string
  /** Whether nobody will come back to the table of that owner: it is then deleted instead of refused. Default: never. */
  readonly abandoned?: (owner: string) => boolean
  /** Default: this process's own, right when the helper is in the same network namespace. */
  readonly files?: HostFiles
}

/** Of all bridges together, so that any listing and any rebuilding fits into one message of the helper. A port takes two. */
const mostElements = 12_000

/** Of an interface that is a bridge or a port of one. */
const bridgeOf = (name: string | number | undefined): string => String(name).split('.')[0] ?? ''

/** A comment ends at a quote and at 128 bytes: other owners are named by their digest. */
const markOf = (owner: string): string =>
  `dayfly ${/^[\w./:@+-]{1,110}$/.test(owner) ? owner : `sha256:${createHash('sha256').update(owner).digest('hex')}`}`

/**
 * Makes the daemon's table. One that this owner left is replaced in one transaction, with what was open and counted in it: not a single packet sees
 * anything else. Throws `conflict` when the slice's table is another owner's.
 */
export const openFirewall = async (options: FirewallOptions): Promise<Firewall> => {
  const { nft, slice, bridgePrefix, sliceNetwork, allSlices, nameLifetime = defaultNameLifetime, files = ownFiles } = options
  const mark = markOf(options.owner)
  const mask = maskOf(options.bridgePrefixLength ?? 26)
  const tables = createTables({ nft, slice, bridgePrefix, mark, sliceNetwork, allSlices, mask, nameLifetime })
  const { inet: table, bridge: bridgeTable, elements } = tables
  const foreign = (whose: string): DayflyError => foreignTable(table, whose)
  /** Sets that the packet path fills, beside the totals in `refused`. */
  const deniedIn = [...deniedSets.map(set => [table, set] as const), [bridgeTable, 'denied'] as const]
  const filled = [...deniedIn, [table, 'novel'] as const, ...(['refused', 'novel'] as const).map(set => [bridgeTable, set] as const)]
  let contents: Contents = emptyContents()
  let sets = new Set<string>()
  let handle: string | undefined

  const restore = async (): Promise<void> => {
    const found = await tables.find()
    if (found !== undefined && found.owner !== mark) throw foreign(found.owner)
    contents.refused.clear()
    sets = await tables.remake(contents, found)
    handle = await tables.handle()
  }

  const checkBridge = (bridge: string): void => {
    if (bridge.startsWith(bridgePrefix) && /^[\w-]{1,15}$/.test(bridge)) return
    throw new DayflyError('invalid', `bridge: "${bridge}" is not the name of a bridge of this slice, ${bridgePrefix}…`, { field: 'bridge' })
  }

  const widenedByOthers = async (): Promise<Set<string>> => {
    const devices = new Set<string>()
    for (const { family, name } of listedTables(await nft('list tables inet', 'json'))) {
      if (family !== 'inet' || !name.startsWith(tablePrefix) || table === `inet ${name}`) continue
      const listed = await nft(`list set inet ${name} widened`, 'json').catch(() => undefined) // It may just have gone, or be no table of ours.
      if (listed !== undefined) for (const { key } of listedElements(listed)) devices.add(String(key[0]))
    }
    return devices
  }

  const forwardTowards = async (bridge: string, networks: readonly string[]): Promise<void> => {
    try {
      if (!(await isForwarding(files, bridge))) await setForwarding(files, bridge, true)
    } catch (error) {
      throw new DayflyError('host', `cannot let the bridge ${bridge} forward: ${messageOf(error)}`, { cause: error })
    }
    if (await hostForwards(files)) return
    let others: Set<string> | undefined
    for (const device of devicesTowards(await files.read('/proc/net/route'), networks, allSlices)) {
      const on = await isForwarding(files, device)
      if (!contents.widened.has(device)) {
        if (on) {
          others ??= await widenedByOthers()
          if (!others.has(device)) continue
        }
        await nft(`add element ${table} widened { "${device}" }`, 'text')
        contents.widened.add(device)
      }
      if (!on) await setForwarding(files, device, true)
    }
  }

  const allow: Firewall['allow'] = async (bridge, openings) => {
    checkBridge(bridge)
    const known = contents.openings.get(bridge)
    const wanted = openings.flatMap(opening => elementsOf(bridge, opening))
    const added = new Map(wanted.filter(({ text }) => !known?.has(text)).map(element => [element.text, element]))
    const total = [...contents.openings.values()].reduce((sum, elements) => sum + elements.size, added.size)
    if (total > mostElements) {
      throw new DayflyError('exhausted', `${total} allowed destinations are more than the ${mostElements} that this host keeps`, { field: 'egress' })
    }
    if (added.size === 0) return
    await forwardTowards(
      bridge,
      openings.map(({ cidr }) => cidr),
    )
    const present = new Set(sets)
    await nft(additions(table, added.values(), present).join('\n'), 'text')
    sets = present
    contents.openings.set(bridge, new Map([...(known ?? []), ...added]))
  }

  const allowResolver: Firewall['allowResolver'] = async (bridge, address) => {
    checkBridge(bridge)
    if (!isIPv4(address)) throw new DayflyError('invalid', `address: "${address}" is not an IPv4 address`, { field: 'address' })
    if (contents.resolvers.get(bridge) === address) return
    await nft([...withoutResolver(bridge), `add element ${table} resolvers { "${bridge}" . ${address} }`].join('\n'), 'text')
    contents.resolvers.set(bridge, address)
  }
  const withoutResolver = (bridge: string): string[] => {
    const address = contents.resolvers.get(bridge)
    return address === undefined ? [] : [`delete element ${table} resolvers { "${bridge}" . ${address} }`]
  }

  const openNames: Firewall['openNames'] = async (bridge, lists) => {
    checkBridge(bridge)
    const wanted = new Map(lists.map(list => [list, portsKey(list)]))
    const keys = new Set(wanted.values())
    const known = contents.names.get(bridge) ?? new Set()
    if (keys.symmetricDifference(known).size > 0) {
      if (keys.size > 0) await forwardTowards(bridge, ['0.0.0.0/0'])
      await nft(
        [
          ...(known.size > 0 ? withoutNameRules(table, bridge, known, keys.size === 0 ? 'sets' : 'rules') : []),
          ...(keys.size > 0 ? [...withoutNameSets(table, bridge, known.difference(keys)), ...nameRules(table, bridge, keys, nameLifetime)] : []),
        ].join('\n'),
        'text',
      )
      if (keys.size > 0) contents.names.set(bridge, keys)
      else contents.names.delete(bridge)
    }
    return new Map([...wanted].map(([list, key]) => [list, nftsetOf(table, bridge, key)]))
  }

  const setInside: Firewall['setInside'] = async (bridge, inside) => {
    checkBridge(bridge)
    const wanted = new Set(inside === undefined ? [] : insideElements(table, bridgeTable, bridge, inside))
    const known = contents.inside.get(bridge) ?? new Set()
    const commands = [
      ...[...known.difference(wanted)].map(text => `delete element ${text}`),
      ...[...wanted.difference(known)].map(text => `add element ${text}`),
    ]
    if (commands.length > 0) await nft(commands.join('\n'), 'text')
    if (wanted.size > 0) contents.inside.set(bridge, wanted)
    else contents.inside.delete(bridge)
  }

  const isolate: Firewall['isolate'] = async bridge => {
    checkBridge(bridge)
    if (contents.isolated.has(bridge)) return
    await nft(`add element ${table} isolated { "${bridge}" }`, 'text')
    contents.isolated.add(bridge)
  }

  /** By the names of elements that are there. One may go by itself meanwhile, and deleting what is not there fails: so each is added first. */
  const without = (of: string, set: string, keys: Iterable<readonly (string | number)[]>): string[] =>
    [...keys].flatMap(([first, ...rest]) =>
      ['add', 'delete'].map(verb => `${verb} element ${of} ${set} { ${[`"${first ?? ''}"`, ...rest].join(' . ')} }`),
    )

  /** Commands that take away what was counted for a bridge. */
  const withoutCounts = async (bridge: string): Promise<string[]> => {
    const counted = (await refusals()).has(bridge)
    const commands = without(table, 'refused', [[bridge]])
    if (!counted) return commands
    for (const [of, set] of filled) {
      const keys = (await elements('set', of, set)).map(({ key }) => key)
      commands.push(...without(of, set, keys.filter(([first]) => bridgeOf(first) === bridge))) // biome-ignore format: short
    }
    return commands
  }

  const forget: Firewall['forget'] = async bridge => {
    checkBridge(bridge)
    const { openings, names, inside } = contents
    const forwarding = openings.has(bridge) || names.has(bridge)
    const commands = [
      ...[...(openings.get(bridge)?.keys() ?? [])].map(text => `delete element ${table} ${text}`),
      ...withoutResolver(bridge),
      ...(contents.isolated.has(bridge) ? [`delete element ${table} isolated { "${bridge}" }`] : []),
      ...(names.has(bridge) ? withoutNameRules(table, bridge, names.get(bridge) ?? [], 'sets') : []),
      ...[...(inside.get(bridge) ?? [])].map(text => `delete element ${text}`),
    ]
    if (commands.length > 0) await nft(commands.join('\n'), 'text')
    // Nothing comes from its ports any more that the bridge table would count.
    await nft((await withoutCounts(bridge)).join('\n'), 'text')
    for (const part of [openings, names, inside, contents.resolvers, contents.isolated]) part.delete(bridge)
    if (forwarding && !(await hostForwards(files))) await stopForwarding(files, bridge)
  }

  /** Of both tables. */
  const refusals = async (): Promise<Map<string, number>> => {
    const totals = new Map<string, number>()
    for (const each of [table, bridgeTable]) {
      for (const { key, packets } of await elements('set', each, 'refused')) {
        const bridge = bridgeOf(key[0])
        totals.set(bridge, (totals.get(bridge) ?? 0) + packets)
      }
    }
    return totals
  }

  const denied: Firewall['denied'] = async () => {
    const listed = await Promise.all(deniedIn.map(([of, set]) => elements('set', of, set)))
    return deniedFrom(listed.flat())
  }

  const remove = async (): Promise<void> => {
    const others = contents.widened.size > 0 ? await widenedByOthers() : new Set<string>()
    // Before the rules go: there is no moment in which the host forwards without them.
    if (!(await hostForwards(files))) {
      const devices = [...contents.openings.keys(), ...contents.names.keys(), ...[...contents.widened].filter(device => !others.has(device))]
      for (const device of devices) await stopForwarding(files, device)
    }
    const found = await tables.find()
    if (found?.owner === mark) await tables.remove(found)
    handle = undefined
    contents = emptyContents()
  }

  // One change at a time: each decides by what the one before left.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
  /** The table may have been taken away since `ensure` looked. */
  const withTable = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (errnoIn(error) !== 'ENOENT' || (await tables.handle()) === handle) throw error
    }
    await restore()
    return work()
  }

  const found = await tables.find()
  const abandoned = found !== undefined && found.owner !== mark && options.abandoned?.(found.owner.replace(/^dayfly /, '')) === true
  if (abandoned) await tables.remove(found)
  else if (found !== undefined && found.owner !== mark) throw foreign(found.owner)
  else if (found !== undefined) contents = await tables.read(found)
  sets = await tables.make(contents, abandoned ? undefined : found)
  handle = await tables.handle()

  return {
    allow: (bridge, openings) => inTurn(() => withTable(() => allow(bridge, openings))),
    allowResolver: (bridge, address) => inTurn(() => withTable(() => allowResolver(bridge, address))),
    openNames: (bridge, lists) => inTurn(() => withTable(() => openNames(bridge, lists))),
    setInside: (bridge, inside) => inTurn(() => withTable(() => setInside(bridge, inside))),
    isolate: bridge => inTurn(() => withTable(() => isolate(bridge))),
    forget: bridge => inTurn(() => withTable(() => forget(bridge))),
    bridges: () =>
      inTurn(() =>
        withTable(async () => {
          const found = await tables.find()
          const { openings, names, inside, resolvers, isolated } = found === undefined ? contents : await tables.read(found)
          return [...new Set([openings, names, inside, resolvers, isolated, await refusals()].flatMap(part => [...part.keys()]))]
        }),
      ),
    refused: () => inTurn(() => withTable(refusals)),
    denied: () => inTurn(() => withTable(denied)),
    ensure: () =>
      inTurn(async () => {
        if ((await tables.handle()) === handle) return false
        await restore()
        return true
      }),
    remove: () => inTurn(remove),
    // The table outlives the daemon as its instances do.
    [Symbol.asyncDispose]: async () => {
      await last
    },
  }
}
