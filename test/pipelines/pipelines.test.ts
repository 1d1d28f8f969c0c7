/** The pipeline files of this repository, run as their runners would: in a project of somebody else, with nothing of ours in the environment. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { z } from 'zod'
import { repository, runAction, runHook, runJob } from './runner.ts'

const Log = z.object({
  runs: z.tuple([
    z.object({
      results: z.array(
        z.object({
          ruleId: z.string(),
          locations: z.array(
            z.object({ physicalLocation: z.object({ artifactLocation: z.object({ uri: z.string() }), region: z.object({ startLine: z.int() }) }) }),
          ),
        }),
      ),
    }),
  ]),
})

const pod = (context: string): string => `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
  - name: main
    image: registry.example/web:1
    securityContext: ${context}
`
const clean = {
  'README.md': '# Shop\n',
  'src/app.py': 'print("hello")\n',
  'deploy/pod.yaml': pod('{}'),
  'compose.yaml': 'services:\n  web:\n    image: registry.example/web:1\n',
}
const leaking = { ...clean, 'src/settings.py': 'DEBUG = True\nDB_PASSWORD = "w8Fq-zT3.kLm9pXr"\n' }

describe('pipeline files', () => {
  let top = ''
  let project = ''
  const put = (files: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, path)), { recursive: true })
      writeFileSync(join(project, path), text)
    }
  }
  const results = (path: string) =>
    Log.parse(JSON.parse(readFileSync(join(project, path), 'utf8'))).runs[0].results.map(({ ruleId, locations: [at] }) => [
      ruleId,
      at?.physicalLocation.artifactLocation.uri,
      at?.physicalLocation.region.startLine,
    ])

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'dayfly-pipeline-'))
    project = join(top, 'project with blanks')
    mkdirSync(project)
  })
  afterEach(() => rmSync(top, { recursive: true, force: true }))

  test('the action passes where nothing is wrong, and leaves SARIF', () => {
    put(clean)
    const { status, outputs, log } = runAction(project, { admit: 'deploy\ncompose.yaml\n' })
    assert.equal(status, 0, log)
    assert.deepEqual(outputs, { sarif: 'dayfly-sarif', scan: 'passed', admit: 'passed' })
    assert.deepEqual([results('dayfly-sarif/scan.sarif'), results('dayfly-sarif/admit.sarif')], [[], []])
  })

  test('the action fails for a secret and for a denied pod, after both files are there, and tells why', () => {
    put({ ...leaking, 'deploy/pod.yaml': pod('{ privileged: true }') })
    const { status, outputs, log, summary } = runAction(project, { admit: 'deploy', sarif: 'out/sarif' })
    assert.equal(status, 1, log)
    assert.deepEqual(outputs, { sarif: 'out/sarif', scan: 'failed', admit: 'failed' })
    assert.deepEqual(
      results('out/sarif/scan.sarif').map(([, ...place]) => place),
      [['src/settings.py', 2]],
    )
    assert.deepEqual(results('out/sarif/admit.sarif'), [['pod-security-baseline/privileged', 'deploy/pod.yaml', 8]])
    assert.match(summary, /### dayfly scan: failed[\s\S]*src\/settings\.py:2[\s\S]*### dayfly admit: failed[\s\S]*privileged is true/)
    assert.doesNotMatch(`${log}${summary}${readFileSync(join(project, 'out/sarif/scan.sarif'), 'utf8')}`, /w8Fq-zT3/)
  })

  test('inputs of the action are values, whatever they look like', () => {
    put(clean)
    const { status, log } = runAction(project, { scan: '$(touch broken)\n`touch broken`; touch broken', 'fail-on': '' })
    assert.equal(status, 2)
    assert.match(log, /there is no file or folder \$\(touch broken\)/)
    assert.equal(existsSync(join(project, 'broken')), false)
  })

  test('what is bad input to the command is a failure of the action, which names it', () => {
    put(clean)
    const wrong = runAction(project, { 'fail-on': 'hihg' })
    assert.deepEqual([wrong.status, /--fail-on: "hihg" is no severity/.test(wrong.log)], [2, true], wrong.log)
    const missing = runAction(project, { scan: '', admit: 'nowhere.yaml' })
    assert.deepEqual([missing.status, /there is no file nowhere\.yaml/.test(missing.log)], [2, true], missing.log)
  })

  test('a baseline holds for the action: only what is new fails', () => {
    put(leaking)
    assert.equal(runHook(project, 'dayfly-secrets', ['--write-baseline', 'known.json'])?.status, 1)
    const known = runAction(project, { baseline: 'known.json' })
    assert.equal(known.status, 0, known.log)
    put({ 'src/more.py': 'API_TOKEN = "q7Rz_uY2-mNb8vCx"\n' })
    assert.equal(runAction(project, { baseline: 'known.json' }).status, 1)
  })

  test("GitLab's jobs leave what their artifacts name, and fail for a secret and a denied pod", () => {
    put({ ...leaking, 'deploy/pod.yaml': pod('{ privileged: true }') })
    const home = { DAYFLY_HOME: repository }
    for (const [job, variables, expected] of [
      ['dayfly-scan', home, 1],
      ['dayfly-scan', { ...home, DAYFLY_FAIL_ON: '' }, 0],
      ['dayfly-admit', { ...home, DAYFLY_ADMIT: 'deploy' }, 1],
      ['dayfly-admit', { ...home, DAYFLY_ADMIT: '--preset permissive deploy' }, 0],
    ] as const) {
      const { status, log, artifacts } = runJob(project, job, variables)
      assert.equal(status, expected, log)
      assert.deepEqual(
        artifacts.filter(path => !existsSync(join(project, path))),
        [],
      )
    }
    assert.match(readFileSync(join(project, 'dayfly-scan.xml'), 'utf8'), /<testsuites name="dayfly scan"/)
    assert.match(readFileSync(join(project, 'gl-sbom-dayfly.cdx.json'), 'utf8'), /"specVersion": "1\.6"/)
    assert.match(runJob(project, 'dayfly-scan', {}).log, /DAYFLY_REPOSITORY is not set/)
  })

  test("pre-commit's hooks", () => {
    put(clean)
    assert.equal(runHook(project, 'dayfly-secrets')?.status, 0)
    assert.equal(runHook(project, 'dayfly-admit')?.status, 0)
    assert.equal(runHook(project, 'dayfly-policy-test'), undefined, 'there are no policies')
    // A file that only makes a compose file with another one is no fault of the hook for secrets.
    put({ 'compose.override.yaml': 'services:\n  web:\n    environment:\n      DB_PASSWORD: w8Fq-zT3.kLm9pXr\n' })
    const found = runHook(project, 'dayfly-secrets')
    assert.deepEqual([found?.status, /compose\.override\.yaml:4/.test(found?.log ?? '')], [1, true], found?.log ?? '')
    put({ 'deploy/pod.yaml': pod('{ privileged: true }'), 'compose.override.yaml': 'services: { web: { image: web } }\n' })
    const denied = runHook(project, 'dayfly-admit')
    assert.deepEqual([denied?.status, /deploy\/pod\.yaml:8: pod-security-baseline\/privileged/.test(denied?.log ?? '')], [1, true], denied?.log ?? '')
  })

  test("pre-commit's hook runs the tests of policies", () => {
    const policy = (verdict: string): string => `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: registries }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations: [{ expression: "object.spec.containers.all(c, c.image.startsWith('registry.example/'))" }]
---
apiVersion: dayfly.dev/v1
kind: PolicyTest
metadata: { name: registries }
cases:
- name: another is refused
  object: { apiVersion: v1, kind: Pod, spec: { containers: [{ name: main, image: evil/web }] } }
  expect: { verdict: ${verdict} }
`
    put({ 'policies/registries.yaml': policy('denied') })
    assert.equal(runHook(project, 'dayfly-policy-test')?.status, 0)
    put({ 'policies/registries.yaml': policy('allowed') })
    assert.equal(runHook(project, 'dayfly-policy-test')?.status, 1)
  })
})
