/** The policies in force: those of the operator's folder, looked at again when it changes. Faulty files change nothing: what was in force stays so. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { DetectionRules } from '../../detect/settings/read.ts'
import { readDetectionRules } from '../../detect/settings/read.ts'
import type { Assembly } from '../../policy/assemble.ts'
import { assemble } from '../../policy/assemble.ts'
import type { Policies } from '../../policy/decision.ts'
import type { PolicyFile } from '../../policy/kubernetes/files.ts'
import type { PresetName } from '../../policy/presets/settings.ts'

/** Between two looks at the folder, ms. */
const interval = 2000
const mostFiles = 1000

export interface PolicyFolder extends AsyncDisposable {
  /** In force now; another object once something changed. */
  current(): Policies
  assembly(): Assembly
  /** What they say about detection and what follows; another object once something changed. */
  detection(): DetectionRules
  /** Why the files as they are now are not in force; undefined when they are. */
  fault(): string | undefined
  /** Looks at once, beside the looks that it takes by itself. What has changed is in force at the second look that finds it so. */
  look(): Promise<void>
}

export interface PolicyFolderOptions {
  /** One that is not there holds nothing, unless it is `required`. */
  readonly folder: string
  readonly required: boolean
  readonly preset: PresetName | undefined
  readonly clock: Clock
  readonly log: Log
}

/** A link that leads to no file would be a policy that somebody believes to be in force: that is an error. */
const isFile = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch((error: unknown) => {
    throw new DayflyError('invalid', `${path} leads nowhere`, { field: '--policies', cause: error })
  })
  if (found.isDirectory()) throw new DayflyError('invalid', `${path} is a link to a folder: what is in it is not read`, { field: '--policies' })
  return found.isFile()
}

/** Links to files count: that is how configuration is mounted. What is in folders whose names begin with a dot is somebody's own affair. */
const filesIn = async (folder: string): Promise<string[]> => {
  const files: string[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const hidden = entry.name.startsWith('.')
    if (entry.isDirectory() && !hidden) files.push(...(await filesIn(path)))
    const counts = entry.isFile() || (entry.isSymbolicLink() && !hidden && (await isFile(path)))
    if (counts && /\.(ya?ml|json)$/i.test(entry.name)) files.push(path)
    if (files.length > mostFiles) throw new DayflyError('invalid', `${folder} has more than ${mostFiles} policy files`, { field: '--policies' })
  }
  return files
}

/** Undefined: there is no such folder. */
const namesIn = async (folder: string): Promise<string[] | undefined> => {
  if ((await stat(folder).catch((error: unknown) => errnoOf(error))) === 'ENOENT') return undefined
  try {
    return (await filesIn(folder)).sort()
  } catch (error) {
    throw error instanceof DayflyError ? error : new DayflyError('host', `the policies in ${folder} cannot be read`, { cause: error })
  }
}

/** Changes when a file comes, goes or is written, or a link leads elsewhere. */
const signatureOf = async (names: readonly string[]): Promise<string> => {
  const stats = await Promise.all(names.map(name => stat(name, { bigint: true }).catch(() => undefined)))
  return names.map((name, index) => `${name} ${stats[index]?.ino} ${stats[index]?.size} ${stats[index]?.ctimeNs}`).join('\n')
}

const readFiles = (names: readonly string[]): Promise<PolicyFile[]> =>
  Promise.all(names.map(async path => ({ path, text: await readFile(path, 'utf8') })))

/** Throws `invalid` when the files are faulty at the start: then nothing is in force that could stay so. */
export const openPolicies = async (options: PolicyFolderOptions): Promise<PolicyFolder> => {
  const { folder, required, preset, clock, log } = options
  const load = async (names: readonly string[]): Promise<Assembly> => assemble(await readFiles(names), { preset, looking: true, now: clock.wall() })
  const names = await namesIn(folder)
  if (names === undefined && required)
    throw new DayflyError('invalid', `the folder of policies ${folder} is not there`, {
      field: '--policies',
      remedy: 'Make it, or correct the path.',
    })
  let there = names !== undefined
  /** The files as they were when what is in force was read; at the last look; and when they were last read, if that failed. */
  let inForce = await signatureOf(names ?? [])
  let seen = inForce
  let tried: string | undefined
  let assembly = await load(names ?? [])
  let detection = readDetectionRules(assembly.detection, clock.wall())
  let policies = assembly.enforce()
  let fault: string | undefined
  for (const note of assembly.notes) log.warn('a policy file', { note })

  const look = async (): Promise<void> => {
    const now = await namesIn(folder)
    // A disk that is not mounted any more must not be taken for a decision to have no policies.
    if (now === undefined && there) throw new DayflyError('host', `${folder} is not there any more`, { remedy: 'For no policies, leave it empty.' })
    const signature = await signatureOf(now ?? [])
    // Who writes them may not be done: half of them is not what anybody wants.
    const settled = signature === seen
    seen = signature
    if (signature === inForce) fault = undefined
    if (!settled || signature === inForce || signature === tried) return
    tried = signature
    const next = await load(now ?? [])
    const nextDetection = readDetectionRules(next.detection, clock.wall())
    if ((await signatureOf((await namesIn(folder)) ?? [])) !== signature) {
      tried = undefined
      return
    }
    const before = policies
    policies = next.enforce()
    assembly = next
    detection = nextDetection
    inForce = signature
    tried = undefined
    fault = undefined
    there = now !== undefined
    log.info('policies have changed', { version: policies.version })
    for (const note of next.notes) log.warn('a policy file', { note })
    await before[Symbol.asyncDispose]()
  }
  let looking: Promise<void> | undefined
  const lookNow = (): Promise<void> => {
    looking ??= look()
      .catch((error: unknown) => {
        const why = messageOf(error)
        if (why !== fault) log.error('the policy files are faulty: those before them stay in force', { folder, error })
        fault = why
      })
      .finally(() => {
        looking = undefined
      })
    return looking
  }
  const timer = setInterval(() => void lookNow(), interval)
  timer.unref()

  return {
    current: () => policies,
    assembly: () => assembly,
    detection: () => detection,
    fault: () => fault,
    look: lookNow,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await looking
      await policies[Symbol.asyncDispose]()
    },
  }
}
