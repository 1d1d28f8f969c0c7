/** Restricted: the baseline, and what hardens a pod at the cost of some images that were not made for it. */
import { child, children, flag, integer, pathOf, text, texts } from '../fields.ts'
import type { Pod } from '../pods.ts'
import { hasUserNamespace, isWindows, securityContexts, wouldBe } from '../pods.ts'
import { forbidCapabilities, forbidProcMounts } from './baseline.ts'
import type { Check, Control, Violation } from './control.ts'

const unlessWindows =
  (check: Check): Check =>
  pod =>
    isWindows(pod) ? [] : check(pod)

const unlessUserNamespace =
  (check: Check): Check =>
  pod =>
    hasUserNamespace(pod) ? [] : check(pod)

const allowPrivilegeEscalation: Check = pod =>
  pod.containers
    .filter(container => flag(child(container, 'securityContext'), 'allowPrivilegeEscalation') !== false)
    .map(container => ({ field: wouldBe(container, 'allowPrivilegeEscalation'), message: 'allowPrivilegeEscalation is not false' }))

const onlyNetBindService = new Set(['NET_BIND_SERVICE'])
const capabilities: Check = pod => [
  ...pod.containers
    .filter(container => !texts(child(child(container, 'securityContext'), 'capabilities'), 'drop').includes('ALL'))
    .map(container => ({ field: wouldBe(container, 'capabilities.drop'), message: 'it does not drop ALL capabilities' })),
  ...forbidCapabilities(pod, onlyNetBindService),
]

/** What holds for all of a pod, or for each of its containers: `isGood` says of a context whether it says so, whether it denies it, or nothing. */
const podOrContainers = (
  pod: Pod,
  key: string,
  isGood: (context: Parameters<typeof child>[0]) => boolean | undefined,
  missing: string,
): Violation[] => {
  const ofPod = isGood(pod.securityContext)
  const wrong = securityContexts(pod)
    .filter(context => isGood(context) === false)
    .map(context => ({ field: pathOf(context, key), message: missing }))
  const silent = pod.containers
    .filter(container => ofPod !== true && isGood(child(container, 'securityContext')) === undefined)
    .map(container => ({ field: wouldBe(container, key), message: missing }))
  return [...wrong, ...silent]
}

const runAsNonRoot: Check = pod => podOrContainers(pod, 'runAsNonRoot', context => flag(context, 'runAsNonRoot'), 'runAsNonRoot is not true')

const runAsUser: Check = pod =>
  securityContexts(pod)
    .filter(context => integer(context, 'runAsUser') === 0)
    .map(context => ({ field: pathOf(context, 'runAsUser'), message: 'runAsUser is 0' }))

const seccomp: Check = pod =>
  podOrContainers(
    pod,
    'seccompProfile.type',
    context => {
      const profile = child(context, 'seccompProfile')
      if (profile === undefined) return undefined
      const type = text(profile, 'type')
      return type === 'RuntimeDefault' || type === 'Localhost'
    },
    'seccompProfile is neither RuntimeDefault nor Localhost',
  )

const volumeTypes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret']

/** A volume without a source is an emptyDir: the API server fills it in. */
const volumes: Check = pod =>
  children(pod.spec, 'volumes').flatMap(volume => {
    const sources = Object.keys(volume.value).filter(key => key !== 'name' && volume.value[key] !== null && volume.value[key] !== undefined)
    const wrong = sources.filter(key => !volumeTypes.includes(key))
    if (sources.length === 0 || sources.some(key => volumeTypes.includes(key))) return []
    return wrong.map(key => ({ field: pathOf(volume, key), message: `it is of type ${key}` }))
  })

export const restrictedControls: readonly Control[] = [
  {
    id: 'allowPrivilegeEscalation',
    level: 'restricted',
    versions: [
      { since: 8, check: allowPrivilegeEscalation },
      { since: 25, check: unlessWindows(allowPrivilegeEscalation) },
    ],
    remedy: 'Set allowPrivilegeEscalation: false on each container.',
  },
  {
    id: 'capabilities_restricted',
    level: 'restricted',
    versions: [
      { since: 22, check: capabilities },
      { since: 25, check: unlessWindows(capabilities) },
    ],
    replaces: 'capabilities_baseline',
    remedy: 'Drop ALL on each container, and add none but NET_BIND_SERVICE.',
  },
  {
    id: 'procMount_restricted',
    level: 'restricted',
    versions: [{ since: 35, check: forbidProcMounts }],
    replaces: 'procMount',
    remedy: 'Leave out procMount.',
  },
  {
    id: 'restrictedVolumes',
    level: 'restricted',
    versions: [{ since: 0, check: volumes }],
    replaces: 'hostPathVolumes',
    remedy: `Use volumes of the types ${volumeTypes.join(', ')} only.`,
  },
  {
    id: 'runAsNonRoot',
    level: 'restricted',
    versions: [
      { since: 0, check: runAsNonRoot },
      { since: 35, check: unlessUserNamespace(runAsNonRoot) },
    ],
    remedy: 'Set runAsNonRoot: true on the pod or on each container, and on none false.',
  },
  {
    id: 'runAsUser',
    level: 'restricted',
    versions: [
      { since: 23, check: runAsUser },
      { since: 35, check: unlessUserNamespace(runAsUser) },
    ],
    remedy: 'Use another user than 0.',
  },
  {
    id: 'seccompProfile_restricted',
    level: 'restricted',
    versions: [
      { since: 19, check: seccomp },
      { since: 25, check: unlessWindows(seccomp) },
    ],
    replaces: 'seccompProfile_baseline',
    remedy: 'Set seccompProfile.type: RuntimeDefault on the pod or on each container.',
  },
]
