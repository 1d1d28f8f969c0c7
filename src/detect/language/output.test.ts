import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contextOf, noon } from '../../../test/detect/context.ts'
import { formatDiagnostic } from './diagnostic.ts'
import { loadRules } from './load.ts'
import { compileRules } from './rule-set.ts'

const rule = (output: string): string => `- rule: r\n  desc: d\n  condition: evt.type=execve\n  output: ${JSON.stringify(output)}\n  priority: INFO\n`
const told = (output: string) => {
  const { rules, errors } = loadRules([{ name: 'f', text: rule(output) }])
  assert.deepEqual(errors.map(formatDiagnostic), [])
  const [match] = compileRules(rules).match(contextOf({ type: 'exec' }, { name: 'init', exe: '/init', args: ['-x', 'y'] }))
  assert.ok(match)
  return match
}
const fault = (output: string): string => loadRules([{ name: 'f', text: rule(output) }]).errors.map(formatDiagnostic)[0] ?? 'no error'

describe('an output', () => {
  it('has its fields filled in, and <NA> where there is nothing', () => {
    const { output, fields } = told('start %proc.name %evt.rawres %proc.env %fd.name end')
    assert.equal(output, 'start init 0 <NA> <NA> end')
    assert.deepEqual(fields, { 'proc.name': 'init', 'evt.rawres': 0, 'proc.env': null, 'fd.name': null })
    assert.equal(told('no fields').output, 'no fields')
    assert.equal(told('*%proc.name').output, 'init', 'as sysdig writes it')
  })

  it('takes fields with arguments and transformers, and the longest name that there is', () => {
    const { output, fields } = told('%proc.aname[0]/%evt.arg.args/%evt.arg[0]/%toupper(proc.name)/%join("-", (proc.name, "x"))')
    assert.equal(output, 'init/-x y/SUCCESS/INIT/init-x')
    assert.deepEqual(Object.keys(fields), ['proc.aname[0]', 'evt.arg.args', 'evt.arg[0]', 'toupper(proc.name)', 'join("-", (proc.name, "x"))'])
    assert.equal(told('start%proc.nameand%proc.pidend %proc.name. %proc.names').output, 'startinitand4242end init. inits')
  })

  it('has widths', () => {
    assert.equal(told('[%2proc.name][%10proc.name][%4fd.name]').output, '[in][init      ][<NA>]')
  })

  it('writes times to the microsecond, and no digit that is not known', () => {
    const { output, fields } = told('%evt.rawtime %proc.duration %evt.time %evt.time.iso8601')
    assert.equal(output, `${noon}000000 1000000000 12:00:00.000000000 2026-06-01T12:00:00.000000000+0000`)
    assert.equal(fields['evt.rawtime'], `${noon}000000`, 'a number would not be exact')
    assert.equal(fields['proc.duration'], 1_000_000_000)
  })

  it('that is wrong is refused, with its place', () => {
    assert.match(fault('start %some.field end'), /^f:4:19: rule "r": there is no field some\.field/)
    for (const bad of [
      'start %a end',
      'start % end',
      '%',
      '%5',
      '%(proc.name)',
      '%val(proc.name)',
      '%toupper(proc.name',
      '%toupper (proc.name)',
      '%toupper(evt.num)',
      '%evt.arg',
      '%proc.aname[x]',
      '%fd.net',
      '%evt.arg.nosuch',
    ])
      assert.match(fault(bad), /^f:4:\d+: rule "r": .*LOAD_ERR_COMPILE_OUTPUT/, bad)
  })
})
