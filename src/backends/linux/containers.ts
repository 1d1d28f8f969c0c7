/** From a ready cell to a container that waits before its first instruction, and from there to an instance. */
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { abortError, onAbort, throwIfAborted } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'
import type { InstanceRequest } from '../../engine/backend.ts'
import type { Image, ImageStore } from '../../host/image/store.ts'
import { NativeError } from '../../host/native/channel.ts'
import { signalNumber } from '../../host/native/session.ts'
import { instanceAddress, slotIds } from '../../host/network/slots.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import { defaultLimits } from '../../model/workload.ts'
import type { ContainerUser } from './bundle.ts'
import { writeBundle, writeNames, writeNameservers } from './bundle.ts'
import type { LiveCell } from './cell.ts'
import { planMounts, reportMount, writeConfigs } from './mounts.ts'
import { nameserversWithin } from './nameservers.ts'
import { writeOwner } from './owner.ts'
import { startTimeOf } from './processes.ts'
import { refusal } from './refusal.ts'
import type { Resources } from './resources.ts'
import { cannotRaise, resourceLimits, splitSysctls, unknownSysctl } from './settings.ts'
import { limitConcurrency } from './turnstile.ts'

export interface FillRequest {
  readonly workload: WorkloadSpec
  readonly hostname: string
  /** What its environment shares; undefined: nothing. */
  readonly resources: Resources | undefined
}

export interface ContainerMaker {
  /**
   * Makes a container of the workload in the cell. Returns the host pid of its first process. On failure the cell is of no more use; when the signal
   * aborts, its monitor ends with all that it began.
   */
  fill(cell: LiveCell, request: FillRequest, signal: AbortSignal): Promise<number>
  userOf(image: string, user: string, groups?: readonly string[]): Promise<ContainerUser>
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
  readonly init: string | undefined
  /** The program dayfly-files, without a symbolic link in its path. */
  readonly files: string
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
  const userOf = (digest: string, user: string, groups: readonly string[] = []): Promise<ContainerUser> =>
    remembered(users, `${digest} ${user} ${groups.join(' ')}`, async () => options.images.resolveUser(await imageOf(digest), user, groups))

  const runtimeBinary = (runtime: WorkloadSpec['runtime']): string => {
    const binary = options.runtimes[runtime]
    if (binary !== undefined) return binary
    throw new DayflyError('invalid', `the runtime ${runtime} is not installed on this host`, {
      field: '--runtime',
      remedy: `Install it (apt-get install ${runtime}), or use another runtime.`,
    })
  }

  const initFor = ({ init = false }: WorkloadSpec): string | undefined => {
    if (!init || options.init !== undefined) return init ? options.init : undefined
    throw new DayflyError('invalid', 'init: this host has no small init for containers', {
      field: 'init',
      remedy: 'Install one (apt-get install tini, or catatonit), or leave it out.',
    })
  }

  return {
    userOf,
    forgetImage: digest => {
      images.delete(digest)
      for (const key of users.keys()) if (key.startsWith(`${digest} `)) users.delete(key)
    },
    fill: async (cell, { workload, hostname, resources }, signal) => {
      const binary = runtimeBinary(workload.runtime)
      const init = initFor(workload)
      const [image, user] = await Promise.all([imageOf(workload.image), userOf(workload.image, workload.user, workload.groups)])
      const plan = planMounts(workload, user, slotIds(cell.slot), cell.paths, resources)
      const files = { number: plan.attached.length, source: options.files, subpath: '', access: 'ro', ids: undefined } as const
      const sysctls = splitSysctls(workload)
      const limitsOfResources = resourceLimits(workload)
      using _turn = await turn(signal)
      throwIfAborted(signal)
      using _giveUp = onAbort(signal, () => void cell.monitor[Symbol.asyncDispose]())
      const limits = { ...workload.limits, pids: processesOf(workload) }
      // The runtime works in the group, too: a hundredth of a core would make it take seconds.
      cell.cgroup.setLimits({ ...limits, cpus: Math.max(limits.cpus, defaultLimits.cpus) })
      writeConfigs(cell.paths, plan.files)
      writeBundle(cell.paths, {
        workload,
        user,
        hostname,
        firstId: slotIds(cell.slot).first,
        cgroup2: options.cgroup2,
        seccomp: workload.runtime === 'crun' ? options.seccomp : undefined,
        mounts: plan.container,
        sysctls: sysctls.ipc,
        resourceLimits: limitsOfResources,
        init,
        files: join(cell.paths.attached, String(files.number)),
      })
      try {
        const settled = Promise.all([
          cell.monitor.overlay({
            lower: image.layers.map(layer => layer.folder).reverse(),
            upper: cell.paths.upper,
            work: cell.paths.work,
            durability: 'volatile',
          }),
          ...plan.attached.map(mount => cell.monitor.mount(mount).catch(reportMount(mount))),
          cell.monitor.mount(files),
          ...sysctls.network.map(({ name, path, value }) => cell.monitor.sysctl(path, value).catch(rethrow(cause => unknownSysctl(name, cause)))),
          ...limitsOfResources.map(({ name, hard }) =>
            cell.monitor.rlimit(name, hard ?? 'unlimited').catch(rethrow(cause => cannotRaise(name, cause))),
          ),
        ])
        // Only what must wait does: all else leaves in one write.
        if (plan.copies.length > 0) {
          await settled
          for (const { name, copy } of plan.copies) await resources?.copyInto(name, when => cell.monitor.copy({ ...copy, when }))
        }
        const created = cell.monitor.create({
          runtime: workload.runtime,
          binary,
          stateFolder: cell.paths.runtimeState,
          id: cell.id,
          io: workload.tty ? 'tty' : 'pipes',
          stdin: workload.stdin ? 'stdin' : 'null',
        })
        created.catch(() => {}) // A fault of what came before it goes first: it is why.
        await settled
        const pid = await created
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

const rethrow =
  (explain: (cause: unknown) => unknown) =>
  (cause: unknown): never => {
    throw cause instanceof NativeError && cause.errno !== 'EPIPE' ? explain(cause) : cause
  }

/** Makes a container that waits into this instance's: names, secrets, log, deadline. What it is then, `owner.json` tells the next daemon. */
export const dedicate = async (
  cell: LiveCell,
  { pid, cookie }: { readonly pid: number; readonly cookie: number | undefined },
  request: InstanceRequest,
  secrets: ReadonlyMap<string, Uint8Array>,
  owner: ContainerUser,
  /** Of its environment; undefined: there is none. */
  resolver: string | undefined,
): Promise<void> => {
  const { workload } = request
  const { monitor, paths } = cell
  const stopSignal = signalNumber(workload.stopSignal)
  const ids = slotIds(cell.slot)
  const startTime = startTimeOf(pid)
  writeNames(paths, request.hostname, instanceAddress(cell.slot, cell.index).address, workload.hosts)
  if (resolver !== undefined) writeNameservers(paths, [resolver])
  else if (workload.egress.length > 0) writeNameservers(paths, nameserversWithin(workload.egress))
  writeOwner(paths, {
    instance: request.id,
    environment: request.environment,
    slot: cell.slot,
    index: cell.index,
    pid,
    ...(startTime === undefined ? {} : { startTime }),
    ...(cookie === undefined ? {} : { cookie }),
    image: workload.image,
    runtime: workload.runtime,
    grace: workload.grace,
    stopSignal,
    networks: [...request.networks],
    egress: workload.egress,
    domains: workload.egressDomains ?? [],
  })
  await Promise.all([
    ...[...secrets].map(([name, content]) => monitor.secret(name, ids.first + owner.uid, ids.first + owner.gid, content)),
    // gVisor has its host name from config.json, for good.
    ...(workload.runtime === 'crun' ? [monitor.hostname(request.hostname)] : []),
    monitor.log(request.logPath, workload.logLimit),
    monitor.deadline(request.deadline, workload.grace, stopSignal),
  ])
}
