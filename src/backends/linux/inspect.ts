/** What this backend owns on the host where no daemon lives: it looks, and changes nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupTops, daemonGroup, monitorsGroup } from '../../host/cgroup/daemons.ts'
import { resolverUser } from '../../host/dns/build.ts'
import { ownedParts } from '../../host/dns/resolvers.ts'
import { NativeError } from '../../host/native/channel.ts'
import { spawnHelper } from '../../host/native/helper.ts'
import type { OwnedObject } from '../../model/owned.ts'
import { builtProgram } from './ground.ts'
import { childrenOrNone, layout } from './layout.ts'
import { ownedObjects } from './owned.ts'
import { readOwner } from './owner.ts'
import { notedSlots } from './resources.ts'

export interface InspectOptions {
  readonly stateDir: string
  readonly runDir: string
  readonly nativeDir: string
}

/** Objects that say whose they are have it as `owner`; what all instances share has none, and is explained by nothing once no instance lives. */
export const inspectOwned = async (options: InspectOptions): Promise<OwnedObject[]> => {
  const sliceFile = join(options.stateDir, 'slice')
  if (!existsSync(sliceFile)) return []
  const slice = Number(readFileSync(sliceFile, 'utf8'))
  const paths = layout(options.stateDir, options.runDir)
  const owners = childrenOrNone(paths.cells).flatMap(id => {
    const owner = readOwner(paths.cell(id))
    return owner === undefined ? [] : [{ id, owner }]
  })
  const noted = notedSlots(paths.environments)
  const table = await tableText(options.nativeDir, slice, options.runDir)
  const tops = cgroupTops(daemonGroup(slice))
  const own = ownedObjects({
    layout: paths,
    slice,
    cgroups: [...new Set(tops.flatMap(childrenOrNone))].filter(name => !isControlFile(name)),
    ruled: [...new Set(table.match(new RegExp(`dfy${slice}-\\d+`, 'g')) ?? [])],
    instances: owners.map(({ id, owner }) => ({ id: owner.instance, cell: { id } })),
    environments: new Map([...noted, ...owners.map(({ owner }) => [owner.environment, owner.slot] as const)]),
    resolvers: existsSync(paths.resolvers) ? ownedParts(paths.resolvers, resolverUser().uid) : [],
    pooled: { cells: new Set(), bridges: new Set() },
  })
  if (own.some(({ owner }) => owner !== undefined)) return own
  return [
    ...own,
    ...(table === '' ? [] : [{ kind: 'nft', name: `table inet dayfly_${slice}`, owner: undefined } as const]),
    ...tops.filter(existsSync).map(name => ({ kind: 'cgroup', name, owner: undefined }) as const),
  ]
}

/** '' when there is no such table, or it is another daemon's. */
const tableText = async (nativeDir: string, slice: number, runDir: string): Promise<string> => {
  await using helper = await spawnHelper({ binary: builtProgram(nativeDir, 'dayfly-helper') })
  try {
    const text = await helper.nft(`list table inet dayfly_${slice}`)
    return text.includes(`"dayfly ${runDir}"`) ? text : ''
  } catch (error) {
    if (error instanceof NativeError && error.errno === 'ENOENT') return ''
    throw error
  }
}

/** A group's folder also holds the kernel's own files: `memory.max`, `tasks`. */
const isControlFile = (name: string): boolean => name === monitorsGroup || name.includes('.') || name === 'tasks' || name === 'notify_on_release'
