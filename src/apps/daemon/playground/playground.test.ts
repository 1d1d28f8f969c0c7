import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DayflyError } from '../../../base/errors.ts'
import type { Task } from './messages.ts'
import { createPlayground } from './playground.ts'

const activityPath = '/nonexistent/activity.sqlite'
const pod = `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec:
  containers:
  - name: main
    image: nightly:1
    securityContext:
      privileged: true
`
const policyTask = (policy: string, more: Partial<Task['policy']> = {}): Task['policy'] => ({
  policy,
  sample: pod,
  builtIn: false,
  now: Date.now(),
  ...more,
})
const rule = (condition: string): string => `- rule: Own\n  desc: x\n  condition: ${condition}\n  output: seen %proc.cmdline\n  priority: WARNING\n`
const cases = `apiVersion: dayfly.dev/v1
kind: RuleTest
metadata: { name: own }
cases:
- name: told
  events: [{ type: exec, exe: /bin/sh, args: [sh, -c, 'curl x'] }]
  expect: [Own]
`
const ruleTask = (rules: string, more: Partial<Task['rule']> = {}): Task['rule'] => ({
  rules,
  dayfly: true,
  cases,
  recorded: undefined,
  milliseconds: 1000,
  ...more,
})

test('a policy is judged on a sample, with what its clauses saw', async () => {
  await using playground = createPlayground({ activityPath })
  const denied = await playground.ask('policy', policyTask("object.spec.containers.all(c, !c.image.startsWith('nightly'))"))
  assert.deepEqual([denied.faults, denied.notes, denied.results.map(({ name, verdict }) => [name, verdict])], [[], [], [['Pod/shop/web', 'denied']]])
  assert.ok(denied.results[0]?.objections[0]?.seen.some(({ expression, value }) => expression === 'c.image' && value === '"nightly:1"'))
  const allowed = await playground.ask('policy', policyTask("object.spec.containers.all(c, c.name == 'main')"))
  assert.equal(allowed.results[0]?.verdict, 'allowed')
  const builtIn = await playground.ask('policy', policyTask('true', { builtIn: true }))
  const objection = builtIn.results[0]?.objections.find(({ rule: of }) => of === 'privileged')
  assert.deepEqual([objection?.field, objection?.line], ['spec.containers[0].securityContext.privileged', 9])
})

test('what is wrong is told with its place, and nothing is judged', async () => {
  await using playground = createPlayground({ activityPath })
  const broken = await playground.ask('policy', policyTask('object.spec.containers.all(c,'))
  assert.match(broken.faults[0] ?? '', /expression/)
  assert.deepEqual(broken.results, [])
  const sample = await playground.ask('policy', policyTask('true', { sample: 'kind: [' }))
  assert.equal(sample.results.length, 0)
  assert.notEqual(sample.faults.length, 0)
  const rules = await playground.ask('rule', ruleTask(rule('evt.type = execve and proc.nam = sh')))
  assert.deepEqual(
    rules.problems.map(({ severity, line }) => [severity, line]),
    [['error', 3]],
  )
  assert.deepEqual(rules.cases, [])
})

test('rules are held against cases; what others say beside is nobody’s fault', async () => {
  await using playground = createPlayground({ activityPath })
  const right = await playground.ask('rule', ruleTask(rule('evt.type = execve and proc.cmdline contains "curl"')))
  assert.deepEqual([right.cases, right.rules.map(({ name }) => name)], [[{ name: 'told', failures: [] }], ['Own']])
  const wrong = await playground.ask('rule', ruleTask(rule('evt.type = execve and proc.cmdline contains "wget"')))
  assert.deepEqual(wrong.cases, [{ name: 'told', failures: ['Own: it says nothing'] }])
})

test('what takes too long is given up, and the next one is answered by another thread', async () => {
  await using playground = createPlayground({ activityPath, patience: 40 })
  const list = (size: number): string => `[${Array.from({ length: size }, (_, index) => index).join(',')}]`
  const slow = `apiVersion: v1\nkind: List\nitems:\n${Array.from({ length: 400 }, (_, index) => `- { apiVersion: v1, kind: Pod, metadata: { name: p${index} }, spec: { containers: [{ name: c, image: i }] } }`).join('\n')}`
  const expensive = `${list(60)}.all(a, ${list(60)}.all(b, ${list(60)}.all(c, a + b + c >= 0)))`
  await assert.rejects(
    playground.ask('policy', policyTask(expensive, { sample: slow })),
    error => error instanceof DayflyError && error.code === 'timeout',
  )
  const controller = new AbortController()
  controller.abort()
  await assert.rejects(playground.ask('policy', policyTask('true'), controller.signal), { code: 'aborted' })
})
