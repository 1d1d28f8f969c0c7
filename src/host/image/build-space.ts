/**
 * Where a build runs: as root of a user namespace whose ids are nobody's on this host, with its own mounts, processes and (unless it is asked for) no network.
 * A process that only waits holds the namespaces; it is their first process, and ends when its input does: so nothing of a build outlives this process,
 * however that ends. The one folder that is given appears there as `/mnt`.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { onAbort } from '../../base/abort.ts'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'
import type { BuildGroup } from './build-group.ts'
import type { Ended, RunOptions } from './process.ts'
import { run } from './process.ts'

export interface BuildSpace extends AsyncDisposable {
  run(program: string, args: readonly string[], options?: RunOptions, install?: string): Promise<Ended>
}

export interface BuildSpaceOptions {
  /** Seen as `/mnt`; belongs to `firstId`. */
  readonly folder: string
  /** Host id that is root there; 65,536 ids follow it. */
  readonly firstId: number
  /** `host`: the network of this host. */
  readonly network: 'none' | 'host'
  /** Whose limits all of it has. */
  readonly group: BuildGroup | undefined
  readonly signal?: AbortSignal | undefined
}

export const idsOfSpace = 65_536
export const folderInSpace = '/mnt'

const namespaces = ['--user', '--mount', '--ipc', '--uts', '--pid']
/** What others keep there is none of a build's business. */
const hidden = ['/tmp', '/var/tmp', '/home']

const missing = (error: unknown): unknown =>
  errnoOf(error) === 'ENOENT'
    ? new DayflyError('host', 'unshare is not installed', { remedy: 'Install the package util-linux.', cause: error })
    : error

const spawned = async (child: ChildProcess): Promise<void> => {
  try {
    await once(child, 'spawn')
  } catch (error) {
    throw missing(error)
  }
}

/** The waiting process is there once it has echoed; it is the only child of `unshare`. */
const holderOf = async (unshare: ChildProcess): Promise<number> => {
  unshare.stdin?.write('.')
  const echoed = unshare.stdout === null ? Promise.resolve() : once(unshare.stdout, 'data')
  let said = ''
  unshare.stderr?.on('data', (bytes: Buffer) => {
    said += bytes.toString('utf8')
  })
  const over = once(unshare, 'close').then(() => {
    throw new DayflyError('host', `a build has no place to run: ${said.trim() || 'unshare ended'}`, {
      remedy: 'User namespaces must be allowed on this host.',
    })
  })
  await Promise.race([echoed, over])
  over.catch(() => {})
  const pid = Number(readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8').trim())
  if (!Number.isInteger(pid) || pid <= 0) throw new DayflyError('internal', 'the process that holds the namespaces of a build cannot be found')
  return pid
}

/** A program and its words, in the group before its first instruction. */
const within = (group: BuildGroup | undefined, program: string, args: readonly string[]): [program: string, args: string[]] => {
  if (group === undefined) return [program, [...args]]
  const script = 'while [ "$1" != -- ]; do echo $$ > "$1" || exit 1; shift; done; shift; exec "$@"'
  return ['sh', ['-c', script, 'sh', ...group.join, '--', program, ...args]]
}

export const openBuildSpace = async ({ folder, firstId, network, group, signal }: BuildSpaceOptions): Promise<BuildSpace> => {
  const own = network === 'none' ? [...namespaces, '--net'] : namespaces
  const unshare = spawn(...within(group, 'unshare', [...own, '--fork', '--kill-child', '--mount-proc', '--', 'cat']), {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>(resolve => unshare.once('close', () => resolve()))
  unshare.stdin.on('error', () => {}) // It has ended: seen by whoever runs something in it.
  // At once: what runs there holds the pipes that whoever waits for it reads.
  const stopping = signal === undefined ? undefined : onAbort(signal, () => void unshare.stdin.destroy())
  const close = async (): Promise<void> => {
    stopping?.[Symbol.dispose]()
    unshare.stdin.destroy()
    await ended
  }
  await spawned(unshare)
  try {
    const holder = await holderOf(unshare)
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder}/${map}`, `0 ${firstId} ${idsOfSpace}`)
    const enter = (more: readonly string[]): string[] => [`--target=${holder}`, ...own, ...more, '--']
    const space: BuildSpace = {
      run: (program, args, options = {}, install) =>
        run(...within(group, 'nsenter', [...enter([]), program, ...args]), { signal, ...options }, install),
      [Symbol.asyncDispose]: close,
    }
    // From its working directory, for no id of a build can walk to it.
    const sys = network === 'none' ? ['mount -t sysfs -o ro,nosuid,nodev,noexec sysfs /sys || mount -t tmpfs -o ro tmpfs /sys'] : []
    const mounts = [
      `mount --no-canonicalize --bind . ${folderInSpace}`,
      ...hidden.map(path => `mount -t tmpfs -o mode=1777,size=64m tmpfs ${path}`),
      ...sys,
    ]
    const { code, stderr } = await run(...within(group, 'nsenter', [...enter(['--wd']), 'sh', '-ec', mounts.join('\n')]), { signal })
    if (code !== 0) throw new DayflyError('host', `a build has no place to run: ${stderr.trim()}`)
    return space
  } catch (error) {
    await close()
    throw error instanceof DayflyError ? error : new DayflyError('host', `a build has no place to run: ${messageOf(error)}`, { cause: error })
  }
}
