/** `dayfly rules check` and `rules ls`: the real program on rule files. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { openProject } from '../../../test/cli/offline.ts'

const good = `- rule: Mine
  desc: d
  condition: evt.type = execve and proc.name = nc
  output: "%proc.cmdline"
  priority: ERROR
  tags: [T1059]
- rule: Theirs
  desc: d
  condition: evt.type = execve and proc.env contains SECRET
  output: o
  priority: INFO
`
const bad = `- rule: Broken
  desc: d
  condition: evt.type = execve and proc.nam = nc
  output: "%proc.foo"
  priority: ERROR
`
const Checked = z.object({
  rules: z.array(z.object({ name: z.string(), lacking: z.array(z.string()), inert: z.boolean() })),
  errors: z.array(z.object({ code: z.string(), place: z.object({ file: z.string(), line: z.int(), column: z.int() }), token: z.string() })),
})
const Listed = z.object({ rules: z.array(z.object({ name: z.string(), kind: z.string(), state: z.string(), events: z.array(z.string()) })) })

describe('dayfly rules check', () => {
  test('says that files can be used, and which rules never match', async () => {
    using project = openProject({ 'rules/mine.yaml': good })
    const { status, stdout, stderr } = await project.run(['rules', 'check', 'rules'])
    assert.deepEqual([status, stdout], [0, '1 file: 2 rules, 1 of them never matches here; nothing is wrong, 1 warning\n'])
    assert.match(stderr, /warning: rules\/mine\.yaml:7:3: rule "Theirs": it never matches: Dayfly has no proc\.env \(LOAD_LACKING\)/)
    const { stdout: json } = await project.run(['rules', 'check', '--json', 'rules/mine.yaml'])
    assert.deepEqual(Checked.parse(JSON.parse(json)).rules, [
      { name: 'Mine', lacking: [], inert: false },
      { name: 'Theirs', lacking: ['proc.env'], inert: true },
    ])
  })

  test('tells all that is wrong, with its place, and exits with 2', async () => {
    using project = openProject({ 'a.yaml': bad, 'b.yaml': '- list: l\n  items: x\n' })
    const { status, stdout, stderr } = await project.run(['rules', 'check', 'a.yaml', 'b.yaml'])
    assert.deepEqual([status, stdout], [2, '2 files: 0 rules; 3 errors, 0 warnings\n'])
    for (const expected of [
      /a\.yaml:3:36: rule "Broken": there is no field proc\.nam/,
      /a\.yaml:4:13: rule "Broken": there is no field proc\.foo/,
      /b\.yaml:2:10: list "l"/,
    ])
      assert.match(stderr, expected)
    const json = Checked.parse(JSON.parse((await project.run(['rules', 'check', '--json', 'a.yaml'])).stdout))
    assert.deepEqual(
      json.errors.map(({ code: error, place, token }) => [error, place.line, place.column, token]),
      [
        ['LOAD_ERR_COMPILE_CONDITION', 3, 36, 'proc.nam'],
        ['LOAD_ERR_COMPILE_OUTPUT', 4, 13, 'proc.foo'],
      ],
    )
  })

  test('reads standard input, and refuses a path without rules', async () => {
    using project = openProject({ 'empty/readme.txt': '' })
    assert.equal((await project.run(['rules', 'check', '-'], good)).status, 0)
    const { status, stderr } = await project.run(['rules', 'check', 'empty'])
    assert.equal(status, 2)
    assert.match(stderr, /there is no \.yaml, \.yml or \.json in empty/)
    assert.equal((await project.run(['rules', 'check', 'nosuch.yaml'])).status, 2)
  })

  test("files may change Dayfly's own rules, unless they stand alone", async () => {
    using project = openProject()
    const { rules } = Listed.parse(JSON.parse((await project.run(['rules', 'ls', '--json'])).stdout))
    const [first] = rules
    assert.ok(first !== undefined)
    project.put({ 'off.yaml': `- rule: ${first.name}\n  enabled: false\n  override: { enabled: replace }\n` })
    const changed = Listed.parse(JSON.parse((await project.run(['rules', 'ls', '--json', 'off.yaml'])).stdout))
    assert.deepEqual([changed.rules.length, changed.rules[0]?.state], [rules.length, 'off'])
    assert.equal((await project.run(['rules', 'check', '--alone', 'off.yaml'])).status, 2)
  })
})

describe('dayfly rules ls', () => {
  test('lists rules with what they are for', async () => {
    using project = openProject({ 'mine.yaml': good })
    const { status, stdout } = await project.run(['rules', 'ls', '--alone', 'mine.yaml'])
    assert.equal(status, 0)
    assert.deepEqual(
      stdout.split('\n').map(line => line.trim().split(/ {2,}/)),
      [
        ['NAME', 'KIND', 'PRIORITY', 'STATE', 'EVENTS', 'TAGS'],
        ['Mine', 'rule', 'error', 'on', 'execve', 'T1059'],
        ['Theirs', 'rule', 'informational', 'never matches'],
        [''],
      ],
    )
  })
})
