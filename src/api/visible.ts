/**
 * The services as somebody sees them who is not the owner of the daemon's socket. Whatever is of another team does not exist here, so no route can tell it, nor
 * tell it from what never was. Every member stands in this file by its name: one that is added to `Services` and not here does not compile.
 *
 * What comes in from afar never reads this host's files by a path: whoever may is root of this host, and uses the socket.
 */
import { DayflyError } from '../base/errors.ts'
import type { Environment, EnvironmentSpec } from '../model/environment.ts'
import type { Instance } from '../model/instance.ts'
import type { Principal } from '../model/principal.ts'
import { isOf, teamOf } from '../model/principal.ts'
import type { Security, Sees } from './security-services.ts'
import type { Images, Lifecycle, Records, Requester, Responses, Services } from './services.ts'

/** What one principal may have to do with environments. */
interface Sight {
  /** Throw `not_found`, the same for what is of others and for what is not there. */
  environment(ref: string): Environment
  instance(ref: string): Instance
  /** Ids of all that may be seen. */
  ids(): Set<string>
  /** Whose something becomes. Throws `denied`. */
  requester(team: string | undefined): Requester
  /** A last look at what is about to be made. */
  own(spec: EnvironmentSpec): EnvironmentSpec
}

const createSight = (services: Services, { name, teams }: Principal): Sight => {
  const { environment, instance } = services.lifecycle.refs(teams)
  return {
    environment,
    instance,
    ids: () => new Set(services.lifecycle.environmentIdsOf(teams)),
    requester: team => {
      const chosen = team ?? (teams === 'all' ? 'default' : teams[0])
      if (chosen !== undefined && isOf(teams, chosen)) return { owner: name, team: chosen }
      throw new DayflyError('denied', `team: ${name} is not of the team ${team ?? ''}`, {
        field: 'team',
        remedy: `Choose one of ${teams === 'all' ? 'all' : teams.join(', ')}.`,
      })
    },
    own: spec => {
      if (spec.owner === name && isOf(teams, teamOf(spec))) return spec
      throw new DayflyError('internal', 'a specification was planned for somebody else')
    },
  }
}

const noPaths = (field: string, what: string): DayflyError =>
  new DayflyError('denied', `${field}: ${what} of the daemon's host is for its own users only`, {
    field,
    remedy: 'Do it on that host, over its socket; or bring the files in as an image, a config or a secret.',
  })

const lifecycleFor = (lifecycle: Lifecycle, sight: Sight, { teams }: Principal): Lifecycle => {
  const environmentId = (ref: string): string => sight.environment(ref).id
  const instanceId = (ref: string): string => sight.instance(ref).id
  const narrowed = <F extends { readonly environment?: string }>(filter: F): F => ({
    ...filter,
    ...(filter.environment === undefined ? {} : { environment: environmentId(filter.environment) }),
    teams,
  })
  return {
    run: (spec, ...rest) => lifecycle.run(sight.own(spec), ...rest),
    up: (spec, ...rest) => lifecycle.up(sight.own(spec), ...rest),
    diff: (spec, ...rest) => lifecycle.diff(sight.own(spec), ...rest),
    end: async (ref, ...rest) => await lifecycle.end(environmentId(ref), ...rest),
    ended: async (ref, signal) => await lifecycle.ended(environmentId(ref), signal),
    refs: narrower => lifecycle.refs(teams === 'all' ? narrower : teams.filter(team => isOf(narrower, team))),
    environment: sight.environment,
    environments: filter => lifecycle.environments({ ...filter, teams }),
    instance: sight.instance,
    environmentIdsOf: narrower => lifecycle.environmentIdsOf(teams === 'all' ? narrower : teams.filter(team => isOf(narrower, team))),
    instances: environment => lifecycle.instances(environmentId(environment)),
    instanceList: filter => lifecycle.instanceList(narrowed(filter)),
    wait: async (ref, signal) => await lifecycle.wait(instanceId(ref), signal),
    stop: async (ref, ...rest) => await lifecycle.stop(instanceId(ref), ...rest),
    kill: async (ref, ...rest) => await lifecycle.kill(instanceId(ref), ...rest),
    extend: async (ref, ...rest) => await lifecycle.extend(environmentId(ref), ...rest),
    exec: async (ref, ...rest) => await lifecycle.exec(instanceId(ref), ...rest),
    files: async (ref, ...rest) => await lifecycle.files(instanceId(ref), ...rest),
    attach: async (ref, ...rest) => await lifecycle.attach(instanceId(ref), ...rest),
    events: filter => lifecycle.events(narrowed(filter)),
    follow: (filter, signal) => lifecycle.follow(narrowed(filter), signal),
    leaks: lifecycle.leaks,
    workloads: ref => lifecycle.workloads(environmentId(ref)),
    watch: (ref, signal) => lifecycle.watch(environmentId(ref), signal),
    exited: async (ref, ...rest) => await lifecycle.exited(environmentId(ref), ...rest),
    pause: async (ref, actor) => await lifecycle.pause(environmentId(ref), actor),
    resume: async (ref, actor) => await lifecycle.resume(environmentId(ref), actor),
  }
}

const imagesFor = (images: Images): Images => ({
  list: images.list,
  inspect: images.inspect,
  pull: images.pull,
  import: async () => {
    throw noPaths('source', 'an archive')
  },
  build: async () => {
    throw noPaths('context', 'a folder')
  },
  remove: images.remove,
  collect: images.collect,
})

const recordsFor = (records: Records, seen: (environment: Environment) => Environment, { teams }: Principal): Records => ({
  verify: async environment => await records.verify(seen(environment)),
  export: async environment => await records.export(seen(environment)),
  report: async environment => await records.report(seen(environment)),
  reportPage: async environment => await records.reportPage(seen(environment)),
  keys: records.keys,
  cost: query => records.cost(query, teams),
})

const responsesFor = (responses: Responses, sight: Sight): Responses => ({
  blockedImages: responses.blockedImages,
  blockImage: responses.blockImage,
  unblockImage: responses.unblockImage,
  evidence: ref => responses.evidence(sight.environment(ref).id),
  evidenceFile: (ref, take, name) => responses.evidenceFile(sight.environment(ref).id, take, name),
  notifyState: responses.notifyState,
  notifyTest: responses.notifyTest,
  notifyDeliveries: responses.notifyDeliveries,
  notifyReplay: responses.notifyReplay,
})

const securityFor = (security: Security, sight: Sight, { teams }: Principal): Security => {
  const sees = (): Sees | undefined => {
    if (teams === 'all') return undefined
    const ids = sight.ids()
    return id => ids.has(id)
  }
  return {
    ...{ policies: security.policies, rules: security.rules, exemptions: security.exemptions, tryPolicy: security.tryPolicy },
    findings: async (query, signal) => await security.findings(query, signal, sees()),
    detections: query => {
      if (query.environment !== undefined) sight.environment(query.environment)
      if (query.instance !== undefined) sight.instance(query.instance)
      return security.detections(query, sees())
    },
    story: async (id, signal) => await security.story(id, signal, sees()),
    inventory: async () => await security.inventory(sees()),
    inventoryOf: async digest => await security.inventoryOf(digest, sees()),
    tryRule: async (request, signal) => {
      if (request.environment !== undefined) sight.environment(request.environment)
      return await security.tryRule(request, signal)
    },
  }
}

/** The services of whoever asks. The owner's are the whole. */
export const servicesFor = (services: Services, principal: Principal): Services => {
  if (principal.kind === 'owner') return services
  const sight = createSight(services, principal)
  /** What a route has got from here it may give back; anything else is not there. */
  const seen = (environment: Environment): Environment => {
    sight.environment(environment.id)
    return environment
  }
  return {
    about: services.about,
    clock: services.clock,
    owner: principal.name,
    lifecycle: lifecycleFor(services.lifecycle, sight, principal),
    images: imagesFor(services.images),
    scans: services.scans,
    vulnerabilityData: services.vulnerabilityData,
    activity: {
      search: async (filter, signal) => {
        const { environment, instance } = filter
        if (environment !== undefined) sight.environment(environment)
        if (instance !== undefined) sight.instance(instance)
        if (principal.teams === 'all') return await services.activity.search(filter, signal)
        const environments = [...sight.ids()].filter(id => filter.environments?.includes(id) ?? true)
        return environments.length === 0 ? [] : await services.activity.search({ ...filter, environments }, signal)
      },
    },
    records: recordsFor(services.records, seen, principal),
    responses: responsesFor(services.responses, sight),
    security: securityFor(services.security, sight, principal),
    host: services.host,
    who: question => services.who({ ...question, teams: principal.teams }),
    metrics: services.metrics,
    backup: services.backup,
    plan: (request, onProgress, signal) => services.plan(request, onProgress, signal, sight.requester(request.team)),
    planUp: async (request, onProgress, signal) => {
      const bound = Object.entries(request.draft.workloads).find(([, { mounts = [] }]) => mounts.some(({ type }) => type === 'bind'))
      if (bound !== undefined) throw noPaths(`workloads.${bound[0]}.mounts`, 'a folder')
      return await services.planUp(request, onProgress, signal, sight.requester(request.team))
    },
    openSeeds: async paths => {
      const [volume] = Object.keys(paths)
      if (volume !== undefined) throw noPaths(`seeds.${volume}`, 'a folder')
      return await services.openSeeds({})
    },
    exposed: (environment, workload) => services.exposed(seen(environment), workload),
    expiry: environment => services.expiry(seen(environment)),
    logs: (instance, query, signal) => {
      sight.instance(instance.id)
      return services.logs(instance, query, signal)
    },
    access: (environment, query, signal) => services.access(seen(environment), query, signal),
    callers: services.callers,
    doctor: services.doctor,
  }
}
