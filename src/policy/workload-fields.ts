/** Fields of the pod that a workload is judged as, as the workload itself calls them: `podOfWorkload` the other way round. */

/** Of a container, by what the path begins with; the longest that fits counts. */
const ofContainer: Readonly<Record<string, string>> = {
  ...{ image: 'image', env: 'env', workingDir: 'workdir', ports: 'deployment.expose', livenessProbe: 'deployment.health', volumeMounts: 'mounts' },
  ...{ resources: 'limits', 'resources.limits.memory': 'limits.memory', 'resources.limits.cpu': 'limits.cpus', stdin: 'stdin', tty: 'tty' },
  ...{ 'securityContext.runAsUser': 'user', 'securityContext.runAsNonRoot': 'user', 'securityContext.readOnlyRootFilesystem': 'readOnly' },
  'securityContext.capabilities': 'capabilities',
}

const ofPod: Readonly<Record<string, string>> = {
  ...{ runtimeClassName: 'runtime', volumes: 'mounts', 'securityContext.sysctls': 'sysctls' },
  ...{ 'securityContext.runAsUser': 'user', 'securityContext.runAsNonRoot': 'user' },
}

const longestFit = (words: Readonly<Record<string, string>>, path: readonly string[]): string =>
  path.map((_, index) => words[path.slice(0, path.length - index).join('.')]).find(found => found !== undefined) ?? ''

/** `spec.containers[0].env.TOKEN` → `env.TOKEN`, `metadata.labels.team` → `labels.team`, `…command[2]` → `command[2]`; '' for what no workload can say. */
export const workloadField = (field: string): string => {
  const label = /^metadata\.labels\.(.+)$/s.exec(field)?.[1]
  if (label !== undefined) return `labels.${label}`
  const variable = /^spec\.containers\[\d+\]\.env\.(.+)$/s.exec(field)?.[1]
  if (variable !== undefined) return `env.${variable}`
  const word = /^spec\.containers\[\d+\]\.(command(\[\d+\])?)/.exec(field)?.[1]
  if (word !== undefined) return word
  const [first, second, ...rest] = field.replaceAll(/\[\d+\]/g, '').split('.')
  if (first !== 'spec' || second === undefined) return ''
  if (second === 'containers') return longestFit(ofContainer, rest)
  return longestFit(ofPod, [second, ...rest])
}
