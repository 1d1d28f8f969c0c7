/** Files to a project, exactly as docker compose reads them. What Dayfly makes of it is said elsewhere (`admit.ts`). */
import { DayflyError } from '../base/errors.ts'
import { checkConsistency } from './consistency.ts'
import { decode } from './decode.ts'
import { readModel } from './documents.ts'
import type { Environment } from './environment.ts'
import { projectEnvironment } from './environment.ts'
import { withEnvironmentFiles, withLabelFiles } from './files.ts'
import { findFiles } from './find.ts'
import { projectName } from './name.ts'
import { normalize } from './normalize.ts'
import { Problems } from './problems.ts'
import type { Content, Project, Service } from './project.ts'
import { Reading } from './reading.ts'
import type { Choice, Selectable } from './select.ts'
import { checkNames, chosen, isEnabled, pick, profilesWith } from './select.ts'
import type { Sources } from './sources.ts'
import type { Mapping, Node, Origin, Path } from './tree.ts'
import { isMapping, isSequence, members, originAt, plain, scalar, withMember } from './tree.ts'
import { typed } from './typed.ts'

export interface LoadRequest {
  /**
   * Compose files, each over those before; relative ones to `projectFolder`. None: COMPOSE_FILE, else `compose.yaml` and its kin in `projectFolder` or the
   * nearest folder above, with its override file; the project's folder is then that of the first file.
   */
  readonly files: readonly string[]
  /** Absolute. Where relative paths start; for files that are given, docker compose takes the folder of the first one. */
  readonly projectFolder: string
  /** Goes before COMPOSE_PROJECT_NAME, `name` in the files, and the folder's name. */
  readonly projectName?: string | undefined
  /** The caller's environment: variables, COMPOSE_* settings, HOME. */
  readonly env: Readonly<Record<string, string>>
  /** Instead of `.env` of the project folder; relative ones to it, and a later one over an earlier one. */
  readonly envFiles?: readonly string[] | undefined
  /** Profiles to enable, `*` for all. None: COMPOSE_PROFILES. */
  readonly profiles: readonly string[]
  /** Only these and what they depend on; their profiles are enabled. None or absent: all that are enabled. */
  readonly services?: readonly string[] | undefined
  /** Beside the services named also what they depend on; true when left out. */
  readonly dependencies?: boolean | undefined
  readonly sources: Sources
}

export interface Resolved {
  readonly project: Project
  readonly problems: Problems
  /** What secrets and configs hold that come from the environment, by `secrets.NAME` and `configs.NAME`. */
  readonly values: ReadonlyMap<string, string>
  /** Every place that has an `x-dayfly`, also where a project keeps none. */
  readonly extensions: readonly Path[]
  /** Where a property of the project was written. */
  readonly locate: (path: Path) => Origin
}

/** What the enabled services use of a section. */
const used = (services: readonly Service[]): Readonly<Record<'networks' | 'volumes' | 'secrets' | 'configs' | 'models', ReadonlySet<string>>> => ({
  networks: new Set(services.flatMap(service => Object.keys(service.networks ?? {}))),
  volumes: new Set(services.flatMap(service => (service.volumes ?? []).flatMap(mount => (mount.type === 'volume' ? (mount.source ?? []) : [])))),
  secrets: new Set(services.flatMap(service => [...(service.secrets ?? []), ...(service.build?.secrets ?? [])].map(mount => mount.source))),
  configs: new Set(services.flatMap(service => (service.configs ?? []).map(mount => mount.source))),
  models: new Set(services.flatMap(service => Object.keys(service.models ?? {}))),
})

/** The content without what none of its services uses: nothing is made of it. What `all` the enabled ones do not use either is warned of. */
const pruned = (content: Content, all: readonly Service[], problems: Problems, locate: (path: Path) => Origin): Content => {
  const wanted = used(Object.values(content.services))
  const known = used(all)
  const keep = <T>(section: keyof typeof wanted): ((name: string, value: T) => boolean) => {
    return name => {
      if (wanted[section].has(name)) return true
      const path = [section, name]
      if (name !== 'default' && !known[section].has(name)) problems.warn('unused', locate(path), path, 'no enabled service uses it')
      return false
    }
  }
  return {
    ...content,
    networks: pick(content.networks, keep('networks')),
    volumes: pick(content.volumes, keep('volumes')),
    secrets: pick(content.secrets, keep('secrets')),
    configs: pick(content.configs, keep('configs')),
    models: pick(content.models, keep('models')),
  }
}

/** The service without dependencies that are not enabled: they have turned out not to be required. */
const withoutDisabled = (service: Service, enabled: Readonly<Record<string, Service>>): Service => {
  if (service.depends_on === undefined) return service
  const { depends_on: all, ...rest } = service
  const kept = pick(all, name => Object.hasOwn(enabled, name))
  return Object.keys(kept).length === 0 ? rest : { ...rest, depends_on: kept }
}

const profilesOf = (given: readonly string[], environment: Environment): string[] =>
  (given.length > 0 ? [...given] : (environment.get('COMPOSE_PROFILES') ?? '').split(','))
    .map(profile => profile.trim())
    .filter(profile => profile !== '')

const checkFolder = (request: LoadRequest, problems: Problems): void => {
  if (!request.projectFolder.startsWith('/')) problems.error(undefined, ['projectFolder'], 'an absolute path is expected')
  problems.throwIfAny()
}

interface Read {
  readonly model: Mapping
  readonly name: string
  readonly files: readonly string[]
  readonly folder: string
  readonly environment: Environment
  readonly reading: Reading
}

/** The files merged to one model that the schema allows; throws `InvalidCompose` for one that it does not. */
const read = async (request: LoadRequest, interpolates: boolean): Promise<Read> => {
  const problems = new Problems(request.projectFolder)
  checkFolder(request, problems)
  const reading = new Reading(request.sources, problems, request.env['HOME'], interpolates)
  const caller: Environment = new Map(Object.entries(request.env))
  const start = request.projectFolder
  const here = await projectEnvironment(start, caller, request.envFiles ?? [], reading)
  const found =
    request.files.length > 0 ? { files: request.files.map(file => reading.path(start, file)), folder: start } : await findFiles(start, here, reading)
  if (found === undefined) {
    throw new DayflyError('invalid', `there is no compose file in ${start} or above it`, { remedy: 'Write a compose.yaml, or name a file.' })
  }
  const { files, folder } = found
  // The .env beside a file that was found further up counts too, after the one here.
  const more = folder === start ? here : await projectEnvironment(folder, here, request.envFiles ?? [], reading)
  const name = await projectName(request.projectName, files, folder, more, reading)
  const environment = new Map([...more, ['COMPOSE_PROJECT_NAME', name]])
  const model = await readModel(files, { folder, environment, including: [] }, reading, { origin: undefined, path: [] })
  if (model.entries.size === 0 && !problems.failed) problems.error(model.origin, [], 'the file is empty', { remedy: 'Add services.' })
  problems.throwIfAny()
  return { model, name, files, folder, environment, reading }
}

/** What stands within somebody else's extension is theirs. */
const extensionsIn = (node: Node, path: Path = []): Path[] => {
  if (isSequence(node)) return node.items.flatMap((item, index) => extensionsIn(item, [...path, index]))
  return members(node).flatMap(([name, value]) => {
    if (name === 'x-dayfly') return [[...path, name]]
    return name.startsWith('x-') ? [] : extensionsIn(value, [...path, name])
  })
}

const named = (model: Mapping, name: string): Mapping => withMember(model, 'name', scalar(name, model.origin))

/** The project, or `InvalidCompose` with all that is wrong. */
export const resolve = async (request: LoadRequest): Promise<Resolved> => {
  const { model, name, files, folder, environment, reading } = await read(request, true)
  const { problems } = reading
  const finished = typed(normalize(model, name, environment), problems)
  problems.throwIfAny()
  const locate = (path: Path): Origin => originAt(finished, path)
  const decoded = decode(isMapping(finished) ? named(finished, name) : finished, problems)
  problems.throwIfAny()
  if (decoded === undefined) throw new TypeError('a model that cannot be decoded and has no problem')
  const where = { files, folder, profiles: profilesOf(request.profiles, environment) }
  return {
    ...(await assemble(decoded, where, choiceOf(request), environment, reading, locate)),
    problems,
    locate,
    extensions: extensionsIn(finished),
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** As far as a model says it where variables may stand for anything. */
const selectable = (service: unknown): Selectable => {
  const { profiles, depends_on } = isRecord(service) ? service : {}
  return { profiles: Array.isArray(profiles) ? profiles.map(String) : [], depends_on: isRecord(depends_on) ? depends_on : {} }
}

/**
 * What files come to as plain data with their variables as they are written, to be printed. What has a variable and would have to be taken apart or
 * converted (`"${PORT}:80"`) stays as it is; files of `env_file` are not read, and nothing is checked but syntax and schema.
 */
export const resolveModel = async (
  request: LoadRequest,
): Promise<{ readonly model: Readonly<Record<string, unknown>>; readonly problems: Problems }> => {
  const { model, name, environment, reading } = await read(request, false)
  const { problems } = reading
  const whole = plain(named(normalize(model, name, undefined), name))
  if (!isRecord(whole)) throw new TypeError('a model that is no mapping')
  const services = isRecord(whole['services']) ? whole['services'] : {}
  const all = Object.fromEntries(Object.entries(services).map(([key, service]) => [key, selectable(service)]))
  const { names, dependencies } = choiceOf(request)
  checkNames(names, all, problems)
  problems.throwIfAny()
  const profiles = profilesWith(profilesOf(request.profiles, environment), names, all)
  const wanted = chosen(
    pick(all, (_, service) => isEnabled(service, profiles)),
    { names, dependencies },
  )
  return { model: { ...whole, services: pick(services, key => wanted.has(key)) }, problems }
}

interface Where {
  readonly files: readonly string[]
  readonly folder: string
  readonly profiles: readonly string[]
}

const choiceOf = ({ services = [], dependencies = true }: LoadRequest): Choice => ({ names: services, dependencies })

const assemble = async (
  content: Content,
  where: Where,
  choice: Choice,
  environment: Environment,
  reading: Reading,
  locate: (path: Path) => Origin,
): Promise<Pick<Resolved, 'project' | 'values'>> => {
  const { problems } = reading
  checkNames(choice.names, content.services, problems)
  const profiles = profilesWith(where.profiles, choice.names, content.services)
  const enabled = pick(content.services, (_, service) => isEnabled(service, profiles))
  const disabled = pick(content.services, name => !Object.hasOwn(enabled, name))
  checkConsistency({ content, enabled, disabled, problems, locate })
  const wanted = chosen(enabled, choice)
  const services: Record<string, Service> = {}
  for (const [name, service] of Object.entries(pick(enabled, name => wanted.has(name)))) {
    const labelled = await withLabelFiles(name, withoutDisabled(service, enabled), reading, locate)
    services[name] = await withEnvironmentFiles(name, labelled, environment, reading, locate)
  }
  problems.throwIfAny()
  const others = pick(content.services, name => !wanted.has(name))
  const kept = pruned({ ...content, services }, Object.values(enabled), problems, locate)
  return { project: { ...kept, ...where, profiles, disabled: others }, values: reading.values }
}
