/** What the sensor is told of cells, in their order: registered when their container is made, bound when it becomes an instance's, released when they are gone. */
import { readFileSync } from 'node:fs'
import { errnoOf } from '../../base/errors.ts'
import { readUsage } from '../../host/cgroup/usage.ts'
import type { ProcessIdentity } from '../../host/native/helper.ts'
import { instanceAddress, slotIds } from '../../host/network/slots.ts'
import type { Runtime } from '../../model/workload.ts'
import type { Cell } from './cell.ts'
import { isAlive } from './processes.ts'
import type { Sensor } from './sensor.ts'
import { holdPidNamespace, newCookie } from './sensor.ts'

type Inhabited = Pick<Cell, 'id' | 'paths' | 'process'>
type Place = Inhabited & Pick<Cell, 'slot' | 'index' | 'cgroup' | 'monitor'>

/** Whose a cell is. */
export interface Tenant {
  readonly environment: string
  readonly instance: string
}

export interface Watching {
  /** A container was created in the cell and has run nothing. Costs a message. */
  created(cell: Inhabited, pid: number, runtime: Runtime): void
  /** What `owner.json` is to say, so that the next daemon's sensor knows it again. */
  cookieOf(cell: Pick<Cell, 'id'>): number | undefined
  became(cell: Place, tenant: Tenant): void
  /** One that an earlier daemon has started. `init`: its first process, where that may live. */
  adopt(cell: Place, tenant: Tenant, cookie: number | undefined, init: ProcessIdentity | undefined): void
  /** To be awaited before the start. Rejects `host` where a sensor is demanded and does not see the cell. */
  seen(cell: Pick<Cell, 'id'>): Promise<void>
  /** Its first sample: now. */
  started(cell: Place): void
  /** Its last sample, unless it was taken: before its cgroup is removed. */
  ending(cell: Place): void
  /** Nothing of the cell is left. */
  gone(cell: Pick<Cell, 'id'>): void
}

interface Watched {
  readonly cookie: number | undefined
  tenant: Tenant | undefined
  sampledLast: boolean
}

/** Bytes that the host's end has sent and received: undefined when it is gone. */
const trafficOf = (hostInterface: string): { received: number; sent: number } | undefined => {
  const read = (name: string): number => Number(readFileSync(`/sys/class/net/${hostInterface}/statistics/${name}`, 'latin1'))
  try {
    // What the host's end sends, the instance receives.
    return { received: read('tx_bytes'), sent: read('rx_bytes') }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'EINVAL') return undefined
    throw error
  }
}

const unwatched: Watching = {
  created: () => undefined,
  cookieOf: () => undefined,
  became: () => undefined,
  adopt: () => undefined,
  seen: async () => undefined,
  started: () => undefined,
  ending: () => undefined,
  gone: () => undefined,
}

export const createWatching = (sensor: Sensor | undefined): Watching => {
  if (sensor === undefined) return unwatched
  const cells = new Map<string, Watched>()

  /** `init`: known by more than its pid, for it may have ended long ago. */
  const register = ({ id, paths, process }: Inhabited, cookie: number, pid: number, init?: ProcessIdentity): void => {
    const held = holdPidNamespace(pid)
    // Looked at once it is held: who is that process still, was it when its namespace was opened.
    const namespace = init === undefined || isAlive(init) ? held : undefined
    if (namespace === undefined) held?.[Symbol.dispose]()
    else {
      // The mount is in its monitor's namespace only.
      const root = process === undefined ? paths.rootfs : `/proc/${process.pid}/root${paths.rootfs}`
      sensor.register({ cookie, namespace: namespace.inode, root, pid, adopted: init !== undefined }, () => namespace[Symbol.dispose]())
    }
    cells.set(id, { cookie, tenant: undefined, sampledLast: false })
  }

  const sample = (cell: Place, tenant: Tenant, last: boolean, traffic = trafficOf(interfaceOf(cell))): void => {
    const usage = readUsage(cell.cgroup.usageFiles)
    if (usage === undefined) return
    const { cpu, memory, memoryPeak, processes, read, written } = usage
    const more = {
      ...(memoryPeak === undefined ? {} : { memoryPeak }),
      ...(processes === undefined ? {} : { processes }),
      ...(read === undefined || written === undefined ? {} : { read, written }),
      ...traffic,
    }
    sensor.sample({ type: 'sample', time: Date.now(), ...tenant, cpu, memory, ...more }, last)
  }

  const sampleLast = (cell: Place, traffic?: { received: number; sent: number }): void => {
    const watched = cells.get(cell.id)
    if (watched?.tenant === undefined || watched.sampledLast) return
    watched.sampledLast = true
    sample(cell, watched.tenant, true, traffic)
  }

  const bind = (cell: Place, tenant: Tenant, adopted: boolean): void => {
    const watched: Watched = { cookie: cells.get(cell.id)?.cookie, tenant, sampledLast: false }
    cells.set(cell.id, watched)
    const ids = slotIds(cell.slot)
    sensor.bind({ ...tenant, cookie: watched.cookie, adopted, ids, usage: cell.cgroup.usageFiles, hostInterface: interfaceOf(cell) })
    cell.monitor?.subscribe(event => {
      // Its veth is gone by the time that we are told: the monitor has counted before.
      if (event.type === 'exited') sampleLast(cell, event.traffic)
    })
  }

  return {
    created: (cell, pid, runtime) => {
      if (runtime === 'crun') register(cell, newCookie(), pid)
    },
    cookieOf: ({ id }) => cells.get(id)?.cookie,
    became: (cell, tenant) => bind(cell, tenant, false),
    adopt: (cell, tenant, cookie, init) => {
      if (cookie !== undefined && init !== undefined) register(cell, cookie, init.pid, init)
      else cells.set(cell.id, { cookie, tenant: undefined, sampledLast: false })
      bind(cell, tenant, true)
    },
    seen: async ({ id }) => {
      const cookie = cells.get(id)?.cookie
      if (cookie !== undefined) await sensor.sees(cookie)
    },
    started: cell => {
      const tenant = cells.get(cell.id)?.tenant
      if (tenant !== undefined) sample(cell, tenant, false)
    },
    ending: cell => sampleLast(cell),
    gone: ({ id }) => {
      const watched = cells.get(id)
      if (watched === undefined) return
      cells.delete(id)
      sensor.release(watched.cookie, watched.tenant?.instance)
    },
  }
}

const interfaceOf = ({ slot, index }: Pick<Cell, 'slot' | 'index'>): string => instanceAddress(slot, index).hostInterface
