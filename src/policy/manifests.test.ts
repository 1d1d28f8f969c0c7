import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assemble } from './assemble.ts'
import { fieldPath, namespaceLabels, readManifests, requestOf } from './manifests.ts'

const read = (text: string) => readManifests({ path: 'm.yaml', text })
const now = Date.parse('2030-01-01T00:00:00Z')

const verdicts = async (text: string): Promise<string[]> => {
  const manifests = read(text)
  await using policies = assemble([], { preset: 'baseline', looking: false, now }).enforce()
  const labels = namespaceLabels(manifests)
  return await Promise.all(manifests.map(async one => (await policies.decide(requestOf(one, labels, 'ann', now))).verdict))
}

const pod = (context: string, name = 'p'): string => `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  containers:
  - name: main
    image: web:1
    securityContext: ${context}
`

describe('manifests', () => {
  it('are every document, with name, namespace and line', () => {
    const found = read(`${pod('{}')}---\n# nothing\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d, namespace: shop }\n---
{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"a": "b"}}}\n`)
    assert.deepEqual(
      found.map(({ name, line, namespace }) => [name, line, namespace]),
      [
        ['Pod/default/p', 1, 'default'],
        ['Deployment/shop/d', 12, 'shop'],
        ['Namespace/shop', 16, ''],
      ],
    )
    assert.deepEqual(namespaceLabels(found).get('shop'), { a: 'b' })
    const [, deployment] = found
    assert.ok(deployment)
    assert.deepEqual(requestOf(deployment, namespaceLabels(found), 'ann', now).namespaceLabels, { a: 'b' })
  })

  it('of lists are their items, whatever list it is', () => {
    const found = read(`apiVersion: v1
kind: PodList
items:
- metadata: { name: a }
  spec: { containers: [{ name: main, securityContext: { privileged: true } }] }
- metadata: { generateName: b- }
---
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: DeploymentList
  items: [{ metadata: { name: c } }]
- { apiVersion: v1, kind: Pod, metadata: { name: d } }
`)
    // A list within a list is none that the API server takes.
    assert.deepEqual(
      found.map(({ name, line }) => [name, line]),
      [
        ['Pod/default/a', 4],
        ['Pod/default/b-*', 6],
        ['Deployment/default/c', 13],
        ['Pod/default/d', 14],
      ],
    )
    assert.equal(found[0]?.lineOf('spec.containers[0].securityContext.privileged'), 5)
  })

  it('are read as Kubernetes reads them: nothing hides in a spelling', async () => {
    for (const context of [
      '{ privileged: true }',
      '{ privileged: yes }',
      '{ privileged: On }',
      '{ <<: { privileged: true } }',
      '{ "privileged": "true" }',
    ])
      assert.deepEqual(await verdicts(pod(context)), ['denied'], context)
    for (const context of ['{ privileged: false }', '{ privileged: no }', '{}', '', '~'])
      assert.deepEqual(await verdicts(pod(context)), ['allowed'], context)
    const merged = `x: &x { securityContext: { privileged: true } }\n${pod('{}').replace('    securityContext: {}', '    <<: *x')}`
    assert.deepEqual(await verdicts(merged), ['denied'])
    assert.equal(read(pod('{ runAsUser: 0_0 }'))[0]?.object['spec'] !== undefined, true)
    // Times and sexagesimal numbers are text to Kubernetes, too.
    const [{ object } = assert.fail()] = read(
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata: { a: 12:30:45, b: 2001-01-01, c: 0x10, d: 1_000 }\n',
    )
    assert.deepEqual(object['data'], { a: '12:30:45', b: '2001-01-01', c: 16, d: 1000 })
  })

  it('that are no objects are refused with their place', () => {
    for (const [text, why] of [
      ['a: 1\n', /^m\.yaml:1:1: apiVersion is missing/],
      ['apiVersion: v1\nmetadata: {}\n', /^m\.yaml:1:1: kind is missing/],
      ['- 1\n', /^m\.yaml:1:1: an object with apiVersion/],
      ['apiVersion: v1\nkind: Pod\nkind: Pod\n', /^m\.yaml:3:1: Map keys must be unique/],
      ['apiVersion: v1\n kind: Pod\n', /^m\.yaml:\d+:\d+: /],
      ['apiVersion: v1\nkind: PodList\nitems: [{ kind: 1 }]\n', /^m\.yaml:3: apiVersion and kind must be texts/],
      ['['.repeat(100_000), /^m\.yaml:1:1: it is nested too deeply/],
      [
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {}\ndata:\n${Array.from({ length: 200_000 }, (_, at) => `  k${at}: v`).join('\n')}\n  k7: v\n`,
        /^m\.yaml:200005:3: Map keys must be unique/,
      ],
    ] as const)
      assert.throws(() => read(text), { code: 'invalid', message: why })
  })

  it('whose aliases multiply are refused, whatever they would come to', () => {
    const levels = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array.from({ length: 10 }, () => `*a${at}`).join(', ')}]`)
    assert.throws(() => read(`apiVersion: v1\nkind: ConfigMap\na0: &a0 [x]\n${levels.join('\n')}\n`), { code: 'invalid', message: /alias/ })
  })

  it('have fields that people write', () => {
    assert.deepEqual(fieldPath('spec.containers[0].ports[12].hostPort'), ['spec', 'containers', 0, 'ports', 12, 'hostPort'])
    assert.deepEqual(fieldPath(''), [])
  })
})
