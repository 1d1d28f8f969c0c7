/**
 * Evidence of what an instance is and has done, taken before it is killed: files beside its log, whose hashes the record binds. A take that a crash has broken off
 * is begun anew by whoever does its decision again.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { abortable } from '../base/abort.ts'
import type { Agenda } from '../base/agenda.ts'
import type { Clock } from '../base/clock.ts'
import { deadline } from '../base/deadline.ts'
import { DayflyError, messageOf } from '../base/errors.ts'
import type { ActivityFilter, Found } from '../model/activity.ts'
import type { Event } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Backend } from './backend.ts'
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
  /** Path of a file that `list` names. */
  path(environment: string, take: number, name: string): string
}

export const takenType = 'forensics.taken'
/** Of one take. */
const mostBytes = 256 * 1024 * 1024
const patience = 30_000
/** How far back the events go (ms), and how many they are at most: the last ones. */
const horizon = 60_000
const mostEvents = 100_000
/** Of one look, which nobody else gets a turn in. */
const page = 2000
const searchPatience = 10_000
/** What happens is kept within a second. */
const keptAfter = 1500

/** Everything of an environment. It goes with the record. */
export const forensicsFolder = (recordsFolder: string, environment: string): string => join(recordsFolder, `${environment}.forensics`)

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
}

export const createForensics = ({ backend, store, clock, agenda, lifecycle, keeper, recordsFolder, search }: ForensicsParts): Forensics => {
  const folderOf = (environment: string, take: number): string => join(forensicsFolder(recordsFolder, environment), String(take))

  const at = async (boot: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    using _timer = agenda.at(boot, resolve)
    await abortable(promise, signal)
  }

  /** The last ones before the trigger, oldest first, a JSON document a line. */
  const writeEvents = async ({ id, environment }: Instance, until: number, path: string, signal: AbortSignal): Promise<void> => {
    if (search === undefined) throw new DayflyError('host', 'nothing is watched')
    using limit = deadline(clock, agenda, searchPatience, 'the search took too long', signal)
    const secrets = keeper.find(environment)
    await at(clock.boot() + Math.min(keptAfter, Math.max(0, until + keptAfter - clock.wall())), limit.signal)
    const found: Found[] = []
    while (found.length < mostEvents) {
      const after = found.at(-1)?.position
      const more = await search(
        { environment, instance: id, since: until - horizon, until, limit: page, ...(after === undefined ? {} : { after }) },
        limit.signal,
      )
      found.push(...more)
      if (more.length < page) break
      await new Promise(setImmediate)
    }
    await using file = await open(path, 'wx', 0o600)
    for (let end = found.length; end > 0; end -= page) {
      const lines = found.slice(Math.max(0, end - page), end).toReversed()
      await file.appendFile(withoutSecrets(lines.map(({ activity }) => `${JSON.stringify(activity)}\n`).join(''), secrets))
    }
  }

  return {
    take: async (instance, { take, rule, until }, signal) => {
      const { id, environment } = instance
      using limit = deadline(clock, agenda, patience, 'taking evidence took too long', signal)
      const folder = folderOf(environment, take)
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const secrets = [...keeper.find(environment).values()].flatMap(given => [...given.values()]).filter(({ length }) => length >= shortestSecret)
      const gaps: string[] = []
      const names: string[] = []
      try {
        const evidence = await backend.takeEvidence(id, { folder, mostBytes, secrets }, limit.signal)
        names.push(...evidence.files)
        gaps.push(...evidence.gaps)
        await writeEvents(instance, until, join(folder, 'events.jsonl'), limit.signal)
          .then(() => names.push('events.jsonl'))
          .catch((error: unknown) => gaps.push(`the events before: ${messageOf(error)}`))
        const files: EvidenceFile[] = []
        for (const name of names) {
          const path = join(folder, name)
          files.push({ name, bytes: (await stat(path)).size, sha256: await sha256Of(path) })
        }
        const reason = `${files.length} files of evidence: ${rule}`
        lifecycle.note({ environment, instance: id, type: takenType, actor: dayfly, reason, data: { decision: take, rule, files, gaps } })
      } catch (error) {
        await rm(folder, { recursive: true, force: true })
        throw error
      }
    },
    list: environment => store.events({ environment, types: [takenType] }).flatMap(takenOf),
    path: (environment, take, name) => {
      const known = store
        .events({ environment, types: [takenType] })
        .flatMap(takenOf)
        .find(taken => taken.take === take && taken.files.some(file => file.name === name))
      if (known === undefined) {
        throw new DayflyError('not_found', `there is no evidence ${take}/${name} of ${environment}`, {
          field: 'file',
          remedy: 'See what there is: dayfly forensics ENV.',
        })
      }
      return join(folderOf(environment, take), name)
    },
  }
}
