/**
 * Checks of the CIS Docker Benchmark (section 5, container runtime) that a pod can show and the Pod Security Standards do not ask. Numbers are those
 * of version 1.6. What Dayfly's backend does for every instance holds for its own workloads by itself; manifests of others have to say it.
 */
import type { Node } from '../fields.ts'
import { child, children, flag, has, integer, pathOf, root, text } from '../fields.ts'
import type { Pod } from '../pods.ts'
import { podOf, wouldBe } from '../pods.ts'
import type { Action, NativePolicy } from '../policy.ts'

interface Breach {
  readonly field: string
  readonly message: string
}

interface Check {
  readonly id: string
  readonly summary: string
  readonly remedy: string
  readonly find: (pod: Pod) => Breach[]
}

const perContainer =
  (find: (container: Node) => Breach[]): Check['find'] =>
  pod =>
    pod.containers.flatMap(find)

const limit = (container: Node, key: string): Breach[] => {
  const limits = child(child(container, 'resources'), 'limits')
  return has(limits, key) ? [] : [{ field: `${container.path}.resources.limits.${key}`, message: `there is no ${key} limit` }]
}

/** `/var/run/docker.sock`, and the folders that hold such sockets. */
const sockets = [
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/run/containerd',
  '/var/run/containerd',
  '/run/crio',
  '/var/run/crio',
  '/run/podman',
  '/run/dayfly',
]
const systemFolders = ['/', '/boot', '/dev', '/etc', '/lib', '/proc', '/sys', '/usr', '/root', '/var/lib', '/var/run', '/run']

const isAt = (path: string, folder: string): boolean => path === folder || (folder !== '/' && path.startsWith(`${folder}/`))
/** `/var//run/../run` → `/var/run`: a path that says the same in another way is the same. */
const plain = (path: string): string => {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

const hostPaths = (pod: Pod): { readonly field: string; readonly path: string }[] =>
  children(pod.spec, 'volumes').flatMap(volume => {
    const hostPath = child(volume, 'hostPath')
    const path = text(hostPath, 'path')
    return hostPath === undefined || path === undefined ? [] : [{ field: pathOf(hostPath, 'path'), path: plain(path) }]
  })

const checks: readonly Check[] = [
  {
    id: '5.5-sensitive-host-directories',
    summary: 'No folder of the host system is mounted.',
    remedy: 'Mount a folder of the project, or use a volume.',
    find: pod =>
      hostPaths(pod)
        .filter(({ path }) => systemFolders.some(folder => isAt(path, folder)))
        .map(({ field, path }) => ({ field, message: `it mounts ${path} of the host` })),
  },
  {
    id: '5.7-privileged-ports',
    summary: 'No port of the host below 1024 is bound.',
    remedy: 'Bind a port above 1023, or leave out hostPort.',
    find: perContainer(container =>
      children(container, 'ports').flatMap(port => {
        const hostPort = integer(port, 'hostPort') ?? 0
        return hostPort > 0 && hostPort < 1024 ? [{ field: pathOf(port, 'hostPort'), message: `hostPort is ${hostPort}` }] : []
      }),
    ),
  },
  {
    id: '5.10-memory',
    summary: 'Memory is limited.',
    remedy: 'Set resources.limits.memory.',
    find: perContainer(container => limit(container, 'memory')),
  },
  { id: '5.11-cpu', summary: 'CPU is limited.', remedy: 'Set resources.limits.cpu.', find: perContainer(container => limit(container, 'cpu')) },
  {
    id: '5.12-read-only-root',
    summary: 'The root file system is read-only.',
    remedy: 'Set readOnlyRootFilesystem: true (compose: read_only), and give volumes or tmpfs where it writes.',
    find: perContainer(container =>
      flag(child(container, 'securityContext'), 'readOnlyRootFilesystem') === true
        ? []
        : [{ field: wouldBe(container, 'readOnlyRootFilesystem'), message: 'the root file system can be written to' }],
    ),
  },
  {
    id: '5.26-health',
    summary: 'A health check says whether it works.',
    remedy: 'Add a livenessProbe (compose: healthcheck).',
    find: pod =>
      children(pod.spec, 'containers')
        .filter(container => !has(container, 'livenessProbe') && !has(container, 'readinessProbe'))
        .map(container => ({ field: pathOf(container, 'livenessProbe'), message: 'there is no health check' })),
  },
  {
    id: '5.31-runtime-socket',
    summary: 'The socket of a container runtime is not mounted.',
    remedy: 'Leave it out: whoever has it is root on the host.',
    find: pod =>
      hostPaths(pod)
        .filter(({ path }) => sockets.some(socket => isAt(path, socket) || isAt(socket, path)))
        .map(({ field, path }) => ({ field, message: `it mounts ${path}, where a container runtime listens` })),
  },
]

export const hardeningChecks: readonly string[] = checks.map(({ id }) => id)

/** Checks that `actions` does not name are not made. */
export const createHardeningPolicy = (actions: Readonly<Partial<Record<string, Action>>>): NativePolicy => {
  const chosen = checks.flatMap(check => {
    const action = Object.hasOwn(actions, check.id) ? actions[check.id] : undefined
    return action === undefined ? [] : [{ ...check, action }]
  })
  return {
    name: 'hardening',
    rules: chosen.map(({ id, summary }) => ({ name: id, summary })),
    identity: { code: 1, actions },
    evaluate: ({ object }) => {
      const pod = podOf(root(object))
      if (pod === undefined) return { rulings: [] }
      return {
        rulings: chosen.flatMap(({ id, remedy, action, find }) =>
          find(pod).map(({ field, message }) => ({ action, objection: { policy: 'hardening', rule: id, message, remedy, field } })),
        ),
      }
    },
  }
}
