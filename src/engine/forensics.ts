/**
 * Evidence of what an instance is and has done, taken before it is killed: files beside its log, whose hashes the record binds. A take is made in a folder of
 * another name, and gets its own when it is whole: nothing that was taken is ever overwritten. What a crash has broken off is begun anew by whoever does its
 * decision again; where nothing is left to be taken then, it is what there is.
 */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { abortable } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { DayflyError, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ActivityFilter, Found } from '../model/activity.ts'
import type { Event } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Backend } from './backend.ts'
import type { EvidenceRoom } from './evidence-room.ts'
import { createEvidenceRoom, forensicsSuffix } from './evidence-room.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { SecretKeeper } from './secrets.ts'
import { shortestSecret, withoutSecrets } from './secrets.ts'
import type { Store } from './store.ts'
import type { Taken } from './taken.ts'
import { EvidenceFile } from './taken.ts'

/** Newest first, unless it asks otherwise: what the daemon's activity store says. Rejects when it cannot tell. */
export type ActivitySearch = (filter: ActivityFilter, signal: AbortSignal) => Promise<readonly Found[]>

export interface Forensics {
  /** Writes `forensics.taken`. The instance stands still, or has ended. Rejects when nothing could be taken; what is missing of it is a gap. */
  take(instance: Instance, about: { readonly take: number; readonly rule: string; readonly until: number }, signal: AbortSignal): Promise<void>
  list(environment: string): readonly Taken[]
  /** Path of a file that `list` names. `not_found` also when it gave way to the budget. */
  path(environment: string, take: number, name: string): string
  readonly isPruned: EvidenceRoom['isPruned']
}

export const takenType = 'forensics.taken'
const prunedType = 'forensics.pruned'
/** Of one take. */
const mostBytes = 256 * 1024 * 1024
const patience = 30_000
/** How far back the events go (ms), and how many they are at most, and how many bytes: the last ones. */
const horizon = 60_000
const mostEvents = 100_000
const mostEventBytes = 32 * 1024 * 1024
/** Of the takes of all environments. */
const usualBudget = 2 * 1024 ** 3
/** Of one look, which nobody else gets a turn in. */
const page = 2000
const searchPatience = 10_000
/** What happens is kept within a second. */
const keptAfter = 1500

/** Everything of an environment. It goes with the record. */
export const forensicsFolder = (recordsFolder: string, environment: string): string => join(recordsFolder, `${environment}${forensicsSuffix}`)

const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

const TakenData = z.object({ decision: z.number(), rule: z.string(), files: z.array(EvidenceFile), gaps: z.array(z.string()) })

const takenOf = ({ instance, time, data }: Event): Taken[] => {
  const read = TakenData.safeParse(data)
  if (!read.success || instance === undefined) return []
  const { decision: take, ...rest } = read.data
  return [{ take, instance, time, ...rest }]
}

interface ForensicsParts {
  readonly backend: Pick<Backend, 'takeEvidence'>
  readonly store: Store
  readonly clock: Clock
  readonly agenda: Agenda
  readonly lifecycle: Lifecycle
  readonly keeper: SecretKeeper
  readonly recordsFolder: string
  readonly search: ActivitySearch | undefined
  readonly log: Log
  /** Vouches for what was removed. */
  readonly key: Uint8Array
  /** Bytes of the takes of all environments. */
  readonly budget: number | undefined
}

export const createForensics = (parts: ForensicsParts): Forensics => {
  const { backend, store, clock, agenda, lifecycle, keeper, recordsFolder, search, log } = parts
  const folderOf = (environment: string, take: number): string => join(forensicsFolder(recordsFolder, environment), String(take))

  const at = async (boot: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    using _timer = agenda.at(boot, resolve)
    await abortable(promise, signal)
  }

  const room = createEvidenceRoom({
    ...{ recordsFolder, key: parts.key, budget: parts.budget ?? usualBudget },
    onPruned: (environment, take, bytes) => {
      log.warn('evidence was thrown away to make room for newer one', { environment, decision: take, bytes })
      const state = store.environment(environment)?.state ?? 'ended'
      if (state === 'ended' || !list(environment).some(taken => taken.take === take)) return
      const reason = `${bytes} bytes of evidence gave way to newer one`
      lifecycle.noteEventually({ environment, type: prunedType, actor: dayfly, reason, data: { decision: take, bytes } })
    },
  })
  const takenIn = (environment: string): Taken[] => store.events({ environment, types: [takenType] }).flatMap(takenOf)
  const list: Forensics['list'] = environment => takenIn(environment)

  /** The last ones before the trigger, oldest first, a JSON document a line. Returns what it lacks. */
  const writeEvents = async ({ id, environment }: Instance, until: number, path: string, signal: AbortSignal): Promise<string[]> => {
    if (search === undefined) throw new DayflyError('host', 'nothing is watched')
    using limit = deadline(clock, agenda, searchPatience, 'the search took too long', signal)
    const secrets = keeper.find(environment)
    /** Newest first. */
    const lines: string[] = []
    let bytes = 0
    const see = (found: readonly Found[]): boolean => {
      const text = withoutSecrets(found.map(({ activity }) => `${JSON.stringify(activity)}\n`).join(''), secrets)
      for (const line of text.split('\n').slice(0, -1)) {
        bytes += Buffer.byteLength(line) + 1
        if (bytes > mostEventBytes || lines.length >= mostEvents) return false
        lines.push(line)
      }
      return true
    }
    let lacks = ''
    try {
      await at(clock.boot() + Math.min(keptAfter, Math.max(0, until + keptAfter - clock.wall())), limit.signal)
      for (let after: number | undefined; ; ) {
        const filter = { environment, instance: id, since: until - horizon, until, limit: page, ...(after === undefined ? {} : { after }) }
        const found = await search(filter, limit.signal)
        if (!see(found)) {
          lacks = 'there was no room for more'
          break
        }
        after = found.at(-1)?.position
        if (found.length < page) break
        await new Promise(setImmediate)
      }
    } catch (error) {
      // What was found is worth keeping: the newest of it.
      if (lines.length === 0) throw error
      lacks = messageOf(error)
    }
    await using file = await open(path, 'wx', 0o600)
    for (let end = lines.length; end > 0; end -= page) {
      await file.appendFile(
        `${lines
          .slice(Math.max(0, end - page), end)
          .reverse()
          .join('\n')}\n`,
      )
    }
    return lacks === '' ? [] : [`the events before are the last ${lines.length}: ${lacks}`]
  }

  /** Into a folder that is empty. Rejects when nothing could be taken. Returns what it lacks. */
  const takeInto = async (folder: string, instance: Instance, until: number, signal: AbortSignal): Promise<string[]> => {
    const { id, environment } = instance
    const secrets = [...keeper.find(environment).values()].flatMap(given => [...given.values()]).filter(({ length }) => length >= shortestSecret)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const { gaps } = await backend.takeEvidence(id, { folder, mostBytes, secrets }, signal)
    const lacks = await writeEvents(instance, until, join(folder, 'events.jsonl'), signal).catch((error: unknown) => [
      `the events before: ${messageOf(error)}`,
    ])
    return [...gaps, ...lacks]
  }

  const brokenOff = 'a daemon was killed while it was taken: what else is missing is not known'

  /** The folder gets its name when all is there. */
  const takeWhole = async (folder: string, instance: Instance, until: number, signal: AbortSignal): Promise<string[]> => {
    // It was whole, and nobody had written of it yet: nothing better can be taken now.
    if (existsSync(folder)) return [brokenOff]
    const [fresh, partial] = [`${folder}.new`, `${folder}.partial`]
    if (existsSync(fresh) && !existsSync(partial)) await rename(fresh, partial)
    await rm(fresh, { recursive: true, force: true })
    try {
      const gaps = await takeInto(fresh, instance, until, signal)
      await rename(fresh, folder)
      await rm(partial, { recursive: true, force: true })
      return gaps
    } catch (error) {
      await rm(fresh, { recursive: true, force: true })
      if (!existsSync(partial)) throw error
      await rename(partial, folder)
      return [brokenOff, messageOf(error)]
    }
  }

  return {
    take: async (instance, { take, rule, until }, signal) => {
      const { id, environment } = instance
      // A daemon that was killed has left its decision half done; this half was.
      if (takenIn(environment).some(one => one.take === take)) return
      using limit = deadline(clock, agenda, patience, 'taking evidence took too long', signal)
      await room.make(mostBytes)
      const folder = folderOf(environment, take)
      const gaps = await takeWhole(folder, instance, until, limit.signal)
      const files: EvidenceFile[] = []
      for (const name of (await readdir(folder)).sort()) {
        const path = join(folder, name)
        files.push({ name, bytes: (await stat(path)).size, sha256: await sha256Of(path) })
      }
      const reason = `${files.length} files of evidence: ${rule}`
      lifecycle.note({ environment, instance: id, type: takenType, actor: dayfly, reason, data: { decision: take, rule, files, gaps } })
    },
    list,
    isPruned: room.isPruned,
    path: (environment, take, name) => {
      const known = takenIn(environment).find(taken => taken.take === take && taken.files.some(file => file.name === name))
      const path = join(folderOf(environment, take), name)
      if (known !== undefined && !existsSync(path)) {
        throw new DayflyError('not_found', `the evidence ${take}/${name} of ${environment} is not there any more`, {
          field: 'file',
          remedy: 'It gave way to newer evidence, or was taken away: dayfly verify ENV tells which.',
        })
      }
      if (known === undefined) {
        throw new DayflyError('not_found', `there is no evidence ${take}/${name} of ${environment}`, {
          field: 'file',
          remedy: 'See what there is: dayfly forensics ENV.',
        })
      }
      return path
    },
  }
}
