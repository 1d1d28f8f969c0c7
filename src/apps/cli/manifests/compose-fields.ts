/** Fields of the pod that a compose service is judged as, as the compose file calls them. */
import type { Service } from '../../../compose/project.ts'
import { fieldPath } from '../../../policy/manifests.ts'

/** Of a container, by what the path begins with; the longest that fits counts. */
const ofContainer: Readonly<Record<string, string>> = {
  ...{ image: 'image', env: 'environment', workingDir: 'working_dir', ports: 'expose', livenessProbe: 'healthcheck', volumeMounts: 'volumes' },
  ...{ resources: 'deploy.resources', 'resources.limits.memory': 'mem_limit', 'resources.limits.cpu': 'cpus', stdin: 'stdin_open', tty: 'tty' },
  ...{ 'securityContext.runAsUser': 'user', 'securityContext.runAsNonRoot': 'user', 'securityContext.privileged': 'privileged' },
  ...{ 'securityContext.readOnlyRootFilesystem': 'read_only', 'securityContext.capabilities': 'cap_add' },
  ...{ 'securityContext.seccompProfile': 'security_opt', 'securityContext.allowPrivilegeEscalation': 'security_opt' },
}

const ofPod: Readonly<Record<string, string>> = {
  ...{ hostNetwork: 'network_mode', hostPID: 'pid', hostIPC: 'ipc', hostUsers: 'userns_mode', runtimeClassName: 'runtime', volumes: 'volumes' },
  'securityContext.sysctls': 'sysctls',
}

const longestFit = (words: Readonly<Record<string, string>>, path: readonly string[]): string | undefined =>
  path.map((_, index) => words[path.slice(0, path.length - index).join('.')]).find(found => found !== undefined)

/** `spec.containers[0].env.TOKEN` → `['services', 'web', 'environment', 'TOKEN']`: the service itself for what a compose file cannot say. */
export const composePath = (name: string, service: Pick<Service, 'entrypoint' | 'mem_limit' | 'cpus'>, field: string): string[] => {
  const own = ['services', name]
  const [first, second, third, ...inner] = fieldPath(field).map(String)
  if (first !== 'spec' || second === undefined) return own
  if (second !== 'containers' || third === undefined) {
    const found = longestFit(ofPod, [second, ...(third === undefined ? [] : [third])])
    return found === undefined ? own : [...own, found]
  }
  const [property, ...rest] = inner
  if (property === 'env') return [...own, 'environment', ...(rest.length === 0 ? [] : [rest.join('.')])]
  // Entry point and command are one there.
  if (property === 'command') return [...own, Number(rest[0] ?? 0) < (service.entrypoint?.length ?? 0) ? 'entrypoint' : 'command']
  const found = longestFit(ofContainer, inner)
  if (found === 'mem_limit' && service.mem_limit === undefined) return [...own, 'deploy', 'resources', 'limits', 'memory']
  if (found === 'cpus' && service.cpus === undefined) return [...own, 'deploy', 'resources', 'limits', 'cpus']
  return found === undefined ? own : [...own, ...found.split('.')]
}
