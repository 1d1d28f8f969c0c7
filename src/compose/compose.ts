/**
 * Compose files to a project: what docker compose would make of them, and what Dayfly makes of that.
 *
 *   files ─▶ parse ─▶ interpolate ─▶ include, extend ─▶ merge ─▶ schema ─▶ long forms ─▶ defaults, paths, names ─▶ types ─▶ checks ─▶ policy
 *           yaml      interpolate    include, extends   merge    schema    canonical     normalize               typed    consistency  admit
 *
 * Pure: nothing is read but through the `Sources` that are given. Nothing is dropped in silence: a property is supported, ignored with a warning, or
 * refused (`support.ts`).
 */
import { admit } from './admit.ts'
import type { DayflyProject } from './extension.ts'
import type { Warning } from './problems.ts'
import type { Project } from './project.ts'
import type { LoadRequest } from './resolve.ts'
import { resolve } from './resolve.ts'

export interface Loaded {
  readonly project: Project
  /** What `x-dayfly` says, of the project and of each enabled service, with defaults. */
  readonly dayfly: DayflyProject
  /** What secrets and configs hold that come from the environment, by their key. Never to be stored, logged or shown. */
  readonly values: { readonly secrets: Readonly<Record<string, string>>; readonly configs: Readonly<Record<string, string>> }
  readonly warnings: readonly Warning[]
}

const valuesOf = (values: ReadonlyMap<string, string>, section: string, declared: object): Record<string, string> =>
  Object.fromEntries(
    Object.keys(declared).flatMap(name => {
      const value = values.get(`${section}.${name}`)
      return value === undefined ? [] : [[name, value] as const]
    }),
  )

/**
 * The project of some files, or `InvalidCompose` (a DayflyError, code `invalid`) with everything that is wrong: each problem has file, line, column, the
 * property's path, a remedy where there is one, and the policy's name when Dayfly refuses what docker compose would take. Syntax, schema and variables are
 * judged together first; when they are right, everything else together.
 */
export const load = async (request: LoadRequest): Promise<Loaded> => {
  const resolved = await resolve(request)
  const { project, problems, values } = resolved
  const dayfly = await admit(resolved, request.sources)
  problems.throwIfAny()
  return {
    project,
    dayfly,
    values: { secrets: valuesOf(values, 'secrets', project.secrets), configs: valuesOf(values, 'configs', project.configs) },
    warnings: problems.warnings,
  }
}
