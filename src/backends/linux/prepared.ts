/**
 * The prepared pool: containers that exist and wait before their first instruction, by shape. A shape that is started again and again gets
 * as many as its busiest burst of late took; one that is started once gets none. All of them together are capped in memory.
 */
import type { WorkloadSpec } from '../../model/workload.ts'
import type { LiveCell } from './cell.ts'
import type { Demand } from './demand.ts'
import { trackDemand } from './demand.ts'
import type { Stock } from './ready.ts'
import { createStock } from './ready.ts'
import { shapeOf } from './shape.ts'

export interface Prepared {
  readonly cell: LiveCell
  /** Host pid of its first process. */
  readonly pid: number
}

export interface PreparedShape {
  readonly shape: string
  readonly image: string
  readonly command: readonly string[]
  readonly ready: number
  readonly wanted: number
  /** Bytes, as its cgroups count them. */
  readonly memory: number
}

/** What containers are prepared for. */
export interface Purpose {
  readonly workload: WorkloadSpec
  readonly hostname: string
  /** Whose they are from the beginning, with its network and its volumes; undefined: anybody's. */
  readonly environment: string | undefined
}

export interface PreparedPool {
  /** Also counts the demand. */
  take(purpose: Purpose): Prepared | undefined
  /** Disposes of what was prepared for an environment, e.g. before it is removed. */
  forgetEnvironment(environment: string): Promise<void>
  /** Disposes of what was prepared from an image, e.g. before the image is removed. */
  forgetImage(digest: string): Promise<void>
  report(): PreparedShape[]
  close(): Promise<void>
}

export interface PreparedOptions {
  readonly prepare: (purpose: Purpose, signal: AbortSignal) => Promise<Prepared>
  /** Must not reject. */
  readonly dispose: (prepared: Prepared, purpose: Purpose) => Promise<void>
  /** Bytes that all of them together may hold. */
  readonly memoryLimit: number
  readonly now: () => number
  readonly failed: (error: unknown) => void
}

/** Starts within this many ms are one burst; bursts count for `memory` ms. */
const burst = 1000
const memory = 5 * 60_000
/** Fewer starts than this within `memory` are no demand. */
const worthwhile = 2
const quiet = 30
/** Bytes of a monitor, which is in no instance's cgroup. */
const monitorBytes = 400 * 1024

interface Shape {
  readonly purpose: Purpose
  readonly demand: Demand
  readonly stock: Stock<Prepared>
  readonly held: Map<string, number>
}

export const createPreparedPool = (options: PreparedOptions): PreparedPool => {
  const shapes = new Map<string, Shape>()
  const heldBytes = (): number => [...shapes.values()].flatMap(shape => [...shape.held.values()]).reduce((sum, bytes) => sum + bytes, 0)

  const wanted = (shape: Shape): number => {
    const now = options.now()
    if (shape.demand.recent(now) < worthwhile) return 0
    const bytes = [...shape.held.values()]
    const each = bytes.length === 0 ? monitorBytes * 3 : Math.max(...bytes)
    const room = Math.max(0, Math.floor((options.memoryLimit - heldBytes()) / each))
    return Math.min(shape.demand.peak(now), shape.stock.size + room)
  }

  const add = (purpose: Purpose): Shape => {
    const held = new Map<string, number>()
    const shape: Shape = {
      purpose,
      held,
      demand: trackDemand(burst, memory),
      stock: createStock({
        make: async signal => {
          const prepared = await options.prepare(purpose, signal)
          held.set(prepared.cell.id, prepared.cell.cgroup.memoryUsage() + monitorBytes)
          return prepared
        },
        dispose: async prepared => {
          held.delete(prepared.cell.id)
          await options.dispose(prepared, purpose)
        },
        // A container that ends before its start takes its monitor with it.
        spoiled: ({ cell }) => cell.monitor.closed,
        wanted: () => wanted(shape),
        quiet,
        failed: options.failed,
      }),
    }
    return shape
  }

  const drop = async (key: string, shape: Shape): Promise<void> => {
    shapes.delete(key)
    await shape.stock.close()
  }

  const forget = async (is: (purpose: Purpose) => boolean): Promise<void> => {
    await Promise.all([...shapes].filter(([, { purpose }]) => is(purpose)).map(([key, shape]) => drop(key, shape)))
  }

  // Demand fades without anybody calling.
  const fade = setInterval(() => {
    for (const [key, shape] of shapes) {
      if (shape.demand.recent(options.now()) === 0 && shape.stock.size === 0) drop(key, shape).catch(options.failed)
      else shape.stock.adjust()
    }
  }, 5000)
  fade.unref()

  return {
    take: purpose => {
      const { workload, hostname, environment } = purpose
      const key = `${environment === undefined ? '' : `${environment} `}${shapeOf(workload, hostname)}`
      let shape = shapes.get(key)
      if (shape === undefined) {
        shape = add(purpose)
        shapes.set(key, shape)
      }
      shape.demand.took(options.now())
      const prepared = shape.stock.take()
      if (prepared !== undefined) shape.held.delete(prepared.cell.id)
      return prepared
    },
    forgetImage: digest => forget(({ workload }) => workload.image === digest),
    forgetEnvironment: gone => forget(({ environment }) => environment === gone),
    report: () =>
      [...shapes].map(([key, shape]) => ({
        shape: key,
        image: shape.purpose.workload.imageName,
        command: shape.purpose.workload.command,
        ready: shape.stock.size,
        wanted: wanted(shape),
        memory: [...shape.held.values()].reduce((sum, bytes) => sum + bytes, 0),
      })),
    close: async () => {
      clearInterval(fade)
      await Promise.all([...shapes].map(([key, shape]) => drop(key, shape)))
    },
  }
}
