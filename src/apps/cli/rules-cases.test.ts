/** `dayfly rules test`, `rules run` and `profile`: the real program, without a daemon. What they say of a real recording is in test/system/detection-replay.test.ts. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { openProject } from '../../../test/cli/offline.ts'
import { emptyProfile } from '../../detect/profile/profile.ts'

const rules = `- rule: Mine
  desc: d
  condition: evt.type = execve and proc.name = nc and proc.pname = web
  output: "%proc.cmdline"
  priority: ERROR
`
const cases = `apiVersion: dayfly.dev/v1
kind: RuleTest
metadata: { name: mine }
cases:
- name: told
  events: [{ type: exec, args: [/srv/web] }, { type: exec, process: x, args: [nc, -l] }]
  expect: [{ rule: Mine, output: nc -l }]
- name: by an operator
  events: [{ type: exec, args: [/srv/web] }, { type: exec, process: x, parent: outside, args: [nc] }]
  expect: []
`
const Results = z.object({ cases: z.array(z.object({ name: z.string(), passed: z.boolean(), failures: z.array(z.string()) })) })

describe('dayfly rules test', () => {
  test('runs the cases of a folder, beside the rules that they are about', async () => {
    using project = openProject({ 'rules/mine.yaml': rules, 'rules/cases.yaml': cases })
    const { status, stdout } = await project.run(['rules', 'test', 'rules', '--alone'])
    assert.deepEqual([status, stdout], [0, 'ok      mine: told\nok      mine: by an operator\n2 of 2 cases are as expected\n'])
    assert.match((await project.run(['rules', 'check', 'rules', '--alone'])).stdout, /^1 file: 1 rule; nothing is wrong/)
  })

  test('says what is not as expected, and exits with 1', async () => {
    using project = openProject({
      'mine.yaml': rules,
      'cases.yaml': cases.replace('output: nc -l', 'output: nc -k').replace('expect: []', 'expect: [Nothing]'),
    })
    const { status, stdout } = await project.run(['rules', 'test', '--json', '--alone', 'mine.yaml', 'cases.yaml'])
    assert.equal(status, 1)
    assert.deepEqual(
      Results.parse(JSON.parse(stdout)).cases.map(({ failures }) => failures),
      [['Mine: expected "nc -k" in what it says, which is: nc -l'], ['Nothing: it says nothing']],
    )
    project.put({ 'cases.yaml': cases.replace('expect: [{ rule: Mine, output: nc -l }]', 'expect: []') })
    assert.match(
      (await project.run(['rules', 'test', '--alone', 'mine.yaml', 'cases.yaml'])).stdout,
      /not ok +mine: told\n.*Mine: nobody expected it to say: nc -l/,
    )
  })

  test('refuses cases that are none, with their field', async () => {
    using project = openProject({ 'mine.yaml': rules })
    for (const [from, to, expected] of [
      ...[['type: exec, args: [/srv/web]', 'type: exe', /cases\[0\]\.events\[0\]\.type/] as const, ['args: [nc]', 'argz: [nc]', /argz/] as const],
      ...[['process: x, args', 'process: x, after: soon, args', /after/] as const],
    ]) {
      project.put({ 'cases.yaml': cases.replace(from, to) })
      const { status, stderr } = await project.run(['rules', 'test', '--alone', 'mine.yaml', 'cases.yaml'])
      assert.equal(status, 2)
      assert.match(stderr, expected)
    }
    const { status, stderr } = await project.run(['rules', 'test', 'mine.yaml'])
    assert.equal(status, 2)
    assert.match(stderr, /there is no case in mine\.yaml/)
    project.put({ 'both.yaml': `${cases}---\n${rules}` })
    assert.match((await project.run(['rules', 'test', 'both.yaml'])).stderr, /cases and rules are in one file/)
  })
})

describe('dayfly profile', () => {
  test('shows what was learnt, whatever the names', async () => {
    const profile = emptyProfile('web', { workloads: ['web'] })
    const text = JSON.stringify({ ...profile, spec: { ...profile.spec, runs: 4, programs: ['/bin/\u001b[31mx'], open: ['writes'] } })
    using project = openProject({ 'web.json': text, 'none.json': '{}' })
    const { status, stdout } = await project.run(['profile', 'show', 'web.json'])
    assert.equal(status, 0)
    assert.match(stdout, /^web: workloads web\n4 runs: it tells of what is new as warning\n/)
    assert.ok(!stdout.includes('\u001b'))
    assert.match(stdout, /writes\n {2}too varied to be learnt/)
    assert.match((await project.run(['profile', 'show', 'none.json'])).stderr, /FILE: none\.json is no profile/)
  })

  test('asks whose profile it is', async () => {
    using project = openProject()
    const { status, stderr } = await project.run(['profile', 'learn', 'web'])
    assert.deepEqual([status, /--workload: say whose profile it is/.test(stderr)], [2, true])
  })
})
