/** Files that somebody made to do harm: each is refused or loaded, and soon. The test runner's time-out says when it is not. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { contextOf } from '../../../test/detect/context.ts'
import { formatDiagnostic } from './diagnostic.ts'
import { loadRules } from './load.ts'
import { compileRules } from './rule-set.ts'

const load = (text: string) => loadRules([{ name: 'f', text }])
const first = (text: string): string => {
  const [error] = load(text).errors
  return error ? formatDiagnostic(error) : 'no error'
}
const rule = (condition: string): string => `- rule: r\n  desc: d\n  condition: ${condition}\n  output: o\n  priority: INFO\n`
const repeated = (count: number, make: (index: number) => string): string => Array.from({ length: count }, (_, index) => make(index)).join('')

describe('hostile rule files', { timeout: 60_000 }, () => {
  it('whose macros or lists go in circles are refused', () => {
    assert.match(first(`- macro: a\n  condition: a\n${rule('a')}`), /macro a is defined below|uses itself/)
    const circle = `- macro: a\n  condition: evt.type=open\n- macro: b\n  condition: a\n- macro: a\n  condition: or b\n  append: true\n${rule('a')}`
    assert.match(first(circle), /f:\d+:\d+: macro "[ab]": macro [ab] uses itself: [ab] → [ab] → [ab]/)
    const lists = `- list: a\n  items: [x]\n- list: b\n  items: [a]\n- list: a\n  items: [b]\n  append: true\n${rule('proc.name in (a)')}`
    assert.match(first(lists), /it contains itself: a, b/)
  })

  it('whose macros double at each step cost a step each', () => {
    const text = `- macro: m0\n  condition: evt.type=open or proc.name=x\n${repeated(300, index => `- macro: m${index + 1}\n  condition: m${index} and (m${index} or not m${index})\n`)}`
    const refused = load(`${text}${rule('m300')}`)
    assert.match(refused.errors[0] ? formatDiagnostic(refused.errors[0]) : '', /nested too deep/)
    const loaded = load(`${text}${rule('m100')}`)
    assert.deepEqual(loaded.errors, [])
    assert.equal(compileRules(loaded.rules).match(contextOf({ type: 'open', syscall: 'open' })).length, 1)
  })

  it('whose macros are a long chain in either direction are refused', () => {
    const chain = repeated(20_000, index => `- macro: m${index + 1}\n  condition: m${index}\n`)
    assert.match(first(`- macro: m0\n  condition: evt.type=open\n${chain}${rule('m20000')}`), /nested too deep/)
    const declared = repeated(2000, index => `- macro: m${index}\n  condition: evt.type=open\n`)
    const appended = repeated(1999, index => `- macro: m${index}\n  condition: or m${index + 1}\n  append: true\n`)
    assert.match(first(`${declared}${appended}${rule('m0')}`), /nested too deep/)
  })

  it('whose lists multiply are refused', () => {
    const items = Array.from({ length: 2000 }, (_, index) => `v${index}`).join(', ')
    const lists = repeated(3000, index => `- list: l${index}\n  items: [${index === 0 ? items : `l${index - 1}, x${index}`}]\n`)
    assert.match(first(`${lists}${rule('proc.name in (l2999)')}`), /nested too deep|come to more than/)
    const uses = Array.from({ length: 3000 }, () => 'l0').join(', ')
    assert.match(first(`- list: l0\n  items: [${items}]\n${rule(`proc.name in (${uses})`)}`), /come to more than 5000000 values/)
  })

  it('whose YAML is nested, aliased or long is refused', () => {
    assert.match(first('['.repeat(100_000)), /nested deeper/)
    assert.match(first('- list: l\n  items: &a [*a]\n'), /no anchor|nested deeper|no YAML/)
    const laughs = `- &a0 [x, x, x, x, x, x, x, x, x, x]\n${repeated(12, index => `- &a${index + 1} [${Array.from({ length: 10 }, () => `*a${index}`).join(', ')}]\n`)}`
    assert.match(first(laughs), /more than 500000 values/)
    assert.match(first(`# ${'x'.repeat(4 * 2 ** 20)}`), /longer than/)
    assert.match(first('- ? [a]\n  : b\n'), /a key must be a word/)
  })

  it('that have more errors than anybody reads are cut off', () => {
    assert.equal(load(repeated(5000, index => `- macro: m${index}\n`)).errors.length, 1000)
  })

  it('that append again and again are refused, or take time for what they are', () => {
    const appends = repeated(5000, () => '- rule: r\n  condition: or proc.name = x\n  append: true\n')
    assert.match(first(`${rule('evt.type=open')}${appends}`), /changed more than 1000 times/)
    const list = load(
      `- list: l\n  items: []\n${repeated(20_000, index => `- list: l\n  items: [i${index}]\n  override: { items: append }\n`)}${rule('evt.type=open and proc.name in (l)')}`,
    )
    assert.deepEqual(list.errors, [])
  })

  it('with patterns that explode elsewhere are nothing special', () => {
    const loaded = load(rule('evt.type=execve and (proc.cmdline regex "(a+)+b" or proc.cmdline glob "*a*a*a*a*a*a*a*a*b")'))
    assert.equal(compileRules(loaded.rules).match(contextOf({ type: 'exec' }, { args: ['a'.repeat(100_000)] })).length, 0)
    assert.match(first(rule('proc.name regex "((a{1000}){1000}){1000}"')), /no pattern of RE2/)
  })

  it('of any text at all throw nothing', () => {
    const line = fc.constantFrom(
      '- rule: r',
      '- macro: m',
      '- list: l',
      '  condition: m or l',
      '  items: [l, a]',
      '  append: true',
      '  override: { items: append }',
      '  exceptions: [{ name: e, fields: x }]',
      '  desc: d',
      '  output: "%a.b %"',
      '  priority: X',
      '  condition: proc.name in (l',
      '- &a *a',
      '  ?',
      '  - x: [',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(line, { maxLength: 20 }).map(lines => lines.join('\n')),
        ),
        text => {
          const { errors, rules } = load(text)
          compileRules(rules).match(contextOf({ type: 'exec' }))
          for (const { place } of errors) assert.ok(place.line >= 1 && place.column >= 1 && place.file === 'f')
        },
      ),
      { numRuns: 500 },
    )
  })
})
