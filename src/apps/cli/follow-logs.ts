/** The output of all instances of an environment, those that come later included. */
import type { Client, LogParameters } from '../../api/client/client.ts'
import type { InstanceView } from '../../api/schemas/environments.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Paint } from './output.ts'
import { createLineWriter, createPrefixes } from './prefixed.ts'

export interface FollowOptions {
  readonly client: Client
  readonly environment: string
  /** All of them when empty. */
  readonly workloads: readonly string[]
  readonly paint: Paint
  /** What of each instance. */
  readonly parameters?: LogParameters
  readonly timestamps?: boolean
  /** A document for each piece. */
  readonly json?: boolean
  /** Only of instances that live now or come later. */
  readonly live?: boolean
}

export const instanceName = ({ workload, replica }: InstanceView): string => `${workload}-${replica}`

const isGone = (error: unknown): boolean => error instanceof DayflyError && (error.code === 'not_found' || error.code === 'unreachable')

/** Resolves when the environment has ended, or of a `run` when its instances have. */
export const followLogs = async (options: FollowOptions): Promise<void> => {
  const { client, workloads, environment } = options
  const prefixes = createPrefixes(options.paint)
  const seen = new Set<string>()
  const running = new Set<Promise<void>>()
  const wanted = ({ workload, state }: InstanceView): boolean =>
    (workloads.length === 0 || workloads.includes(workload)) &&
    (options.live !== true || state === 'pending' || state === 'created' || state === 'running')

  const one = async (instance: InstanceView): Promise<void> => {
    let time = 0
    const stamp = (): string => (options.timestamps === true ? `${new Date(time).toISOString()} ` : '')
    const prefix = (): string => `${prefixes.of(instance.workload, instanceName(instance))}${stamp()}`
    const writers = { stdout: createLineWriter(prefix, process.stdout), stderr: createLineWriter(prefix, process.stderr) }
    try {
      for await (const entry of client.logEntries(instance.id, { ...options.parameters, follow: true })) {
        if (options.json === true) {
          const { workload, replica, id } = instance
          process.stdout.write(`${JSON.stringify({ workload, replica, instance: id, ...entry })}\n`)
          continue
        }
        time = entry.time
        writers[entry.stream].write(Buffer.from(entry.data, entry.encoding === 'base64' ? 'base64' : 'utf8'))
      }
    } finally {
      writers.stdout.end()
      writers.stderr.end()
    }
  }
  const begin = (instance: InstanceView): void => {
    if (seen.has(instance.id) || !wanted(instance)) return
    seen.add(instance.id)
    prefixes.of(instance.workload, instanceName(instance))
    // Its log may be purged while we read it: then there is no more to be read.
    const work = one(instance)
      .catch((error: unknown) => {
        if (!isGone(error)) throw error
      })
      .finally(() => running.delete(work))
    running.add(work)
  }
  for (const instance of await client.instances(environment)) begin(instance)
  try {
    for await (const statuses of client.watchWorkloads(environment))
      for (const { instances } of statuses) for (const instance of instances) begin(instance)
  } catch (error) {
    if (!isGone(error)) throw error
  }
  // Instances that came between the last two looks.
  for (const instance of await client.instances(environment).catch(() => [])) begin(instance)
  await Promise.all(running)
}
