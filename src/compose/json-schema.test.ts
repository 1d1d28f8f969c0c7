import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { parse } from 'yaml'
import { readCases } from '../../test/compose/corpus.ts'
import { schemaFaults } from './json-schema.ts'
import { composeSchema } from './schema.ts'

/** Another validator: what it finds, without what either may choose (which of two equal entries is named). */
const other = new Ajv({ allErrors: true, strict: false, verbose: true }).compile(composeSchema())
/** Where entries have the wrong type, the other one does not look whether they repeat. */
const settled = (lines: readonly string[]): string[] =>
  lines
    .filter(text => {
      const [keyword, path] = text.split(' ')
      return keyword !== 'uniqueItems' || !lines.some(each => each.startsWith(`type ${path}/`))
    })
    .sort()
const theirs = (value: unknown): string[] => {
  other(value)
  return settled((other.errors ?? []).map(({ keyword, instancePath, params }) => line(keyword, instancePath, params)))
}
const ours = (value: unknown): string[] =>
  settled(schemaFaults(composeSchema(), value).map(({ keyword, instancePath, params }) => line(keyword, instancePath, params)))
const line = (keyword: string, instancePath: string, params: Readonly<Record<string, unknown>>): string =>
  `${keyword} ${instancePath} ${String(params['additionalProperty'] ?? params['missingProperty'] ?? params['limit'] ?? params['type'] ?? '')}`

/** Every place in a document. */
const places = (value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] => [
  path,
  ...(typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, item]) => places(item, [...path, Array.isArray(value) ? Number(name) : name]))
    : []),
]
const replaced = (value: unknown, [first, ...rest]: readonly (string | number)[], by: unknown): unknown => {
  if (first === undefined) return by
  if (Array.isArray(value)) return value.map((item, index) => (index === first ? replaced(item, rest, by) : item))
  return { ...Object(value), [first]: replaced(Reflect.get(Object(value), first), rest, by) }
}

const documents = (await readCases()).flatMap(({ files }) =>
  Object.entries(files).flatMap(([name, text]) => {
    if (!/\.ya?ml$/.test(name) || name === 'expected.yaml') return []
    try {
      const value: unknown = parse(text, { merge: true, logLevel: 'silent' })
      return typeof value === 'object' && value !== null ? [value] : []
    } catch {
      return []
    }
  }),
)

const anything = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, -1001, 1.5, 65_536, '', 'a', '5', 'always', 'x y', 'on-failure', 'a=b'),
  fc.constantFrom<unknown>([], {}, ['a', 'a'], [1, 2], [{}, {}], [null], { a: 'b' }, { a: null }, { image: 'x' }, { 'x-own': 1 }, { target: 80 }),
  fc.array(fc.constantFrom<unknown>('a', 'b', 1, null, { a: 1 }), { maxLength: 4 }),
  fc.dictionary(
    fc.constantFrom('image', 'context', 'source', 'target', 'type', 'soft', 'hard', 'path', 'a b', 'x-a', 'name', 'external'),
    fc.constantFrom<unknown>('a', 1, true, null, []),
    {
      maxKeys: 3,
      noNullPrototype: true,
    },
  ),
)

describe('the schema, read while a document is checked', () => {
  it('says of every file of the corpus what another validator says', () => {
    assert.ok(documents.length > 40)
    for (const document of documents) assert.deepEqual(ours(document), theirs(document))
  })
  it('and of these files with something else in some place', () => {
    fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(), anything, fc.nat(), anything, (document, one, by, two, more) => {
        const all = places(document)
        const once = replaced(document, all[one % all.length] ?? [], by)
        const again = places(once)
        const twice = replaced(once, again[two % again.length] ?? [], more)
        assert.deepEqual(ours(twice), theirs(twice))
      }),
      { numRuns: 2000 },
    )
  })
  it('refuses a schema with a keyword that it does not know', () => {
    assert.throws(() => schemaFaults({ type: 'object', minProperties: 1 }, {}), /minProperties/)
    assert.throws(() => schemaFaults({ properties: { a: { $ref: '#/x' } } }, { a: 1 }), /properties\/a\/\$ref/)
  })
  it('names the later of two entries that are the same, however long the list is', () => {
    const list = Array.from({ length: 50_000 }, (_, index) => String(index))
    assert.deepEqual(
      schemaFaults({ uniqueItems: true }, [...list, '7']).map(({ params }) => params),
      [{ i: 50_000, j: 7 }],
    )
  })
})
