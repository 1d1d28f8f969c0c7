/** From a ready cell to a container that waits before its first instruction, and from there to an instance. */
import { availableParallelism } from 'node:os'
import { abortError, onAbort, throwIfAborted } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import type { InstanceRequest } from '../../engine/backend.ts'
import type { Image, ImageStore } from '../../host/image/store.ts'
import { signalNumber } from '../../host/native/session.ts'
import { instanceAddress, slotIds } from '../../host/network/slots.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import { defaultLimits } from '../../model/workload.ts'
import type { ContainerUser } from './bundle.ts'
import { writeBundle, writeNames, writeNameservers } from './bundle.ts'
import type { LiveCell } from './cell.ts'
import { nameserversWithin } from './nameservers.ts'
import { writeOwner } from './owner.ts'
import { refusal } from './refusal.ts'
import { limitConcurrency } from './turnstile.ts'

export interface ContainerMaker {
  /**
   * Makes a container of the workload in the cell. Returns the host pid of its first process. On failure the cell is of no more use; when the signal
   * aborts, its monitor ends with all that it began.
   */
  fill(cell: LiveCell, workload: WorkloadSpec, hostname: string, signal: AbortSignal): Promise<number>
  userOf(image: string, user: string): Promise<ContainerUser>
  forgetImage(digest: string): void
}

/** What the runtime and the monitor's worker take of a group's processes while they work in it. */
const runtimeProcesses = 4
/** gVisor's kernel is a process of the group, of so many threads at most, and each thread of the container is another two. Without room for them it dies. */
const gvisorThreads = 128

const processesOf = ({ runtime, limits: { pids } }: WorkloadSpec): number => runtimeProcesses + (runtime === 'crun' ? pids : 2 * pids + gvisorThreads)

export interface ContainerMakerOptions {
  readonly images: ImageStore
  readonly runtimes: Readonly<Record<WorkloadSpec['runtime'], string | undefined>>
  readonly seccomp: string
  readonly cgroup2: boolean
}

export const createContainerMaker = (options: ContainerMakerOptions): ContainerMaker => {
  // An image never changes under its digest; what was read of it stays true.
  const images = new Map<string, Promise<Image>>()
  const users = new Map<string, Promise<ContainerUser>>()
  const turn = limitConcurrency(availableParallelism() * 2)

  const remembered = <T>(known: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> => {
    let value = known.get(key)
    if (value === undefined) {
      value = read()
      known.set(key, value)
      value.catch(() => known.delete(key))
    }
    return value
  }
  const imageOf = (digest: string): Promise<Image> => remembered(images, digest, () => options.images.get(digest))
  const userOf = (digest: string, user: string): Promise<ContainerUser> =>
    remembered(users, `${digest} ${user}`, async () => options.images.resolveUser(await imageOf(digest), user))

  const runtimeBinary = (runtime: WorkloadSpec['runtime']): string => {
    const binary = options.runtimes[runtime]
    if (binary !== undefined) return binary
    throw new DayflyError('invalid', `the runtime ${runtime} is not installed on this host`, {
      field: '--runtime',
      remedy: `Install it (apt-get install ${runtime}), or use another runtime.`,
    })
  }

  return {
    userOf,
    forgetImage: digest => {
      images.delete(digest)
      for (const key of users.keys()) if (key.startsWith(`${digest} `)) users.delete(key)
    },
    fill: async (cell, workload, hostname, signal) => {
      const binary = runtimeBinary(workload.runtime)
      const [image, user] = await Promise.all([imageOf(workload.image), userOf(workload.image, workload.user)])
      using _turn = await turn(signal)
      throwIfAborted(signal)
      using _giveUp = onAbort(signal, () => void cell.monitor[Symbol.asyncDispose]())
      const limits = { ...workload.limits, pids: processesOf(workload) }
      // The runtime works in the group, too: a hundredth of a core would make it take seconds.
      cell.cgroup.setLimits({ ...limits, cpus: Math.max(limits.cpus, defaultLimits.cpus) })
      writeBundle(cell.paths, {
        workload,
        user,
        hostname,
        firstId: slotIds(cell.slot).first,
        cgroup2: options.cgroup2,
        seccomp: workload.runtime === 'crun' ? options.seccomp : undefined,
      })
      try {
        const [, pid] = await Promise.all([
          cell.monitor.overlay({
            lower: image.layers.map(layer => layer.folder).reverse(),
            upper: cell.paths.upper,
            work: cell.paths.work,
            durability: 'volatile',
          }),
          cell.monitor.create({
            runtime: workload.runtime,
            binary,
            stateFolder: cell.paths.runtimeState,
            id: cell.id,
            io: workload.tty ? 'tty' : 'pipes',
            stdin: workload.stdin ? 'stdin' : 'null',
          }),
        ])
        // Nothing of the image's has run yet.
        cell.cgroup.setLimits(limits)
        return pid
      } catch (error) {
        if (signal.aborted) throw abortError(signal)
        throw refusal(error, workload.command[0] ?? '', 'the container could not be created')
      }
    },
  }
}

/** Makes a container that waits into this instance's: names, secrets, log, deadline. What it is then, `owner.json` tells the next daemon. */
export const dedicate = async (
  cell: LiveCell,
  pid: number,
  request: InstanceRequest,
  secrets: ReadonlyMap<string, Uint8Array>,
  owner: ContainerUser,
): Promise<void> => {
  const { workload } = request
  const { monitor, paths } = cell
  const stopSignal = signalNumber(workload.stopSignal)
  const ids = slotIds(cell.slot)
  writeNames(paths, request.hostname, instanceAddress(cell.slot, cell.index).address)
  if (workload.egress.length > 0) writeNameservers(paths, nameserversWithin(workload.egress))
  writeOwner(paths, {
    instance: request.id,
    environment: request.environment,
    slot: cell.slot,
    index: cell.index,
    pid,
    image: workload.image,
    runtime: workload.runtime,
    grace: workload.grace,
    stopSignal,
  })
  await Promise.all([
    ...[...secrets].map(([name, content]) => monitor.secret(name, ids.first + owner.uid, ids.first + owner.gid, content)),
    // gVisor has its host name from config.json, for good.
    ...(workload.runtime === 'crun' ? [monitor.hostname(request.hostname)] : []),
    monitor.log(request.logPath, workload.logLimit),
    monitor.deadline(request.deadline, workload.grace, stopSignal),
  ])
}
