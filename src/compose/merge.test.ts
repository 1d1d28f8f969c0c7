import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { merge, resolveTags, without } from './merge.ts'
import { Problems } from './problems.ts'
import type { Path } from './tree.ts'
import { fromPlain, plain } from './tree.ts'
import { enforceUnique } from './unique.ts'
import { parseYaml } from './yaml.ts'

const origin = { file: '/p/x.yaml', line: 1, column: 1 }
const service = (value: unknown) => fromPlain({ services: { a: value } }, origin)

const merged = (...values: unknown[]): unknown => {
  const problems = new Problems('/p')
  const result = values.map(service).reduce((base, over) => enforceUnique(merge(base, over, [], problems)))
  problems.throwIfAny()
  const found: unknown = plain(result)
  return typeof found === 'object' && found !== null && 'services' in found ? Reflect.get(Object(found.services), 'a') : undefined
}

describe('one file over another', () => {
  for (const [name, base, over, expected] of [
    ['scalars are replaced', { image: 'a', user: 'x' }, { image: 'b' }, { image: 'b', user: 'x' }],
    ['null says nothing', { image: 'a' }, { image: null }, { image: 'a' }],
    ['lists append', { security_opt: ['a'] }, { security_opt: ['b'] }, { security_opt: ['a', 'b'] }],
    ['keyed lists replace', { volumes: ['one:/x', 'two:/y'] }, { volumes: ['new:/x'] }, { volumes: ['new:/x', 'two:/y'] }],
    ['ports by all of them', { ports: ['80:80'] }, { ports: ['81:80', '80:80'] }, { ports: ['80:80', '81:80'] }],
    ['variables by name', { environment: ['A=1', 'B=2'] }, { environment: { B: 3, C: null } }, { environment: ['A=1', 'B=3', 'C'] }],
    ['labels by name', { labels: { a: 1 } }, { labels: ['a=2'] }, { labels: ['a=2'] }],
    ['commands whole', { command: ['a', 'b'], entrypoint: 'x' }, { command: 'c', entrypoint: ['y'] }, { command: 'c', entrypoint: ['y'] }],
    ['checks whole', { healthcheck: { test: ['CMD', 'a'], retries: 1 } }, { healthcheck: { test: 'b' } }, { healthcheck: { test: 'b', retries: 1 } }],
    ['builds, short and long', { build: '.' }, { build: { target: 't' } }, { build: { context: '.', target: 't' } }],
    ['networks, list and mapping', { networks: ['a'] }, { networks: { b: { priority: 1 } } }, { networks: { a: null, b: { priority: 1 } } }],
    [
      'logging of one driver',
      { logging: { driver: 'x', options: { a: '1' } } },
      { logging: { options: { b: '2' } } },
      { logging: { driver: 'x', options: { a: '1', b: '2' } } },
    ],
    ['logging of another driver', { logging: { driver: 'x', options: { a: '1' } } }, { logging: { driver: 'y' } }, { logging: { driver: 'y' } }],
    ['text or list', { dns: '1.1.1.1' }, { dns: ['2.2.2.2'] }, { dns: ['1.1.1.1', '2.2.2.2'] }],
    [
      'limits replaced',
      { ulimits: { nofile: 1, nproc: 2 } },
      { ulimits: { nofile: { soft: 3, hard: 4 } } },
      { ulimits: { nofile: { soft: 3, hard: 4 }, nproc: 2 } },
    ],
    [
      'secrets by target',
      { secrets: ['a'] },
      { secrets: [{ source: 'b', target: '/run/secrets/a' }] },
      { secrets: [{ source: 'b', target: '/run/secrets/a' }] },
    ],
  ] as const) {
    it(name, () => assert.deepEqual(merged(base, over), expected))
  }

  it('dependencies: what the longer form leaves out is as it was', () => {
    const base = { depends_on: { db: { condition: 'service_started', required: false } } }
    assert.deepEqual(merged(base, { depends_on: { db: { condition: 'service_healthy' } } }), {
      depends_on: { db: { condition: 'service_healthy', required: false } },
    })
  })

  it('a list and a mapping do not merge', () => {
    assert.throws(
      () => merged({ expose: ['1'] }, { expose: { a: 1 } }),
      /services\.a\.expose: this is a mapping, and what it is merged with is a list/,
    )
  })

  it('is associative', () => {
    const name = fc.constantFrom('A', 'B', 'C')
    const part = fc.record(
      {
        image: fc.constantFrom('a', 'b'),
        environment: fc.dictionary(name, fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
        labels: fc.array(fc.tuple(name, fc.string()).map(([key, value]) => `${key}=${value}`)),
        volumes: fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('/x', '/y')).map(([source, target]) => `v${source}:${target}`)),
        expose: fc.array(fc.constantFrom('1', '2', '3')),
        command: fc.oneof(fc.constant('x'), fc.constant(['y', 'z'])),
        networks: fc.dictionary(name, fc.constantFrom(null, { priority: 1 }, { aliases: ['q'] })),
        deploy: fc.record(
          { replicas: fc.nat(5), resources: fc.record({ limits: fc.record({ cpus: fc.constant('1') }, { requiredKeys: [] }) }) },
          { requiredKeys: [] },
        ),
        build: fc.oneof(fc.constant('.'), fc.record({ target: fc.constantFrom('t', 'u') })),
      },
      { requiredKeys: [] },
    )
    const problems = new Problems('/p')
    const over = (base: ReturnType<typeof service>, other: ReturnType<typeof service>) => enforceUnique(merge(base, other, [], problems))
    fc.assert(
      fc.property(part, part, part, (one, two, three) => {
        const [a, b, c] = [service(one), service(two), service(three)]
        const empty = service({})
        // A first file is merged over nothing: this is where its own repetitions go.
        const left = over(over(over(empty, a), b), c)
        const right = over(over(empty, a), over(over(empty, b), c))
        assert.deepEqual(asSets(plain(left)), asSets(plain(right)))
      }),
    )
  })
})

/** Variables and labels in any order, in either form: what they mean. */
const asSets = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.every(item => typeof item === 'string') ? [...value].sort() : value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (['environment', 'labels'].includes(name) && typeof item === 'object' && item !== null && !Array.isArray(item)) {
        return [
          name,
          Object.entries(item)
            .map(([key, inner]) => (inner === null ? key : `${key}=${String(inner)}`))
            .sort(),
        ]
      }
      if (name === 'build' && typeof item === 'string') return [name, { context: item }]
      if (name === 'networks' && Array.isArray(item)) return [name, Object.fromEntries(item.map(key => [key, null]))]
      return [name, asSets(item)]
    }),
  )
}

describe('!reset and !override', () => {
  const tagged = (text: string) => {
    const [document] = parseYaml(text, '/p/x.yaml', new Problems('/p'))
    assert.ok(document)
    const { node, removed } = resolveTags(document)
    return { value: plain(node), removed }
  }

  it('say what goes, and what stays', () => {
    const expected: Path[] = [
      ['a', 'b'],
      ['a', 'c'],
    ]
    assert.deepEqual(tagged('a: {b: !reset [], c: !override [1], d: 2}'), { value: { a: { c: [1], d: 2 } }, removed: expected })
    assert.deepEqual(tagged('x: &x {p: !reset null, q: 1}\ny: *x'), {
      value: { x: { q: 1 }, y: { q: 1 } },
      removed: [
        ['x', 'p'],
        ['y', 'p'],
      ],
    })
    assert.deepEqual(tagged('x: &x {p: !reset null, q: 1}\ny: {<<: *x, q: 2}').removed, [
      ['x', 'p'],
      ['y', 'p'],
    ])
    assert.deepEqual(tagged('a: [1, !reset 2, 3]').value, { a: [1, 3] })
  })

  it('remove what was before', () => {
    const base = fromPlain({ a: { b: 1, c: { d: 2, e: 3 } } }, origin)
    assert.deepEqual(plain(without(base, [['a', 'c', 'd']])), { a: { b: 1, c: { e: 3 } } })
    assert.deepEqual(plain(without(base, [['a'], ['x', 'y']])), {})
  })
})
