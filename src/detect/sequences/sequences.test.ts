import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRuleCases, runRuleCases } from '../cases.ts'
import { readRuleBook } from '../create.ts'
import { formatDiagnostic } from '../language/diagnostic.ts'

const rules = `
- macro: started
  condition: (evt.type in (execve, execveat))
- sequence: three
  desc: d
  steps:
  - { as: a, condition: started and proc.name = a, same: { who: proc.args }, note: "A %proc.args" }
  - { as: b, condition: started and proc.name = b }
  - { as: c, condition: started and proc.name = c, same: { who: proc.args } }
  within: 10s
  output: done %proc.args
  priority: error
- threshold: many
  desc: d
  condition: started and proc.name = t
  by: [proc.exepath]
  distinct: [proc.args]
  more_than: 2
  within: 5s
  output: many %proc.args
  priority: notice
- threshold: often
  desc: d
  condition: evt.type = connect
  by: []
  more_than: 3
  within: 5s
  output: often
  priority: notice
`

const run = (events: string, expect: string): readonly string[] => {
  const text = `
apiVersion: dayfly.dev/v1
kind: RuleTest
metadata: { name: m }
cases: [{ name: n, events: [${events}], expect: ${expect} }]`
  const cases = readRuleCases({ path: 'c.yaml', text })
  assert.ok(cases)
  return runRuleCases(cases, { dayfly: false, files: [{ path: 'r.yaml', text: rules }] }).flatMap(({ failures }) => failures)
}
const exec = (words: string, more = ''): string => `{ type: exec, args: [${words.replaceAll(' ', ', ')}]${more} }`

describe('a sequence', () => {
  it('is all its steps in their order, within the time, about the same', () => {
    assert.deepEqual(
      run([exec('a x'), exec('b'), exec('c x')].join(), '[{ rule: three, output: "done x (a: A x; b: execve by b; c: execve by c x)" }]'),
      [],
    )
    assert.deepEqual(run([exec('a x'), exec('c x'), exec('b')].join(), '[]'), [], 'another order')
    assert.deepEqual(run([exec('a x'), exec('b'), exec('c y')].join(), '[]'), [], 'about another')
    assert.deepEqual(run([exec('a x'), exec('b', ', after: 6s'), exec('c x', ', after: 6s')].join(), '[]'), [], 'too late')
    assert.deepEqual(run([exec('a x'), exec('z'), exec('b'), exec('z'), exec('c x')].join(), '[three]'), [], 'with others between')
    assert.deepEqual(run([exec('a x'), exec('a y'), exec('b'), exec('c y')].join(), '[three]'), [], 'two at once')
  })

  it('is followed however often its first step is repeated, and through a flood of others that is not larger than its bound', () => {
    const flood = (count: number) => [exec('a x'), ...Array.from({ length: count }, (_, index) => exec(`a f${index}`)), exec('b'), exec('c x')].join()
    assert.deepEqual(run([exec('a x'), ...Array(2000).fill(exec('a y')), exec('b'), exec('c x')].join(), '[three]'), [])
    assert.deepEqual(run(flood(511), '[three]'), [])
    assert.deepEqual(run(flood(512), '[]'), [], 'the oldest goes')
  })
})

describe('a threshold', () => {
  it('counts different values of the same, within the time, and speaks once', () => {
    assert.deepEqual(run([exec('t o1'), exec('t o2'), exec('t o2'), exec('t o1')].join(), '[]'), [])
    assert.deepEqual(run([exec('t o1'), exec('t o2'), exec('t o3'), exec('t o4')].join(), '[{ rule: many, output: many o3 }]'), [])
    assert.deepEqual(run([exec('t o1', ', exe: /o'), exec('t o2'), exec('t o3', ', exe: /p')].join(), '[]'), [], 'of another')
    assert.deepEqual(run([exec('t o1'), exec('t o2'), exec('t o3', ', after: 6s')].join(), '[]'), [], 'too late')
  })

  it('counts events, repeats that are told as one included', () => {
    const connect = (more: string) => `{ type: connect${more} }`
    assert.deepEqual(run([connect(''), connect(', count: 2')].join(), '[]'), [])
    assert.deepEqual(run([connect(''), connect(', count: 3')].join(), '[often]'), [])
  })
})

describe('what is wrong with one', () => {
  const faults = (text: string): string[] => readRuleBook({ dayfly: false, files: [{ path: 'r.yaml', text }] }).loaded.errors.map(formatDiagnostic)
  it('is told with its place', () => {
    assert.deepEqual(faults(rules), [])
    for (const [from, to, expected] of [
      ...[['proc.name = a,', 'proc.nam = a,', /^r\.yaml:7:\d+: rule "three, a": there is no field proc\.nam/] as const],
      ...[['who: proc.args', 'who: proc.nope', /^r\.yaml:7:\d+: sequence "three": there is no field proc\.nope/] as const],
      ...[['as: b', 'as: a', /as is a word of its own/] as const, ['10s', '10h', /within is a time like 30s, ten minutes at most/] as const],
      ...[['more_than: 2', 'more_than: 0', /more_than is a number from 1/] as const, ['by: []', 'bye: []', /by is missing/] as const],
      ...[['output: done', 'output: x %no.field', /there is no field no\.field/] as const],
    ]) {
      assert.match(faults(rules.replace(from, to)).join('\n'), expected)
    }
  })
})
