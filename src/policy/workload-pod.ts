/**
 * A workload of Dayfly as the pod that Kubernetes would call it, so that one rule reads both. It says what the linux backend does (docs/security.md), not
 * what was asked for: a user namespace of its own, seccomp, no new privileges, capabilities only for root or where they were asked for.
 */
import type { Exposure, HealthCheck } from '../model/deployment.ts'
import type { Mount } from '../model/mount.ts'
import type { Limits } from '../model/workload.ts'
import type { KubernetesObject } from './decision.ts'

/** What a `WorkloadSpec` and a `WorkloadDraft` have in common. */
export interface PodSource {
  /** As the user wrote it. */
  readonly image: string
  readonly command: readonly string[] | undefined
  readonly env: Readonly<Record<string, string>>
  /** As the user or the image says; '' where neither does. */
  readonly user: string
  /** Number of that user in the image; undefined where the image has not been looked at. */
  readonly uid: number | undefined
  readonly workdir: string | undefined
  readonly readOnly: boolean
  readonly capabilities: readonly string[]
  readonly limits: Partial<Limits>
  readonly runtime: 'crun' | 'runsc'
  readonly tty: boolean
  readonly stdin: boolean
  readonly secrets: readonly string[]
  readonly mounts: readonly Mount[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly health: HealthCheck | undefined
  readonly expose: readonly Exposure[]
  readonly labels: Readonly<Record<string, string>>
}

/** What the first process has when it is root: `host/oci/capabilities.ts` grants it, and a test compares the two. */
export const rootCapabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'] as const

/** The number before the colon where there is one; a name is some user, and `root` or none is root. */
const uidOf = ({ user, uid }: PodSource): number | undefined => {
  if (uid !== undefined) return uid
  const name = user.split(':')[0] ?? ''
  if (/^\d+$/.test(name)) return Number(name)
  return name === 'root' ? 0 : undefined
}

const volumeOf = (mount: Mount): Readonly<Record<string, unknown>> => {
  if (mount.type === 'bind') return { hostPath: { path: mount.source } }
  if (mount.type === 'config') return { configMap: { name: mount.config } }
  if (mount.type === 'tmpfs') return { emptyDir: { medium: 'Memory', sizeLimit: String(mount.size) } }
  return { emptyDir: {} }
}

const mountsOf = ({ mounts, secrets }: PodSource) => {
  const all = mounts.map((mount, index) => ({
    volume: { name: `mount-${index}`, ...volumeOf(mount) },
    mount: { name: `mount-${index}`, mountPath: mount.target, readOnly: mount.type === 'config' || (mount.type !== 'tmpfs' && mount.readOnly) },
  }))
  const ofSecrets = secrets.map(name => ({
    volume: { name: `secret-${name}`, secret: { secretName: name } },
    mount: { name: `secret-${name}`, mountPath: `/run/secrets/${name}`, readOnly: true },
  }))
  return [...all, ...ofSecrets]
}

const containerOf = (name: string, source: PodSource) => {
  const uid = uidOf(source)
  const { limits, health, expose } = source
  return {
    name,
    image: source.image,
    ...(source.command === undefined ? {} : { command: source.command }),
    ...(source.workdir === undefined ? {} : { workingDir: source.workdir }),
    env: Object.entries(source.env).map(([key, value]) => ({ name: key, value })),
    ports: expose.map(({ port }) => ({ containerPort: port, protocol: 'TCP' })),
    resources: {
      limits: {
        ...(limits.cpus === undefined ? {} : { cpu: String(limits.cpus) }),
        ...(limits.memory === undefined ? {} : { memory: String(limits.memory) }),
      },
    },
    volumeMounts: mountsOf(source).map(({ mount }) => mount),
    ...(health === undefined ? {} : { livenessProbe: { exec: { command: health.command } } }),
    stdin: source.stdin,
    tty: source.tty,
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: source.readOnly,
      // A user whose number nobody has looked up may be root.
      ...(uid === undefined ? {} : { runAsUser: uid, runAsNonRoot: uid !== 0 }),
      capabilities: { drop: ['ALL'], add: [...(uid === 0 ? rootCapabilities : []), ...source.capabilities] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  }
}

/** Pure. `environment` becomes the namespace; labels are the environment's, over them the workload's, and `dayfly.dev/workload`. */
export const podOfWorkload = (
  environment: { readonly name: string; readonly labels: Readonly<Record<string, string>> },
  name: string,
  source: PodSource,
): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: environment.name, labels: { ...environment.labels, ...source.labels, 'dayfly.dev/workload': name } },
  spec: {
    hostUsers: false,
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    automountServiceAccountToken: false,
    restartPolicy: 'Never',
    ...(source.runtime === 'runsc' ? { runtimeClassName: 'gvisor' } : {}),
    securityContext: { sysctls: Object.entries(source.sysctls).map(([key, value]) => ({ name: key, value })) },
    volumes: mountsOf(source).map(({ volume }) => volume),
    containers: [containerOf(name, source)],
  },
})
