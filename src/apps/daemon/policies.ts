/** The policies in force: those of the operator's folder, looked at again when it changes. Faulty files change nothing: what was in force stays so. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
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
  /** Why the files as they are now are not in force; undefined when they are. */
  fault(): string | undefined
}

export interface PolicyFolderOptions {
  /** One that is not there holds nothing. */
  readonly folder: string
  readonly preset: PresetName | undefined
  readonly clock: Clock
  readonly log: Log
}

const namesIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw new DayflyError('host', `the policies in ${folder} cannot be read`, { cause: error })
  })
  const files = entries.filter(entry => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name)).map(entry => join(entry.parentPath, entry.name))
  if (files.length > mostFiles)
    throw new DayflyError('invalid', `${folder} has ${files.length} policy files, more than ${mostFiles}`, { field: '--policies' })
  return files.sort()
}

/** Changes when a file comes, goes or is written. */
const signatureOf = async (names: readonly string[]): Promise<string> => {
  const stats = await Promise.all(names.map(name => stat(name, { bigint: true }).catch(() => undefined)))
  return names.map((name, index) => `${name} ${stats[index]?.ino} ${stats[index]?.size} ${stats[index]?.ctimeNs}`).join('\n')
}

const readFiles = (names: readonly string[]): Promise<PolicyFile[]> =>
  Promise.all(names.map(async path => ({ path, text: await readFile(path, 'utf8') })))

/** Throws `invalid` when the files are faulty at the start: then nothing is in force that could stay so. */
export const openPolicies = async ({ folder, preset, clock, log }: PolicyFolderOptions): Promise<PolicyFolder> => {
  const load = async (names: readonly string[]): Promise<Assembly> => assemble(await readFiles(names), { preset, looking: true, now: clock.wall() })
  const names = await namesIn(folder)
  let seen = await signatureOf(names)
  let assembly = await load(names)
  let policies = assembly.enforce()
  let fault: string | undefined
  for (const note of assembly.notes) log.warn('a policy file', { note })

  const look = async (): Promise<void> => {
    const now = await namesIn(folder)
    const signature = await signatureOf(now)
    if (signature === seen) return
    seen = signature
    const next = await load(now)
    const before = policies
    assembly = next
    policies = next.enforce()
    fault = undefined
    log.info('policies have changed', { version: policies.version })
    for (const note of next.notes) log.warn('a policy file', { note })
    await before[Symbol.asyncDispose]()
  }
  let looking = Promise.resolve()
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error: unknown) => {
      fault = error instanceof Error ? error.message : String(error)
      log.error('the policy files are faulty: those before them stay in force', { folder, error })
    })
  }, interval)
  timer.unref()

  return {
    current: () => policies,
    assembly: () => assembly,
    fault: () => fault,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await looking
      await policies[Symbol.asyncDispose]()
    },
  }
}
