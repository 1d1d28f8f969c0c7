import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Environment } from '@marcbachmann/cel-js'
import fc from 'fast-check'
import { fromJson, show } from './json.ts'
import { kubernetesLibrary } from './library/all.ts'
import { CompileError, compile } from './program.ts'
import type { Activation, Scope } from './scope.ts'
import { dyn } from './types.ts'
import type { Value } from './values.ts'
import { CelError, CostError, compare, equals } from './values.ts'

const scope: Scope = { variables: new Map([['object', { type: dyn, slot: 0, local: false }]]), depth: 0 }
const limit = 20_000

const evaluate = (source: string, object: unknown): Value | Error => {
  const activation: Activation = { load: () => fromJson(object), budget: limit, limit }
  try {
    return compile(source, kubernetesLibrary, scope).run(activation)
  } catch (error) {
    if (error instanceof CompileError || error instanceof CelError || error instanceof CostError) return error
    throw error
  }
}

const methods = [
  ...new Set(
    [...kubernetesLibrary.values()]
      .flat()
      .filter(one => one.method)
      .map(one => `${one.name}/${one.parameters.length}`),
  ),
]
const functions = [
  ...new Set(
    [...kubernetesLibrary.values()]
      .flat()
      .filter(one => !one.method && /^[a-z]/.test(one.name))
      .map(one => `${one.name}/${one.parameters.length}`),
  ),
]

const literal = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => (Number.isInteger(value) ? `${value.toExponential()}` : String(value))),
  fc.string({ unit: 'grapheme', maxLength: 12 }).map(text => JSON.stringify(text)),
  fc.constantFrom(
    'true',
    'false',
    'null',
    '1u',
    "b'ab'",
    "duration('1h')",
    "timestamp('2024-01-01T00:00:00Z')",
    "quantity('1Gi')",
    "ip('::1')",
    "cidr('10.0.0.0/8')",
    "url('https://a.b/c?d=e')",
    "semver('1.2.3')",
    "'(a+)+$'",
    'object',
    'object.a',
    'object.list',
    'object.?b',
    'dyn(1)',
    'optional.none()',
    'optional.of(1)',
    '[]',
    '{}',
    'x',
    'int',
  ),
)
const call = (name: string, args: readonly string[]): string => {
  const [word = '', count = '0'] = name.split('/')
  return `${word}(${args.slice(0, Number(count)).join(', ')})`
}
const { expression } = fc.letrec<{ expression: string }>(tie => {
  const part = tie('expression')
  const parts = fc.array(part, { minLength: 4, maxLength: 4 })
  const on = (name: string, receiver: string, args: readonly string[]): string => {
    const [word = '', count = '1'] = name.split('/')
    return `(${receiver}).${word}(${args.slice(0, Number(count) - 1).join(', ')})`
  }
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      literal,
      fc
        .tuple(part, fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=', '&&', '||', 'in'), part)
        .map(([a, sign, b]) => `(${a}) ${sign} (${b})`),
      fc.tuple(part, part, part).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
      fc.tuple(fc.constantFrom('!', '-'), part).map(([sign, a]) => `${sign}(${a})`),
      fc.array(part, { maxLength: 3 }).map(items => `[${items.join(', ')}]`),
      fc.tuple(part, part).map(([key, value]) => `{${key}: ${value}}`),
      fc.tuple(part, part).map(([a, b]) => `dyn(${a})[${b}]`),
      fc
        .tuple(part, fc.constantFrom('all', 'exists', 'existsOne', 'map', 'filter', 'sortBy'), part)
        .map(([range, name, body]) => `dyn(${range}).${name}(x, ${body})`),
      fc
        .tuple(part, fc.constantFrom('all', 'exists', 'transformList', 'transformMap', 'transformMapEntry'), part)
        .map(([range, name, body]) => `dyn(${range}).${name}(i, x, ${body})`),
      fc.tuple(part, part).map(([value, body]) => `cel.bind(x, ${value}, ${body})`),
      fc.tuple(fc.constantFrom(...methods), part, parts).map(([name, receiver, args]) => on(name, receiver, args)),
      fc.tuple(fc.constantFrom(...functions), parts).map(([name, args]) => call(name, args)),
    ),
  }
})

describe('whatever is written and asked', () => {
  it('text is compiled or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => void evaluate(text, {})),
      { numRuns: 2000 },
    )
    const words = fc.constantFrom(
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '?',
      ':',
      '.',
      ',',
      '"',
      "'",
      '`',
      '\\',
      '1',
      'u',
      'x',
      'in',
      'r"',
      'b"',
      '&&',
      '-',
      '!',
      ' ',
      '//',
      '\n',
      'object',
      'all',
      '.?',
    )
    fc.assert(
      fc.property(fc.array(words, { maxLength: 20 }), parts => void evaluate(parts.join(''), {})),
      { numRuns: 3000 },
    )
  })

  it('expressions give a value or say why not, and never anything else', () => {
    let values = 0
    let failures = 0
    fc.assert(
      fc.property(expression, fc.record({ a: fc.jsonValue({ maxDepth: 3 }), list: fc.array(fc.jsonValue({ maxDepth: 2 })) }), (source, object) => {
        const result = evaluate(source, object)
        if (!(result instanceof Error)) {
          values++
          show(result)
          // An opaque NaN apart, what is equal is so in both directions, and so is order.
          assert.equal(equals(result, 1n), equals(1n, result))
          compare(result, result)
        } else if (!(result instanceof CompileError)) failures++
      }),
      { numRuns: 6000 },
    )
    assert.ok(values > 200 && failures > 200, `the expressions are worth trying: ${values} values, ${failures} failures`)
  })

  it('equality is symmetric and order consistent with it', () => {
    const json = fc.jsonValue({ maxDepth: 3 }).map(value => fromJson(value))
    fc.assert(
      fc.property(json, json, (left, right) => {
        assert.ok(equals(left, left))
        assert.equal(equals(left, right), equals(right, left))
        const order = compare(left, right)
        if (order !== undefined) assert.equal(order === 0, equals(left, right))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('another implementation of CEL', () => {
  const environment = new Environment({ unlistedVariablesAreDyn: true })
  const small = fc.integer({ min: -50, max: 50 }).map(String)
  const word = fc.constantFrom("'a'", "'ab'", "'bab'", "''")
  const { number, truth } = fc.letrec<{ number: string; truth: string }>(tie => ({
    number: fc.oneof(
      { depthSize: 'small' },
      small,
      fc.tuple(tie('number'), fc.constantFrom('+', '-', '*', '/', '%'), tie('number')).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      fc.tuple(tie('truth'), tie('number'), tie('number')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(word, word).map(([a, b]) => `size(${a} + ${b})`),
      fc.tuple(tie('number'), tie('number')).map(([a, b]) => `[${a}, ${b}].map(x, x + 1)[1]`),
    ),
    truth: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('true', 'false'),
      fc.tuple(tie('number'), fc.constantFrom('==', '!=', '<', '<=', '>', '>='), tie('number')).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      fc.tuple(tie('truth'), fc.constantFrom('&&', '||'), tie('truth')).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      tie('truth').map(a => `!${a}`),
      fc.tuple(word, fc.constantFrom('startsWith', 'endsWith', 'contains'), word).map(([a, name, b]) => `${a}.${name}(${b})`),
      fc.tuple(tie('number'), tie('number'), tie('number')).map(([a, b, c]) => `(${a} in [${b}, ${c}])`),
      fc
        .tuple(fc.array(tie('number'), { minLength: 1, maxLength: 3 }), fc.constantFrom('all', 'exists'), tie('number'))
        .map(([list, name, b]) => `[${list.join(', ')}].${name}(x, x > ${b})`),
    ),
  }))

  it('agrees where it follows the specification', () => {
    let agreed = 0
    fc.assert(
      fc.property(fc.oneof(number, truth), source => {
        let other: unknown
        try {
          other = environment.evaluate(source, {})
        } catch {
          other = 'failed'
        }
        // It evaluates beyond the range of int in places; those are not compared.
        if (typeof other === 'bigint' && BigInt.asIntN(64, other) !== other) return
        const own = evaluate(source, {})
        if (own instanceof CostError) return
        assert.deepEqual(own instanceof Error ? 'failed' : own, other, source)
        agreed++
      }),
      { numRuns: 3000 },
    )
    assert.ok(agreed > 2000)
  })
})
