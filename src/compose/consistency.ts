/** What no schema can say: references that lead somewhere, properties that exclude each other, dependencies without circles. */
import { isIP } from 'node:net'
import type { Problems } from './problems.ts'
import type { Content, Service } from './project.ts'
import { suggest } from './suggest.ts'
import type { Origin, Path } from './tree.ts'

export interface Checked {
  readonly content: Content
  readonly enabled: Readonly<Record<string, Service>>
  readonly disabled: Readonly<Record<string, Service>>
  readonly problems: Problems
  readonly locate: (path: Path) => Origin
}

type Check = (checked: Checked, name: string, service: Service) => void

const fail = ({ problems, locate }: Checked, path: Path, message: string, remedy?: string): void =>
  problems.error(locate(path), path, message, remedy === undefined ? {} : { remedy })

/** A reference to something that is not declared. */
const unknown = (checked: Checked, path: Path, kind: string, name: string, declared: object): void => {
  const close = suggest(name, Object.keys(declared))
  fail(
    checked,
    path,
    `there is no ${kind} ${name}${close === undefined ? '' : `; did you mean ${close}?`}`,
    `Declare it under ${kind}s at the top of the file.`,
  )
}

const image: Check = (checked, name, service) => {
  const path = ['services', name]
  if (service.image === undefined && service.build === undefined && service.provider === undefined) {
    fail(checked, path, 'a service needs an image or a build', 'Add image: or build:.')
  }
  const { build } = service
  if (build?.dockerfile !== undefined && build.dockerfile_inline !== undefined) {
    fail(checked, [...path, 'build'], 'dockerfile and dockerfile_inline exclude each other', 'Keep one of the two.')
  }
  const platforms = build?.platforms ?? []
  if (service.platform !== undefined && platforms.length > 0 && !platforms.includes(service.platform)) {
    fail(checked, [...path, 'build', 'platforms'], `platform is ${service.platform}, which is none of these`)
  }
  for (const [context, value] of Object.entries(build?.additional_contexts ?? {})) {
    if (!value.startsWith('service:')) continue
    const target = value.slice('service:'.length)
    const other = checked.enabled[target] ?? checked.disabled[target]
    const field = [...path, 'build', 'additional_contexts', context]
    if (other === undefined) unknown(checked, field, 'service', target, checked.content.services)
    else if (other.build === undefined) fail(checked, field, `the service ${target} has no build`)
  }
}

const networks: Check = (checked, name, service) => {
  const path = ['services', name]
  if (service.network_mode !== undefined && Object.keys(service.networks ?? {}).length > 0) {
    fail(checked, [...path, 'networks'], 'network_mode and networks exclude each other', 'Keep one of the two.')
  }
  for (const network of Object.keys(service.networks ?? {})) {
    if (!Object.hasOwn(checked.content.networks, network))
      unknown(checked, [...path, 'networks', network], 'network', network, checked.content.networks)
  }
  if (service.network_mode?.startsWith('service:')) {
    const target = service.network_mode.slice('service:'.length)
    if (!Object.hasOwn(checked.enabled, target)) unknown(checked, [...path, 'network_mode'], 'service', target, checked.content.services)
  }
}

const references: Check = (checked, name, service) => {
  const path = ['services', name]
  const { volumes, secrets, configs, models } = checked.content
  for (const [index, mount] of (service.volumes ?? []).entries()) {
    if (mount.type === 'volume' && mount.source !== undefined && mount.source !== '' && !Object.hasOwn(volumes, mount.source)) {
      unknown(checked, [...path, 'volumes', index], 'volume', mount.source, volumes)
    }
    if (mount.target === '') fail(checked, [...path, 'volumes', index], 'it is not said where it is mounted', 'Add target.')
    if (mount.type === 'bind' && (mount.source === undefined || mount.source === '')) {
      fail(checked, [...path, 'volumes', index], 'a bind mount needs a source')
    }
  }
  const files = [
    ['secrets', 'secret', service.secrets ?? [], secrets],
    ['configs', 'config', service.configs ?? [], configs],
  ] as const
  for (const [field, kind, mounts, declared] of files) {
    for (const [index, mount] of mounts.entries()) {
      if (!Object.hasOwn(declared, mount.source)) unknown(checked, [...path, field, index], kind, mount.source, declared)
    }
  }
  for (const [index, secret] of (service.build?.secrets ?? []).entries()) {
    if (!Object.hasOwn(secrets, secret.source)) unknown(checked, [...path, 'build', 'secrets', index], 'secret', secret.source, secrets)
  }
  for (const model of Object.keys(service.models ?? {})) {
    if (!Object.hasOwn(models, model)) unknown(checked, [...path, 'models', model], 'model', model, models)
  }
}

const dependencies: Check = (checked, name, service) => {
  for (const [target, dependency] of Object.entries(service.depends_on ?? {})) {
    const path = ['services', name, 'depends_on', target]
    if (Object.hasOwn(checked.enabled, target)) continue
    const disabled = checked.disabled[target]
    if (disabled === undefined) {
      // docker compose refuses it too, whatever `required` says.
      unknown(checked, path, 'service', target, checked.content.services)
    } else if (dependency.required) {
      const profiles = (disabled.profiles ?? []).join(', ')
      fail(checked, path, `the service ${target} is not enabled`, `Enable its profile (${profiles}), or write required: false.`)
    }
  }
}

const healthcheck: Check = (checked, name, service) => {
  const [first] = service.healthcheck?.test ?? []
  if (first !== undefined && !['CMD', 'CMD-SHELL', 'NONE'].includes(first)) {
    fail(checked, ['services', name, 'healthcheck', 'test'], 'the list begins with CMD, CMD-SHELL or NONE', 'Add CMD in front.')
  }
}

/** The same limit at two places must be the same. */
const limits: Check = (checked, name, service) => {
  const path = ['services', name]
  const { deploy } = service
  const same = (own: number | undefined, property: string, other: number | undefined, place: string): void => {
    if (own === undefined || own === 0 || other === own) return
    fail(checked, [...path, property], `${property} and deploy.resources.${place} differ`, `Keep deploy.resources.${place} alone.`)
  }
  if (deploy?.resources?.limits !== undefined) {
    same(service.cpus, 'cpus', deploy.resources.limits.cpus, 'limits.cpus')
    same(service.mem_limit, 'mem_limit', deploy.resources.limits.memory, 'limits.memory')
    same(service.pids_limit, 'pids_limit', deploy.resources.limits.pids, 'limits.pids')
  }
  if (deploy?.resources?.reservations !== undefined) {
    same(service.mem_reservation, 'mem_reservation', deploy.resources.reservations.memory, 'reservations.memory')
  }
  const { scale } = service
  const replicas = deploy?.replicas
  if (scale !== undefined && replicas !== undefined && scale !== replicas)
    fail(checked, [...path, 'scale'], 'scale and deploy.replicas differ', 'Keep one of the two.')
  for (const [count, field] of [
    [scale, ['scale']],
    [replicas, ['deploy', 'replicas']],
  ] as const) {
    if (count !== undefined && count < 0) fail(checked, [...path, ...field], 'it must be at least 0')
  }
  if ((scale ?? replicas ?? 1) > 1 && service.container_name !== undefined) {
    fail(checked, [...path, 'container_name'], 'a name can only be had by one container, and this service has several', 'Remove container_name.')
  }
}

const mounts: Check = (checked, name, service) => {
  const path = ['services', name]
  const taken = new Set<string>()
  const take = (target: string, field: Path): void => {
    if (taken.has(target)) fail(checked, field, `two things are mounted at ${target}`)
    taken.add(target)
  }
  for (const [index, tmpfs] of (service.tmpfs ?? []).entries()) take(tmpfs.replace(/:[\s\S]*$/, ''), [...path, 'tmpfs', index])
  for (const [index, mount] of (service.volumes ?? []).entries()) take(mount.target, [...path, 'volumes', index])
}

const others: Check = (checked, name, service) => {
  const path = ['services', name]
  for (const [index, port] of (service.ports ?? []).entries()) {
    if (port.host_ip !== undefined && isIP(port.host_ip) === 0)
      fail(checked, [...path, 'ports', index, 'host_ip'], `${JSON.stringify(port.host_ip)} is no IP address`)
  }
  for (const [index, watch] of (service.develop?.watch ?? []).entries()) {
    const field = [...path, 'develop', 'watch', index]
    if (watch.path === '') fail(checked, [...field, 'path'], 'it is empty')
    if (watch.target === undefined && !['rebuild', 'restart'].includes(watch.action)) fail(checked, field, `${watch.action} needs a target`)
  }
  for (const [field, devices] of [
    [['gpus'], service.gpus ?? []],
    [['deploy', 'resources', 'reservations', 'devices'], service.deploy?.resources?.reservations?.devices ?? []],
  ] as const) {
    for (const [index, device] of devices.entries()) {
      if (device.count !== undefined && device.device_ids !== undefined)
        fail(checked, [...path, ...field, index], 'count and device_ids exclude each other')
    }
  }
}

/** The services of the first circle of dependencies, or undefined. */
const circle = (services: Readonly<Record<string, Service>>): readonly string[] | undefined => {
  const done = new Set<string>()
  const visit = (name: string, above: readonly string[]): readonly string[] | undefined => {
    const index = above.indexOf(name)
    if (index >= 0) return [...above.slice(index), name]
    if (done.has(name)) return undefined
    for (const next of Object.keys(services[name]?.depends_on ?? {})) {
      const found = visit(next, [...above, name])
      if (found !== undefined) return found
    }
    done.add(name)
    return undefined
  }
  for (const name of Object.keys(services).sort()) {
    const found = visit(name, [])
    if (found !== undefined) return found
  }
  return undefined
}

/** Configs and secrets have one origin (x-dayfly can name another); what is external has nothing but a name. */
const resources = (checked: Checked): void => {
  for (const section of ['secrets', 'configs'] as const) {
    for (const [name, resource] of Object.entries(checked.content[section])) {
      const path = [section, name]
      const kinds = section === 'secrets' ? ['file', 'environment'] : ['file', 'environment', 'content']
      const given = kinds.filter(kind => Object.hasOwn(resource, kind))
      if (given.length > 1) fail(checked, path, `${given.join(' and ')} exclude each other`, 'Keep one of them.')
      if (given.length === 0 && resource.external !== true && !Object.hasOwn(resource, 'driver') && resource.extensions?.['x-dayfly'] === undefined) {
        fail(checked, path, `it needs one of ${kinds.join(', ')}`)
      }
    }
  }
  for (const [name, volume] of Object.entries(checked.content.volumes)) {
    const more = Object.keys(volume).filter(key => !['name', 'external', 'extensions'].includes(key))
    if (volume.external === true && more.length > 0) fail(checked, ['volumes', name], `an external volume has no ${more.join(', ')}`)
  }
}

const checks: readonly Check[] = [image, networks, references, dependencies, healthcheck, limits, mounts, others]

export const checkConsistency = (checked: Checked): void => {
  resources(checked)
  const names = new Map<string, string>()
  for (const [name, service] of Object.entries(checked.enabled)) {
    for (const check of checks) check(checked, name, service)
    const container = service.container_name
    const other = container === undefined ? undefined : names.get(container)
    if (other !== undefined) fail(checked, ['services', name, 'container_name'], `the service ${other} has the same container_name`)
    if (container !== undefined) names.set(container, name)
  }
  const found = circle(checked.enabled)
  if (found !== undefined)
    fail(checked, ['services', found[0] ?? '', 'depends_on'], `services depend on each other in a circle: ${found.join(' → ')}`)
}
