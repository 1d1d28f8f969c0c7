/**
 * The two tables of one daemon as wholes: found, read, made, and made anew. What they are for is in firewall.ts, their rules in ruleset.ts (family inet) and
 * inside.ts (family bridge).
 */
import { DayflyError } from '../../base/errors.ts'
import type { Contents } from './contents.ts'
import { contentsOf } from './contents.ts'
import { bridgeOfKey, bridgeRules, elementText, insideInetSets, insideMaps, insideSets } from './inside.ts'
import type { ListedElement } from './listing.ts'
import { listedElements, listedTables, namesIn, tableComment } from './listing.ts'
import { nameRules } from './names.ts'
import type { OpeningElement } from './openings.ts'
import type { TableShape } from './ruleset.ts'
import { baseRules, bridgeTableOf, openingSet, tableOf } from './ruleset.ts'

/** Carries out nft commands, all or none. Errors have the errno's name as `errno`. */
export type Nft = (commands: string, output: 'text' | 'json' | 'terse') => Promise<string>

export interface TablesOptions extends TableShape {
  readonly nft: Nft
  /** Seconds that an address stays open after a resolver got it. */
  readonly nameLifetime: number
}

export interface Found {
  /** What the tables are marked with; another's mark when only one of them is another's. */
  readonly owner: string
  /** Tables that are there, with their text. */
  readonly texts: ReadonlyMap<string, string>
}

export interface Tables {
  readonly inet: string
  readonly bridge: string
  find(): Promise<Found | undefined>
  read(found: Found): Promise<Contents>
  /**
   * Makes them, out of what was found of ours. Tables that are there keep what is in their sets: not a packet sees anything else. Resolves to the names of
   * the sets of openings.
   */
  make(contents: Contents, found: Found | undefined): Promise<Set<string>>
  /** As `make`, but from nothing: addresses that were open by name must be asked for again. */
  remake(contents: Contents, found: Found | undefined): Promise<Set<string>>
  remove(found: Found): Promise<void>
  elements(kind: 'set' | 'map', table: string, name: string): Promise<readonly ListedElement[]>
  /** Changes when somebody takes one away, or makes it anew. undefined: one is not there. */
  handle(): Promise<string | undefined>
}

export const errnoIn = (error: unknown): string | undefined =>
  error instanceof Error && 'errno' in error && typeof error.errno === 'string' ? error.errno : undefined

export const foreignTable = (table: string, whose: string): DayflyError =>
  new DayflyError('conflict', `the nftables table ${table} belongs to ${whose}`, {
    field: 'slice',
    remedy: `use another slice, or remove it with "nft delete table ${table}" if nothing of its owner lives`,
  })

/** Commands for the sets that elements need and that are not there, then for the elements. Adds to `present` what it makes. */
export const additions = (table: string, wanted: Iterable<OpeningElement>, present: Set<string>): string[] => {
  const commands: string[] = []
  for (const { kind, prefix, text } of wanted) {
    if (!present.has(`${kind}${prefix}`)) commands.push(...openingSet(table, kind, prefix))
    present.add(`${kind}${prefix}`)
    commands.push(`add element ${table} ${text}`)
  }
  return commands
}

export const createTables = (options: TablesOptions): Tables => {
  const { nft, slice, bridgePrefix, mark, allSlices, nameLifetime } = options
  const table = tableOf(slice)
  const bridgeTable = bridgeTableOf(slice)
  const tables = [table, bridgeTable]

  /** Terse, so that what instances fill does not make it long. undefined: there is no such table. */
  const terse = async (of: string): Promise<string | undefined> => {
    try {
      return await nft(`list table ${of}`, 'terse')
    } catch (error) {
      if (errnoIn(error) === 'ENOENT') return undefined
      throw error
    }
  }
  const elements = async (kind: 'set' | 'map', of: string, name: string) => listedElements(await nft(`list ${kind} ${of} ${name}`, 'json'))

  const handle = async (): Promise<string | undefined> => {
    const listed = listedTables(await nft('list tables', 'json'))
    const handles = tables.map(wanted => listed.find(({ family, name }) => `${family} ${name}` === wanted)?.handle)
    return handles.includes(undefined) ? undefined : handles.join()
  }

  const find = async (): Promise<Found | undefined> => {
    const texts = new Map<string, string>()
    for (const each of tables) {
      const text = await terse(each)
      if (text !== undefined) texts.set(each, text)
    }
    const owners = [...texts.values()].map(text => tableComment(text) ?? 'somebody who left no name')
    const owner = owners.find(each => each !== mark) ?? owners[0]
    return owner === undefined ? undefined : { owner, texts }
  }

  /** Everything of ours in the tables that a set tells by its elements or its name; what instances fill is left where it is. */
  const read = async ({ texts }: Found): Promise<Contents> => {
    const inet = namesIn(texts.get(table) ?? '', 'set')
    const bridge = namesIn(texts.get(bridgeTable) ?? '', 'set')
    const own = inet.filter(name => /^(?:networks|ports)\d+$/.test(name) || ['refused', 'widened', 'isolated', 'resolvers'].includes(name))
    const contents = contentsOf(inet, (await Promise.all(own.map(name => elements('set', table, name)))).flat())
    const ofInside = [
      ...insideInetSets.filter(name => inet.includes(name)).map(name => [table, 'set', name] as const),
      ...insideSets.filter(name => bridge.includes(name)).map(name => [bridgeTable, 'set', name] as const),
      ...insideMaps.filter(name => bridge.includes(name)).map(name => [bridgeTable, 'map', name] as const),
    ]
    for (const [of, kind, name] of ofInside) {
      for (const { key, value } of await elements(kind, of, name)) {
        const owner = bridgeOfKey(key, bridgePrefix)
        if (owner === undefined) continue
        contents.inside.set(owner, (contents.inside.get(owner) ?? new Set()).add(elementText(of, name, key, value, bridgePrefix)))
      }
    }
    return contents
  }

  const rules = (contents: Contents, present: Set<string>): string[] => [
    ...baseRules(options),
    ...bridgeRules({ table: bridgeTable, mark, allSlices }),
    ...[...contents.openings.values()].flatMap(of => additions(table, of.values(), present)),
    ...[...contents.names].flatMap(([bridge, keys]) => nameRules(table, bridge, keys, nameLifetime)),
  ]

  /** All rules anew, in tables that are there: their sets keep what is in them. What is no part of ours goes. */
  const refresh = async (contents: Contents, { texts }: Found): Promise<Set<string>> => {
    const present = new Set<string>()
    const commands = rules(contents, present)
    const ours = new Set(commands.flatMap(command => /^add chain (\S+ \S+ \S+)/.exec(command)?.[1] ?? []))
    const strange = [...texts].flatMap(([of, text]) => namesIn(text, 'chain').map(name => `${of} ${name}`)).filter(name => !ours.has(name))
    const flushed = [...tables.map(each => `flush table ${each}`), ...strange.map(name => `delete chain ${name}`)]
    await nft([...flushed, ...commands].join('\n'), 'text')
    return present
  }

  /** The tables anew, with what was opened and counted; names must be asked for again. */
  const remake = async (contents: Contents, remains: Iterable<string>): Promise<Set<string>> => {
    const present = new Set<string>()
    const commands = [
      ...[...remains].map(each => `delete table ${each}`),
      ...tables.map(each => `create table ${each} { comment "${mark}"; }`),
      ...rules(contents, present),
      ...[...contents.refused].map(([bridge, packets]) => `add element ${table} refused { "${bridge}" counter packets ${packets} bytes 0 }`),
      ...[...contents.widened].map(device => `add element ${table} widened { "${device}" }`),
      ...[...contents.isolated].map(bridge => `add element ${table} isolated { "${bridge}" }`),
      ...[...contents.resolvers].map(([bridge, address]) => `add element ${table} resolvers { "${bridge}" . ${address} }`),
      ...[...contents.inside.values()].flatMap(of => [...of].map(text => `add element ${text}`)),
    ]
    try {
      await nft(commands.join('\n'), 'text')
    } catch (error) {
      if (errnoIn(error) === 'EEXIST') throw foreignTable(table, 'somebody who made it just now')
      throw error
    }
    return present
  }

  const make: Tables['make'] = async (contents, found) => {
    if (found?.texts.size === tables.length) {
      // What an earlier version of us has defined otherwise cannot be changed: then all of it goes.
      const kept = await refresh(contents, found).catch(() => undefined)
      if (kept !== undefined) return kept
    }
    return remake(contents, found?.texts.keys() ?? [])
  }

  return {
    inet: table,
    bridge: bridgeTable,
    find,
    read,
    make,
    remake: (contents, found) => remake(contents, found?.texts.keys() ?? []),
    remove: async ({ texts }) => {
      await nft([...texts.keys()].map(each => `delete table ${each}`).join('\n'), 'text')
    },
    elements,
    handle,
  }
}
