/** What conditions come to: operators, transformers, lists, macros, on fields made for it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { contextOf } from '../../../test/detect/context.ts'
import { field, lackingField } from '../fields/define.ts'
import type { Field, FieldTable } from '../fields/field.ts'
import { fieldTable } from '../fields/table.ts'
import { formatDiagnostic } from './diagnostic.ts'
import { loadRules } from './load.ts'
import { compileRules } from './rule-set.ts'

const fields: readonly Field[] = [
  field('t.path', 'string', '', () => '/opt/dir/subdir/file.txt'),
  field('t.name', 'string', '', () => 'Curl-7.88'),
  field('t.empty', 'string', '', () => ''),
  field('t.encoded', 'string', '', () => 'YWFhLWJiYg=='),
  field('t.na', 'string', '', () => undefined),
  field('t.number', 'number', '', () => 42),
  field('t.negative', 'number', '', () => -2),
  field('t.same', 'number', '', () => 42),
  field('t.bool', 'boolean', '', () => true),
  field('t.port', 'port', '', () => 443),
  field('t.ports', 'port', '', () => [443, 51000], { holds: 'any', plain: true }),
  field('t.ip', 'address', '', () => '10.1.2.3'),
  field('t.ip6', 'address', '', () => '2001:db8::1'),
  field('t.mapped', 'address', '', () => '::ffff:10.1.2.3'),
  field('t.net', 'network', '', () => '10.1.2.3', { plain: true }),
  field('t.net6', 'network', '', () => '2001:db8::1', { plain: true }),
  field('t.nets', 'network', '', () => ['10.1.2.3', '1.1.1.1'], { holds: 'any', plain: true }),
  field('t.duration', 'duration', '', () => 5_000_000_000),
  field('t.list', 'string', '', () => ['a', 'b'], { holds: 'list' }),
  field('t.numbers', 'number', '', () => [1, 2], { holds: 'list' }),
  field('t.ancestors', 'string', '', () => ['bash', 'sshd'], { holds: 'any', plain: true }),
  field('t.bytes', 'bytes', '', () => Buffer.from('HTTP/1.1 200')),
  { ...field('t.args', 'string', '', () => '-nt hello'), asList: () => ['-nt', 'hello'] },
  lackingField('t.lacking', 'string', 'nobody knows'),
]
const table: FieldTable = new Map([...fieldTable, ...fields.map(each => [each.name, each] as const)])

const ruleFile = (condition: string, more = ''): string =>
  `${more}\n- rule: r\n  condition: ${JSON.stringify(condition)}\n  output: "%t.path"\n  desc: d\n  priority: NOTICE\n`

const faultOf = (condition: string, more = ''): string | undefined =>
  loadRules([{ name: 'f', text: ruleFile(condition, more) }], { fieldsKnown: table }).errors.map(formatDiagnostic)[0]

const holds = (condition: string, more = ''): boolean => {
  const loaded = loadRules([{ name: 'f', text: ruleFile(condition, more) }], { fieldsKnown: table })
  assert.deepEqual(loaded.errors.map(formatDiagnostic), [], condition)
  return compileRules(loaded.rules).match(contextOf({ type: 'exec' })).length === 1
}
const all = (...conditions: readonly string[]): void => {
  for (const condition of conditions) assert.ok(holds(condition), `must hold: ${condition}`)
}
const none = (...conditions: readonly string[]): void => {
  for (const condition of conditions) assert.ok(!holds(condition), `must not hold: ${condition}`)
}
const faulty = (fault: RegExp, ...conditions: readonly string[]): void => {
  for (const condition of conditions) assert.match(faultOf(condition) ?? 'no error', fault, condition)
}

describe('operators', () => {
  it('compare text', () => {
    all(
      't.name = Curl-7.88',
      't.name == "Curl-7.88"',
      't.name != curl',
      't.name contains url',
      't.name startswith Cur',
      't.name endswith .88',
      't.empty = ""',
    )
    all('t.name icontains CURL', 't.name iglob curl*', 't.name > 9', 't.name in (a, Curl-7.88)', 't.name intersects (Curl-7.88)')
    none(
      't.name = curl',
      't.name != Curl-7.88',
      't.name contains URL',
      't.name startswith url',
      't.name in (a, b)',
      't.name in ()',
      't.name glob curl*',
    )
  })

  it('glob as fnmatch does: over slashes too', () => {
    all(
      't.path glob /opt/*',
      't.path glob /opt/*/file.txt',
      't.path glob *.txt',
      't.path glob /op?/*',
      't.path glob "/opt/di[r]/*"',
      't.path glob "/opt/di[!x]/*"',
    )
    all('t.path glob "/[[:alpha:]]pt/*"', 't.path glob "/opt/di[a-z]/*"')
    none('t.path glob /opt', 't.path glob "/opt/di[!r]/*"', 't.path glob "/opt/di[x]/*"', 't.path glob "*.tx"', 't.path glob "/opt\\\\*"')
  })

  it('take regular expressions of the whole text', () => {
    all('t.name regex "C.*"', 't.name regex "[A-Z][a-z]+-[0-9.]+"', 't.name regex "(?i)curl.*"')
    none('t.name regex "C"', 't.name regex "url.*"')
    faulty(/no pattern of RE2/, 't.name regex "("', 't.name regex "(?=a)"')
    faulty(/at most 10000 characters/, `t.name regex "${'a'.repeat(10_001)}"`)
  })

  it('find prefixes of paths, name by name', () => {
    all(
      't.path pmatch (/opt/dir)',
      't.path pmatch (/x, /opt/dir/subdir)',
      't.path pmatch (/opt/*)',
      't.path pmatch (/opt/*/subdir)',
      't.path pmatch (/opt/di?/subdir)',
      't.path pmatch (/)',
    )
    all('t.path pmatch ("/opt/di[r]/subdir")', 't.path pmatch (/opt/*/*)', 't.path pmatch (/opt/dir/subdir/file.txt)')
    none(
      't.path pmatch (/opt/dir2)',
      't.path pmatch (/opt/di)',
      't.path pmatch (/opt/*/subdir2)',
      't.path pmatch (/opt/*/*/subsub)',
      't.path pmatch ("/opt/di[!r]/subdir")',
      't.path pmatch ()',
    )
  })

  it('compare numbers', () => {
    all(
      't.number = 42',
      't.number = 0x2a',
      't.number > 41',
      't.number >= 42',
      't.number < 43',
      't.number <= 42',
      't.number != 41',
      't.number in (1, 42)',
      't.negative = -2',
      't.negative < 0',
    )
    none('t.number > 42', 't.number in (1)', 't.negative >= 0')
    all('t.duration <= 5000000000', 't.bool = true', 't.bool != false', 't.bool in (true)')
    none('t.bool = false')
    faulty(/no integer/, 't.number = abc', 't.number > 1.5', 't.number in (1, x)')
    faulty(/neither true nor false/, 't.bool = 1')
  })

  it('compare ports, by number or by the name of a service', () => {
    all('t.port = 443', 't.port = https', 't.port in (80, https)', 't.ports = 443', 't.ports = 51000', 't.ports > 50000', 't.ports != 80')
    none('t.port = http', 't.ports != 443', 't.ports in (1, 2)')
    faulty(/no service/, 't.port = nosuch')
    faulty(/no port/, 't.port = 70000')
  })

  it('compare addresses and networks', () => {
    all('t.ip = 10.1.2.3', 't.ip != 10.1.2.4', 't.ip in (1.1.1.1, 10.1.2.3)', 't.ip6 = 2001:db8:0::1', 't.mapped = 10.1.2.3', 't.ip != 2001:db8::1')
    all(
      't.net = 10.0.0.0/8',
      't.net in (192.168.0.0/16, "10.1.2.0/24")',
      't.net = 0.0.0.0/0',
      't.net = 10.1.2.3/32',
      't.net6 = 2001:db8::/33',
      't.net != 11.0.0.0/8',
    )
    all('t.nets = 10.0.0.0/8', 't.nets = 1.1.1.1/32', 't.nets != 192.168.0.0/16', 't.nets in (1.0.0.0/8)')
    none('t.ip = 10.1.2.4', 't.net = 10.1.3.0/24', 't.net = 10.1.2.2/32', 't.net = ::/0', 't.nets != 10.0.0.0/8', 't.net6 = 2001:db9::/32')
    faulty(/no IP address.*fd\.snet/, 't.ip = 10.0.0.0/8')
    faulty(/no IP network/, 't.net = 10.0.0.1', 't.net = 10.0.0.0/33', 't.net = x/8')
  })

  it('compare lists, and values that are any of several', () => {
    all(
      't.list in (a, b, c)',
      't.list intersects (b, x)',
      't.numbers intersects (2)',
      't.ancestors = sshd',
      't.ancestors in (x, bash)',
      't.ancestors != sshd',
      't.ancestors startswith ss',
    )
    none('t.list in (a)', 't.list intersects (x)', 't.ancestors = init', 'not t.ancestors = bash')
    faulty(/does not compare a list/, 't.list = a', 't.list contains a')
  })

  it('compare bytes', () => {
    all(
      't.bytes contains HTTP',
      't.bytes bcontains 48545450',
      't.bytes bstartswith 4854',
      't.bytes startswith HT',
      't.bytes endswith 200',
      't.bytes = "HTTP/1.1 200"',
      't.bytes != x',
    )
    none('t.bytes bcontains 00', 't.bytes bstartswith 5448')
    faulty(/two hexadecimal digits/, 't.bytes bcontains 4', 't.bytes bcontains xy')
  })

  it('are refused where the type has none such', () => {
    faulty(
      /does not compare what is of type/,
      't.number contains 4',
      't.bool > 1',
      't.ip startswith 10',
      't.name bcontains 41',
      't.name bstartswith 41',
      't.number pmatch (1)',
      't.port glob 4*',
    )
  })

  it('are never true of what has no value, and so are their opposites', () => {
    none(
      't.na = a',
      't.na != a',
      't.na exists',
      't.na in (a)',
      't.lacking = a',
      't.lacking exists',
      't.lacking != a',
      't.na = val(t.na)',
      'tolower(t.na) = a',
      'len(t.na) = 0',
    )
    all('not t.na = a', 'not t.na exists', 'not t.na in ("<NA>", "N/A")', 't.name exists', 't.empty exists', 'not t.lacking contains a')
  })

  it('take modifiers', () => {
    all(
      't.name startswith anyof (x, Cur)',
      't.name contains allof (url, 7)',
      't.name contains oneof (url, x)',
      't.name != allof (a, b)',
      't.number = anyof (1, 42)',
      't.name regex anyof ("x", "C.*")',
    )
    none(
      't.name contains oneof (url, 7)',
      't.name contains allof (url, x)',
      't.name startswith anyof (x, y)',
      't.name = anyof ()',
      't.name != allof (a, Curl-7.88)',
    )
    faulty(/does not compare/, 't.number contains anyof (4)')
  })
})

describe('fields on both sides', () => {
  it('are compared when they are of one type', () => {
    all(
      't.number = val(t.same)',
      't.number >= val(t.same)',
      't.path startswith val(t.path)',
      't.path contains basename(t.path)',
      'tolower(t.name) = tolower(t.name)',
      't.path in val(t.path)',
    )
    none('t.number != val(t.same)', 't.number < val(t.negative)', 't.name = tolower(t.name)', 't.name = val(t.na)')
    all('t.path glob val(t.path)', 't.list in val(t.list)', 't.list intersects val(t.list)')
    faulty(/cannot be compared/, 't.number = val(t.name)', 't.name = val(t.list)', 't.name = len(t.name)')
    faulty(/only with values/, 't.name regex val(t.name)', 't.name pmatch val(t.name)')
    faulty(/several values at once/, 't.ports = val(t.port)', 't.port = val(t.ports)', 't.ancestors = val(t.name)')
    faulty(/compared with names only/, 'evt.type = val(t.name)', 'tolower(evt.type) = open')
  })
})

describe('transformers', () => {
  it('change text', () => {
    all(
      'tolower(t.name) = curl-7.88',
      'toupper(t.name) startswith CURL',
      'basename(t.path) = file.txt',
      'b64(t.encoded) = aaa-bbb',
      'b64(toupper(t.na)) exists or t.name exists',
    )
    all('toupper(b64(t.encoded)) = AAA-BBB', 'basename(t.name) = Curl-7.88', 'toupper(t.list) intersects (A)')
    none('basename(t.path) = /file.txt', 'b64(t.name) exists')
    faulty(/takes text/, 'tolower(t.number) = 4', 'basename(t.bytes) = a', 'b64(t.ip) = a')
    faulty(/several values at once/, 'tolower(t.ancestors) = a')
    faulty(/takes one argument/, 'tolower(t.name, t.name) = a')
    faulty(/nothing in brackets follows/, 'tolower(t.name)[1] = a')
  })

  it('measure', () => {
    all(
      'len(t.name) = 9',
      'len(t.list) = 2',
      'len(t.empty) = 0',
      'len(t.bytes) > 3',
      'len(join("-", (t.name, t.path))) = 34',
      'len(b64(t.encoded)) = 7',
    )
    faulty(/takes text or a list/, 'len(t.number) = 2')
  })

  it('join and put together', () => {
    all(
      'join("-", (t.name, t.path)) = Curl-7.88-/opt/dir/subdir/file.txt',
      'join("->", ("aaa","bbb")) = aaa->bbb',
      'join("->", ("aaa")) = aaa',
      'join(",", ()) = ""',
    )
    all(
      'join(",", (t.number, t.number)) = "42,42"',
      'join("->", (toupper(t.name), "a")) = CURL-7.88->a',
      'join("", t.list) = ab',
      'join(" ", t.args) = "-nt hello"',
    )
    all(
      'concat(t.name, "x") = Curl-7.88x',
      'concat("aaa", "bbb", "ccc") = aaabbbccc',
      'toupper(concat("a", "b")) = AB',
      'b64(concat("YWFh", "YmJi")) = aaabbb',
    )
    none('join("-", (t.name, t.na)) exists', 'concat(t.name, t.na) exists')
    faulty(/two arguments/, 'join("-") = a', 'join("-", "a", "b") = a')
    faulty(/one value, not a list/, 'join(t.list, ("a", "b")) = a', 'concat("a", ("a")) = b')
    faulty(/is a list/, 'join("a", "b") = c')
    faulty(/at least two/, 'concat("a") = a')
    faulty(/takes text/, 'concat(t.number, "a") = a')
  })

  it('read options as getopt does', () => {
    all(
      'getopt(("-n",""), "n") intersects (n)',
      'getopt(("-t", "hello"), "t:") intersects (hello)',
      'getopt(("-nt", "hello"), "nt:") in (n, t, hello)',
      'getopt(("-thello"), "t:") in (t, hello)',
    )
    all(
      'getopt(("-x", "-n"), "n") in ("?", n)',
      'getopt(("-n", "--", "-t"), "nt:") in (n)',
      'getopt(("-t"), "t:") in ("")',
      'getopt(("--exec", "-n"), "n") in (n)',
      'getopt(("-nx"), "n") in (n, "?")',
    )
    all(
      'getopt(("-n", "-t", "hello"), "nt:")[t] = hello',
      'getopt(("-t", "v1", "-t", "v2"), "t:")[t] = v2',
      'getopt(("-n"), "n")[n] = n',
      'getopt(("-t?"), "t:")[t] = ?',
      'getopt(("-t"), "t:")[t] = ""',
    )
    all('getopt(t.args, "nt:")[t] = hello', 'getopt(("-t:"), ":t:")[t] = :', 'getopt(("-n", "file", "-t"), "nt") in (n)')
    none(
      'getopt(("-n"), "nt:")[t] != ""',
      'getopt(("-", "-n"), "n") intersects (n)',
      'getopt(("arg", "-n"), "n") intersects (n)',
      'getopt(("-t"), "t:") intersects (t, "?")',
      'getopt(("--exec"), "e:") intersects (e, "?")',
    )
    none('getopt(("-t", "v1", "-t"), "t:")[t] = v1', 'getopt(("-n", "-t"), "") intersects (n, t)')
    faulty(/two arguments/, 'getopt(("a")) intersects (n)')
    faulty(/is a list/, 'getopt("a", "n") intersects (n)')
    faulty(/single character/, 'getopt(("-n"), "n")[""] = n', 'getopt(("-n"), "n")[nt] = n')
  })
})

describe('macros and lists', () => {
  const words =
    '- list: inner\n  items: [sh, \'"with space"\', "plain space"]\n- list: outer\n  items: [inner, Curl-7.88]\n- list: nothing\n  items: []\n- list: one\n  items: [Curl-7.88]\n'
  it('of lists are their values, wherever they stand', () => {
    for (const condition of [
      't.name in (outer)',
      't.name in outer',
      't.name in (x, outer, y)',
      't.name in (one, nothing)',
      't.name = one',
      't.name startswith anyof outer',
    ])
      assert.ok(holds(condition, words), condition)
    assert.ok(!holds('t.name in (inner)', words))
    assert.ok(!holds('t.name in (nothing)', words))
    assert.ok(!holds('t.name in ("outer")', words), 'a quoted word is no list')
    assert.match(faultOf('t.name = outer', words) ?? '', /list of 4 values.*write in \(outer\)/)
  })

  it('are evaluated once for an event, and again for the next', () => {
    let reads = 0
    const counted: FieldTable = new Map([...table, ['t.counted', field('t.counted', 'string', '', () => String(++reads), { costly: true })]])
    const rules = [1, 2, 3].map(index => `- rule: r${index}\n  condition: m and t.counted != 99\n  output: x\n  desc: d\n  priority: INFO\n`).join('')
    const text = `- macro: m\n  condition: t.counted exists and t.name exists\n${rules}`
    const loaded = loadRules([{ name: 'f', text }], { fieldsKnown: counted })
    const set = compileRules(loaded.rules)
    const context = contextOf({ type: 'exec' })
    assert.equal(set.match(context).length, 3)
    assert.equal(reads, 1)
    assert.equal(set.match(context).length, 3)
    assert.equal(reads, 2)
  })
})
