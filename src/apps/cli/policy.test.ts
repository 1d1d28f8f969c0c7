/** `dayfly admit` and `dayfly policy`: the real program on manifests, compose files and policies. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { openProject } from '../../../test/cli/offline.ts'

const pod = (name: string, context: string): string => `apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  containers:
  - name: main
    image: web:1
    securityContext: ${context}
`
const policy = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: registries }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations:
  - expression: object.spec.containers.all(c, c.image.startsWith('registry.example/'))
    message: not from our registry
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: registries }
spec: { policyName: registries, validationActions: [Deny] }
`
const tests = (verdict: string): string => `apiVersion: dayfly.dev/v1
kind: PolicyTest
metadata: { name: registries }
cases:
- name: another is refused
  object: { apiVersion: v1, kind: Pod, spec: { hostNetwork: true, containers: [{ name: main, image: evil/web }] } }
  expect: { verdict: ${verdict} }
- name: ours is fine
  object: { apiVersion: v1, kind: Pod, spec: { hostNetwork: true, containers: [{ name: main, image: registry.example/web }] } }
  expect: { verdict: allowed }
`

const Verdicts = z.object({
  schemaVersion: z.literal(1),
  verdict: z.string(),
  policies: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  documents: z.array(
    z.object({
      file: z.string(),
      line: z.int(),
      name: z.string(),
      verdict: z.string(),
      denials: z.array(z.object({ policy: z.string(), rule: z.string(), line: z.int(), field: z.string().optional() })),
    }),
  ),
})

describe('dayfly admit', () => {
  test('gives each document a verdict: exit 1 when one is denied, 0 when none is', async () => {
    using project = openProject({
      'deploy/a.yaml': `${pod('good', '{}')}---\n${pod('bad', '{ privileged: true }')}`,
      'deploy/b.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [] }),
    })
    const { status, stdout, stderr } = await project.run(['admit', 'deploy'])
    assert.deepEqual([status, stderr], [1, ''])
    assert.match(
      stdout,
      /^allowed {2}Pod\/default\/good {2}deploy\/a\.yaml:1\ndenied {3}Pod\/default\/bad {2}deploy\/a\.yaml:10\n {2}deploy\/a\.yaml:17: pod-security-baseline\/privileged: /,
    )
    assert.match(stdout, /2 documents: 1 allowed, 1 denied\n$/)
    const told = Verdicts.parse(JSON.parse((await project.run(['admit', '--json', 'deploy/a.yaml'])).stdout))
    assert.deepEqual(
      told.documents.map(({ name, verdict, denials }) => [name, verdict, denials.map(({ rule, line }) => [rule, line])]),
      [
        ['Pod/default/good', 'allowed', []],
        ['Pod/default/bad', 'denied', [['privileged', 17]]],
      ],
    )
    assert.equal((await project.run(['admit', '--preset', 'permissive', '-q', 'deploy/a.yaml'])).status, 0)
    assert.equal((await project.run(['admit', '--preset', 'restricted', '-q', '-'], pod('good', '{}'))).status, 1)
    assert.match((await project.run(['admit', '--format', 'junit', 'deploy'])).stdout, /<testsuites name="dayfly admit" tests="2" failures="1"/)
    assert.match((await project.run(['admit', '--format', 'sarif', 'deploy'])).stdout, /"uri": "deploy\/a\.yaml"[\s\S]*"startLine": 17/)
  })

  test('finds secrets by rules in gitleaks’ form, as the daemon does that has them', async () => {
    using project = openProject({
      'pod.yaml': `${pod('main', '{}')}    env: [{ name: PLACE, value: acme-0123456789 }]\n`,
      'rules.toml': "[[rules]]\nid = 'acme'\ndescription = 'Acme'\nregex = '''acme-[0-9]{10}'''\n",
    })
    assert.equal((await project.run(['admit', '-q', 'pod.yaml'])).status, 0)
    const { status, stdout } = await project.run(['admit', '--gitleaks', 'rules.toml', 'pod.yaml'])
    assert.equal(status, 1)
    assert.match(stdout, /pod\.yaml:\d+: images\/secrets: .*Acme/)
    const missing = await project.run(['admit', '--gitleaks', 'none.toml', 'pod.yaml'])
    assert.deepEqual([missing.status, /--gitleaks/.test(missing.stderr)], [2, true], missing.stderr)
  })

  test('judges by the standard of a version, by policies of a folder, and by labels of namespaces among the manifests', async () => {
    const selective = policy.replace('resources: [pods] }] }', 'resources: [pods] }], namespaceSelector: { matchLabels: { team: web } } }')
    const namespace = '---\napiVersion: v1\nkind: Namespace\nmetadata: { name: default, labels: { team: web } }\n'
    using project = openProject({ 'policies/p.yaml': selective, 'a.yaml': pod('a', '{}'), 'b.yaml': `${pod('b', '{}')}${namespace}` })
    const exit = async (...args: readonly string[]): Promise<number | null> => (await project.run(['admit', '--policy', 'policies', ...args])).status
    assert.deepEqual([await exit('a.yaml'), await exit('b.yaml')], [0, 1])
    const windows = `apiVersion: v1\nkind: Pod\nmetadata: { name: w }\nspec: { containers: [{ name: main, image: x, securityContext: { windowsOptions: { hostProcess: true } } }] }\n`
    project.put({ 'w.yaml': windows })
    assert.deepEqual([await exit('--preset', 'baseline', '--version', 'v1.0', 'w.yaml'), await exit('--preset', 'baseline', 'w.yaml')], [1, 1])
  })

  test('judges compose services as the pods that they would be, and denies what Dayfly refuses', async () => {
    using project = openProject({
      'compose.yaml':
        'services:\n  web:\n    image: web:1\n    user: "1000"\n    read_only: true\n    mem_limit: 64m\n    cpus: 1\n  root:\n    image: web:1\n',
      'p.yaml': 'apiVersion: dayfly.dev/v1\nkind: AdmissionSettings\nspec: { preset: standard, hardening: { 5.10-memory: deny } }\n',
    })
    const told = Verdicts.parse(JSON.parse((await project.run(['admit', '--json', '--policy', 'p.yaml', 'compose.yaml'])).stdout))
    assert.deepEqual(
      told.documents.map(({ name, line, verdict, denials }) => [name, line, verdict, denials.map(({ rule }) => rule)]),
      [
        ['service/web', 2, 'allowed', []],
        ['service/root', 8, 'denied', ['5.10-memory']],
      ],
    )
    const refused = await project.run(['admit', '-'], 'services:\n  web:\n    image: web:1\n    pid: host\n')
    assert.deepEqual([refused.status, /-:4: compose\/.*services\.web\.pid/.test(refused.stdout)], [1, true], `${refused.stdout}${refused.stderr}`)
  })

  test('denies secrets in the clear, of manifests and compose files, by the fields and lines that these have', async () => {
    const secret = randomBytes(12).toString('hex')
    using project = openProject({
      'compose.yaml': [
        'services:',
        '  web:',
        '    image: web:1',
        '    user: "1000"',
        '    environment:',
        '      MODE: fast',
        `      API_TOKEN: ${secret}`,
        '    entrypoint: [serve]',
        '    command:',
        '      - --password',
        `      - ${secret}`,
        '',
      ].join('\n'),
      'p.yaml': 'apiVersion: dayfly.dev/v1\nkind: AdmissionSettings\nspec: { preset: standard, podSecurity: [], hardening: { 5.10-memory: deny } }\n',
      'pod.yaml': `${pod('main', '{}')}    env: [{ name: API_TOKEN, value: ${secret} }]\n`,
    })
    const run = await project.run(['admit', '--json', '--policy', 'p.yaml', 'compose.yaml', 'pod.yaml'])
    assert.equal(run.status, 1, run.stderr)
    assert.ok(!run.stdout.includes(secret))
    const told = Verdicts.parse(JSON.parse(run.stdout)).documents.map(({ name, denials }) => [
      name,
      denials.map(({ rule, field, line }) => `${line} ${rule} ${field}`).sort(),
    ])
    assert.deepEqual(told, [
      ['Pod/default/main', ['6 5.10-memory spec.containers[0].resources.limits.memory', '9 secrets spec.containers[0].env.API_TOKEN']],
      [
        'service/web',
        [
          '2 5.10-memory services.web.deploy.resources.limits.memory',
          '7 secrets services.web.environment.API_TOKEN',
          '9 secrets services.web.command',
        ],
      ],
    ])
    const warned = await project.run(['admit', '--preset', 'permissive', 'pod.yaml'])
    assert.deepEqual([warned.status, /warning: .*secrets/.test(warned.stdout)], [0, true], warned.stdout)
  })

  test('mistakes name file, field and remedy', async () => {
    using project = openProject({
      'a.yaml': pod('a', '{}'),
      'broken.yaml': 'apiVersion: v1\nkind: Pod\n  metadata: {}\n',
      'values.yaml': 'replicas: 3\n',
      'bomb.yaml': `apiVersion: v1\nkind: ConfigMap\na0: &a0 [x]\n${Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array(10).fill(`*a${at}`).join(', ')}]`).join('\n')}\n`,
      'nothing.yaml': '# nothing\n',
      'empty/readme.txt': '',
    })
    for (const [args, message, remedy] of [
      [['admit'], /FILE: is missing/, /dayfly admit --help/],
      [['admit', 'nowhere.yaml'], /FILE: there is no file nowhere\.yaml/, /may read/],
      [['admit', 'broken.yaml'], /broken\.yaml:\d:\d+: /, /Correct/],
      [['admit', 'values.yaml'], /values\.yaml:1:1: apiVersion is missing/, /Correct/],
      [['admit', 'bomb.yaml'], /bomb\.yaml:1:1: it cannot be read: .*alias/, /Correct/],
      [['admit', 'nothing.yaml'], /FILE: nothing\.yaml has no document/, /manifests or compose files/],
      [['admit', 'empty'], /FILE: there is no \.yaml/, /manifests/],
      [['admit', '--policy', 'empty', 'a.yaml'], /--policy: there is no \.yaml, \.yml or \.json in empty/, /policies/],
      [['admit', '--preset', 'lax', 'a.yaml'], /--preset: there is no preset lax/, /permissive, standard, strict/],
      [['admit', '--version', 'newest', 'a.yaml'], /--version: "newest" is no version of Kubernetes/, /v1\.36/],
      [['admit', '--format', 'table', 'a.yaml'], /--format: "table" is none of text/, /--format json/],
    ] as const) {
      const { status, stdout, stderr } = await project.run(args)
      assert.match(stderr, message)
      assert.match(stderr.split('\n').slice(1).join('\n'), remedy)
      assert.deepEqual([status, stdout], [2, ''], args.join(' '))
    }
  })
})

describe('dayfly policy', () => {
  test('check tells all that is wrong, with line and caret', async () => {
    using project = openProject({ 'p/good.yaml': policy, 'p/tests.yaml': tests('denied') })
    const good = await project.run(['policy', 'check', 'p'])
    assert.deepEqual([good.status, good.stdout, good.stderr], [0, '2 files: 1 policy, 1 binding, 0 exemptions, 2 test cases; nothing is wrong\n', ''])
    project.put({ 'p/bad.yaml': policy.replaceAll('registries', 'bad').replace('.startsWith(', '.size() > (') })
    const bad = await project.run(['policy', 'check', 'p'])
    assert.equal(bad.status, 2)
    assert.match(bad.stderr, /p\/bad\.yaml:7: ValidatingAdmissionPolicy bad: spec\.validations\[0\]\.expression: at .*\n.*\n\s*\^+\n/)
    assert.match((await project.run(['policy', 'check', 'nowhere'])).stderr, /PATH: there is no file nowhere/)
    project.put({ 'p/bad.yaml': tests('perhaps').replace('name: registries', 'name: others') })
    assert.match((await project.run(['policy', 'check', 'p'])).stderr, /p\/bad\.yaml:\d+:\d+: cases\.0\.expect\.verdict/)
  })

  test('test runs the cases against the files alone, or with the built-in policies that are named', async () => {
    using project = openProject({ 'p/p.yaml': policy, 'p/tests.yaml': tests('denied') })
    const { status, stdout } = await project.run(['policy', 'test', 'p'])
    assert.deepEqual(
      [status, stdout],
      [0, 'ok      registries: another is refused\nok      registries: ours is fine\n2 of 2 cases are as expected\n'],
    )
    const strict = await project.run(['policy', 'test', 'p', '--preset', 'baseline', '--format', 'junit'])
    assert.equal(strict.status, 1)
    assert.match(strict.stdout, /<testsuites name="dayfly policy" tests="2" failures="1"[\s\S]*hostNetwork/)
    project.put({ 'p/tests.yaml': tests('allowed') })
    assert.match(
      (await project.run(['policy', 'test', 'p'])).stdout,
      /^not ok {2}registries: another is refused\n {2}p\/tests\.yaml:5: expected it to be allowed, it was denied/,
    )
    project.put({ 'p/tests.yaml': '# none\n' })
    const none = await project.run(['policy', 'test', 'p'])
    assert.deepEqual([none.status, /PATH: there is no case in p/.test(none.stderr)], [2, true], none.stderr)
  })

  test('ls lists every rule in force with its action', async () => {
    using project = openProject({ 'p/p.yaml': policy })
    const { stdout } = await project.run(['policy', 'ls', '--policy', 'p', '--preset', 'strict'])
    assert.match(stdout, /^pod-security-restricted +privileged +deny +/m)
    assert.match(stdout, /^hardening +5\.11-cpu +warn +/m)
    assert.match(stdout, /^registries +validations\[0\] +deny +not from our registry$/m)
    const rules = z.object({ rules: z.array(z.object({ policy: z.string(), actions: z.array(z.string()).min(1), summary: z.string().min(1) })) })
    assert.ok(rules.parse(JSON.parse((await project.run(['policy', 'ls', '--json'])).stdout)).rules.length > 10)
    assert.match((await project.run(['policy', 'ls', 'p'])).stderr, /"p" is one argument too many/)
  })

  test('explain shows the clause that decided and what it saw', async () => {
    using project = openProject({ 'p/p.yaml': policy, 'a.yaml': pod('a', '{ privileged: true }') })
    const { status, stdout } = await project.run(['policy', 'explain', '--policy', 'p', 'a.yaml'])
    assert.equal(status, 0)
    assert.match(
      stdout,
      /deny {2}pod-security-baseline\/privileged: privileged is true at spec\.containers\[0\]\.securityContext\.privileged \(line 8\)/,
    )
    assert.match(stdout, /deny {2}registries\/validations\[0\] by the binding registries: not from our registry\n {4}object\.spec/)
    assert.match(stdout, /^ {6}c\.image is "web:1"$/m)
  })
})
