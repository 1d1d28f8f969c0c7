/** A resolved project against what Dayfly supports, and what its `x-dayfly` says. Everything found is told to the project's problems. */
import type { z } from 'zod'
import type { DayflyProject } from './extension.ts'
import { ProjectExtension, ServiceExtension } from './extension.ts'
import { toPlain } from './print.ts'
import type { Problems } from './problems.ts'
import type { Service } from './project.ts'
import type { Resolved } from './resolve.ts'
import type { Sources } from './sources.ts'
import { suggest } from './suggest.ts'
import { support } from './support.ts'
import type { Origin, Path } from './tree.ts'
import { patternTable } from './tree.ts'
import type { Support, Surroundings } from './verdict.ts'

const supportOf = patternTable<Support>(support)

/** Written, and saying nothing: `privileged: false`, `devices: []`. */
const saysNothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0)

interface Walk {
  readonly around: Surroundings
  readonly problems: Problems
  readonly locate: (path: Path) => Origin
}

const judge = async (walk: Walk, value: unknown, path: Path): Promise<boolean> => {
  const known = supportOf(path)
  const verdict = known?.status === 'judged' ? await known.judge(value, walk.around) : known?.status === 'supported' ? undefined : known
  if (verdict === undefined) return true
  const { status, reason } = verdict
  if (status === 'ignored') walk.problems.warn('ignored', walk.locate(path), path, `it has no effect: ${reason}`)
  else {
    const { policy, remedy } = verdict
    walk.problems.error(walk.locate(path), path, reason, remedy === undefined ? { policy } : { policy, remedy })
  }
  return false
}

const visit = async (walk: Walk, value: unknown, path: Path): Promise<void> => {
  if (saysNothing(value)) return
  if (path.length > 0 && !(await judge(walk, value, path))) return
  if (Array.isArray(value)) for (const [index, item] of value.entries()) await visit(walk, item, [...path, index])
  else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) if (!name.startsWith('x-')) await visit(walk, item, [...path, name])
  }
}

type Issue = z.core.$ZodIssue

/** The names that are known where an unknown one was found, which zod does not tell. */
const knownNames: Readonly<Record<string, readonly string[]>> = {
  'x-dayfly': ['lease', 'egress', 'expose'],
  service: ['kind', 'egress', 'expose', 'scale', 'runtime', 'idle'],
  lease: ['ttl', 'idle', 'retention', 'onIdle'],
  scale: ['min', 'max', 'target', 'window'],
  target: ['concurrency', 'cpu'],
  expose: ['port', 'protocol', 'published', 'host'],
}

/** What somebody may well look for here, and where it is instead. */
const elsewhere: Readonly<Record<string, string>> = {
  owner: 'An environment belongs to whoever brings it up: nobody can name another one.',
}

/** Where an `x-dayfly` is read. */
const places = patternTable<true>({ 'x-dayfly': true, 'services.*.x-dayfly': true, 'volumes.*.x-dayfly': true, 'secrets.*.x-dayfly': true })

const namesAt = (path: Path): readonly string[] => {
  const last = path.findLast(part => typeof part === 'string') ?? ''
  if (last === 'x-dayfly') return knownNames[path.length === 1 ? 'x-dayfly' : 'service'] ?? []
  return knownNames[path.includes('expose') ? 'expose' : String(last)] ?? []
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((parent, part) => (typeof parent === 'object' && parent !== null ? Reflect.get(parent, part) : undefined), value)

const describe = (issue: Issue, value: unknown): string => {
  if (issue.code !== 'invalid_value') return issue.message.replace(/^Invalid input: /, '')
  const values = issue.values.map(String)
  const found = String(valueAt(value, issue.path))
  const close = suggest(found, values)
  return `${JSON.stringify(found)} is none of ${values.join(', ')}${close === undefined ? '' : `; did you mean ${close}?`}`
}

const extension = <S extends z.ZodType>(walk: Walk, schema: S, value: unknown, path: Path): z.output<S> | undefined => {
  const result = schema.safeParse(value ?? {})
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const here: Path = [...path, ...issue.path.map(part => (typeof part === 'number' ? part : String(part)))]
    if (issue.code !== 'unrecognized_keys') {
      walk.problems.error(walk.locate(here), here, describe(issue, value))
      continue
    }
    const known = namesAt(here)
    for (const name of issue.keys) {
      const close = suggest(name, known)
      const message = `${JSON.stringify(name)} is nothing that x-dayfly knows here${close === undefined ? '' : `; did you mean ${close}?`}`
      walk.problems.error(walk.locate([...here, name]), [...here, name], message, {
        remedy: elsewhere[name] ?? `It knows ${known.join(', ')}.`,
      })
    }
  }
  return undefined
}

const aboutServices = (walk: Walk, project: ProjectExtension, services: Readonly<Record<string, Service>>): Record<string, ServiceExtension> => {
  const result: Record<string, ServiceExtension> = {}
  for (const name of Object.keys(project.expose)) {
    if (Object.hasOwn(services, name) || Object.hasOwn(walk.around.project.disabled, name)) continue
    const close = suggest(name, Object.keys(services))
    const path = ['x-dayfly', 'expose', name]
    walk.problems.error(walk.locate(path), path, `there is no service ${name}${close === undefined ? '' : `; did you mean ${close}?`}`)
  }
  for (const [name, service] of Object.entries(services)) {
    const path = ['services', name, 'x-dayfly']
    const found = extension(walk, ServiceExtension, service.extensions?.['x-dayfly'], path)
    if (found === undefined) continue
    const { scale } = found
    if (scale !== undefined && (service.scale ?? service.deploy?.replicas) !== undefined) {
      walk.problems.error(walk.locate([...path, 'scale']), [...path, 'scale'], 'scale or deploy.replicas fix a number already', {
        remedy: 'Keep x-dayfly.scale alone.',
      })
    }
    result[name] = { ...found, egress: [...project.egress, ...found.egress], expose: [...found.expose, ...(project.expose[name] ?? [])] }
  }
  return result
}

/** Tells what is refused and ignored, and what `x-dayfly` says (what cannot be read of it is told too, and left at its defaults). */
export const admit = async ({ project, problems, values, locate, extensions }: Resolved, sources: Sources): Promise<DayflyProject> => {
  const walk: Walk = { around: { project, sources }, problems, locate }
  await visit(walk, toPlain(project), [])
  for (const path of extensions.filter(each => places(each) === undefined)) {
    problems.error(locate(path), path, 'nothing reads an x-dayfly here', {
      remedy: 'It belongs at the top of the file, or directly into a service, a volume or a secret.',
    })
  }
  for (const section of ['secrets', 'configs'] as const) {
    for (const [name, { environment }] of Object.entries(project[section])) {
      if (environment === undefined || values.has(`${section}.${name}`)) continue
      const path = [section, name, 'environment']
      problems.warn('unset', locate(path), path, `the variable ${environment} is not set: what needs it cannot start`)
    }
  }
  const own = extension(walk, ProjectExtension, project.extensions['x-dayfly'], ['x-dayfly']) ?? ProjectExtension.parse({})
  return { ...own, services: aboutServices(walk, own, project.services) }
}
