/**
 * JSON Schema, as far as the schema of the Compose Specification needs it: read while a document is checked, for a compiler of schemas takes longer to make
 * its program of this one than all else that `dayfly config` does. What a keyword means is the standard's; a keyword that is not known here is refused, not
 * passed over. `json-schema.test.ts` compares it with a validator of its own.
 */

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
export type Schema = { [name: string]: Json }

export interface SchemaFault {
  readonly keyword: string
  /** JSON pointer into the document. */
  readonly instancePath: string
  /** The way to the keyword through the schema: `#/properties/services/…/oneOf/1/type`. */
  readonly schemaPath: string
  readonly params: Readonly<Record<string, unknown>>
  /** What the keyword is a member of. */
  readonly parentSchema: Schema
}

export const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)

interface Visit {
  readonly schema: Schema
  readonly value: unknown
  readonly instancePath: string
  readonly schemaPath: string
}

type Keyword = (wanted: Json, visit: Visit) => readonly SchemaFault[]

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
const below = (path: string, ...names: readonly (string | number)[]): string => [path, ...names.map(name => escaped(String(name)))].join('/')

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)
const hasType = (value: unknown, type: Json): boolean => (type === 'integer' ? Number.isInteger(value) : typeOf(value) === type)

const same = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (Array.isArray(left) && Array.isArray(right)) return left.length === right.length && left.every((item, index) => same(item, right[index]))
  if (!isSchema(left) || !isSchema(right)) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every(name => Object.hasOwn(right, name) && same(left[name], right[name]))
}

const patterns = new Map<string, RegExp>()
const patternOf = (text: string): RegExp => {
  const known = patterns.get(text) ?? new RegExp(text, 'u')
  patterns.set(text, known)
  return known
}

const inside = (schema: Json | undefined, value: unknown, { instancePath, schemaPath }: Visit, name: string | number, where: readonly string[]) =>
  isSchema(schema) ? faultsIn({ schema, value, instancePath: below(instancePath, name), schemaPath: below(schemaPath, ...where) }) : []

const membersOf = (wanted: Json, value: unknown): [string, unknown, Json][] =>
  isSchema(wanted) && isSchema(value)
    ? Object.entries(value).flatMap(([name, item]) => (Object.hasOwn(wanted, name) ? [[name, item, wanted[name] ?? {}]] : []))
    : []

const fault = ({ schema, instancePath, schemaPath }: Visit, keyword: string, params: SchemaFault['params']): SchemaFault => ({
  ...{ keyword, instancePath, params },
  schemaPath: below(schemaPath, keyword),
  parentSchema: schema,
})

const bound =
  (keyword: string, holds: (value: number, limit: number) => boolean): Keyword =>
  (limit, visit) =>
    typeof visit.value === 'number' && typeof limit === 'number' && !holds(visit.value, limit) ? [fault(visit, keyword, { limit })] : []

const keywords: Readonly<Record<string, Keyword>> = {
  type: (type, visit) => ((Array.isArray(type) ? type : [type]).some(one => hasType(visit.value, one)) ? [] : [fault(visit, 'type', { type })]),
  enum: (allowedValues, visit) =>
    Array.isArray(allowedValues) && !allowedValues.some(one => same(one, visit.value)) ? [fault(visit, 'enum', { allowedValues })] : [],
  required: (names, visit) =>
    Array.isArray(names) && isSchema(visit.value)
      ? names.flatMap(name => (Object.hasOwn(Object(visit.value), String(name)) ? [] : [fault(visit, 'required', { missingProperty: name })]))
      : [],
  properties: (known, visit) =>
    membersOf(known, visit.value).flatMap(([name, item, schema]) => inside(schema, item, visit, name, ['properties', name])),
  patternProperties: (known, visit) =>
    isSchema(known) && isSchema(visit.value)
      ? Object.entries(visit.value).flatMap(([name, item]) =>
          Object.entries(known).flatMap(([pattern, schema]) =>
            patternOf(pattern).test(name) ? inside(schema, item, visit, name, ['patternProperties', pattern]) : [],
          ),
        )
      : [],
  additionalProperties: (allowed, visit) => {
    if (!isSchema(visit.value)) return []
    const { properties, patternProperties } = visit.schema
    const known = Object.keys(properties ?? {})
    const named = Object.keys(patternProperties ?? {})
    const others = Object.entries(visit.value).filter(([name]) => !known.includes(name) && !named.some(pattern => patternOf(pattern).test(name)))
    if (allowed === false) return others.map(([name]) => fault(visit, 'additionalProperties', { additionalProperty: name }))
    return others.flatMap(([name, item]) => inside(allowed, item, visit, name, ['additionalProperties']))
  },
  items: (schema, visit) => (Array.isArray(visit.value) ? visit.value.flatMap((item, index) => inside(schema, item, visit, index, ['items'])) : []),
  uniqueItems: (wanted, visit) => {
    const { value } = visit
    if (wanted !== true || !Array.isArray(value)) return []
    // Of texts, which lists nearly always are, by a set: a list may be long.
    const seen = new Map<unknown, number>()
    for (const [i, item] of value.entries()) {
      const j = typeof item === 'object' ? value.findIndex(other => same(other, item)) : (seen.get(item) ?? i)
      if (j < i) return [fault(visit, 'uniqueItems', { i, j })]
      seen.set(item, i)
    }
    return []
  },
  oneOf: (choices, visit) => {
    if (!Array.isArray(choices)) return []
    const outcomes = choices.map((schema, index) =>
      isSchema(schema) ? faultsIn({ ...visit, schema, schemaPath: below(visit.schemaPath, 'oneOf', index) }) : [],
    )
    const passing = outcomes.filter(faults => faults.length === 0).length
    return passing === 1 ? [] : [...outcomes.flat(), fault(visit, 'oneOf', { passing })]
  },
  pattern: (pattern, visit) =>
    typeof visit.value === 'string' && typeof pattern === 'string' && !patternOf(pattern).test(visit.value)
      ? [fault(visit, 'pattern', { pattern })]
      : [],
  minimum: bound('minimum', (value, limit) => value >= limit),
  maximum: bound('maximum', (value, limit) => value <= limit),
}

/** They say something of a document, and nothing against it. */
const annotations: ReadonlySet<string> = new Set(['title', 'description', 'default', 'deprecated', 'examples', '$comment'])

const faultsIn = (visit: Visit): SchemaFault[] =>
  Object.entries(visit.schema).flatMap(([name, wanted]) => {
    const keyword = Object.hasOwn(keywords, name) ? keywords[name] : undefined
    if (keyword !== undefined) return keyword(wanted, visit)
    if (annotations.has(name)) return []
    throw new TypeError(`the schema has a keyword that is not known: ${visit.schemaPath}/${name}`)
  })

/** Everything in a document, plain data, that the schema does not allow; none when it is all right. References of a schema must have been put in. */
export const schemaFaults = (schema: Schema, value: unknown): SchemaFault[] => faultsIn({ schema, value, instancePath: '', schemaPath: '#' })
