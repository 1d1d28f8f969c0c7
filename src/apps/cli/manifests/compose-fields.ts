/** Fields of a workload, and of the pod that it is judged as, as its compose file calls them. */
import type { Service } from '../../../compose/project.ts'
import { workloadField } from '../../../policy/workload-fields.ts'

type Fields = Pick<Service, 'entrypoint' | 'mem_limit' | 'cpus' | 'labels'>

const properties: Readonly<Record<string, string>> = {
  ...{ workdir: 'working_dir', 'deployment.expose': 'expose', 'deployment.health': 'healthcheck', mounts: 'volumes' },
  ...{ limits: 'deploy.resources', 'limits.memory': 'mem_limit', 'limits.cpus': 'cpus' },
  ...{ stdin: 'stdin_open', readOnly: 'read_only', capabilities: 'cap_add' },
}

/** `env.TOKEN` → `['services', 'web', 'environment', 'TOKEN']`; the service itself for ''. Undefined: its file does not say that, but the command line. */
const pathIn = (name: string, service: Fields, field: string): string[] | undefined => {
  const own = ['services', name]
  if (field === '') return own
  const [, list, , inner] = /^(env|labels)(\.(.*))?$/s.exec(field) ?? []
  if (list === 'labels') return inner !== undefined && Object.hasOwn(service.labels ?? {}, inner) ? [...own, 'labels', inner] : undefined
  if (list === 'env') return [...own, 'environment', ...(inner === undefined ? [] : [inner])]
  const [, command, word] = /^(command)(?:\[(\d+)\])?$/.exec(field) ?? []
  // Entry point and command are one there.
  if (command !== undefined) return [...own, Number(word ?? 0) < (service.entrypoint?.length ?? 0) ? 'entrypoint' : 'command']
  if (field === 'limits.memory' && service.mem_limit === undefined) return [...own, 'deploy', 'resources', 'limits', 'memory']
  if (field === 'limits.cpus' && service.cpus === undefined) return [...own, 'deploy', 'resources', 'limits', 'cpus']
  return [...own, ...(properties[field] ?? field).split('.')]
}

/** `spec.containers[0].env.TOKEN` → `['services', 'web', 'environment', 'TOKEN']`: the service itself for what a compose file cannot say. */
export const composePath = (name: string, service: Fields, field: string): string[] =>
  pathIn(name, service, workloadField(field)) ?? ['services', name]

/** `workloads.web.readOnly`, as the daemon names it, → `services.web.read_only`; undefined for what is of no service's. */
export const composeField = (services: Readonly<Record<string, Fields>>, field: string): string | undefined => {
  // A name may have dots in it, and so begin like another one.
  const [found] = Object.entries(services)
    .filter(([name]) => field === `workloads.${name}` || field.startsWith(`workloads.${name}.`))
    .toSorted(([left], [right]) => right.length - left.length)
  if (found === undefined) return undefined
  const [name, service] = found
  return pathIn(name, service, field.slice(`workloads.${name}.`.length))?.join('.')
}
