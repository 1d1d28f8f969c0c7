/** Every kernel object and folder of this backend, with whose it is. Counted from the kernel, not from what the daemon believes. */
import { readdirSync, readFileSync } from 'node:fs'
import type { OwnedPart } from '../../host/dns/resolvers.ts'
import type { Slot } from '../../host/network/slots.ts'
import { slotNetwork, slotOfInterface } from '../../host/network/slots.ts'
import type { OwnedObject } from '../../model/owned.ts'
import type { Layout } from './layout.ts'
import { childrenOrNone } from './layout.ts'

export interface OwnedRequest {
  readonly layout: Layout
  readonly slice: number
  /** Names of the groups that exist. */
  readonly cgroups: readonly string[]
  /** Bridges that the firewall has something for. */
  readonly ruled: readonly string[]
  readonly instances: readonly { readonly id: string; readonly cell: { readonly id: string } }[]
  readonly environments: ReadonlyMap<string, Slot>
  /** Of name servers, by their bridges' names. */
  readonly resolvers: readonly OwnedPart[]
  /** Cells and slots that are kept ready: they are explained, and left out. */
  readonly pooled: { readonly cells: ReadonlySet<string>; readonly bridges: ReadonlySet<string> }
}

export const ownedObjects = (request: OwnedRequest): OwnedObject[] => {
  const { layout, cgroups, pooled } = request
  const instanceOf = new Map(request.instances.map(({ id, cell }) => [cell.id, id]))
  const environmentOf = new Map([...request.environments].map(([id, slot]) => [slotNetwork(slot).bridge, id]))

  const ofCells = (kind: OwnedObject['kind'], names: readonly { readonly cell: string; readonly name: string }[]): OwnedObject[] =>
    names.filter(({ cell }) => !pooled.cells.has(cell)).map(({ cell, name }) => ({ kind, name, owner: instanceOf.get(cell) }))
  const ofBridges = (kind: OwnedObject['kind'], names: readonly { readonly bridge: string; readonly name: string }[]): OwnedObject[] =>
    names.filter(({ bridge }) => !pooled.bridges.has(bridge)).map(({ bridge, name }) => ({ kind, name, owner: environmentOf.get(bridge) }))

  const links = readdirSync('/sys/class/net').filter(name => slotOfInterface(name)?.slice === request.slice)
  return [
    ...ofCells('process', monitors(layout)),
    ...ofCells(
      'directory',
      [layout.cells, layout.scratch].flatMap(parent => childrenOrNone(parent).map(cell => ({ cell, name: `${parent}/${cell}` }))),
    ),
    ...ofCells(
      'cgroup',
      cgroups.filter(name => name !== 'monitors').map(cell => ({ cell, name: cell })),
    ),
    ...ofBridges(
      'interface',
      links.map(name => ({ bridge: name.split('.')[0] ?? name, name })),
    ),
    ...ofBridges(
      'nft',
      request.ruled.map(bridge => ({ bridge, name: `rules of ${bridge}` })),
    ),
    ...ofBridges(
      'process',
      request.resolvers.flatMap(({ kind, label, name }) => (kind === 'process' ? [{ bridge: name, name: label }] : [])),
    ),
    ...ofBridges(
      'directory',
      request.resolvers.flatMap(({ kind, label, name }) => (kind === 'directory' ? [{ bridge: name, name: label }] : [])),
    ),
    ...childrenOrNone(layout.environments).map(id => ({ kind: 'directory' as const, name: `${layout.environments}/${id}`, owner: id })),
    ...ofCells('mount', mounts(layout)),
  ]
}

/** Monitors by their command line: `dayfly-monitor FOLDER`, FOLDER being a cell's. */
const monitors = (layout: Layout): { cell: string; name: string }[] =>
  readdirSync('/proc').flatMap(pid => {
    if (!/^\d+$/.test(pid)) return []
    const [program = '', folder = ''] = commandLine(pid)
    if (!program.endsWith('/dayfly-monitor') || !folder.startsWith(`${layout.cells}/`)) return []
    return [{ cell: folder.slice(layout.cells.length + 1), name: `${pid} dayfly-monitor` }]
  })

const commandLine = (pid: string): string[] => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return [] // It ended meanwhile.
  }
}

/** In the host's own mount namespace there are never any; should one appear, this shows it. */
const mounts = (layout: Layout): { cell: string; name: string }[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap(line => {
      const point = line.split(' ')[4] ?? ''
      const parent = [layout.cells, layout.scratch].find(folder => point.startsWith(`${folder}/`))
      return parent === undefined ? [] : [{ cell: point.slice(parent.length + 1).split('/')[0] ?? '', name: point }]
    })
