/** container.*, k8s.*, user.* and group.*: whose it is. A workload is read as the pod that admission reads it as: its name, in the namespace of its environment's name. */
import type { Subject } from '../detector.ts'
import type { EventContext } from './context.ts'
import { field, lackingField, nanoseconds } from './define.ts'
import type { Field, FieldType, Scalar } from './field.ts'

const of = (name: string, type: FieldType, doc: string, read: (subject: Subject) => Scalar | undefined): Field =>
  field(name, type, doc, ({ subject }) => read(subject))

/** `registry:5000/name:tag@sha256:…` in its parts. A name without a dot, a colon or `localhost` before its first slash has no registry, and is told as it was written. */
const parts = (image: string): { readonly repository: string; readonly tag: string | undefined } => {
  const [name = ''] = image.split('@')
  const colon = name.lastIndexOf(':')
  return colon > name.lastIndexOf('/') ? { repository: name.slice(0, colon), tag: name.slice(colon + 1) } : { repository: name, tag: undefined }
}

const label = (name: string, doc: string): Field => ({
  name,
  type: 'string',
  doc,
  argument: { need: 'required', kind: 'key', dotted: true },
  bind: argument => {
    const key = argument ?? ''
    return ({ subject }) => (Object.hasOwn(subject.labels, key) ? subject.labels[key] : undefined)
  },
})
const labels = ({ labels: all }: Subject): string =>
  Object.entries(all)
    .map(([key, value]) => `${key}:${value}`)
    .join(', ')

/** The sensor tells the host's numbers. Those below the first of all instances are of somebody outside, and stay what they are. */
const within = (id: number, { userIds }: Subject): number => (userIds && id >= userIds.first ? (id - userIds.first) % userIds.each : id)
const userOf = ({ event, subject }: EventContext): number => within(event.euid, subject)
const groupOf = ({ event, subject }: EventContext): number => within(event.gid, subject)

const notTold = 'rules are told of the workload, not of its mounts'
const gone = 'Falco has it no more'
const noAddress = 'an instance may have several addresses, and others after it'

export const containerFields: readonly Field[] = [
  of('container.id', 'string', 'Instance', ({ instance }) => instance),
  of('container.full_id', 'string', 'Instance', ({ instance }) => instance),
  of('container.name', 'string', 'Workload', ({ workload }) => workload),
  of('container.type', 'string', 'Kind of the workload', ({ kind }) => kind),
  of('container.image', 'string', 'Image, by the name that was asked for', ({ imageName }) => imageName),
  of('container.image.id', 'string', "Hexadecimal digits of the image's digest", ({ image }) => image.replace(/^sha256:/, '')),
  of('container.image.digest', 'string', "Image's digest", ({ image }) => image),
  of('container.image.repository', 'string', "Image's name without tag and digest", ({ imageName }) => parts(imageName).repository),
  of('container.image.tag', 'string', "Image's tag, where one was asked for", ({ imageName }) => parts(imageName).tag),
  of('container.privileged', 'boolean', 'Whether it is privileged', ({ privileged }) => privileged),
  of('container.start_ts', 'time', 'When it began', ({ startedAt }) => nanoseconds(startedAt)),
  field('container.duration', 'duration', 'Since it began', ({ event, subject }) =>
    Math.max(0, nanoseconds(event.time) - nanoseconds(subject.startedAt)),
  ),
  label('container.label', "One of the environment's labels"),
  of('container.labels', 'string', 'All labels', labels),
  of('k8s.pod.name', 'string', 'Workload', ({ workload }) => workload),
  of('k8s.pod.id', 'string', 'Instance', ({ instance }) => instance),
  of('k8s.pod.uid', 'string', 'Instance', ({ instance }) => instance),
  of('k8s.ns.name', 'string', "Environment's name", ({ environmentName }) => environmentName),
  label('k8s.pod.label', "One of the environment's labels"),
  of('k8s.pod.labels', 'string', 'All labels', labels),
  field('user.uid', 'number', 'Effective user, as a number within the instance', userOf),
  field('user.name', 'string', "`root` for 0; what other numbers are called only the image's own files say", context =>
    userOf(context) === 0 ? 'root' : undefined,
  ),
  field('group.gid', 'number', 'Group, as a number within the instance', groupOf),
  field('group.name', 'string', '`root` for 0', context => (groupOf(context) === 0 ? 'root' : undefined)),
  ...['user.homedir', 'user.shell'].map(name => lackingField(name, 'string', "only the image's own files say it")),
  lackingField('user.loginuid', 'number', 'there are no logins in an instance'),
  lackingField('user.loginname', 'string', 'there are no logins in an instance'),
  lackingField('container.mounts', 'string', notTold),
  ...[
    'container.mount',
    'container.mount.source',
    'container.mount.dest',
    'container.mount.mode',
    'container.mount.rdwr',
    'container.mount.propagation',
  ].map(name => lackingField(name, 'string', notTold, { argument: { need: 'required', kind: 'key' } })),
  ...['container.healthcheck', 'container.liveness_probe', 'container.readiness_probe'].map(name =>
    lackingField(name, 'string', 'rules are told of the workload, not of its checks'),
  ),
  ...['container.ip', 'container.cni.json', 'k8s.pod.ip', 'k8s.pod.cni.json'].map(name => lackingField(name, 'string', noAddress)),
  ...['k8s.pod.sandbox_id', 'k8s.pod.full_sandbox_id'].map(name => lackingField(name, 'string', 'there is no sandbox beside the instance')),
  ...['container.host_pid', 'container.host_network', 'container.host_ipc'].map(name =>
    field(name, 'boolean', "Always false: no instance has the host's", () => false),
  ),
  ...['rc', 'svc', 'ns', 'rs', 'deployment'].flatMap(kind => [
    ...['name', 'id'].filter(key => kind !== 'ns' || key === 'id').map(key => lackingField(`k8s.${kind}.${key}`, 'string', gone)),
    lackingField(`k8s.${kind}.label`, 'string', gone, { argument: { need: 'required', kind: 'key', dotted: true } }),
    lackingField(`k8s.${kind}.labels`, 'string', gone),
  ]),
]
