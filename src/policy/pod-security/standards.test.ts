import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { fixture } from '../../../test/fixtures.ts'
import { root } from '../fields.ts'
import { podOf } from '../pods.ts'
import type { PodSecurityLevel } from './standards.ts'
import { createPodSecurity, newestVersion, parseVersion } from './standards.ts'

const violations = (level: PodSecurityLevel, version: string, object: unknown) => {
  const pod = podOf(root(object))
  assert.ok(pod, 'there is no pod')
  return createPodSecurity(level, parseVersion(version, 'version'))(pod)
}

const { path, skip } = fixture('pod-security')

describe("Kubernetes' own pods, which must pass or fail", { skip }, () => {
  for (const level of ['baseline', 'restricted'] as const) {
    for (const version of skip === false ? readdirSync(join(path, level)) : []) {
      for (const outcome of ['pass', 'fail']) {
        test(`${level} ${version}: ${outcome}`, () => {
          const folder = join(path, level, version, outcome)
          const files = readdirSync(folder)
          assert.ok(files.length > 10)
          for (const file of files) {
            const found = violations(level, version, parse(readFileSync(join(folder, file), 'utf8')))
            assert.equal(found.length === 0 ? 'pass' : 'fail', outcome, `${file}: ${JSON.stringify(found)}`)
            // Each pod breaks what its file is named after, and only that: the control that is found is the right one.
            const control = file.replace(/\d*\.yaml$/, '').toLowerCase()
            if (outcome === 'fail') assert.ok(sameControl(control, found[0]?.control ?? ''), `${file}: found ${found.map(one => one.control).join()}`)
          }
        })
      }
    }
  }
})

/** The restricted form of a control finds what the baseline's pods break. */
const sameControl = (file: string, found: string): boolean => {
  const stem = (text: string): string => text.toLowerCase().replace(/_(baseline|restricted)$/, '')
  return stem(file) === stem(found) || (file === 'hostpathvolumes' && found === 'restrictedVolumes') || file === 'windowshostprocess'
}

const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } })

test('a violation names the field at fault', () => {
  const [found] = violations('baseline', 'latest', pod({ containers: [{ name: 'c', securityContext: { privileged: true } }] }))
  assert.equal(found?.control, 'privileged')
  assert.equal(found?.field, 'spec.containers[0].securityContext.privileged')
  assert.match(found?.remedy ?? '', /capabilities/)
})

test('the template of every workload is judged as a pod is', () => {
  const bad = { spec: { containers: [{ name: 'c' }], hostPID: true } }
  const objects: [string, object, string][] = [
    ['Deployment', { spec: { template: bad } }, 'spec.template.spec.hostPID'],
    ['CronJob', { spec: { jobTemplate: { spec: { template: bad } } } }, 'spec.jobTemplate.spec.template.spec.hostPID'],
    ['PodTemplate', { template: bad }, 'template.spec.hostPID'],
  ]
  for (const [kind, object, field] of objects) assert.equal(violations('baseline', 'latest', { kind, ...object })[0]?.field, field)
  assert.equal(podOf(root({ kind: 'ConfigMap', data: {} })), undefined)
})

test('ephemeral containers are judged too', () => {
  const found = violations('baseline', 'latest', pod({ ephemeralContainers: [{ name: 'debug', securityContext: { privileged: true } }] }))
  assert.equal(found[0]?.field, 'spec.ephemeralContainers[0].securityContext.privileged')
})

test('a field of another type is an error that names it, never a pass', () => {
  assert.throws(() => violations('baseline', 'latest', pod({ hostPID: 'yes' })), /spec\.hostPID: this is not true or false/)
  assert.throws(() => violations('baseline', 'latest', pod({ containers: {} })), /spec\.containers: this is not a list/)
  assert.throws(() => violations('restricted', 'latest', pod({ volumes: [null] })), /spec\.volumes\[0\]: this is not an object/)
})

test('null is absence, as Kubernetes decodes it', () => {
  assert.deepEqual(violations('baseline', 'latest', pod({ securityContext: null, hostPID: null, volumes: null, initContainers: null })), [])
})

test('a version is pinned, or the newest', () => {
  const probing = pod({ containers: [{ name: 'c', livenessProbe: { httpGet: { host: '127.0.0.1', port: 1 } } }] })
  assert.equal(violations('baseline', 'v1.33', probing).length, 0)
  assert.equal(violations('baseline', '1.34', probing).length, 1)
  assert.equal(parseVersion('v1.999', 'version'), newestVersion)
  assert.throws(() => parseVersion('2.0', 'version'), /version: 2\.0 is no version of Kubernetes/)
})
