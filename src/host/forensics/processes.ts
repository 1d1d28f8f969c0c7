/** Processes as /proc shows them, while they stand still. What has gone meanwhile is left out. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, readFile, readlink } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import type { Gaps } from './gaps.ts'
import type { Redaction } from './redaction.ts'

export interface ProcessFacts {
  readonly pid: number
  readonly parentPid: number
  /** From the host's pid namespace inwards. */
  readonly pids: readonly number[]
  /** µs since the host's boot, to a hundredth of a second. */
  readonly start: number
  readonly name: string
  readonly state: string
  readonly exe: string
  /** Hex, of the file that runs, whatever its name leads to by now; undefined when it was too large or could not be read. */
  readonly sha256: string | undefined
  readonly args: readonly string[]
  readonly cwd: string
  readonly uids: readonly number[]
  readonly gids: readonly number[]
  readonly capabilities: string
  readonly seccomp: number
  /** Names only: values are secrets. */
  readonly variables: readonly string[]
  readonly descriptors: readonly { readonly fd: number; readonly target: string }[]
}

const mostProcesses = 2000
const mostArguments = 1000
const longestArguments = 128 * 1024
/** Of all of them: thousands of processes with long arguments leave no room for the rest. */
const mostBytes = 16 * 1024 * 1024
const mostDescriptors = 1000
const largestProgram = 512 * 1024 * 1024
const clockTick = 10_000

/** At most so many bytes of a file of /proc. Empty when the process has gone. */
const readBounded = async (path: string, most: number): Promise<Buffer> => {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const parts: Buffer[] = []
    for (let left = most; left > 0; ) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(Math.min(left, 65_536)) })
      if (bytesRead === 0) break
      parts.push(buffer.subarray(0, bytesRead))
      left -= bytesRead
    }
    return Buffer.concat(parts)
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EIO'].includes(errnoOf(error) ?? '')) return Buffer.alloc(0)
    throw error
  }
}

const linkOf = (path: string): Promise<string> => readlink(path).catch(() => '')

/** By what it is, not by what it is called: one program that runs a hundred times is read once. */
const hasher = (gaps: Gaps, signal: AbortSignal): ((pid: number) => Promise<string | undefined>) => {
  const known = new Map<string, string | undefined>()
  const hash = async (pid: number): Promise<string | undefined> => {
    // The link of /proc leads to the file itself, also where that has been deleted or never had a name.
    await using file = await open(`/proc/${pid}/exe`, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await file.stat({ bigint: true })
    const key = `${stats.dev} ${stats.ino} ${stats.ctimeNs}`
    if (known.has(key)) return known.get(key)
    if (!stats.isFile() || stats.size > largestProgram) {
      gaps.note(`programs of more than ${largestProgram} bytes have no hash`)
      known.set(key, undefined)
      return undefined
    }
    const sum = createHash('sha256')
    for await (const piece of file.createReadStream({ autoClose: false, signal })) sum.update(piece)
    const value = sum.digest('hex')
    known.set(key, value)
    return value
  }
  return async pid => {
    try {
      return await hash(pid)
    } catch {
      if (signal.aborted) gaps.note('programs have no hash: it took too long')
      return undefined
    }
  }
}

const numbers = (text: string | undefined): number[] =>
  (text ?? '')
    .trim()
    .split(/\s+/)
    .filter(part => /^\d+$/.test(part))
    .map(Number)

const descriptorsOf = async (pid: number, redaction: Redaction, gaps: Gaps): Promise<ProcessFacts['descriptors']> => {
  const all = await readdir(`/proc/${pid}/fd`).catch(() => [])
  if (all.length > mostDescriptors) gaps.note(`only ${mostDescriptors} descriptors of a process are listed`)
  return await Promise.all(
    all.slice(0, mostDescriptors).map(async fd => ({ fd: Number(fd), target: redaction.text(await linkOf(`/proc/${pid}/fd/${fd}`)) })),
  )
}

/** Pids of the host; in their order. */
export const describeProcesses = async (pids: readonly number[], redaction: Redaction, gaps: Gaps, signal: AbortSignal): Promise<ProcessFacts[]> => {
  const hashOf = hasher(gaps, signal)
  if (pids.length > mostProcesses) gaps.note(`only ${mostProcesses} of ${pids.length} processes are described`)
  const facts: ProcessFacts[] = []
  let bytes = 0
  for (const pid of pids.slice(0, mostProcesses)) {
    if (signal.aborted) {
      gaps.note('the list of processes is cut off: it took too long')
      break
    }
    const stat = (await readBounded(`/proc/${pid}/stat`, 4096)).toString('latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (stat === '') continue
    const status = new Map(
      (await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')).split('\n').map(line => {
        const at = line.indexOf(':')
        return [line.slice(0, at), line.slice(at + 1).trim()] as const
      }),
    )
    const cmdline = (await readBounded(`/proc/${pid}/cmdline`, longestArguments)).toString('utf8')
    const environ = (await readBounded(`/proc/${pid}/environ`, longestArguments)).toString('utf8')
    const one: ProcessFacts = {
      pid,
      parentPid: Number(fields[1]),
      pids: numbers(status.get('NSpid')),
      start: Number(fields[19]) * clockTick,
      name: redaction.text(status.get('Name') ?? ''),
      state: fields[0] ?? '',
      exe: redaction.text(await linkOf(`/proc/${pid}/exe`)),
      sha256: await hashOf(pid),
      args: redaction.text(cmdline.replace(/\0$/, '')).split('\0').slice(0, mostArguments),
      cwd: redaction.text(await linkOf(`/proc/${pid}/cwd`)),
      uids: numbers(status.get('Uid')),
      gids: numbers(status.get('Gid')),
      capabilities: status.get('CapEff') ?? '',
      seccomp: Number(status.get('Seccomp') ?? 0),
      variables: environ
        .split('\0')
        .flatMap(entry => (entry.includes('=') ? [redaction.text(entry.slice(0, entry.indexOf('=')).slice(0, 256))] : []))
        .slice(0, mostArguments),
      descriptors: await descriptorsOf(pid, redaction, gaps),
    }
    bytes += Buffer.byteLength(JSON.stringify(one))
    if (bytes > mostBytes) {
      gaps.note(`the list of processes is cut off after ${facts.length} of ${pids.length}: there was no room for more`)
      break
    }
    facts.push(one)
  }
  return facts
}

const longestMaps = 1024 * 1024

/** /proc/PID/maps of each, below a line that says whose it is. */
export const describeMaps = async (pids: readonly number[], redaction: Redaction, gaps: Gaps, signal: AbortSignal): Promise<string> => {
  const parts: string[] = []
  let length = 0
  for (const pid of pids) {
    if (signal.aborted || length > 16 * longestMaps) {
      gaps.note('the memory maps are cut off')
      break
    }
    const maps = await readBounded(`/proc/${pid}/maps`, longestMaps)
    if (maps.length === longestMaps) gaps.note(`memory maps of more than ${longestMaps} bytes are cut off`)
    parts.push(`== ${pid} ==\n${redaction.text(maps.toString('utf8'))}`)
    length += maps.length
  }
  return parts.join('')
}
