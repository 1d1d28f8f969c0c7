/**
 * What environments may reach: one nftables table per daemon, closed by default. The rules are in ruleset.ts, what is changed on the host for allowed
 * egress is in forwarding.ts.
 *
 * Never reachable, whatever is allowed: the host's own addresses, all of them (the host itself may connect to instances, and gets its answers); what the
 * host publishes by translating destinations of its own addresses; link-local and metadata addresses; the addresses of all environments of all daemons. From
 * outside nothing gets to an instance but answers. IPv6 is dropped. Source addresses that do not belong to the bridge are dropped.
 *
 * A drop of ours is final. An accept is not: other tables of the host (docker's, which drops forwarding that it does not know; firewalld's; an
 * administrator's own) still have their say, and egress that they drop stays dropped until they allow it: for docker by a rule in its chain DOCKER-USER.
 *
 * What is allowed at an address is decided by the address after the host's own translations. An instance may reach containers and virtual machines of
 * other tools on this host when their network is within what is allowed, as far as their own rules let it.
 */
import { createHash } from 'node:crypto'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { HostFiles } from './forwarding.ts'
import { devicesTowards, hostForwards, isForwarding, ownFiles, setForwarding, stopForwarding } from './forwarding.ts'
import type { ListedElement } from './listing.ts'
import { listedElements, listedTables, tableComment } from './listing.ts'
import type { EgressOpening, OpeningElement } from './openings.ts'
import { elementFrom, elementsOf } from './openings.ts'
import { baseRules, openingSet, tableOf, tablePrefix } from './ruleset.ts'

export type { EgressOpening } from './openings.ts'

export interface Firewall extends AsyncDisposable {
  /**
   * Opens destinations for a bridge, which must exist. Adds to what is open; all of them or none. Switches IPv4 forwarding on for the bridge and for the
   * interfaces that answers come from, where it is off (see forwarding.ts). Throws `invalid` for what is no network, port or bridge of this slice, `exhausted`
   * when the table is full, `host` when nftables or the kernel refuses.
   */
  allow(bridge: string, openings: readonly EgressOpening[]): Promise<void>
  /** Nothing of this bridge is left. Idempotent. A packet that comes from the bridge later is counted anew: delete the bridge first. */
  forget(bridge: string): Promise<void>
  /** Bridges that rules or elements exist for: for the leak check and the sweep. */
  bridges(): Promise<readonly string[]>
  /** Packets refused since the bridge came, by bridge. Only bridges with any. */
  refused(): Promise<ReadonlyMap<string, number>>
  /**
   * Makes the table again, with what was open, when somebody took it away (`nft flush ruleset`, as the host's own nftables service does when it is
   * restarted). Resolves to whether that was so. Counts start again at 0. To be called every few seconds.
   */
  ensure(): Promise<boolean>
  /** Removes the whole table: nothing lives any more. Switches off the forwarding that was switched on, unless another daemon needs it. Idempotent. */
  remove(): Promise<void>
}

export interface FirewallOptions {
  /** Carries out nft commands, all or none. Errors have the errno's name as `errno`. */
  readonly nft: (commands: string, output: 'text' | 'json') => Promise<string>
  readonly slice: number
  /** What the names of the slice's bridges start with: `dfy0-`. */
  readonly bridgePrefix: string
  /** IPv4 network of the slice's environments, and that of all slices. */
  readonly sliceNetwork: string
  readonly allSlices: string
  /** Whose table it is: the daemon's run folder. */
  readonly owner: string
  /** Whether nobody will come back to the table of that owner: it is then deleted instead of refused. Default: never. */
  readonly abandoned?: (owner: string) => boolean
  /** Default: this process's own, right when the helper is in the same network namespace. */
  readonly files?: HostFiles
}

/** Of all bridges together, so that any listing and any rebuilding fits into one message of the helper. A port takes two. */
const mostElements = 12_000

const errnoIn = (error: unknown): string | undefined =>
  error instanceof Error && 'errno' in error && typeof error.errno === 'string' ? error.errno : undefined

/** A comment ends at a quote and at 128 bytes: other owners are named by their digest. */
const markOf = (owner: string): string =>
  `dayfly ${/^[\w./:@+-]{1,110}$/.test(owner) ? owner : `sha256:${createHash('sha256').update(owner).digest('hex')}`}`

/** What the table holds beside its rules. */
interface Contents {
  readonly openings: Map<string, Map<string, OpeningElement>>
  readonly widened: Set<string>
  readonly refused: Map<string, number>
}

const contentsOf = (elements: readonly ListedElement[]): Contents => {
  const contents: Contents = { openings: new Map(), widened: new Set(), refused: new Map() }
  for (const { set, key, packets } of elements) {
    const first = String(key[0])
    const opening = elementFrom(set, key)
    if (opening !== undefined) contents.openings.set(first, (contents.openings.get(first) ?? new Map()).set(opening.text, opening))
    else if (set === 'widened') contents.widened.add(first)
    else if (set === 'refused') contents.refused.set(first, packets)
  }
  return contents
}

/**
 * Makes the daemon's table. One that this owner left is replaced in one transaction, with what was open and counted in it: not a single packet sees
 * anything else. Throws `conflict` when the slice's table is another owner's.
 */
export const openFirewall = async (options: FirewallOptions): Promise<Firewall> => {
  const { nft, slice, bridgePrefix, sliceNetwork, allSlices, files = ownFiles } = options
  const table = tableOf(slice)
  const mark = markOf(options.owner)
  const foreign = (whose: string): DayflyError =>
    new DayflyError('conflict', `the nftables table ${table} belongs to ${whose}`, {
      field: 'slice',
      remedy: `use another slice, or remove it with "nft delete table ${table}" if nothing of its owner lives`,
    })

  let contents: Contents = contentsOf([])
  let sets = new Set<string>()
  let handle: number | undefined

  const list = async (): Promise<readonly ListedElement[]> => listedElements(await nft(`list sets table ${table}`, 'json'))
  const handleNow = async (): Promise<number | undefined> =>
    listedTables(await nft('list tables inet', 'json')).find(({ family, name }) => `${family} ${name}` === table)?.handle

  const takeAway = async (): Promise<undefined> => {
    await nft(`delete table ${table}`, 'text')
  }

  /** undefined: there is no such table. */
  const ownerNow = async (): Promise<string | undefined> => {
    try {
      return tableComment(await nft(`list table ${table}`, 'text')) ?? 'somebody who left no name'
    } catch (error) {
      if (errnoIn(error) === 'ENOENT') return undefined
      throw error
    }
  }

  /** Commands for the sets that elements need and that are not there, then for the elements. Adds to `present` what it makes. */
  const additions = (elements: Iterable<OpeningElement>, present: Set<string>): string[] => {
    const commands: string[] = []
    for (const { kind, prefix, text } of elements) {
      if (!present.has(`${kind}${prefix}`)) commands.push(...openingSet(table, kind, prefix))
      present.add(`${kind}${prefix}`)
      commands.push(`add element ${table} ${text}`)
    }
    return commands
  }

  const build = async (replace: boolean): Promise<void> => {
    const present = new Set<string>()
    const commands = [
      ...(replace ? [`delete table ${table}`] : []),
      ...baseRules({ slice, bridgePrefix, mark, sliceNetwork, allSlices }),
      ...[...contents.openings.values()].flatMap(elements => additions(elements.values(), present)),
      ...[...contents.refused].map(([bridge, packets]) => `add element ${table} refused { "${bridge}" counter packets ${packets} bytes 0 }`),
      ...[...contents.widened].map(device => `add element ${table} widened { "${device}" }`),
    ]
    try {
      await nft(commands.join('\n'), 'text')
    } catch (error) {
      if (errnoIn(error) === 'EEXIST') throw foreign('somebody who made it just now')
      throw error
    }
    sets = present
    handle = await handleNow()
  }

  const restore = async (): Promise<void> => {
    const owner = await ownerNow()
    if (owner !== undefined && owner !== mark) throw foreign(owner)
    contents.refused.clear()
    await build(owner !== undefined)
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
    await nft(additions(added.values(), present).join('\n'), 'text')
    sets = present
    contents.openings.set(bridge, new Map([...(known ?? []), ...added]))
  }

  const forget: Firewall['forget'] = async bridge => {
    checkBridge(bridge)
    const known = contents.openings.get(bridge)
    await nft(
      [
        ...[...(known?.keys() ?? [])].map(text => `delete element ${table} ${text}`),
        // Deleting what is not there fails, and whether it is there, the packet path decides.
        `add element ${table} refused { "${bridge}" }`,
        `delete element ${table} refused { "${bridge}" }`,
      ].join('\n'),
      'text',
    )
    contents.openings.delete(bridge)
    if (known !== undefined && !(await hostForwards(files))) await stopForwarding(files, bridge)
  }

  const remove = async (): Promise<void> => {
    const others = contents.widened.size > 0 ? await widenedByOthers() : new Set<string>()
    // Before the rules go: there is no moment in which the host forwards without them.
    if (!(await hostForwards(files))) {
      const devices = [...contents.openings.keys(), ...[...contents.widened].filter(device => !others.has(device))]
      for (const device of devices) await stopForwarding(files, device)
    }
    if ((await ownerNow()) === mark) await nft(`delete table ${table}`, 'text')
    handle = undefined
    contents = contentsOf([])
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
      if (errnoIn(error) !== 'ENOENT' || (await handleNow()) === handle) throw error
    }
    await restore()
    return work()
  }

  const found = await ownerNow()
  const owner = found !== undefined && found !== mark && options.abandoned?.(found.replace(/^dayfly /, '')) === true ? await takeAway() : found
  if (owner !== undefined && owner !== mark) throw foreign(owner)
  if (owner !== undefined) contents = contentsOf(await list())
  await build(owner !== undefined)

  return {
    allow: (bridge, openings) => inTurn(() => withTable(() => allow(bridge, openings))),
    forget: bridge => inTurn(() => withTable(() => forget(bridge))),
    bridges: () =>
      inTurn(() =>
        withTable(async () => {
          const { openings, refused } = contentsOf(await list())
          return [...new Set([...openings.keys(), ...refused.keys()])]
        }),
      ),
    refused: () => inTurn(() => withTable(async () => contentsOf(listedElements(await nft(`list set ${table} refused`, 'json'))).refused)),
    ensure: () =>
      inTurn(async () => {
        if ((await handleNow()) === handle) return false
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
