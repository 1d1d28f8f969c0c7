/** Properties that are fine with some values and not with others. */
import { isIP } from 'node:net'
import { posix } from 'node:path'
import { isWindowsPath } from './paths.ts'
import type { Judge, Surroundings, Verdict } from './verdict.ts'
import { ignored, refused } from './verdict.ts'

/** What every container has; asking for it changes nothing. */
export const minimumCapabilities: ReadonlySet<string> = new Set(['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'])

/** What may be added. The rest reaches past the container. */
export const grantableCapabilities: ReadonlySet<string> = new Set([
  ...['AUDIT_WRITE', 'IPC_LOCK', 'IPC_OWNER', 'LEASE', 'LINUX_IMMUTABLE', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SETFCAP', 'SETPCAP', 'SYS_CHROOT', 'SYS_NICE', 'SYS_PTRACE'],
])

const capabilityName = (value: unknown): string => String(value).toUpperCase().replace(/^CAP_/, '')

export const capability: Judge = value => {
  const name = capabilityName(value)
  if (minimumCapabilities.has(name) || grantableCapabilities.has(name)) return undefined
  return refused('Capabilities', `the capability ${name} is not granted`, `These can be: ${[...grantableCapabilities].join(', ')}.`)
}

/** `host`, `service:NAME`, `container:NAME`: somebody else's namespace. */
const namespace =
  (what: string): Judge =>
  value => {
    const text = String(value)
    if (text === 'host') return refused('Host namespaces', `a container does not get the host's ${what} namespace`, 'Remove it.')
    if (/^(service|container):/.test(text))
      return refused('Shared namespaces', `a container does not share another one's ${what} namespace`, 'Remove it.')
    return undefined
  }

export const ipc = namespace('IPC')
export const pid = namespace('PID')
export const uts = namespace('UTS')
export const cgroup = namespace('cgroup')

export const userns: Judge = (value, around) => namespace('user')(value, around) ?? ignored('every container has a user namespace of its own')

export const networkMode: Judge = async (value, around) => {
  const shared = await namespace('network')(value, around)
  if (shared !== undefined || value === 'none') return shared
  if (value === 'bridge' || value === 'default') return ignored("the container is in the environment's own network")
  return refused('Network drivers', `there is no network mode ${JSON.stringify(value)}`, 'Use networks, or network_mode: none.')
}

export const networkDriver: Judge = value => {
  if (value === 'bridge' || value === 'default') return undefined
  if (value === 'overlay') return ignored("the network is a bridge: an environment's containers are on one host")
  return refused('Network drivers', `the network driver ${JSON.stringify(value)} reaches past the environment`, 'Remove it.')
}

export const buildNetwork: Judge = value =>
  value === 'host'
    ? refused('Host namespaces', "a build does not get the host's network", 'Write network: default, where its steps have to fetch something.')
    : undefined

export const runtime: Judge = value => {
  if (value === 'crun' || value === 'runsc') return undefined
  if (value === 'runc') return ignored('crun does the same')
  return refused('Runtimes', `there is no runtime ${JSON.stringify(value)}`, 'Use crun or runsc.')
}

/** `name:value` and `name=value` are the same. */
export const securityOption: Judge = value => {
  const [, name = '', setting = ''] = /^([^:=]*)(?:[:=]([\s\S]*))?$/.exec(String(value)) ?? []
  switch (name) {
    case 'no-new-privileges':
      return setting === 'false' ? refused('Privilege escalation', 'no process may gain privileges', 'Remove it.') : undefined
    case 'seccomp':
      return setting === 'builtin' ? undefined : refused('Seccomp', "the filter of system calls is Dayfly's own", 'Remove it.')
    case 'apparmor':
      return setting === 'docker-default' || setting === 'runtime/default'
        ? undefined
        : refused('AppArmor', 'the profile cannot be chosen', 'Remove it.')
    case 'label':
      return refused('SELinux', 'the label cannot be chosen', 'Remove it.')
    case 'systempaths':
    case 'proc-opts':
    case 'unmask':
      return refused('Proc mount type', 'paths of /proc and /sys stay masked', 'Remove it.')
    default:
      return refused('Privilege escalation', `there is no security option ${JSON.stringify(name)} here`, 'Remove it.')
  }
}

/** Those of the container's own namespaces. All others are the host's. */
const ownSysctl = /^(net\.|kernel\.(shm|msg)|kernel\.sem$|fs\.mqueue\.)/

export const sysctls: Judge = value => {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const outside = names.filter(name => !ownSysctl.test(name))
  return outside.length === 0
    ? undefined
    : refused(
        'Sysctls',
        `${outside.join(', ')} would be set for the whole host`,
        'Set it on the host, or remove it. net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* can be set.',
      )
}

export const hostAddress: Judge = value => {
  const text = String(value)
  const loopback = isIP(text) === 4 ? text.startsWith('127.') : text === '::1'
  return loopback ? undefined : ignored('ports are published on the loopback of the host only')
}

export const portMode: Judge = value => (value === 'host' ? ignored('a port is published for all replicas together') : undefined)

export const deployMode: Judge = value =>
  value === 'global' || value === 'global-job' ? ignored('there is one host, so it is one instance') : undefined

export const hosts: Judge = value => {
  const addresses = typeof value === 'object' && value !== null ? Object.values(value).flat() : []
  return addresses.includes('host-gateway')
    ? refused('No route to the host', 'a container cannot reach its host', 'Run what it needs as a service of the environment.')
    : undefined
}

export const volumeDriver: Judge = value =>
  value === 'local' || value === 'default'
    ? undefined
    : refused('Volume drivers', `there is no volume driver ${JSON.stringify(value)}`, 'Remove it: the volume is then one of the environment.')

export const volumeOptions: Judge = value => {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined
  if (type === 'tmpfs') return ignored('the volume is a folder that ends with the environment, not a tmpfs')
  return refused(
    'Volume drivers',
    'a volume with options of its own can be any path or server',
    'Remove driver_opts, or use a bind mount inside the project folder.',
  )
}

const within = (folder: string, path: string): boolean => path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

const sockets = /(^|\/)(docker|podman|containerd|crio|dayfly)\.sock$/

/** A path of the host that a container sees or a file that it gets: inside the project folder, through symbolic links too. */
const hostPath = async (path: string, what: string, { project, sources }: Surroundings): Promise<Verdict | undefined> => {
  if (isWindowsPath(path)) return refused('Host paths', `${path} is a Windows path`, 'Use a path relative to the compose file.')
  const real = await sources.realpath(path)
  if (sockets.test(path) || sockets.test(real)) {
    return refused('Container engine socket', 'whoever can use the socket of a container engine is root on the host', 'Remove it.')
  }
  const folder = await sources.realpath(project.folder)
  if (!within(folder, real)) {
    const target = real === posix.normalize(path) ? path : `${path}, which is ${real},`
    return refused('Host paths', `${target} is outside the project folder`, `Copy what is needed of it into the project folder; ${what}.`)
  }
  const kind = await sources.kind(real)
  return kind === 'other' ? refused('Host paths', `${path} is neither a file nor a folder`, 'Remove it.') : undefined
}

const field = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined)

/** One entry of a service's volumes. */
export const mount: Judge = (value, around) => {
  const type = field(value, 'type')
  if (type === 'volume' || type === 'tmpfs') return undefined
  if (type !== 'bind') return refused('Volume types', `there are no mounts of type ${String(type)}`, 'Use bind, volume or tmpfs.')
  return hostPath(String(field(value, 'source')), 'or use a named volume', around)
}

export const propagation: Judge = value =>
  value === 'private' || value === 'rprivate'
    ? undefined
    : refused('Host paths', 'a mount in a container is never seen outside it, nor one outside in it', 'Remove it.')

export const resourceFile: Judge = (value, around) => hostPath(String(value), 'or take it from the environment', around)

export const isolation: Judge = value => (value === 'default' ? undefined : ignored('it is for Windows'))

export const platforms: Judge = value => (Array.isArray(value) && value.length > 1 ? ignored("only the host's own platform is built") : undefined)
