/** Secrets in the clear in what a start gives a container beside its image: variables, command lines, labels. */
import type { FoundSecrets } from './findings.ts'
import { fieldsOfDocument } from './sources.ts'

/** Kubernetes objects whose pods run. A Secret or a ConfigMap runs nothing. */
const running: ReadonlySet<string> = new Set([
  ...['Pod', 'PodTemplate', 'ReplicationController', 'ReplicaSet', 'Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'],
])

/** Bytes of all values together: the kernel passes little more to a process. */
const most = 256 * 1024

/** Values of a pod, or of what makes pods, by path: `spec.containers[0].env.TOKEN`. What it and its namespace are called is left out. Second: whether these are all. */
export const fieldsOfPod = (object: { readonly kind: string }): readonly [Record<string, string>, boolean] => {
  if (!running.has(object.kind)) return [{}, true]
  const [fields, complete] = fieldsOfDocument(object)
  const kept: [string, string][] = []
  let bytes = 0
  for (const [field, value] of Object.entries(fields)) {
    if (field === 'metadata.name' || field === 'metadata.namespace') continue
    bytes += Buffer.byteLength(value)
    if (bytes > most) return [Object.fromEntries(kept), false]
    kept.push([field, value])
  }
  return [Object.fromEntries(kept), complete]
}

/** `search` is `findInFields` of the secret rules. */
export const secretsInFields = (
  [fields, complete]: readonly [Readonly<Record<string, string>>, boolean],
  search: (fields: Readonly<Record<string, string>>) => FoundSecrets,
): FoundSecrets => {
  const { findings, problems } = search(fields)
  return complete ? { findings, problems } : { findings, problems: [...problems, 'there is more in it than is searched for secrets'] }
}
