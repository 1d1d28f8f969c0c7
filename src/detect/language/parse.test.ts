import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseExpression, parseItem } from './parse.ts'
import { printExpression } from './print.ts'
import { quote, unquote } from './quoting.ts'
import type { Expression, FieldUse, Literal, Operand, Transformed } from './syntax.ts'
import { listOperators, modifiers, numberOperators, SyntaxFault, textOperators, transformers } from './syntax.ts'

const accepts = (texts: readonly string[]): void => {
  for (const text of texts) {
    for (const form of [text, ` ${text} `, ` ${text} `.replaceAll(' ', '\n'), ` ${text} `.replaceAll(' ', '\t')])
      assert.doesNotThrow(() => parseExpression(form), JSON.stringify(form))
  }
}
const refuses = (texts: readonly string[]): void => {
  for (const text of texts) assert.throws(() => parseExpression(text), SyntaxFault, text)
}

describe('conditions', () => {
  it('join and, or and not, with brackets in place of blanks', () => {
    accepts(['a', '(a)', 'a and b', 'a and b and c', 'a and b and(c)', '(a)and(b)and(c)', 'a or b or(c)', '(a)or(b)or(c)', '(a or b)'])
    accepts(['not (a)', 'not(a)', 'not (not (a))', 'not not a', 'not not(a)', 'not(a)and(not(b))', 'a.b = 1 and not a', 'not a.a exists'])
    accepts(['notz and a', 'a and notb', 'macro and not_macro', 'macro and and_macro', 'macro and or_macro', 'macro and not(not_macro)'])
    refuses([
      '',
      '  ',
      'a andb',
      'aand b',
      'a and b and',
      'a and b or',
      'and a',
      'or a',
      'a orb',
      'a and or b',
      'a not b',
      'anot b',
      'a andnot b',
      '(a)andnot(b)',
    ])
    refuses(['(a.b = 1', 'a.b = 1)', '#a and b', 'a.a invalidoperator xxx', 'macro > 12', 'a.b = b = 1'])
  })

  it('bind not before and, and before or', () => {
    assert.equal(printExpression(parseExpression('a or b and not c or d')), 'a or (b and not c) or d')
    assert.equal(printExpression(parseExpression('(a or b) and not (c or d)')), '(a or b) and not (c or d)')
    assert.equal(printExpression(parseExpression('not not not not not(not not(not not_macro))')), 'not not not_macro')
  })

  it('compare with words and strings', () => {
    accepts(['t.s = v', 't.s = 0a!@#456:/\\.;!$%^&*[]{}|', 't.s = ""', "t.s = ''", 't.s = "test value"', 'fd.name=*.log', 'a.b = a.a', 'a.b = not'])
    accepts(['t.s[aaaa1] = a', 't.s[+0.25e+10] = a', 't.s[""] = e', "t.s['a aa'] = a", 't.s["with \\"escaping"] = a', 'evt.arg[0] contains /bin'])
    accepts(['t.s = "double \\" "', "t.s = 'single \\' '", "t.s = 'several \\' \\\\''", "t.s = 'mixed \"'", 't.s = "mixed \'"'])
    assert.doesNotThrow(() => parseExpression('t.s = "bad escape \\ "'))
    refuses(['t.s = a,', 't.s = a=', 't.s = a(\'")', "t.s = '", 't.s = "', 't.s = missing start quote', "t.s = 'missing end", 't.s = "broken""'])
    refuses(['t.s = "mixed \\\'"', "t.s = 'mixed \\\"'", 't.s = "\\q"', 't.s = "\\x4"', 'fd.name=/var/lo);g/httpd.log'])
    refuses(['t.s[] = v', 't.s[[] = v', 't.s[]] = v', "t.s['''] = a", 't.s[aaa"] = a', 't.s[ test ] = v', 't.s[ = v', 't.s] = v'])
  })

  it('compare with numbers', () => {
    accepts([
      't.n > 1000',
      't.n < +1',
      't.n >= -1',
      't.n <= 0x12345',
      't.n <= 0XaB00AB',
      't.n > 1.2',
      't.n > -0.1222e+10',
      't.s = 0xAAA.1',
      't.s = 0aaaaa',
    ])
    refuses(['t.n > !0.1222e+10', 't.n < 0xAAA.1', 't.n >= 0aaaaa', 't.n <= a', 't.n >'])
  })

  it('compare with lists', () => {
    accepts([
      't.l in ()',
      't.l in()',
      't.l in (a)',
      't.l in (\'a\', "b", c)',
      't.l intersects (v)',
      't.l pmatch (v)',
      't.l in name',
      "a.g in (1, 'a', b.c)",
    ])
    refuses([
      't.l in (',
      't.l in )',
      't.l in (v,)',
      't.l in (v,,)',
      't.l in (,)',
      'a.g in ( 1 ,, , b)',
      't.l > (v)',
      't.l = (v)',
      't.l startswith (v)',
      't.l in',
    ])
  })

  it('have operators that end at a blank where they are words', () => {
    accepts(['t.o exists', 't.o exists and m', 't.o =v', 't.o ==v', 't.o !=v', 't.o >1', 't.o <=1', 't.o glob v', 't.o iglob v', 't.o regex v'])
    accepts(['t.o contains v', 't.o icontains v', 't.o bcontains 48', 't.o startswith v', 't.o bstartswith 12', 't.o endswith v'])
    // No blank is asked for behind exists.
    assert.doesNotThrow(() => parseExpression('test.op existsand macro'))
    refuses(['t.o ExIsTs', 't.o exists something', 't.o ===', 't.o === v', 't.o !== v', 't.o startswithv', 't.o containsv', 't.o globv'])
  })

  it('have modifiers of operators, unless that is what they compare with', () => {
    accepts([
      'a.b startswith anyof (a, b)',
      'a.b = oneof (a)',
      'a.b contains allof names',
      'a.b != allof ()',
      'a.b = oneof',
      'a.b = anyof and c',
      'a.b = anyof or c',
    ])
    assert.equal(printExpression(parseExpression('a.b = anyof and c')), 'a.b = anyof and c')
    assert.equal(printExpression(parseExpression('a.b endswith anyof l')), 'a.b endswith anyof (l)')
    refuses(['a.b in anyof (a)', 'a.b > anyof (1)'])
  })

  it('have transformers on the left', () => {
    accepts([
      'tolower(t.f) exists',
      'b64(t.f) glob v',
      'not b64(t.f) exists or b64(t.f) contains "a"',
      'b64(toupper(t.f)) exists',
      'b64( b64( t.f ) )  exists',
    ])
    accepts([
      'join("-", (t.f, "a", 3)) = x',
      'concat(t.f, "a") = x',
      'join(",", ()) = ""',
      'getopt(t.f, "nt:")[t] = v',
      'getopt(t.f, "nt:")["t"] = v',
    ])
    refuses([
      'val(t.f) exists',
      'b64(val(t.f)) exists',
      'b64(t.f [1]) exists',
      'fake(t.f) exists',
      'b64 (t.f) exists',
      'b64(tf) exists',
      'b64(t.f exists',
      'b64(t.f)) exists',
    ])
    refuses(['(t.f) exists', 'a(b(t.f)) exists', 'getopt(t.f, "n")[] = v', 'getopt(t.f, "n")["t" = v', 'join() = a'])
  })

  it('have transformers and val() on the right', () => {
    for (const operator of [...textOperators, ...numberOperators, ...listOperators]) accepts([`s.f ${operator} val(t.f)`, `s.f ${operator} b64(t.f)`])
    accepts(['s.f = b64( toupper(t.f ))', 'tolower(s.f) = tolower(o.f) or a', 's.f = b64 and(m)', 's.f = "fake(m)"'])
    refuses([
      's.f = val(val(t.f))',
      's.f = val(toupper(t.f))',
      's.f = b64(val(t.f))',
      's.f = b64 (t.f)',
      's.f = (b64(t.f))',
      's.f = b64(t.f',
      's.f in (b64(t.f))',
    ])
    refuses(['s.f = b64and(m)', 's.f = fake(t.f)', 's.f = b64(tf)', 's.f = (t.f)', 's.f = t.f)'])
  })

  it('say where they cannot be read, and what stands there', () => {
    const at = (text: string): readonly [number, string] => {
      try {
        parseExpression(text)
      } catch (error) {
        if (error instanceof SyntaxFault) return [error.at, error.message]
      }
      return [-1, '']
    }
    assert.deepEqual(at('a and (b.c = 1 or'), [17, 'a blank or a ( must follow or, not the end'])
    assert.deepEqual(at('a b'), [2, 'there must be an and or an or, not "b"'])
    assert.equal(at('a.b startswth x')[0], 4)
    assert.match(at('a.b startswth x')[1], /operator must follow.*not "startswth"/)
  })

  it('refuse what is nested without end, and read what is long', () => {
    refuses(['('.repeat(100_000), `${'not('.repeat(100_000)}a`, `${'tolower('.repeat(100_000)}a.b`, `a.b = ${'b64('.repeat(100_000)}`])
    accepts([
      `${'('.repeat(150)}a${')'.repeat(150)}`,
      Array.from({ length: 20_000 }, (_, index) => `m${index}`).join(' and '),
      `${'not '.repeat(50_000)}a`,
    ])
  })
})

describe('strings', () => {
  it('read as they were quoted', () => {
    assert.equal(unquote('"a\\tb\\n\\\\\\/\\x41"'), 'a\tb\n\\/A')
    assert.equal(unquote("'it\\'s'"), "it's")
    assert.equal(unquote('"\\ "'), '\\')
    for (const bad of ['"\\q"', '"\\x4"', '"\\xzz"', '"\\\'"', "'\\\"'"]) assert.throws(() => unquote(bad), RangeError, bad)
  })

  it('of any text come back, bare or quoted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, always) => {
        const expression = parseExpression(`a.b = ${quote(text, always)}`)
        assert.ok(expression.kind === 'comparison' && expression.right.kind === 'literal')
        assert.equal(expression.right.text, text)
      }),
    )
  })

  it('as items of lists are one value, or several with commas', () => {
    assert.deepEqual(
      parseItem('"75-system-updat"')?.map(({ text }) => text),
      ['75-system-updat'],
    )
    assert.deepEqual(
      parseItem('a, "b c"')?.map(({ text }) => text),
      ['a', 'b c'],
    )
    for (const bad of ['a)', '"a', 'a"b', 'a) or (b']) assert.equal(parseItem(bad), undefined, bad)
  })
})

const name = fc.stringMatching(/^[a-z]{1,4}[0-9_]?$/).filter(text => !['and', 'or', 'not', 'in'].includes(text))
const field: fc.Arbitrary<FieldUse> = fc.record({
  kind: fc.constant('field' as const),
  name: fc.tuple(name, name).map(parts => parts.join('.')),
  argument: fc.option(fc.string({ unit: 'grapheme-ascii', minLength: 0, maxLength: 6 }), { nil: undefined }),
  at: fc.constant(0),
})
const quoted: fc.Arbitrary<Literal> = fc.record({
  kind: fc.constant('literal' as const),
  text: fc.string(),
  bare: fc.constant(false),
  at: fc.constant(0),
})
const bare: fc.Arbitrary<Literal> = fc.record({
  kind: fc.constant('literal' as const),
  text: fc.stringMatching(/^[a-zA-Z0-9/.*_-]{1,8}$/).filter(text => !['oneof', 'anyof', 'allof'].includes(text)),
  bare: fc.constant(true),
  at: fc.constant(0),
})
const { transformed } = fc.letrec<{ transformed: Transformed }>(tie => ({
  transformed: fc.record({
    kind: fc.constant('transformed' as const),
    transformer: fc.constantFrom(...transformers),
    arguments: fc.array(fc.oneof({ maxDepth: 3 }, field, quoted, tie('transformed')), { minLength: 1, maxLength: 3 }),
    argument: fc.option(fc.constantFrom('t', 'a b', ''), { nil: undefined }),
    at: fc.constant(0),
  }),
}))
const operand: fc.Arbitrary<Operand> = fc.oneof(field, transformed)
const literals = fc.array(fc.oneof(quoted, bare), { maxLength: 4 }).map(items => ({ kind: 'literals' as const, items, at: 0 }))
const number = fc
  .oneof(
    fc.integer().map(String),
    fc.nat().map(value => `0x${value.toString(16)}`),
  )
  .map(text => ({ kind: 'literal' as const, text, bare: true, at: 0 }))
const check: fc.Arbitrary<Expression> = fc.oneof(
  operand.map(left => ({ kind: 'exists' as const, left, at: 0 })),
  fc
    .record({ left: operand, operator: fc.constantFrom(...numberOperators), right: fc.oneof(number, operand) })
    .map(given => ({ kind: 'comparison' as const, modifier: undefined, at: 0, ...given })),
  fc
    .record({ left: operand, operator: fc.constantFrom(...textOperators), right: fc.oneof(quoted, bare, operand) })
    .map(given => ({ kind: 'comparison' as const, modifier: undefined, at: 0, ...given })),
  fc
    .record({ left: operand, operator: fc.constantFrom(...textOperators), modifier: fc.constantFrom(...modifiers), right: literals })
    .map(given => ({ kind: 'comparison' as const, at: 0, ...given })),
  fc
    .record({ left: operand, operator: fc.constantFrom(...listOperators), right: fc.oneof(literals, operand) })
    .map(given => ({ kind: 'comparison' as const, modifier: undefined, at: 0, ...given })),
  name.map(macro => ({ kind: 'macro' as const, name: macro, at: 0 })),
)
const { expression } = fc.letrec<{ expression: Expression }>(tie => ({
  expression: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    check,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('expression'), { minLength: 2, maxLength: 3 }),
      at: fc.constant(0),
    }),
    // Two in a row cancel each other out.
    tie('expression')
      .filter(({ kind }) => kind !== 'not')
      .map(inner => ({ kind: 'not' as const, operand: inner, at: 0 })),
  ),
}))

/** Without places, which differ, and with the operator's other name. */
const shape = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === 'at' ? 0 : inner)))

describe('any expression', () => {
  it('is read back as it was printed', () => {
    fc.assert(
      fc.property(expression, given => {
        assert.deepEqual(shape(parseExpression(printExpression(given))), shape(given))
      }),
      { numRuns: 1000 },
    )
  })

  it('or any text is read or refused, and nothing else', () => {
    const token = fc.constantFrom(
      'a.b',
      '=',
      'in',
      '(',
      ')',
      'and',
      'or',
      'not ',
      '"x',
      '"',
      ',',
      'val(',
      'tolower(',
      '[',
      ']',
      ' ',
      'exists',
      '1',
      'anyof ',
    )
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), tokens => {
        try {
          parseExpression(tokens.join(''))
        } catch (error) {
          assert.ok(error instanceof SyntaxFault && error.at >= 0 && error.at <= tokens.join('').length)
        }
      }),
    )
  })
})
