/** The contents of secrets: checked against the spec, kept out of what is shown, and kept for instances that come later. */
import { DayflyError, exhaustionOf, messageOf } from '../base/errors.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Secrets } from './engine.ts'

/** Keeps the secrets of environments whose instances come and go, in memory that outlives the daemon but not the host; never in the store. */
export interface SecretKeeper {
  keep(environment: string, secrets: Secrets): void
  /** What was kept; none where it is not there any more. */
  find(environment: string): Secrets
  forget(environment: string): void
}

/** For engines whose secrets may die with them. */
export const forgetfulKeeper = (): SecretKeeper => {
  const kept = new Map<string, Secrets>()
  return {
    keep: (environment, secrets) => void kept.set(environment, secrets),
    find: environment => kept.get(environment) ?? new Map(),
    forget: environment => void kept.delete(environment),
  }
}

/** Every secret a workload names has its content, and none is there that nobody names. */
export const checkSecrets = (spec: EnvironmentSpec, secrets: Secrets): void => {
  for (const [workload, { secrets: names }] of Object.entries(spec.workloads)) {
    const given = secrets.get(workload)
    const missing = names.find(name => !given?.has(name))
    if (missing !== undefined) {
      throw new DayflyError('invalid', `--secret: the secret ${missing} of ${workload} has no content`, { field: '--secret' })
    }
  }
  for (const [workload, given] of secrets) {
    const names = spec.workloads[workload]?.secrets ?? []
    const stray = [...given.keys()].find(name => !names.includes(name))
    if (stray !== undefined) throw new DayflyError('invalid', `--secret: ${workload} names no secret ${stray}`, { field: '--secret' })
  }
}

/** Shorter ones are no secrets, and would blacken half of any message. */
export const shortestSecret = 4

/** The text with each secret that can be read in it struck out. */
export const withoutSecrets = (text: string, secrets: Secrets): string =>
  [...secrets.values()]
    .flatMap(given => [...given.values()].map(value => Buffer.from(value).toString('utf8').trim()))
    .filter(value => value.length >= shortestSecret)
    .reduce((cleaned, value) => cleaned.replaceAll(value, '[secret]'), text)

/** The error as it may be shown and recorded: a DayflyError, in which no secret is readable, whoever wrote its message. */
export const presentable = (thrown: unknown, secrets: Secrets): DayflyError => {
  const error = exhaustionOf(thrown) ?? thrown
  const clean = (text: string): string => withoutSecrets(text, secrets)
  const message = messageOf(error)
  const readable = clean(message) !== message
  if (error instanceof DayflyError && !readable) return error
  const { code, field, remedy } = error instanceof DayflyError ? error : { code: 'internal' as const, field: undefined, remedy: undefined }
  return new DayflyError(code, clean(message), {
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy: clean(remedy) }),
    ...(readable ? {} : { cause: error }),
  })
}
