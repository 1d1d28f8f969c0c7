/**
 * What the operator says about sensing: the DetectionSettings of the policy folder, and rule files: those of `<state>/rules`, and those that the settings name.
 * Looked at again when they change. Faulty rules change nothing: the thread says so, and those before them stay in force.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DayflyError, errnoOf, messageOf } from '../../../base/errors.ts'
import type { Log } from '../../../base/log.ts'
import { sensitivePaths, writePaths } from '../../../detect/rules/watched.ts'
import type { DetectionSettings } from '../../../detect/settings/settings.ts'
import type { RuleFile, RuleSettings, SensorSettings } from './messages.ts'

/** Between two looks, ms: as often as policies are looked at. */
const interval = 2000
const mostFiles = 1000
/** Bytes of one rule file. */
const largestFile = 4 * 1024 * 1024

export interface SettingsOptions {
  /** In force now. */
  readonly settings: () => DetectionSettings
  /** Folder of rule files, which need not be there. */
  readonly folder: string
  readonly sensing: { set(settings: SensorSettings): void; setRules(rules: RuleSettings): void }
  readonly log: Log
}

export interface SettingsWatch extends AsyncDisposable {
  /** Why the files as they are now could not be read; undefined: they could. */
  fault(): string | undefined
  look(): Promise<void>
}

/** With the paths that Dayfly's own rules ask for. */
export const sensorSettingsOf = ({ sensor }: DetectionSettings): SensorSettings => ({
  ...sensor,
  sensitivePaths: [...new Set([...sensitivePaths, ...sensor.sensitivePaths])],
  writePaths: [...new Set([...writePaths, ...sensor.writePaths])],
})

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    const names = (await readdir(folder)).filter(name => /\.ya?ml$/i.test(name) && !name.startsWith('.')).sort()
    if (names.length > mostFiles) throw new DayflyError('invalid', `${folder} has more than ${mostFiles} rule files`)
    return names.map(name => join(folder, name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Changes when a file comes, goes or is written, or a link leads elsewhere. */
const signatureOf = async (paths: readonly string[]): Promise<string> => {
  const stats = await Promise.all(paths.map(path => stat(path, { bigint: true }).catch(() => undefined)))
  return paths.map((path, index) => `${path} ${stats[index]?.ino} ${stats[index]?.size} ${stats[index]?.ctimeNs}`).join('\n')
}

const readRules = (paths: readonly string[]): Promise<RuleFile[]> =>
  Promise.all(
    paths.map(async path => {
      if ((await stat(path)).size > largestFile) throw new DayflyError('invalid', `${path} is larger than ${largestFile} bytes`)
      return { path, text: await readFile(path, 'utf8') }
    }),
  )

/** What there is at the beginning is in force when it resolves: faulty files are told and leave none. */
export const watchSettings = async ({ settings, folder, sensing, log }: SettingsOptions): Promise<SettingsWatch> => {
  let seen: string | undefined
  let inForce: string | undefined
  let fault: string | undefined

  const look = async (): Promise<void> => {
    const { rules, ...rest } = settings()
    sensing.set(sensorSettingsOf({ rules, ...rest }))
    const paths = [...(await namesIn(folder)), ...rules.files]
    const signature = `${rules.dayfly}\n${await signatureOf(paths)}`
    // Who writes them may not be done.
    const settled = signature === seen || inForce === undefined
    seen = signature
    if (!settled || signature === inForce) return
    const files = await readRules(paths)
    inForce = signature
    fault = undefined
    sensing.setRules({ dayfly: rules.dayfly, files })
  }
  let looking: Promise<void> | undefined
  const lookNow = (): Promise<void> => {
    looking ??= look()
      .catch((error: unknown) => {
        const why = messageOf(error)
        if (why !== fault) log.error('the detection rules cannot be read: those before them stay in force', { folder, error })
        fault = why
      })
      .finally(() => {
        looking = undefined
      })
    return looking
  }
  const timer = setInterval(() => void lookNow(), interval)
  timer.unref()
  await lookNow()
  return {
    fault: () => fault,
    look: lookNow,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await looking
    },
  }
}
