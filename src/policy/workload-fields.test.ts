import assert from 'node:assert/strict'
import { test } from 'node:test'
import { workloadField } from './workload-fields.ts'

test('a field of the pod is one of the workload', () => {
  const container = (field: string): string => workloadField(`spec.containers[0].${field}`)
  const expected: readonly (readonly [string, string])[] = [
    [container('image'), 'image'],
    [container('env.API_TOKEN'), 'env.API_TOKEN'],
    [container('command[2]'), 'command[2]'],
    [container('command[2].--password'), 'command[2]'],
    [container('securityContext.runAsNonRoot'), 'user'],
    [container('securityContext.capabilities.add'), 'capabilities'],
    [container('securityContext.readOnlyRootFilesystem'), 'readOnly'],
    [container('resources.limits.memory'), 'limits.memory'],
    [container('resources.limits.cpu'), 'limits.cpus'],
    [container('ports[1].hostPort'), 'deployment.expose'],
    [container('livenessProbe.exec.command[2]'), 'deployment.health'],
    [workloadField('spec.volumes[0].hostPath.path'), 'mounts'],
    [workloadField('spec.securityContext.sysctls[0].name'), 'sysctls'],
    [workloadField('metadata.labels.example.org/team'), 'labels.example.org/team'],
    // What no workload can say is said of it as a whole.
    [workloadField('spec.hostNetwork'), ''],
    [container('securityContext.privileged'), ''],
    [workloadField('spec'), ''],
  ]
  for (const [found, wanted] of expected) assert.equal(found, wanted)
})
