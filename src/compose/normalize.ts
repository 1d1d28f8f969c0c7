/** The last step of the model: what compose implies without its being written. Networks, names, and dependencies that follow from other properties. */
import { posix } from 'node:path'
import type { Environment } from './environment.ts'
import type { Mapping, Node } from './tree.ts'
import { isMapping, isNull, isScalar, isSequence, isText, items, mapMembers, mapping, member, scalar, withMember } from './tree.ts'

const sections = ['networks', 'volumes', 'configs', 'secrets'] as const

/** A service that names no network is in `default`; a `default` that is used and not declared is declared. */
const networks = (model: Mapping): Mapping => {
  const services = member(model, 'services')
  if (!isMapping(services)) return model
  let used = false
  const joined = mapMembers(services, service => {
    if (!isMapping(service) || member(service, 'provider') !== undefined || member(service, 'network_mode') !== undefined) return service
    const own = member(service, 'networks')
    if (isMapping(own) && own.entries.size > 0) {
      used ||= own.entries.has('default')
      return service
    }
    used = true
    const { origin } = service
    return withMember(service, 'networks', mapping([['default', scalar(null, origin)]], origin))
  })
  const declared = member(model, 'networks') ?? mapping([], model.origin)
  const complete =
    used && isMapping(declared) && !declared.entries.has('default') ? withMember(declared, 'default', scalar(null, model.origin)) : declared
  const known = isMapping(complete) && complete.entries.size === 0 ? undefined : complete
  return withMember(withMember(model, 'services', joined), 'networks', known)
}

/** Build arguments without a value take it from the environment; those that are not set there are left out. */
const buildArguments = (args: Node, environment: Environment): Node => {
  if (isMapping(args)) {
    return mapMembers(args, (value, name) => {
      const found = environment.get(name)
      return isNull(value) ? (found === undefined ? undefined : scalar(found, value.origin)) : value
    })
  }
  if (!isSequence(args)) return args
  return {
    ...args,
    items: args.items.flatMap(item => {
      if (!isScalar(item) || item.text.includes('=')) return [item]
      const found = environment.get(item.text)
      return found === undefined ? [] : [scalar(`${item.text}=${found}`, item.origin)]
    }),
  }
}

const build = (service: Mapping, environment: Environment | undefined): Mapping => {
  const own = member(service, 'build')
  if (!isMapping(own)) return service
  let result = own
  if (member(result, 'dockerfile') === undefined && member(result, 'dockerfile_inline') === undefined) {
    result = withMember(result, 'dockerfile', scalar('Dockerfile', own.origin))
  }
  const args = member(result, 'args')
  if (args !== undefined && environment !== undefined) result = withMember(result, 'args', buildArguments(args, environment))
  return withMember(service, 'build', result)
}

/** Services that this one needs because of its links, namespaces and volumes_from. */
const impliedDependencies = (service: Mapping): { name: string; restart: boolean; node: Node }[] => {
  const links = items(member(service, 'links')).flatMap(node => (isText(node) ? [{ name: node.value.split(':')[0] ?? '', restart: true, node }] : []))
  const namespaces = ['network_mode', 'ipc', 'pid', 'uts', 'cgroup'].flatMap(property => {
    const node = member(service, property)
    return isText(node) && node.value.startsWith('service:') ? [{ name: node.value.slice('service:'.length), restart: true, node }] : []
  })
  const volumes = items(member(service, 'volumes_from')).flatMap(node =>
    isText(node) && !node.value.startsWith('container:') ? [{ name: node.value.split(':')[0] ?? '', restart: false, node }] : [],
  )
  return [...links, ...namespaces, ...volumes]
}

const dependencies = (service: Mapping): Mapping => {
  const own = member(service, 'depends_on')
  let result = isMapping(own) ? own : mapping([], service.origin)
  for (const { name, restart, node } of impliedDependencies(service)) {
    if (result.entries.has(name)) continue
    const dependency = mapping(
      [
        ['condition', scalar('service_started', node.origin)],
        ['restart', scalar(restart, node.origin)],
        ['required', scalar(true, node.origin)],
      ],
      node.origin,
    )
    result = withMember(result, name, dependency)
  }
  return result.entries.size === 0 ? service : withMember(service, 'depends_on', result)
}

const volumeTargets = (service: Mapping): Mapping => {
  const volumes = member(service, 'volumes')
  if (!isSequence(volumes)) return service
  const cleaned = volumes.items.map(volume => {
    const target = member(volume, 'target')
    if (!isMapping(volume) || !isText(target) || target.value === '') return volume
    const value = posix.normalize(target.value).replace(/(.)\/$/, '$1')
    return withMember(volume, 'target', { ...target, value, text: value })
  })
  return withMember(service, 'volumes', { ...volumes, items: cleaned })
}

const hookImages = (service: Mapping): Mapping => {
  const hooks = member(service, 'pre_start')
  const image = member(service, 'image')
  if (!isSequence(hooks) || image === undefined) return service
  const complete = hooks.items.map(hook => (isMapping(hook) && member(hook, 'image') === undefined ? withMember(hook, 'image', image) : hook))
  return withMember(service, 'pre_start', { ...hooks, items: complete })
}

const pullPolicy = (service: Mapping): Mapping => {
  const policy = member(service, 'pull_policy')
  return isText(policy) && policy.value === 'if_not_present'
    ? withMember(service, 'pull_policy', { ...policy, value: 'missing', text: 'missing' })
    : service
}

/** What is not named is called PROJECT_KEY, or by its key alone when it exists already. */
const names = (model: Mapping, project: string): Mapping => {
  let result = model
  for (const section of sections) {
    const resources = member(result, section)
    if (!isMapping(resources)) continue
    const named = mapMembers(resources, (resource, key) => {
      const own = isMapping(resource) ? resource : mapping([], resource.origin)
      if (!isMapping(resource) && !isNull(resource)) return resource
      const name = member(own, 'name')
      if (name !== undefined && !isNull(name)) return own
      const external = member(own, 'external')
      const exists = isScalar(external) && external.value === true
      return withMember(own, 'name', scalar(exists ? key : `${project}_${key}`, own.origin))
    })
    result = withMember(result, section, named)
  }
  return result
}

/** A complete model: nothing in it is implied any more. Without an environment nothing is taken from one. */
export const normalize = (model: Mapping, project: string, environment: Environment | undefined): Mapping => {
  const connected = networks(model)
  const services = member(connected, 'services')
  if (!isMapping(services)) return names(connected, project)
  const complete = mapMembers(services, service =>
    isMapping(service) ? hookImages(volumeTargets(dependencies(build(pullPolicy(service), environment)))) : service,
  )
  return names(withMember(connected, 'services', complete), project)
}
