import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DayflyError } from '../../base/errors.ts'
import type { AdmissionRequest, KubernetesObject } from '../decision.ts'
import { compilePolicy } from './compile.ts'
import { evaluatePolicy } from './evaluate.ts'
import { loadPolicies } from './load.ts'
import { requestValues } from './values.ts'

const pod = (spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, ...metadata },
  spec: { containers: [{ name: 'main', image: 'registry.example.com/web:1' }], ...spec },
})

const request = (object: KubernetesObject = pod(), more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  object,
  operation: 'CREATE',
  namespace: 'shop',
  namespaceLabels: { team: 'a' },
  userInfo: { username: 'ann', groups: ['dev'] },
  instance: undefined,
  environment: undefined,
  images: {},
  now: 0,
  ...more,
})

const load = (text: string) => loadPolicies([{ path: 'policies/p.yaml', text }])

/** `action rule: message` of all that is said. */
const ask = (text: string, asked: AdmissionRequest = request()): string[] => {
  const { set } = load(text)
  return set.policies
    .map(policy => compilePolicy(policy, set, fault => assert.fail(fault.error.message)))
    .flatMap(policy => evaluatePolicy(policy, asked, requestValues(asked)))
    .map(({ action, objection }) => `${action} ${objection.rule}: ${objection.message}`)
}

const indent = (text: string, by: number): string => text.trim().replaceAll('\n', `\n${' '.repeat(by)}`)

const policy = (
  spec: string,
  rules = `resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods] }]`,
): string => `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: p }
spec:
  matchConstraints:
    ${indent(rules, 4)}
  ${indent(spec, 2)}
`
const binding = (spec = 'validationActions: [Deny]', name = 'b'): string => `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: ${name} }
spec:
  policyName: p
  ${indent(spec, 2)}
`
const never = `validations: [{ expression: 'false', message: no }]`
const faultOf = (text: string): string => {
  try {
    load(text)
  } catch (error) {
    assert.ok(error instanceof DayflyError && error.code === 'invalid')
    return error.message
  }
  return assert.fail('it was loaded')
}

describe('validations', () => {
  it('say what is wrong by their message, an expression of it, or themselves', () => {
    assert.deepEqual(
      ask(
        policy(`
validations:
- expression: object.spec.containers.all(c, c.image.startsWith('good/'))
  message: only good images
- expression: object.spec.containers.size() > 1
  messageExpression: "'there are ' + string(object.spec.containers.size())"
  message: unused
- expression: size(object.metadata.name) > 3
- expression: 'false'
  messageExpression: object.nope
  message: instead
- expression: 'false'
  messageExpression: "'two\\\\nlines'"
- expression: 'true'
`) + binding(),
      ),
      [
        'deny validations[0]: only good images',
        'deny validations[1]: there are 1',
        'deny validations[2]: failed expression: size(object.metadata.name) > 3',
        'deny validations[3]: instead',
        'deny validations[4]: failed expression: false',
      ],
    )
  })

  it('that fail deny, unless the policy says otherwise', () => {
    const faulty = 'validations: [{ expression: object.spec.replicas > 1 }]'
    assert.deepEqual(ask(policy(faulty) + binding()), [
      "deny validations[0]: expression 'object.spec.replicas > 1' resulted in error: no such key: replicas",
    ])
    assert.deepEqual(ask(policy(`failurePolicy: Ignore\n${faulty}`) + binding()), [
      "audit validations[0]: expression 'object.spec.replicas > 1' resulted in error: no such key: replicas",
    ])
    assert.match(
      ask(policy('validations: [{ expression: object.spec.containers }]') + binding())[0] ?? '',
      /^deny validations\[0\]: .* gives a list, not a bool/,
    )
  })

  it('go where the binding says', () => {
    assert.deepEqual(ask(policy(never) + binding('validationActions: [Warn, Audit]')), ['warn validations[0]: no', 'audit validations[0]: no'])
    assert.deepEqual(ask(policy(never) + binding() + binding('validationActions: [Audit]', 'c')), [
      'deny validations[0]: no',
      'audit validations[0]: no',
    ])
    assert.deepEqual(ask(policy(never)), ['deny validations[0]: no'], 'one that nothing binds denies')
    assert.equal(load(policy(never)).notes.length, 1)
  })

  it('see variables, lazily and in order', () => {
    const text = policy(`
variables:
- name: names
  expression: object.spec.containers.map(c, c.name)
- name: broken
  expression: object.nope.nope
- name: count
  expression: size(variables.names)
validations:
- expression: variables.count == 2
  messageExpression: "'found ' + variables.names.join(',')"
- expression: variables.count == 1 || variables.broken
- expression: variables.broken == 1
- expression: variables.broken == 1
`)
    assert.deepEqual(ask(text + binding()), [
      'deny validations[0]: found main',
      "deny validations[2]: expression 'variables.broken == 1' resulted in error: no such key: nope",
      "deny validations[3]: expression 'variables.broken == 1' resulted in error: no such key: nope",
    ])
  })

  it('see the request, the namespace and what Dayfly knows', () => {
    const asked = request(pod(), {
      instance: { workload: 'web', isolation: 'standard' },
      environment: { name: 'demo', labels: {} },
      images: {
        main: { name: 'web:1', digest: 'sha256:1', findings: [], problems: [], labels: { a: 'b' }, signatures: undefined, dataFrom: undefined },
      },
    })
    const expressions = [
      "request.operation == 'CREATE' && request.kind.kind == 'Pod' && request.resource.resource == 'pods' && request.namespace == 'shop'",
      "request.userInfo.username == 'ann' && 'dev' in request.userInfo.groups && request.name == 'web' && !request.dryRun",
      "namespaceObject.metadata.labels['kubernetes.io/metadata.name'] == 'shop' && namespaceObject.metadata.labels.team == 'a' && oldObject == null",
      "instance.isolation == 'standard' && environment.name == 'demo' && image.digest == 'sha256:1' && images.main.labels.a == 'b' && findings.size() == 0",
      "findings.all(f, f.severity != 'critical') && !has(image.signatures)",
    ]
    assert.deepEqual(
      ask(policy(`validations:\n${expressions.map(each => `- expression: ${JSON.stringify(each)}`).join('\n')}`) + binding(), asked),
      [],
    )
    assert.match(
      ask(policy('validations: [{ expression: findings.size() == 0 }]') + binding())[0] ?? '',
      /^deny .*the findings of the image are not known/,
    )
    assert.match(
      ask(policy(`validations: [{ expression: "images.all(k, v, v.findings.size() == 0)" }]`) + binding(), {
        ...asked,
        images: {
          main: { name: 'web:1', digest: '', findings: undefined, problems: ['not scanned'], labels: {}, signatures: undefined, dataFrom: undefined },
        },
      })[0] ?? '',
      /^deny .*no such key: findings/,
    )
  })

  it('are not asked when a match condition is false', () => {
    const conditions = (...all: string[]): string =>
      `matchConditions:\n${all.map((each, at) => `- { name: c${at}, expression: ${JSON.stringify(each)} }`).join('\n')}\n${never}`
    assert.deepEqual(ask(policy(conditions('true', "object.metadata.name == 'other'")) + binding()), [])
    assert.deepEqual(ask(policy(conditions('true', 'true')) + binding()), ['deny validations[0]: no'])
    assert.deepEqual(ask(policy(conditions('object.nope == 1', 'false')) + binding()), [], 'a false decides, whatever fails beside it')
    assert.deepEqual(ask(policy(conditions('object.nope == 1')) + binding()), [
      'deny matchConditions[0]: match condition c0 could not be evaluated: no such key: nope',
    ])
    assert.match(ask(policy(`failurePolicy: Ignore\n${conditions('object.nope == 1')}`) + binding())[0] ?? '', /^audit/)
  })

  it('leave annotations', () => {
    const annotations = `auditAnnotations:\n- { key: image, valueExpression: "object.spec.containers[0].image" }\n- { key: none, valueExpression: "null" }`
    assert.deepEqual(ask(policy(annotations) + binding()), ['audit auditAnnotations[0]: image: registry.example.com/web:1'])
    assert.match(ask(policy(`auditAnnotations: [{ key: a, valueExpression: object.nope }]`) + binding())[0] ?? '', /^deny auditAnnotations\[0\]/)
  })
})

describe('parameters', () => {
  const withParams = policy(`
paramKind: { apiVersion: v1, kind: ConfigMap }
validations:
- expression: object.spec.containers.size() <= int(params.data.most)
  messageExpression: "'at most ' + params.data.most"
`)
  const map = (name: string, most: string, more = ''): string =>
    `---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}${more} }\ndata: { most: "${most}" }\n`
  const ref = (text: string): string => binding(`validationActions: [Deny]\nparamRef: { ${text} }`)

  it('are found by name, in the namespace of the request', () => {
    assert.deepEqual(ask(withParams + ref('name: m, parameterNotFoundAction: Deny') + map('m', '0', ', namespace: shop')), [
      'deny validations[0]: at most 0',
    ])
    assert.deepEqual(ask(withParams + ref('name: m, parameterNotFoundAction: Deny') + map('m', '5')), [])
    assert.deepEqual(ask(withParams + ref('name: m, namespace: other, parameterNotFoundAction: Deny') + map('m', '0', ', namespace: other')), [
      'deny validations[0]: at most 0',
    ])
  })

  it('are found by selector, each counts', () => {
    const labelled = (name: string, most: string): string => map(name, most, ', labels: { for: pods }')
    const text = withParams + ref('selector: { matchLabels: { for: pods } }, parameterNotFoundAction: Deny')
    assert.deepEqual(ask(text + labelled('a', '0') + labelled('b', '3') + map('c', '0')), ['deny validations[0]: at most 0'])
  })

  it('that are missing deny, or let it be', () => {
    assert.match(
      ask(withParams + ref('name: m, parameterNotFoundAction: Deny') + map('m', '5', ', namespace: other'))[0] ?? '',
      /^deny paramRef: the parameters of binding b were not found: ConfigMap m/,
    )
    assert.deepEqual(ask(withParams + ref('name: m, parameterNotFoundAction: Allow')), [])
    assert.match(faultOf(withParams + binding()), /b: spec.paramRef: the policy takes parameters of kind ConfigMap/)
    assert.match(faultOf(withParams), /no ValidatingAdmissionPolicyBinding says which/)
    assert.match(faultOf(policy(never) + ref('name: m, parameterNotFoundAction: Deny')), /it has no paramKind/)
  })
})

describe('matching', () => {
  const rule = (text: string): string => `resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'], ${text} }]`
  const said = (rules: string, asked: AdmissionRequest = request()): number => ask(policy(never, rules) + binding(), asked).length
  const deployment: KubernetesObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: {} }
  const resources = (groups: string, versions: string, names: string, operations = '*', more = ''): string =>
    `resourceRules: [{ apiGroups: ['${groups}'], apiVersions: ['${versions}'], operations: ['${operations}'], resources: ['${names}'] }]${more}`

  it('is by group, version, resource and operation', () => {
    assert.equal(said(resources('', 'v1', 'pods')), 1)
    assert.equal(said(resources('', 'v1', 'pods'), request(deployment)), 0, 'a policy on pods is not about their templates')
    assert.equal(said(resources('apps', 'v1', 'deployments'), request(deployment)), 1)
    assert.equal(said(resources('', 'v1', 'pods/*')), 1)
    assert.equal(said(resources('', 'v1', 'pods/exec')), 0)
    assert.equal(said(resources('', 'v1', 'pods', 'UPDATE')), 0)
    assert.equal(said(resources('', 'v1', 'pods', 'UPDATE'), request(pod(), { operation: 'UPDATE' })), 1)
    assert.equal(said(resources('apps', 'v1beta1', 'deployments'), request(deployment)), 1, 'versions of one resource are equivalent')
    assert.equal(said(resources('apps', 'v1beta1', 'deployments', '*', '\nmatchPolicy: Exact'), request(deployment)), 0)
    assert.equal(said(resources('extensions', 'v1beta1', 'deployments'), request(deployment)), 1)
  })

  it('is by scope and name', () => {
    const namespace: KubernetesObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n', labels: { team: 'b' } } }
    assert.equal(said(rule('scope: Cluster')), 0)
    assert.equal(said(rule('scope: Namespaced')), 1)
    assert.equal(said(rule('scope: Cluster'), request(namespace)), 1)
    assert.equal(said(rule('resourceNames: [other]')), 0)
    assert.equal(said(rule('resourceNames: [web]')), 1)
  })

  it('is by labels of the object and its namespace', () => {
    const selected = (text: string, asked?: AdmissionRequest): number => said(`${rule('scope: "*"')}\n${text}`, asked)
    assert.equal(selected('objectSelector: { matchLabels: { app: web } }'), 1)
    assert.equal(selected('objectSelector: { matchLabels: { app: db } }'), 0)
    assert.equal(selected('objectSelector: { matchLabels: { app: db } }', request(pod(), { oldObject: pod({}, { labels: { app: 'db' } }) })), 1)
    assert.equal(
      selected('objectSelector: { matchExpressions: [{ key: app, operator: In, values: [web, db] }, { key: x, operator: DoesNotExist }] }'),
      1,
    )
    assert.equal(selected('objectSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [web] }] }'), 0)
    assert.equal(selected('objectSelector: { matchExpressions: [{ key: toString, operator: Exists }] }'), 0)
    assert.equal(selected('namespaceSelector: { matchLabels: { team: a } }'), 1)
    assert.equal(selected('namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: shop } }'), 1)
    assert.equal(selected('namespaceSelector: { matchLabels: { team: b } }'), 0)
    const clusterRole: KubernetesObject = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'r' } }
    assert.equal(selected('namespaceSelector: { matchLabels: { team: b } }', request(clusterRole)), 1, 'what is in no namespace is selected by each')
  })

  it('leaves out what is excluded, and what the binding is not about', () => {
    assert.equal(
      said(`${rule('scope: "*"')}\nexcludeResourceRules: [{ apiGroups: [''], apiVersions: ['*'], operations: ['*'], resources: [pods] }]`),
      0,
    )
    const bound = (text: string): number => ask(policy(never) + binding(`validationActions: [Deny]\nmatchResources: { ${text} }`)).length
    assert.equal(bound('namespaceSelector: { matchLabels: { team: a } }'), 1)
    assert.equal(bound('namespaceSelector: { matchLabels: { team: z } }'), 0)
    assert.equal(bound(`resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [UPDATE], resources: [pods] }]`), 0)
    const own: KubernetesObject = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: 'x' } }
    assert.equal(said(rule('scope: "*"'), request(own)), 0, 'policies are not asked about policies')
  })
})

describe('loading', () => {
  it('says file, line, policy, field, token and shows a caret', () => {
    const text = policy(`
validations:
- expression: |-
    object.spec.containers.size() > 0 &&
    object.spec.containers.every(c, c.image != '')
  message: images
`)
    const line = text.split('\n').findIndex(each => each.includes('every(')) + 1
    const message = faultOf(text)
    assert.match(
      message,
      new RegExp(`^policies/p\\.yaml:${line}: ValidatingAdmissionPolicy p: spec\\.validations\\[0\\]\\.expression: at "c": there is no c here\n`),
    )
    assert.match(message, /\n {29}\^$/)
  })

  it('refuses what it does not know, where it stands', () => {
    const text = policy(`failurPolicy: Fail\n${never}`)
    const line = text.split('\n').findIndex(each => each.includes('failurPolicy')) + 1
    assert.equal(faultOf(text), `policies/p.yaml:${line}:3: ValidatingAdmissionPolicy p: spec.failurPolicy: there is no such field`)
    assert.match(faultOf(policy(never).replace('ValidatingAdmissionPolicy', 'MutatingAdmissionPolicy')), /Dayfly changes no workload/)
    assert.match(faultOf(policy(never).replace('k8s.io/v1', 'k8s.io/v1alpha1')), /apiVersion/)
    assert.match(faultOf(policy(never) + binding('validationActions: [Deny, Warn]')), /do not go together/)
    assert.match(
      faultOf(policy(never) + binding('validationActions: [Deny]', 'x') + binding('validationActions: [Deny]', 'x')),
      /there is one of this name/,
    )
    assert.match(faultOf(binding()), /there is no ValidatingAdmissionPolicy p/)
    assert.match(faultOf(policy('failurePolicy: Fail')), /validations or auditAnnotations are needed/)
    assert.match(faultOf('a: [1'), /^policies\/p\.yaml:1:/)
    assert.match(faultOf('a: 1'), /apiVersion is missing/)
    assert.match(faultOf('- 1'), /an object .* is expected/)
    assert.match(faultOf(`a: ${'['.repeat(20_000)}`), /policies\/p\.yaml/)
    assert.match(
      faultOf(
        `a: &a [x]\n${Array.from({ length: 30 }, (_, at) => `b${at}: &${at} [*${at === 0 ? 'a' : at - 1}, *${at === 0 ? 'a' : at - 1}]`).join('\n')}`,
      ),
      /policies\/p\.yaml/,
    )
  })

  it('finds what is wrong with types, and all of it at once', () => {
    const message = faultOf(
      policy(`
matchConditions: [{ name: a, expression: "'text'" }, { name: b, expression: variables.x == 1 }]
variables: [{ name: x, expression: variables.y }, { name: y, expression: "1" }, { name: z, expression: "variables.y + 'a'" }]
validations:
- expression: request.operatoin == 'CREATE'
- expression: "'a'"
- expression: "true"
  messageExpression: "1"
- expression: authorizer.group('').resource('pods').check('get').allowed()
- expression: params.x == 1
- expression: object.spec.containers.all(c, c.image.matches('('))
auditAnnotations: [{ key: a, valueExpression: "1" }]
`),
    )
    const fields = message.split('\n').flatMap(line => /p: (spec\.[\w.[\]]+): at/.exec(line)?.[1] ?? [])
    assert.deepEqual(fields, [
      'spec.matchConditions[0].expression',
      'spec.matchConditions[1].expression',
      'spec.variables[0].expression',
      'spec.variables[2].expression',
      'spec.validations[0].expression',
      'spec.validations[1].expression',
      'spec.validations[2].messageExpression',
      'spec.validations[3].expression',
      'spec.validations[4].expression',
      'spec.validations[5].expression',
      'spec.auditAnnotations[0].valueExpression',
    ])
  })

  it('reads lists, v1beta1 and other documents', () => {
    const both = load(
      `${policy(never).replace('k8s.io/v1', 'k8s.io/v1beta1')}${binding()}---\napiVersion: dayfly.dev/v1\nkind: Exemption\nmetadata: { name: e }\n`,
    )
    assert.deepEqual(
      both.own.map(document => document.kind),
      ['Exemption'],
    )
    assert.deepEqual(
      both.set.policies.map(each => each.spec.failurePolicy),
      ['Fail'],
    )
    const item = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' } }
    assert.equal(load(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item] })).set.params.length, 1)
  })

  it('never throws anything but what is wrong, however a file is damaged', () => {
    const good = `${policy(`variables: [{ name: x, expression: object.spec.x }]\n${never}`)}${binding()}`
    const damage = fc.record({
      at: fc.nat(good.length),
      length: fc.nat(12),
      by: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('\n', '[', '{', '- ', ': ', '&a ', '*a', '!!map ', '~', '"', '|\n', '\t')),
    })
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), all => {
        const text = all.reduce((left, { at, length, by }) => left.slice(0, at) + by + left.slice(at + length), good)
        try {
          load(text)
        } catch (error) {
          assert.ok(error instanceof DayflyError && error.code === 'invalid', String(error))
          assert.match(error.message, /^policies\/p\.yaml:\d+:/)
        }
      }),
      { numRuns: 600 },
    )
  })
})
