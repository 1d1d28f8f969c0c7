/** What all instances of this daemon stand on: the helper, a slice of the host's ids with its firewall table, cgroups, the seccomp filter, the runtimes. */
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Cgroups } from '../../host/cgroup/cgroups.ts'
import { openCgroups } from '../../host/cgroup/cgroups.ts'
import { daemonGroup, isLivedIn, monitorsGroup } from '../../host/cgroup/daemons.ts'
import { blockDeviceOf } from '../../host/cgroup/device.ts'
import type { Helper } from '../../host/native/helper.ts'
import { spawnHelper } from '../../host/native/helper.ts'
import type { Slot } from '../../host/network/slots.ts'
import { allSlices, interfacePrefix, sliceCount, sliceNetwork, slotNetwork, slotOfInterface } from '../../host/network/slots.ts'
import type { Firewall } from '../../host/nft/firewall.ts'
import { openFirewall } from '../../host/nft/firewall.ts'
import { compileSeccomp } from '../../host/seccomp/compile.ts'
import { defaultProfile } from '../../host/seccomp/profile.ts'
import type { Runtime } from '../../model/workload.ts'

export interface Ground extends AsyncDisposable {
  readonly slice: number
  readonly helper: Helper
  readonly firewall: Firewall
  readonly cgroups: Cgroups
  /** Raw BPF, base64. */
  readonly seccomp: string
  readonly monitorBinary: string
  /** The program dayfly-files, without a symbolic link in its path. */
  readonly files: string
  /** Paths of the binaries; undefined: not installed. */
  readonly runtimes: Readonly<Record<Runtime, string | undefined>>
  /** A static program for a container's first process; undefined: not installed. */
  readonly init: string | undefined
  /**
   * What a daemon left that was killed: removes rules of this slice that no slot explains, and hands the groups that no cell explains to `takeDown`, by
   * name. Returns the slots whose bridge is there and belongs to nobody.
   */
  sweep(slots: readonly Slot[], cells: ReadonlySet<string>, takeDown: (name: string, work: () => Promise<void>) => Promise<void>): Promise<Slot[]>
  /** Removes what is there for all instances together. Nothing may live any more. */
  clear(): Promise<void>
}

export interface GroundOptions {
  readonly stateDir: string
  readonly runDir: string
  readonly nativeDir: string
  readonly log: Log
}

export const openGround = async (options: GroundOptions): Promise<Ground> => {
  const { stateDir, runDir, nativeDir, log } = options
  await using opening = new AsyncDisposableStack()
  const helper = opening.use(await spawnHelper({ binary: builtProgram(nativeDir, 'dayfly-helper') }))
  const monitorBinary = builtProgram(nativeDir, 'dayfly-monitor')
  const files = realpathSync(builtProgram(nativeDir, 'dayfly-files'))
  const { slice, firewall } = await claimSlice(helper, stateDir, runDir)
  const cgroups = openCgroups({ parent: daemonGroup(slice), device: blockDeviceOf(stateDir) })
  for (const { limit, reason } of cgroups.missing) log.warn('this host cannot enforce a limit', { limit, reason })
  await helper.joinCgroup(cgroups.plain(monitorsGroup))
  const library = helper.libraries.find(name => name.startsWith('libseccomp')) ?? 'libseccomp'
  const seccomp = await compileSeccomp(defaultProfile, { library, compile: source => helper.compileSeccomp(source) }, join(stateDir, 'cache'))
  opening.move()

  return {
    slice,
    helper,
    firewall,
    cgroups,
    seccomp,
    monitorBinary,
    files,
    runtimes: { crun: inPath('crun'), runsc: inPath('runsc') },
    init: inPath('tini-static') ?? inPath('catatonit'),
    sweep: async (slots, cells, takeDown) => {
      const keep = new Set(slots.map(slot => slotNetwork(slot).bridge))
      for (const bridge of await firewall.bridges()) if (!keep.has(bridge)) await firewall.forget(bridge)
      for (const name of cgroups.list()) {
        if (name === monitorsGroup || cells.has(name)) continue
        const group = cgroups.open(name)
        await takeDown(name, async () => {
          await group.killAll()
          await group.remove()
        })
      }
      return readdirSync('/sys/class/net').flatMap(name => {
        const slot = slotOfInterface(name)
        return slot?.slice === slice && !name.includes('.') && !keep.has(name) ? [slot] : []
      })
    },
    clear: async () => {
      await firewall.remove()
      // The helper itself is in the monitors' group: it goes first.
      await helper[Symbol.asyncDispose]()
      await cgroups.open(monitorsGroup).remove()
      cgroups.close()
    },
    [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose](),
  }
}

/** The slice this daemon had before, else the first free one, beginning where a hash of its folder says, so that daemons seldom collide. */
const claimSlice = async (helper: Helper, stateDir: string, runDir: string): Promise<{ slice: number; firewall: Firewall }> => {
  const file = join(stateDir, 'slice')
  const before = rememberedSlice(file)
  const remembered = before ?? (createHash('sha256').update(runDir).digest()[0] ?? 0) % sliceCount
  let refusal: unknown
  for (let offset = 0; offset < sliceCount; offset++) {
    const slice = (remembered + offset) % sliceCount
    try {
      const firewall = await openFirewall({
        nft: (commands, output) => helper.nft(commands, output),
        slice,
        bridgePrefix: interfacePrefix(slice),
        sliceNetwork: sliceNetwork(slice),
        allSlices,
        owner: runDir,
        // Its daemon had its sockets, and every instance its folder, in the folder that the table names. Somebody may have removed that from under them.
        abandoned: owner => owner.startsWith('/') && !existsSync(owner) && !isLivedIn(slice),
      })
      if (slice !== before) rememberSlice(file, slice)
      return { slice, firewall }
    } catch (error) {
      if (!(error instanceof DayflyError && error.code === 'conflict')) throw error
      refusal = error
    }
  }
  throw new DayflyError('exhausted', `all ${sliceCount} shares of this host's addresses and ids belong to other daemons`, {
    remedy: 'Stop one of them; `nft list tables` shows them as dayfly_0 to dayfly_15.',
    cause: refusal,
  })
}

/** undefined when there is none, or it is not one: it is then chosen anew. */
const rememberedSlice = (file: string): number | undefined => {
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  return /^\d+\n$/.test(text) && Number(text) < sliceCount ? Number(text) : undefined
}

/** Whole or not at all: what lives is found by it. */
const rememberSlice = (file: string, slice: number): void => {
  writeFileSync(`${file}.new`, `${slice}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

export const builtProgram = (folder: string, name: string): string => {
  const path = join(folder, name)
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch (error) {
    throw new DayflyError('host', `${path} is not there`, { remedy: 'Build the native programs: make -C native', cause: error })
  }
}

const inPath = (name: string): string | undefined =>
  (process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin')
    .split(delimiter)
    .map(folder => join(folder, name))
    .find(path => existsSync(path))
