import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromJson, show } from './json.ts'
import { kubernetesLibrary } from './library/all.ts'
import { CompileError, compile, expressionLimit } from './program.ts'
import type { Activation, Scope } from './scope.ts'
import { dyn } from './types.ts'
import type { Value } from './values.ts'
import { CelError, CostError } from './values.ts'

const object = {
  spec: { replicas: 3, ratio: 1.5, paused: false, name: 'web', none: null, containers: [{ name: 'a', image: 'x/y:1' }, { name: 'b' }] },
  metadata: { labels: { 'app.kubernetes.io/name': 'web' } },
}
const scope: Scope = { variables: new Map([['object', { type: dyn, slot: 0, local: false }]]), depth: 0 }
const activation = (): Activation => ({ load: () => fromJson(object), budget: 10_000_000, limit: expressionLimit })
const run = (source: string): Value => compile(source, kubernetesLibrary, scope).run(activation())

/** Each line is an expression that is true. */
const holds = (name: string, lines: string): void => {
  it(name, () => {
    for (const line of lines.split('\n').map(each => each.trim())) {
      if (line === '') continue
      let value: Value | Error
      try {
        value = run(line)
      } catch (error) {
        value = error instanceof Error ? error : new Error(String(error))
      }
      assert.equal(value instanceof Error ? value.message : show(value), 'true', line)
    }
  })
}

/** Each line is refused when it is compiled. */
const refused = (name: string, lines: string): void => {
  it(name, () => {
    for (const line of lines.split('\n').map(each => each.trim()))
      if (line !== '') assert.throws(() => compile(line, kubernetesLibrary, scope), CompileError, line)
  })
}

/** Each line compiles, and fails when it is evaluated. */
const fails = (name: string, lines: string): void => {
  it(name, () => {
    for (const line of lines.split('\n').map(each => each.trim())) if (line !== '') assert.throws(() => run(line), CelError, line)
  })
}

describe('the language', () => {
  holds(
    'reads literals',
    String.raw`
    9223372036854775807 > 0
    -9223372036854775808 < 0
    0xFF == 255
    -0x10 == -16
    18446744073709551615u > 1u
    .5 == 0.5
    1e3 == 1000.0
    1.5E-1 == 0.15
    r'\n'.size() == 2
    r'\' == '\\'
    R"a\"  == "a\\"
    rb'\n' == b'\\n'
    b'ÿ' == b'\303\277'
    b'\xff'.size() == 1
    '\U0001F600'.size() == 1
    "\377" == "ÿ"
    '\x41\101\u0041' == 'AAA'
    """a"b""" == 'a"b'
    "a\?b" == 'a?b'
    [1, 2, 3,].size() == 3
    {'a': 1,}.size() == 1
    true && !false // the rest is a comment
    - 1 == -1
    --1 == 1
    !!true
    1 - -1 == 2
    2-1 == 1
  `,
  )

  it('reads texts of several lines', () => {
    assert.equal(run("'''it's\n''' == \"it's\\n\""), true)
    assert.equal(run('object.spec\n  .name == "web" // comment\n  && true'), true)
  })

  holds(
    'keeps precedence',
    `
    1 + 2 * 3 == 7
    (1 + 2) * 3 == 9
    10 - 3 - 2 == 5
    7 / 2 * 2 == 6
    -7 / 2 == -3
    -7 % 3 == -1
    true || false && false
    false ? 1/0 == 1 : true
    true ? true : 1/0 == 1
    1 in [1] && !(2 in [1])
    (false ? 1 : true ? 2 : 3) == 2
  `,
  )

  holds(
    'compares numbers of all types by their value',
    `
    dyn(1) == 1.0
    dyn(1u) == 1
    [dyn(1)] == [1.0]
    dyn(1) in [1.0, 2.0]
    {1: 'a'}[dyn(1.0)] == 'a'
    {1: 'a'}[dyn(1u)] == 'a'
    1 < 1.5
    1u < 2
    -1 < 0u
    dyn(9223372036854775807) == 9223372036854775808.0
    9007199254740993 > 9007199254740992
    9223372036854775807 <= 9223372036854775808.0
    double('NaN') != double('NaN')
    1.0 / 0.0 > 9223372036854775807
    0.0 == -0.0
  `,
  )

  holds(
    'compares everything else',
    `
    dyn(1) != 'a'
    dyn(null) == null
    object.spec.none == null
    object.spec.name != null
    dyn(b'a') != 'a'
    dyn([1]) != {1: 1}
    [1, 2] == [1, 2]
    [1, 2] != [2, 1]
    {'a': 1, 'b': 2} == {'b': 2, 'a': 1}
    [[dyn(1)]] == [[1.0]]
    'a' < 'b' && 'ab' < 'b' && '' < 'a'
    '\\uFFFD' < '\\U0001F600'
    b'a' < b'b'
    false < true
    type(1) == int && type(1u) == uint && type('') == string && type([]) == list && type({}) == map
    type(null) == null_type && type(type(1)) == type && type(1.0) == double && type(b'') == bytes && type(true) == bool
    type(timestamp(0)) == google.protobuf.Timestamp
    type(duration('1s')) == google.protobuf.Duration
  `,
  )

  fails(
    'fails of what leaves its range',
    `
    9223372036854775807 + 1
    -9223372036854775808 - 1
    4611686018427387904 * 2
    -(-9223372036854775808)
    -9223372036854775808 / -1
    0u - 1u
    18446744073709551615u + 1u
    1 / 0
    1 % 0
    1u / 0u
    int(1e30)
    int(double('NaN'))
    uint(-1)
    int('0x10')
    int('9223372036854775808')
    [1][1]
    [1][-1]
    {'a': 1}['b']
    {'a': 1, 'a': 2}
    {dyn(1): 1, dyn(1u): 2}
    {dyn(1.5): 1}
    object.spec.missing
    object.spec.name.first
    double('NaN') < 1.0
    object.spec.containers[1].image == 'x'
    has(object.spec.containers.x)
    'a'.indexOf('a', -1)
    object.spec.replicas + 'a'
    object.spec.replicas && true
    object.spec.name ? 1 : 2
    string(b'\\377')
    timestamp(253402300800)
    duration('2562047h') + duration('1h') > duration('1s')
    timestamp(object.spec.name)
    bool('yes')
    object.spec.name.matches(object.spec.name + '(')
    'a'.charAt(2)
    'abc'.substring(2, 1)
    object.spec.name.all(x, true)
    1 in dyn('web')
  `,
  )

  refused(
    'refuses what is wrong with the place of the fault',
    `
    9223372036854775808
    18446744073709551616u
    1 +
    (1
    [1
    'abc
    'a\\q'
    '\\u12'
    '\\ud800'
    b'\\u0041'
    "a
    a..b
    1 = 1
    for
    object.for.let == 1 ? in : 1
    unknown
    unknown.field
    object.spec.matches()
    'a' + 1
    1 + 1.0
    1 == 'a'
    1 == null
    1 == 1.0
    true && 1
    !1
    -'a'
    [1, 'a']
    {'a': 1, 2: 2}
    true ? 1 : 'a'
    'a'.size
    1.size()
    'a' in 'abc'
    1 in ['a']
    [1].all(x.y, true)
    [1].all(x, 1)
    has(object)
    has(object['a'])
    'a'.matches('(')
    'a'.matches('(?=a)')
    timestamp('yesterday')
    timestamp('2023-02-30T00:00:00Z')
    duration('1 hour')
    quantity('10Zi')
    ip('1.2.3')
    cidr('10.0.0.0/33')
    url('not a url')
    semver('1.2')
    Pod{}
    'a' < 1
    [1] < [2]
    #
    cel.bind(1, 2, 3)
    [1].map(x, y)
    [1].transformList(x, x, x)
    1 2
  `,
  )

  it('shows the token at fault with a caret below', () => {
    assert.throws(
      () => compile('object.spec.replicas > 1 &&\n  object.spec.name.matchs("a", 1)', kubernetesLibrary, scope),
      (error: unknown) => {
        assert.ok(error instanceof CompileError)
        assert.equal(error.message.split('\n')[1], '  object.spec.name.matchs("a", 1)')
        assert.match(error.message.split('\n')[2] ?? '', /^ {2}\^{30}\^*$/)
        return true
      },
    )
  })

  holds(
    'absorbs failures that do not decide',
    `
    true || 1/0 == 1
    1/0 == 1 || true
    !(false && 1/0 == 1)
    !(1/0 == 1 && false)
    [1, 2].exists(x, x == 2 || 1/0 == x)
    ![0, 1].all(x, 1/x == 0)
    [0, 1].exists(x, 1/x == 1)
    object.spec.containers.exists(c, c.image == 'x/y:1')
    !(object.spec.missing == 1 && object.spec.paused)
    true || object.spec.replicas
  `,
  )

  fails(
    'and fails of those that do',
    `
    false || 1/0 == 1
    true && 1/0 == 1
    [0, 1].all(x, 1/x == 1)
    [0].exists(x, 1/x == 1)
    [1, 0].existsOne(x, 1/x == 1)
    [0].map(x, 1/x)
    [0].filter(x, 1/x == 1)
    has(object.missing.field)
    object.spec.containers.all(c, c.image == 'x/y:1')
  `,
  )

  holds(
    'has macros',
    `
    has(object.spec.name) && !has(object.spec.missing) && has(object.spec.none)
    [].all(x, false) && ![].exists(x, true)
    [1, 2, 3].exists_one(x, x > 2) && [1, 2, 3].existsOne(x, x == 1)
    [1, 2, 3].map(x, x * 2) == [2, 4, 6]
    [1, 2, 3].map(x, x > 1, x * 2) == [4, 6]
    [1, 2, 3].filter(x, x > 1) == [2, 3]
    {'a': 1, 'b': 2}.all(k, k in ['a', 'b'])
    {'a': 1, 'b': 2}.map(k, k) == ['a', 'b']
    {1: 2}.map(k, k) == [1]
    {1u: 2}.map(k, type(k) == uint) == [true]
    [[1], [2, 3]].map(x, x.map(y, y + size(x))) == [[2], [4, 5]]
    [1, 2].map(x, [3].map(x, x)) == [[3], [3]]
    cel.bind(x, 2, x * x) == 4
    cel.bind(x, 1, cel.bind(y, x + 1, x + y)) == 3
    [1, 2, 3].all(i, v, i + 1 == v)
    {'a': 1}.exists(k, v, k == 'a' && v == 1)
    [5, 6].existsOne(i, v, i == 1 && v == 6)
    [1, 2].transformList(i, v, i * v) == [0, 2]
    [1, 2].transformList(i, v, i > 0, v) == [2]
    {'a': 1}.transformList(k, v, k + string(v)) == ['a1']
    {'a': 1, 'b': 2}.transformMap(k, v, v * 2) == {'a': 2, 'b': 4}
    {'a': 1, 'b': 2}.transformMap(k, v, v > 1, v) == {'b': 2}
    ['x', 'y'].transformMapEntry(i, v, {v: i}) == {'x': 0, 'y': 1}
    {'greeting': 'hi'}.transformMapEntry(k, v, {v: k}) == {'hi': 'greeting'}
    [3, 1, 2].sortBy(x, -x) == [3, 2, 1]
  `,
  )

  holds(
    'has optionals',
    `
    object.?spec.?name.orValue('x') == 'web'
    object.?spec.?missing.orValue('x') == 'x'
    !object.?missing.field.hasValue()
    !has(object.spec.name.first) && !has(object.spec.none.x) && object.spec.name.?first == optional.none() && object.?spec.?name.?first == optional.none()
    object.spec.?missing.optMap(x, x + 1).orValue(7) == 7
    optional.of(1).optMap(x, x + 1).value() == 2
    optional.of(1).optFlatMap(x, optional.none()).hasValue() == false
    [1, 2][?1] == optional.of(2) && [1][?5] == optional.none()
    {'a': 1}[?'a'].value() == 1
    {'a': {'b': 1}}.?a[?'b'].value() == 1
    [?optional.of(1), ?optional.none(), 3] == [1, 3]
    {?'a': optional.none(), ?'b': optional.of(1)} == {'b': 1}
    optional.none().or(optional.of(1)).value() == 1
    optional.of(1).or(optional.of(1/0)).value() == 1
    optional.of(1).orValue(1/0) == 1
    optional.ofNonZeroValue('') == optional.none()
    has(object.?spec.name)
    {'a-b': 1}.\`a-b\` == 1
    object.metadata.labels.\`app.kubernetes.io/name\` == 'web'
    object.metadata.labels['app.kubernetes.io/name'] == 'web'
    [object.?spec.?nope].unwrapOpt() == []
  `,
  )

  holds(
    'gives JSON its types',
    `
    type(object.spec.replicas) == int && type(object.spec.ratio) == double
    object.spec.replicas > 2 && object.spec.replicas < 3.5
    object.spec.containers.size() == 2
    object.spec.containers[0].name == 'a'
  `,
  )
})

describe('the libraries', () => {
  holds(
    'convert',
    `
    string(1.0) == '1' && string(1.5) == '1.5' && string(1e100) == '1e+100' && string(123456.5) == '123456.5' && string(1234567.0) == '1.234567e+06' && string(1e-7) == '1e-07'
    string(true) == 'true' && string(5u) == '5' && string(b'abc') == 'abc'
    int(-1.9) == -1 && int('-5') == -5 && int(5u) == 5
    int(timestamp('1970-01-01T00:01:00Z')) == 60
    uint('7') == 7u && double('1.5') == 1.5 && double(3) == 3.0 && bool('true') && !bool('F')
    bytes('é').size() == 2 && 'é'.size() == 1 && size('😀a') == 2
    string(duration('1h')) == '3600s' && string(duration('-1.5s')) == '-1.5s'
    string(timestamp('2023-01-01T00:00:00.120Z')) == '2023-01-01T00:00:00.12Z'
    base64.decode(base64.encode(b'hello')) == b'hello'
  `,
  )

  holds(
    'know time to the nanosecond',
    `
    timestamp('2023-01-01T00:00:00.123456789Z') != timestamp('2023-01-01T00:00:00.123Z')
    timestamp('2023-01-01T00:00:00+01:00') == timestamp('2022-12-31T23:00:00Z')
    timestamp('2023-06-10T00:00:00Z').getDayOfYear() == 160 && timestamp('2023-06-10T00:00:00Z').getDayOfWeek() == 6
    timestamp('2023-06-10T00:00:00Z').getDate() == 10 && timestamp('2023-06-10T00:00:00Z').getDayOfMonth() == 9
    timestamp('2023-06-10T12:34:56.789Z').getMilliseconds() == 789 && timestamp('2023-06-10T12:34:56Z').getMonth() == 5
    timestamp('2023-06-10T00:00:00Z').getHours('+05:30') == 5 && timestamp('2023-06-10T00:00:00Z').getMinutes('+05:30') == 30
    timestamp('2023-06-10T00:00:00Z').getHours('America/New_York') == 20
    timestamp('2023-06-10T00:00:00Z') + duration('24h') == timestamp('2023-06-11T00:00:00Z')
    duration('10s') + timestamp(0) == timestamp(10)
    timestamp(10) - timestamp(0) == duration('10s') && timestamp(0) < timestamp(1)
    duration('1h') > duration('30m') && duration('1h30m').getMinutes() == 90 && duration('-1.5h').getMinutes() == -90
    duration('1500ms').getMilliseconds() == 1500 && duration('1h').getSeconds() == 3600
  `,
  )

  holds(
    'work on texts',
    String.raw`
    'hello'.charAt(1) == 'e' && 'hello'.charAt(5) == ''
    'hello'.indexOf('l') == 2 && 'hello'.indexOf('l', 3) == 3 && 'hello'.lastIndexOf('l') == 3 && 'hello'.indexOf('z') == -1 && 'hello'.indexOf('h', 9) == -1 && 'hello'.lastIndexOf('o', 5) == -1
    '😀a😀'.indexOf('a') == 1 && '😀a😀'.lastIndexOf('😀') == 2 && '😀ab'.substring(1) == 'ab' && '😀ab'.charAt(0) == '😀'
    'hello'.substring(1, 3) == 'el' && ' a '.trim() == 'a' && 'aBc'.upperAscii() == 'ABC' && 'ÀB'.lowerAscii() == 'Àb'
    'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b'] && 'a'.split(',', 0) == []
    'aaa'.replace('a', 'b') == 'bbb' && 'aaa'.replace('a', 'b', 1) == 'baa' && 'ab'.replace('', '-') == '-a-b-'
    ['a', 'b'].join() == 'ab' && ['a', 'b'].join('-') == 'a-b' && 'abc'.reverse() == 'cba'
    strings.quote('a"\n') == r'"a\"\n"'
    'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b') && !'abc'.contains('d')
    '%s %d %.2f %e %x %X %o %b %%'.format(['a', 1, 1.005, 1000.0, 255, 255, 8, 5]) == 'a 1 1.00 1.000000×10⁰³ ff FF 10 101 %'
    '%.0f %.0f %.1f'.format([2.5, 3.5, 0.25]) == '2 4 0.2'
    '%s'.format([dyn([1, 'a'])]) == '[1, "a"]' && '%f %f'.format([1234.5, -0.5]) == '1,234.500000 -0.500000' && '%e'.format([0.00012]) == '1.200000×10⁻⁰⁴'
    '%s'.format([[1, 'a', {'b': 1.5, 'a': null}]]) == '[1, "a", {"a":null, "b":1.500000}]'
    '%s %s'.format([duration('1h'), timestamp(0)]) == '3600s 1970-01-01T00:00:00Z' && '%x'.format(['hi']) == '6869'
  `,
  )

  holds(
    'match on RE2',
    String.raw`
    'abc'.matches('^a.c$') && matches('xabcx', 'abc') && !'abc'.matches('^b')
    'abc 123'.find('[0-9]+') == '123' && 'abc'.find('[0-9]+') == ''
    '1 22 333'.findAll('[0-9]+') == ['1', '22', '333'] && '1 22 333'.findAll('[0-9]+', 2) == ['1', '22'] && '1'.findAll('1', 0) == []
    'ABC'.matches('(?i)abc') && 'é'.matches(r'^\pL$') && 'ab'.findAll('') == ['', '', '']
  `,
  )

  holds(
    'work on lists and sets',
    `
    [1, 2, 2].isSorted() && !['b', 'a'].isSorted() && [].isSorted()
    [1, 2].sum() == 3 && [1.5, 2.0].sum() == 3.5 && [duration('1s'), duration('2s')].sum() == duration('3s') && [].sum() == 0
    [3, 1, 2].min() == 1 && [3, 1, 2].max() == 3 && ['a', 'b'].max() == 'b'
    [1, 2, 2].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2 && [1].indexOf(5) == -1
    sets.contains([1, 2], [dyn(1.0)]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2]) && sets.contains([1], [])
    [1, 1, 2].distinct() == [1, 2] && [[1], [2, 3]].flatten() == [1, 2, 3] && [[[1]], [[2]]].flatten(2) == [1, 2] && [3, 1].sort() == [1, 3]
    [1, 2, 3].slice(1, 3) == [2, 3] && lists.range(3) == [0, 1, 2] && [1, 2].reverse() == [2, 1] && [1].first().value() == 1
    math.greatest(1, 2.5) == 2.5 && math.least([3, 1]) == 1 && math.abs(-1) == 1 && math.ceil(1.2) == 2.0 && math.bitAnd(6, 3) == 2
  `,
  )

  holds(
    'know quantities',
    `
    quantity('1Ki') == quantity('1024') && quantity('1500m') == quantity('1.5') && quantity('1e3') == quantity('1k')
    quantity('1.5Gi').isGreaterThan(quantity('1G')) && quantity('100m').isLessThan(quantity('1')) && quantity('1').compareTo(quantity('1000m')) == 0
    isQuantity('20') && isQuantity('-1.3Gi') && !isQuantity('1.2.3') && !isQuantity('10 Mi') && !isQuantity('') && !isQuantity('1kb')
    quantity('50k').asInteger() == 50000 && !quantity('50m').isInteger() && quantity('50.7k').asApproximateFloat() == 50700.0
    quantity('50k').add(quantity('20')) == quantity('50020') && quantity('50k').sub(20000) == quantity('30k') && quantity('-5').sign() == -1
  `,
  )

  holds(
    'know addresses',
    `
    ip('127.0.0.1').isLoopback() && ip('::1').isLoopback() && ip('::').isUnspecified() && ip('::1').family() == 6 && ip('1.2.3.4').family() == 4
    isIP('127.0.0.1') && !isIP('127.0.0.256') && !isIP('01.2.3.4') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0') && !isIP('1::2::3') && isIP('1:2:3:4:5:6:7::')
    ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && !ip.isCanonical('2001:db8:0:0:0:0:0:abcd')
    string(ip('2001:db8:0:0:1:0:0:1')) == '2001:db8::1:0:0:1' && ip('0:0:0:0:0:0:0:1') == ip('::1') && string(cidr('192.168.0.0/24')) == '192.168.0.0/24'
    ip('224.0.0.1').isLinkLocalMulticast() && ip('169.254.1.1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast() && !ip('ff02::1').isGlobalUnicast()
    cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.1')) && !cidr('0.0.0.0/0').containsIP('::1')
    cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24')) && !cidr('192.168.0.0/24').containsCIDR('192.168.0.0/16')
    cidr('192.168.1.5/24').masked() == cidr('192.168.1.0/24') && cidr('::1/128').prefixLength() == 128 && cidr('10.0.0.1/8').ip() == ip('10.0.0.1') && !isCIDR('10.0.0.0/33')
  `,
  )

  holds(
    'know URLs',
    `
    url('https://user:pw@example.com:8080/a%20b?x=1&x=2&y=z').getHost() == 'example.com:8080'
    url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80' && url('https://a.b').getPort() == ''
    url('https://example.com/a b/').getEscapedPath() == '/a%20b/' && url('/path').getScheme() == '' && url('HTTPS://x').getScheme() == 'https'
    url('https://e.com/?k=a%20b&k=c&n').getQuery() == {'k': ['a b', 'c'], 'n': ['']}
    isURL('https://a.b/c') && isURL('/a') && !isURL('../a') && !isURL('https://a:b:c/') && !isURL('https://a b/') && !isURL('') && !isURL(':foo')
  `,
  )

  holds(
    'know versions and named formats',
    `
    semver('1.2.3').major() == 1 && semver('1.2.3-rc.1').isLessThan(semver('1.2.3')) && semver('1.2.10').isGreaterThan(semver('1.2.9'))
    semver('1.0.0-alpha.1').compareTo(semver('1.0.0-alpha.beta')) == -1 && semver('1.0.0+a') == semver('1.0.0+b')
    isSemver('1.0.0') && !isSemver('v1.0.0') && !isSemver('01.0.0') && !isSemver('1.0') && isSemver('v1.0', true) && semver('v1.02', true) == semver('1.2.0')
    !format.dns1123Label().validate('my-label').hasValue() && format.dns1123Label().validate('-x').hasValue()
    format.named('dns1123Subdomain').value().validate('a.B').hasValue() && !format.named('nope').hasValue()
    !format.qualifiedName().validate('apps.example.com/name').hasValue() && format.qualifiedName().validate('/x').hasValue()
    !format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue() && !format.date().validate('2024-02-29').hasValue() && format.date().validate('2023-02-29').hasValue()
    !format.labelValue().validate('').hasValue() && !format.byte().validate('aGk=').hasValue() && !format.uri().validate('http://x/').hasValue() && !format.datetime().validate('2024-01-01T00:00:00Z').hasValue()
    !format.dns1123LabelPrefix().validate('web-').hasValue() && format.dns1123Label().validate('web-').hasValue()
  `,
  )
})

describe('the bounds', () => {
  const digits = '[0,1,2,3,4,5,6,7,8,9]'
  it('ends what costs too much', () => {
    const deep = `${digits}.all(a, ${digits}.all(b, ${digits}.all(c, ${digits}.all(d, ${digits}.all(e, ${digits}.all(f, a+b+c+d+e+f >= 0))))))`
    assert.throws(() => run(deep), CostError)
    assert.throws(() => run(`${deep} || true`), CostError, 'nothing absorbs it')
  })

  it('ends what grows without bound', () => {
    let text = `'${'a'.repeat(1000)}'`
    for (let at = 0; at < 20; at++) text = `cel.bind(x${at}, ${text}, x${at} + x${at})`
    assert.throws(() => run(text), CostError)
    let list = '[1,2,3,4,5,6,7,8]'
    for (let at = 0; at < 20; at++) list = `cel.bind(x${at}, ${list}, x${at} + x${at})`
    assert.throws(() => run(list), CostError)
  })

  it('writes no text without bound', () => {
    const long = `lists.range(300).map(x, '${'a'.repeat(50_000)}')`
    assert.throws(() => run(`'%s'.format([${long}])`), /too long/)
    assert.throws(() => run(`${long}.join().size()`), /too long|costs more/)
    assert.ok(show(run(long)).length < 20_000)
    assert.ok(show(run('lists.range(30).map(a, lists.range(30).map(b, lists.range(30)))')).length < 20_000)
  })

  it('refuses what is nested or long without bound', () => {
    assert.throws(() => run('('.repeat(5000)), CompileError)
    assert.throws(() => run('['.repeat(5000)), CompileError)
    assert.throws(() => run(`1${'+1'.repeat(5000)}`), CompileError)
    assert.throws(() => run(`object${'.a'.repeat(5000)}`), CompileError)
    assert.throws(() => run(`'${'a'.repeat(200_000)}'`), CompileError)
    assert.equal(run(Array(2000).fill('true').join(' && ')), true)
    let nested: unknown = {}
    for (let at = 0; at < 10_000; at++) nested = { a: nested }
    assert.throws(() => fromJson(nested), CelError)
  })

  it('keeps matching linear', () => {
    assert.equal(run(`'${'a'.repeat(5000)}!'.matches('^(a+)+$')`), false)
    assert.equal(run(`'${'a'.repeat(5000)}'.matches('(a|a)*(a|a)*(a|a)*b')`), false)
  })

  it('knows no property that is not a field', () => {
    for (const field of ['__proto__', 'constructor', 'toString', 'size', 'length']) {
      assert.throws(() => run(`object.${field}`), CelError)
      assert.equal(run(`has(object.${field})`), false)
    }
    assert.equal(run(`'__proto__' in object`), false)
  })
})
