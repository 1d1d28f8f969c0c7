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
import type { Sources } from './sources.ts'
import type { Origin, Path } from './tree.ts'
import { isMapping, originAt, scalar, withMember } from './tree.ts'
import { typed } from './typed.ts'

export interface Request {
  readonly files: readonly string[]
  readonly projectFolder: string
  readonly projectName?: string | undefined
  readonly env: Readonly<Record<string, string>>
  readonly envFiles?: readonly string[] | undefined
  readonly profiles: readonly string[]
  readonly sources: Sources
}

export interface Resolved {
  readonly project: Project
  readonly problems: Problems
  /** What secrets and configs hold that come from the environment, by `secrets.NAME` and `configs.NAME`. */
  readonly values: ReadonlyMap<string, string>
  /** Where a property of the project was written. */
  readonly locate: (path: Path) => Origin
}

const isEnabled = (service: Service, profiles: readonly string[]): boolean => {
  const own = service.profiles ?? []
  return own.length === 0 || profiles.includes('*') || own.some(profile => profiles.includes(profile))
}

const pick = <T>(record: Readonly<Record<string, T>>, wanted: (name: string, value: T) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([name, value]) => wanted(name, value)))

/** What the enabled services use of a section. */
const used = (services: readonly Service[]): Readonly<Record<'networks' | 'volumes' | 'secrets' | 'configs' | 'models', ReadonlySet<string>>> => ({
  networks: new Set(services.flatMap(service => Object.keys(service.networks ?? {}))),
  volumes: new Set(services.flatMap(service => (service.volumes ?? []).flatMap(mount => (mount.type === 'volume' ? (mount.source ?? []) : [])))),
  secrets: new Set(services.flatMap(service => [...(service.secrets ?? []), ...(service.build?.secrets ?? [])].map(mount => mount.source))),
  configs: new Set(services.flatMap(service => (service.configs ?? []).map(mount => mount.source))),
  models: new Set(services.flatMap(service => Object.keys(service.models ?? {}))),
})

/** The content without what no enabled service uses: nothing is made of it. */
const pruned = (content: Content, problems: Problems, locate: (path: Path) => Origin): Content => {
  const wanted = used(Object.values(content.services))
  const keep = <T>(section: keyof typeof wanted): ((name: string, value: T) => boolean) => {
    return name => {
      if (wanted[section].has(name)) return true
      const path = [section, name]
      if (name !== 'default') problems.warn('unused', locate(path), path, 'no enabled service uses it')
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

const checkFolder = (request: Request, problems: Problems): void => {
  if (!request.projectFolder.startsWith('/')) problems.error(undefined, ['projectFolder'], 'an absolute path is expected')
  problems.throwIfAny()
}

/** The project, or `InvalidCompose` with all that is wrong. */
export const resolve = async (request: Request): Promise<Resolved> => {
  const problems = new Problems(request.projectFolder)
  checkFolder(request, problems)
  const reading = new Reading(request.sources, problems, request.env['HOME'])
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
  const finished = typed(normalize(model, name, environment), problems)
  problems.throwIfAny()
  const locate = (path: Path): Origin => originAt(finished, path)
  const decoded = decode(isMapping(finished) ? withMember(finished, 'name', scalar(name, finished.origin)) : finished, problems)
  problems.throwIfAny()
  if (decoded === undefined) throw new TypeError('a model that cannot be decoded and has no problem')
  return {
    ...(await assemble(decoded, { files, folder, profiles: profilesOf(request.profiles, environment) }, environment, reading, locate)),
    problems,
    locate,
  }
}

interface Where {
  readonly files: readonly string[]
  readonly folder: string
  readonly profiles: readonly string[]
}

const assemble = async (
  content: Content,
  where: Where,
  environment: Environment,
  reading: Reading,
  locate: (path: Path) => Origin,
): Promise<Pick<Resolved, 'project' | 'values'>> => {
  const { problems } = reading
  const enabled = pick(content.services, (_, service) => isEnabled(service, where.profiles))
  const disabled = pick(content.services, (_, service) => !isEnabled(service, where.profiles))
  checkConsistency({ content, enabled, disabled, problems, locate })
  const services: Record<string, Service> = {}
  for (const [name, service] of Object.entries(enabled)) {
    const labelled = await withLabelFiles(name, withoutDisabled(service, enabled), reading, locate)
    services[name] = await withEnvironmentFiles(name, labelled, environment, reading, locate)
  }
  problems.throwIfAny()
  return { project: { ...pruned({ ...content, services }, problems, locate), ...where, disabled }, values: reading.values }
}
