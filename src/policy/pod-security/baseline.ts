/** The baseline: what no ordinary application needs, and what leads out of a container. */
import type { Node } from '../fields.ts'
import { child, children, flag, integer, pathOf, text, texts } from '../fields.ts'
import type { Pod } from '../pods.ts'
import { hasUserNamespace, nameOf, securityContexts } from '../pods.ts'
import type { Check, Control, Violation } from './control.ts'

const quote = (value: string): string => JSON.stringify(value)

/** One violation for each of `nodes` whose `key` holds something that is not allowed. */
const forbid = (nodes: readonly (Node | undefined)[], key: string, isAllowed: (value: string) => boolean): Violation[] =>
  nodes.flatMap(node => {
    const value = text(node, key)
    if (node === undefined || value === undefined || isAllowed(value)) return []
    return [{ field: pathOf(node, key), message: `${key} is ${quote(value)}` }]
  })

const forbidFlag = (nodes: readonly (Node | undefined)[], key: string): Violation[] =>
  nodes.flatMap(node => (node !== undefined && flag(node, key) === true ? [{ field: pathOf(node, key), message: `${key} is true` }] : []))

const annotations = (pod: Pod): [string, string][] => {
  const node = child(pod.metadata, 'annotations')
  return node === undefined ? [] : Object.keys(node.value).map(key => [key, text(node, key) ?? ''])
}

const forbiddenAnnotation = (key: string, value: string): Violation => ({
  field: `metadata.annotations[${quote(key)}]`,
  message: `the annotation is ${quote(value)}`,
})

const isProfile = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost'

/** A profile without a type is not one that is allowed. */
const forbidProfiles = (contexts: readonly Node[], key: string): Violation[] =>
  contexts.flatMap(context => {
    const profile = child(context, key)
    const type = text(profile, 'type') ?? ''
    if (profile === undefined || isProfile(type)) return []
    return [{ field: pathOf(profile, 'type'), message: `${key} is ${quote(type)}` }]
  })

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const appArmor: Check = pod => [
  ...forbidProfiles(securityContexts(pod), 'appArmorProfile'),
  ...annotations(pod)
    .filter(([key]) => key.startsWith(appArmorPrefix))
    .filter(([, value]) => value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => forbiddenAnnotation(key, value)),
]

/** The annotations of Kubernetes before 1.19, of the pod and of the containers that it has. */
const seccompAnnotations: Check = pod => {
  const keys = new Set(['seccomp.security.alpha.kubernetes.io/pod'])
  for (const container of pod.containers) keys.add(`container.seccomp.security.alpha.kubernetes.io/${nameOf(container)}`)
  return annotations(pod)
    .filter(([key]) => keys.has(key))
    .filter(([, value]) => value !== 'runtime/default' && value !== 'docker/default' && !value.startsWith('localhost/'))
    .map(([key, value]) => forbiddenAnnotation(key, value))
}
const seccompFields: Check = pod => forbidProfiles(securityContexts(pod), 'seccompProfile')

const baselineCapabilities = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
])

/** One violation for each container that adds what is not in `allowed`. */
export const forbidCapabilities = (pod: Pod, allowed: ReadonlySet<string>): Violation[] =>
  pod.containers.flatMap(container => {
    const capabilities = child(child(container, 'securityContext'), 'capabilities')
    const wrong = texts(capabilities, 'add').filter(name => !allowed.has(name))
    if (capabilities === undefined || wrong.length === 0) return []
    return [{ field: pathOf(capabilities, 'add'), message: `it adds ${[...new Set(wrong)].sort().join(', ')}` }]
  })

export const forbidProcMounts: Check = pod =>
  forbid(
    pod.containers.map(container => child(container, 'securityContext')),
    'procMount',
    value => value === 'Default',
  )

const seLinux =
  (types: ReadonlySet<string>): Check =>
  pod => {
    const options = securityContexts(pod).map(context => child(context, 'seLinuxOptions'))
    return [
      ...forbid(options, 'type', value => value === '' || types.has(value)),
      ...forbid(options, 'user', value => value === ''),
      ...forbid(options, 'role', value => value === ''),
    ]
  }
const seLinuxTypes = ['container_t', 'container_init_t', 'container_kvm_t']

const sysctls =
  (allowed: ReadonlySet<string>): Check =>
  pod =>
    forbid(children(pod.securityContext, 'sysctls'), 'name', name => allowed.has(name)).map(({ field, message }) => ({
      field,
      message: message.replace(/^name/, 'the sysctl'),
    }))
const sysctlsSince: readonly (readonly [number, readonly string[]])[] = [
  [
    0,
    [
      'kernel.shm_rmid_forced',
      'net.ipv4.ip_local_port_range',
      'net.ipv4.tcp_syncookies',
      'net.ipv4.ping_group_range',
      'net.ipv4.ip_unprivileged_port_start',
    ],
  ],
  [27, ['net.ipv4.ip_local_reserved_ports']],
  [29, ['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes']],
  [32, ['net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem']],
  [37, ['net.ipv4.tcp_slow_start_after_idle', 'net.ipv4.tcp_notsent_lowat']],
]

const hostPorts: Check = pod =>
  pod.containers
    .flatMap(container => children(container, 'ports'))
    .filter(port => (integer(port, 'hostPort') ?? 0) !== 0)
    .map(port => ({ field: pathOf(port, 'hostPort'), message: `hostPort is ${integer(port, 'hostPort')}` }))

/** A probe of another host is a request that the node makes for the pod. */
const hostProbes: Check = pod => {
  const handlers = pod.containers.flatMap(container => [
    ...['livenessProbe', 'readinessProbe', 'startupProbe'].map(key => child(container, key)),
    ...['postStart', 'preStop'].map(key => child(child(container, 'lifecycle'), key)),
  ])
  return forbid(
    handlers.flatMap(handler => [child(handler, 'httpGet'), child(handler, 'tcpSocket')]),
    'host',
    host => host === '',
  )
}

const windowsHostProcess: Check = pod =>
  forbidFlag(
    securityContexts(pod).map(context => child(context, 'windowsOptions')),
    'hostProcess',
  )

const hostPaths: Check = pod =>
  children(pod.spec, 'volumes')
    .map(volume => child(volume, 'hostPath'))
    .filter(hostPath => hostPath !== undefined)
    .map(hostPath => ({ field: hostPath.path, message: `it mounts ${quote(text(hostPath, 'path') ?? '')} of the host` }))

const always = (check: Check) => [{ since: 0, check }]

export const baselineControls: readonly Control[] = [
  { id: 'appArmorProfile', level: 'baseline', versions: always(appArmor), remedy: 'Leave it out, or use RuntimeDefault or Localhost.' },
  {
    id: 'capabilities_baseline',
    level: 'baseline',
    versions: always(pod => forbidCapabilities(pod, baselineCapabilities)),
    remedy: `Add none but ${[...baselineCapabilities].join(', ')}.`,
  },
  {
    id: 'hostNamespaces',
    level: 'baseline',
    versions: always(pod => ['hostNetwork', 'hostPID', 'hostIPC'].flatMap(key => forbidFlag([pod.spec], key))),
    remedy: 'Leave out hostNetwork, hostPID and hostIPC.',
  },
  { id: 'hostPathVolumes', level: 'baseline', versions: always(hostPaths), remedy: 'Use another kind of volume.' },
  { id: 'hostPorts', level: 'baseline', versions: always(hostPorts), remedy: 'Leave out hostPort: a Service leads to the pod.' },
  {
    id: 'hostProbesAndHostLifecycle',
    level: 'baseline',
    versions: [{ since: 34, check: hostProbes }],
    remedy: 'Leave out host: probes and hooks then go to the pod itself.',
  },
  {
    id: 'privileged',
    level: 'baseline',
    versions: always(pod =>
      forbidFlag(
        pod.containers.map(container => child(container, 'securityContext')),
        'privileged',
      ),
    ),
    remedy: 'Leave out privileged, and add the capabilities that are needed.',
  },
  {
    id: 'procMount',
    level: 'baseline',
    versions: [
      { since: 0, check: forbidProcMounts },
      { since: 35, check: pod => (hasUserNamespace(pod) ? [] : forbidProcMounts(pod)) },
    ],
    remedy: 'Leave out procMount.',
  },
  {
    id: 'seLinuxOptions',
    level: 'baseline',
    versions: [
      { since: 0, check: seLinux(new Set(seLinuxTypes)) },
      { since: 31, check: seLinux(new Set([...seLinuxTypes, 'container_engine_t'])) },
    ],
    remedy: `Leave out user and role, and use one of the types ${seLinuxTypes.join(', ')}.`,
  },
  {
    id: 'seccompProfile_baseline',
    level: 'baseline',
    versions: [
      { since: 0, check: seccompAnnotations },
      { since: 19, check: seccompFields },
    ],
    remedy: 'Use RuntimeDefault or Localhost.',
  },
  {
    id: 'sysctls',
    level: 'baseline',
    versions: sysctlsSince.map(([since], index) => ({
      since,
      check: sysctls(new Set(sysctlsSince.slice(0, index + 1).flatMap(([, names]) => names))),
    })),
    remedy: 'Set none but those that concern the pod alone.',
  },
  { id: 'windowsHostProcess', level: 'baseline', versions: always(windowsHostProcess), remedy: 'Leave out hostProcess.' },
]
