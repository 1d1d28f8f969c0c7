/** What rule files may say, and what is said of those that are wrong. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contextOf } from '../../../test/detect/context.ts'
import { formatDiagnostic } from './diagnostic.ts'
import { loadRules } from './load.ts'
import type { LoadedRules } from './loaded.ts'
import { compileRules } from './rule-set.ts'

const load = (...texts: readonly string[]): LoadedRules => loadRules(texts.map((text, index) => ({ name: `f${index + 1}`, text })))
const rule = (name: string, condition: string, more = ''): string =>
  `- rule: ${name}\n  desc: d\n  condition: ${condition}\n  output: out %proc.name\n  priority: NOTICE\n${more}`
const errorsOf = (loaded: LoadedRules): readonly string[] => loaded.errors.map(formatDiagnostic)
const warningsOf = (loaded: LoadedRules): readonly string[] => loaded.warnings.map(({ code }) => code)
const clean = (loaded: LoadedRules): LoadedRules => {
  assert.deepEqual(errorsOf(loaded), [])
  return loaded
}
/** Names of the rules that match an exec of the program. */
const matches = (loaded: LoadedRules, name: string): readonly string[] =>
  compileRules(clean(loaded).rules)
    .match(contextOf({ type: 'exec' }, { name }))
    .map(match => match.rule.name)

describe('a rule file', () => {
  it('gives all that a rule says', () => {
    const text = rule('r', 'proc.name = a', '  tags: [b, a, b]\n  enabled: no\n  source: syscall\n').replace('NOTICE', 'warning')
    const [loaded] = clean(load(text)).rules
    assert.ok(loaded)
    assert.deepEqual(
      { ...loaded, condition: 0, output: loaded.output.text, eventTypes: loaded.eventTypes.size > 60 },
      {
        ...{
          name: 'r',
          description: 'd',
          priority: 'warning',
          tags: ['a', 'b'],
          source: 'syscall',
          enabled: false,
          place: { file: 'f1', line: 1, column: 3 },
        },
        ...{ text: 'proc.name = a', condition: 0, output: 'out %proc.name', eventTypes: true, lacking: [], isInert: false },
      },
    )
    assert.deepEqual(matches(load(text), 'a'), [], 'it is off')
  })

  it('knows all spellings of priorities', () => {
    for (const [word, priority] of [
      ['EMERGENCY', 'emergency'],
      ['Alert', 'alert'],
      ['critical', 'critical'],
      ['ERROR', 'error'],
      ['WARNING', 'warning'],
    ] as const)
      assert.equal(load(rule('r', 'evt.type=open').replace('NOTICE', word)).rules[0]?.priority, priority)
    for (const [word, priority] of [
      ['notice', 'notice'],
      ['INFO', 'informational'],
      ['Informational', 'informational'],
      ['debug', 'debug'],
    ] as const)
      assert.equal(load(rule('r', 'evt.type=open').replace('NOTICE', word)).rules[0]?.priority, priority)
    assert.match(errorsOf(load(rule('r', 'evt.type=open').replace('NOTICE', 'HIGH')))[0] ?? '', /f1:5:13: rule "r": "HIGH" is no priority/)
  })

  it('may have several documents, and later files change earlier ones', () => {
    const files = [
      `- list: l\n  items: [a]\n---\n${rule('r', 'proc.name in (l)')}`,
      '- list: l\n  items: [b]\n',
      '- list: l\n  items: [c]\n  override: { items: append }\n',
    ]
    assert.deepEqual(matches(load(...files), 'a'), [])
    assert.deepEqual(matches(load(...files), 'b'), ['r'])
    assert.deepEqual(matches(load(...files), 'c'), ['r'])
  })

  it('appends to macros and conditions as text', () => {
    const base = `- macro: m\n  condition: proc.name = a\n${rule('r', 'm')}`
    assert.deepEqual(matches(load(base, '- macro: m\n  condition: or proc.name = b\n  override: { condition: append }\n'), 'b'), ['r'])
    assert.deepEqual(matches(load(base, '- macro: m\n  condition: or proc.name = b\n  append: true\n'), 'b'), ['r'])
    assert.deepEqual(matches(load(base, '- rule: r\n  condition: and proc.name != a\n  override: { condition: append }\n'), 'a'), [])
    assert.deepEqual(warningsOf(load(base, '- rule: r\n  condition: or proc.name = z\n  append: true\n')), [
      'LOAD_NO_EVTTYPE',
      'LOAD_DEPRECATED_ITEM',
    ])
  })

  it('tells faults of what was appended where that stands', () => {
    const appended = load(rule('r', 'evt.type=execve'), '- rule: r\n  condition: and proc.nam = x\n  override: { condition: append }\n')
    assert.match(errorsOf(appended)[0] ?? '', /^f2:2:18: rule "r": there is no field proc\.nam/)
    const folded = load(
      `- rule: r\n  desc: d\n  condition: "evt.type=execve and\n    proc.args = \\"a\\" and proc.nam = x"\n  output: o\n  priority: INFO\n`,
    )
    assert.match(errorsOf(folded)[0] ?? '', /^f1:4:27: /)
  })

  it('overrides keys one by one', () => {
    const override = `- rule: r
  condition: proc.name = b
  output: more %proc.pid
  desc: e
  priority: CRITICAL
  enabled: true
  tags: [x]
  override: { condition: replace, output: append, desc: append, priority: replace, enabled: replace, tags: append }
`
    const [loaded] = clean(load(rule('r', 'proc.name = a', '  tags: [a]\n  enabled: false\n'), override)).rules
    assert.deepEqual(
      [loaded?.text, loaded?.output.text, loaded?.description, loaded?.priority, loaded?.enabled, loaded?.tags],
      ['proc.name = b', 'out %proc.name more %proc.pid', 'd e', 'critical', true, ['a', 'x']],
    )
  })

  it('refuses overrides that make no sense, each with the reason', () => {
    const base = rule('r', 'evt.type=open')
    const faults: readonly (readonly [string, RegExp])[] = [
      ['- rule: r\n  priority: INFO\n  override: { priority: append }\n', /f2:3:15: rule "r": priority cannot be appended to: replace it/],
      ['- rule: r\n  source: syscall\n  override: { source: replace }\n', /source cannot be changed by override/],
      ['- rule: r\n  desc: x\n  override: { desc: delete }\n', /override of desc is append or replace, not "delete"/],
      ['- rule: r\n  override: { desc: append }\n', /desc is not here: write it beside override/],
      ['- rule: r\n  desc: x\n  output: y\n  override: { desc: append }\n', /f2:3:3: rule "r": output is here, but override does not say/],
      ['- rule: other\n  desc: x\n  override: { desc: append }\n', /there is no rule "other" above/],
      ['- rule: r\n  condition: and a\n  append: true\n  override: { condition: append }\n', /append and override cannot both be there/],
      ['- rule: r\n  append: true\n', /needs a condition or exceptions/],
      ['- list: l\n  items: [a]\n  append: true\n', /there is no list l above to append to/],
      ['- macro: m\n  condition: evt.type=open\n  override: { condition: append }\n', /there is no macro m above to append to/],
    ]
    for (const [text, fault] of faults) assert.match(errorsOf(load(base, text)).join('\n'), fault, text)
  })

  it('switches a rule with enabled alone, the old way', () => {
    const loaded = load(rule('r', 'evt.type=execve'), '- rule: r\n  enabled: false\n')
    assert.deepEqual([loaded.rules[0]?.enabled, warningsOf(loaded)], [false, ['LOAD_DEPRECATED_ITEM']])
    assert.match(errorsOf(load('- rule: r\n  enabled: false\n'))[0] ?? '', /there is no rule "r" above/)
  })

  it('tells all errors at once, with line, column and token', () => {
    const loaded = load(`- rule: no condition
  desc: d
  output: o
  priority: NOTICE
- macro: m
  condition: proc.nam = a and
- list: l
  items: a
- rule: two faults
  desc: d
  condition: >
    evt.type=execve and
    proc.nam = a and (proc.name in (x, y) or
      proc.pid = abc)
  output: "%proc.foo %proc.name"
  priority: NOTICE
- rule: uses m
  desc: d
  condition: evt.type=execve and m and unknown_macro
  output: o
  priority: NOTICE
${rule('fine', 'evt.type=execve')}`)
    assert.deepEqual(errorsOf(loaded), [
      'f1:1:3: rule "no condition": condition is missing (LOAD_ERR_YAML_VALIDATE)',
      'f1:6:30: macro "m": a blank or a ( must follow and, not the end (LOAD_ERR_COMPILE_CONDITION)',
      'f1:8:10: list "l": items is a list, like [a, b] (LOAD_ERR_YAML_VALIDATE)',
      'f1:13:5: rule "two faults": there is no field proc.nam (LOAD_ERR_COMPILE_CONDITION)',
      'f1:14:18: rule "two faults": "abc" is no integer (LOAD_ERR_COMPILE_CONDITION)',
      'f1:15:13: rule "two faults": there is no field proc.foo (in the output) (LOAD_ERR_COMPILE_OUTPUT)',
      'f1:19:40: rule "uses m": there is no macro unknown_macro (LOAD_ERR_VALIDATE)',
    ])
    assert.deepEqual(loaded.errors.map(({ token }) => token).slice(3, 5), ['proc.nam', 'abc'])
    assert.deepEqual(
      loaded.rules.map(({ name }) => name),
      ['fine'],
    )
  })

  it('tells what is no YAML, or another form of it', () => {
    assert.match(errorsOf(load('- rule: [a\n- b'))[0] ?? '', /^f1:\d+:\d+: it is no YAML/)
    assert.match(errorsOf(load('rule: r'))[0] ?? '', /^f1:1:1: a rule file is a list/)
    assert.match(errorsOf(load('- word\n- [a]'))[1] ?? '', /^f1:2:3: there is a list where a rule/)
    assert.match(errorsOf(load('- list: l\n  items: [{ a: b }]'))[0] ?? '', /items has single values, not a mapping/)
    assert.match(errorsOf(load('- list: [l]\n  items: []'))[0] ?? '', /list is one value/)
    assert.match(errorsOf(load('- list: ~\n  items: []'))[0] ?? '', /list is empty/)
    assert.match(errorsOf(load('- rule: r\n  rule: s'))[0] ?? '', /no YAML/)
    assert.deepEqual(errorsOf(load('', '---\n---\n', '- ~')), [])
  })

  it('warns as Falco does', () => {
    const warned = (text: string): readonly string[] => warningsOf(load(text))
    assert.deepEqual(warned('- thing: x\n'), ['LOAD_UNKNOWN_ITEM'])
    assert.deepEqual(warned(rule('r', 'evt.type=open', '  colour: red\n')), ['LOAD_UNKNOWN_KEY'])
    assert.deepEqual(warned('- macro: m\n  condition: evt.type=open\n- list: l\n  items: []\n'), ['LOAD_UNUSED_MACRO', 'LOAD_UNUSED_LIST'])
    assert.deepEqual(
      warned('- macro: "a b"\n  condition: evt.type=open\n- list: "a,b"\n  items: []\n').filter(code => code.startsWith('LOAD_INVALID')),
      ['LOAD_INVALID_MACRO_NAME', 'LOAD_INVALID_LIST_NAME'],
    )
    assert.deepEqual(warned(rule('r', 'proc.name = a')), ['LOAD_NO_EVTTYPE'])
    assert.deepEqual(warned(rule('r', 'proc.name = a', '  warn_evttypes: false\n')), [])
    assert.deepEqual(warned(rule('r', 'evt.type=open and evt.dir = <')), ['LOAD_DEPRECATED_ITEM'])
    assert.deepEqual(warned(rule('r', 'evt.type=open and proc.name regex ".*abc"')), ['LOAD_COMPILE_CONDITION'])
    assert.deepEqual(warned(rule('r', 'evt.type=open and proc.name = proc.pname')), ['LOAD_COMPILE_CONDITION'])
    assert.deepEqual(warned(rule('r', 'evt.type=open and proc.name = "tolower(proc.pname)"')), ['LOAD_COMPILE_CONDITION'])
    assert.deepEqual(warned(rule('r', 'evt.type=open').replace('out %proc.name', 'out %container.info')), ['LOAD_DEPRECATED_ITEM'])
  })

  it('says which rule asks for what Dayfly has not: some never match, others in part', () => {
    const loaded = clean(
      load(
        rule('env', 'evt.type=execve and proc.env contains x') +
          rule('part', 'evt.type in (execve, read) and (proc.env contains x or proc.name = a)') +
          rule('audit', 'ka.verb = get', '  source: k8s_audit\n') +
          rule('reads', 'evt.type = read'),
      ),
    )
    assert.deepEqual(
      loaded.rules.map(({ name, lacking, isInert }) => [name, lacking, isInert]),
      [
        ['env', ['proc.env'], true],
        ['part', ['evt.type=read', 'proc.env'], false],
        ['audit', ['source: k8s_audit'], true],
        ['reads', ['evt.type=read'], true],
      ],
    )
    assert.deepEqual(matches(loaded, 'a'), ['part'])
    assert.deepEqual(warningsOf(loaded), ['LOAD_LACKING', 'LOAD_LACKING', 'LOAD_UNKNOWN_SOURCE', 'LOAD_LACKING'])
    assert.match(errorsOf(load(rule('r', 'evt.type = opne')))[0] ?? '', /there is no event type opne/)
  })

  it('skips rules that ask to be when a field is not known', () => {
    const text = rule('r', 'evt.type=open and proc.nosuch = a', '  skip-if-unknown-filter: true\n')
    const loaded = clean(load(text + rule('s', 'evt.type=open')))
    assert.deepEqual([loaded.rules.map(({ name }) => name), warningsOf(loaded)], [['s'], ['LOAD_UNKNOWN_FILTER', 'LOAD_UNKNOWN_FILTER']])
    assert.equal(errorsOf(load(text.replace('= a', '> a'))).length, 1, 'what is wrong otherwise is an error all the same')
  })

  it('sees macros and lists that were defined before', () => {
    const late = `- macro: a\n  condition: b\n- macro: b\n  condition: evt.type=execve\n${rule('r', 'a')}`
    assert.match(errorsOf(load(late))[0] ?? '', /f1:2:14: macro "a": macro b is defined below, in line 3 of f1: move it up/)
    const appended = `- macro: a\n  condition: evt.type=execve\n- macro: b\n  condition: proc.name = x\n- macro: a\n  condition: and b\n  append: true\n${rule('r', 'a')}`
    assert.deepEqual(matches(load(appended), 'x'), ['r'])
    assert.deepEqual(matches(load(`${rule('r', 'm')}- macro: m\n  condition: proc.name = x\n`), 'x'), ['r'], 'rules see all')
  })
})

describe('required versions', () => {
  it('of the engine are semantic ones, or one number', () => {
    for (const version of ['0.57.0', '0.63.0', '8', '"0.31.0"', '63'])
      assert.deepEqual(errorsOf(load(`- required_engine_version: ${version}\n`)), [], version)
    for (const version of ['0.64.0', '1.0.0', '64'])
      assert.match(errorsOf(load(`- required_engine_version: ${version}\n`))[0] ?? '', /f1:1:28: .*need version .* and this is 0\.63\.0/)
    for (const version of ['abc', '1.2', '-1', '']) assert.equal(errorsOf(load(`- required_engine_version: ${version}\n`)).length, 1, version)
  })

  it('of plugins: the container plugin is built in, others are told', () => {
    const plugin = (text: string): LoadedRules => load(`- required_plugin_versions:\n${text}`)
    assert.deepEqual(warningsOf(clean(plugin('    - name: container\n      version: 0.4.0\n'))), [])
    assert.deepEqual(warningsOf(clean(plugin('    - name: k8saudit\n      version: 0.7.0\n'))), ['LOAD_UNKNOWN_PLUGIN'])
    assert.deepEqual(
      warningsOf(
        clean(plugin('    - name: other\n      version: 0.7.0\n      alternatives:\n        - name: container\n          version: 0.2.0\n')),
      ),
      [],
    )
    assert.match(errorsOf(plugin('    - name: container\n      version: x\n'))[0] ?? '', /"x" is no version/)
    assert.match(errorsOf(plugin('    - name: container\n'))[0] ?? '', /version is missing/)
    assert.match(
      errorsOf(plugin('    - name: a\n      version: 0.1.0\n      alternatives:\n        - { name: a, version: 0.1.0 }\n'))[0] ?? '',
      /stands once/,
    )
    assert.equal(errorsOf(load('- required_plugin_versions: x\n')).length, 1)
  })
})

describe('exceptions', () => {
  const base = (exceptions: string): string => rule('r', 'evt.type=execve or evt.type=open', `  exceptions:\n${exceptions}`)
  const context = (name: string, exePath: string, cwd = '/') => contextOf({ type: 'exec' }, { name, exePath, cwd })
  const excepted = (text: string, name: string, exePath: string, cwd?: string): boolean =>
    compileRules(clean(load(...text.split('=====\n'))).rules).match(context(name, exePath, cwd)).length === 0

  it('compare several fields with tuples of values', () => {
    const text = base('    - name: e\n      fields: [proc.name, proc.exepath]\n      values:\n        - [a, /bin/a]\n        - [b, "/bin/b c"]\n')
    assert.deepEqual([excepted(text, 'a', '/bin/a'), excepted(text, 'b', '/bin/b c'), excepted(text, 'a', '/bin/b c')], [true, true, false])
  })

  it('have operators of their own, with lists among the values', () => {
    const text = base(
      '    - name: e\n      fields: [proc.name, proc.exepath, proc.cwd]\n      comps: [in, startswith, pmatch]\n      values:\n        - [[a, b], /usr/, "(/srv, /opt)"]\n        - [c, /x, /tmp]\n',
    )
    assert.deepEqual(
      [excepted(text, 'b', '/usr/bin/x', '/srv/y'), excepted(text, 'c', '/xy', '/tmp'), excepted(text, 'b', '/usr/bin/x', '/tmp')],
      [true, true, false],
    )
  })

  it('of one field are a list of values, which may name lists', () => {
    const text = `- list: known\n  items: [a, b]\n${base('    - name: e\n      fields: proc.name\n      values: [known, "c d"]\n')}`
    assert.deepEqual([excepted(text, 'b', ''), excepted(text, 'c d', ''), excepted(text, 'e', '')], [true, true, false])
    assert.ok(excepted(base('    - name: e\n      fields: proc.exepath\n      comps: startswith anyof\n      values: [/bin, /usr]\n'), 'x', '/usr/y'))
  })

  it('may be empty, and are appended to by name', () => {
    const empty = base('    - name: e\n      fields: [proc.name]\n    - name: f\n      fields: proc.name\n      values: []\n')
    assert.ok(!excepted(empty, 'a', ''))
    for (const how of ['append: true', 'override: { exceptions: append }']) {
      const text = `${empty}=====\n- rule: r\n  exceptions:\n    - name: e\n      values: [[a]]\n    - name: new\n      fields: proc.name\n      values: [n]\n  ${how}\n`
      assert.deepEqual([excepted(text, 'a', ''), excepted(text, 'n', ''), excepted(text, 'b', '')], [true, true, false])
    }
    assert.ok(
      !excepted(
        `${base('    - name: e\n      fields: [proc.name]\n      values: [[a]]\n')}=====\n- rule: r\n  exceptions:\n    - name: g\n      fields: [proc.name]\n      values: [[b]]\n  override: { exceptions: replace }\n`,
        'a',
        '',
      ),
    )
  })

  it('that are wrong are refused, with the reason', () => {
    const faults: readonly (readonly [string, RegExp])[] = [
      ['    - fields: [proc.name]\n', /name is missing/],
      ['    - name: e\n      values: [[a]]\n', /fields is missing/],
      ['    - name: e\n      fields: [proc.name, proc.cwd]\n      comps: [=]\n', /lists of the same length/],
      ['    - name: e\n      fields: [proc.name]\n      comps: [like]\n', /"like" is no operator/],
      ['    - name: e\n      fields: proc.name\n      comps: =\n', /comps must be in, pmatch/],
      ['    - name: e\n      fields: [proc.nosuch]\n', /there is no field proc\.nosuch/],
      ['    - name: e\n      fields: [proc.name, proc.cwd]\n      values: [[a]]\n', /there must be 2 values here/],
      ['    - name: e\n      fields: proc.name\n      values: [[a]]\n', /single values/],
      ['    - name: e\n      fields: proc.name\n      values: a\n', /values is a list/],
      ['    - name: e\n      fields: [proc.pid]\n      values: [[abc]]\n', /f1:9:16: rule "r": "abc" is no integer/],
      ['    - word\n', /an exception is written with/],
    ]
    for (const [text, fault] of faults) assert.match(errorsOf(load(base(text))).join('\n'), fault, text)
    const again = '- rule: r\n  exceptions:\n    - name: e\n      fields: [proc.cwd]\n      values: [[a]]\n  append: true\n'
    assert.match(errorsOf(load(base('    - name: e\n      fields: [proc.name]\n'), again))[0] ?? '', /only values can be appended/)
    assert.deepEqual(warningsOf(load(base('    - name: e\n      fields: [proc.name]\n    - name: e\n      fields: [proc.cwd]\n'))), [
      'LOAD_EXCEPTION_NAME_NOT_UNIQUE',
    ])
  })
})
