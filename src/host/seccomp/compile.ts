/** From a profile to a filter that the kernel loads. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'
import type { CallGroup, Condition, SeccompProfile } from './profile.ts'

/** The language of native/helper/seccomp.c. */
export interface SeccompSource {
  readonly defaultAction: string
  readonly architectures: readonly string[]
  readonly rules: readonly string[]
}

export interface SeccompCompiler {
  /** Names what compiles, with its version: another one may make another filter. */
  readonly library: string
  /** `program`: an array of struct sock_filter, base64. */
  compile(source: SeccompSource): Promise<{ readonly program: string }>
}

/** Architectures whose programs a machine runs, the machine's own first. A call of any other ends the process. */
const architectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['x86_64', 'x86', 'x32'],
  arm64: ['aarch64'],
}

const conditionText = (condition: Condition): string => {
  switch (condition.is) {
    case 'equal':
      return `${condition.argument} eq ${condition.value}`
    case 'greater':
      return `${condition.argument} gt ${condition.value}`
    case 'masked':
      return `${condition.argument} masked ${condition.mask} ${condition.value}`
  }
}

const ruleTexts = (action: string, { calls, when = [[]] }: CallGroup): string[] =>
  when.map(alternative => [action, calls.join(','), ...alternative.map(conditionText)].join(' '))

/** `architecture` as Node names it (`process.arch`). Throws `host` when it is one that no profile was made for. */
export const seccompSource = (profile: SeccompProfile, architecture: string): SeccompSource => {
  const known = architectures[architecture]
  if (known === undefined) {
    throw new DayflyError('host', `there is no seccomp profile for ${architecture}`, {
      remedy: `Use a machine with ${Object.keys(architectures).join(' or ')}.`,
    })
  }
  return {
    defaultAction: `errno:${profile.otherwise}`,
    architectures: known,
    rules: [
      ...profile.refused.flatMap(group => ruleTexts(`errno:${group.errno}`, group)),
      ...profile.allowed.flatMap(group => ruleTexts('allow', group)),
    ],
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A file of two lines: the hash of the second, the program. undefined when it is not there, or torn. */
const readCached = (file: string): string | undefined => {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw new DayflyError('host', `reading the seccomp filter ${file}: ${messageOf(error)}`, { cause: error })
  }
  const [hash, program] = text.split('\n')
  return program !== undefined && program !== '' && sha256(program) === hash ? program : undefined
}

const writeCached = (file: string, program: string): void => {
  const temporary = `${file}.${process.pid}`
  try {
    writeFileSync(temporary, `${sha256(program)}\n${program}\n`, { mode: 0o600 })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new DayflyError('host', `keeping the seccomp filter ${file}: ${messageOf(error)}`, { cause: error, remedy: 'Make room on this disk.' })
  }
}

/**
 * The compiled filter, base64, as crun takes it in the annotation `run.oci.seccomp_bpf_data`. Kept in `cacheFolder`, which only this user may write to, by
 * the hash of profile, architectures and library. `architecture` is as in `process.arch`. Rejects with what the compiler rejects with, or `host`.
 */
export const compileSeccomp = async (
  profile: SeccompProfile,
  compiler: SeccompCompiler,
  cacheFolder: string,
  architecture: string = process.arch,
): Promise<string> => {
  const source = seccompSource(profile, architecture)
  const file = join(cacheFolder, `seccomp-${sha256(JSON.stringify([source, compiler.library]))}`)
  const cached = readCached(file)
  if (cached !== undefined) return cached
  const { program } = await compiler.compile(source)
  mkdirSync(cacheFolder, { recursive: true, mode: 0o700 })
  writeCached(file, program)
  return program
}
