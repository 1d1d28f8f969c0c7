/**
 * The published JSON schema of the Compose Specification, and documents checked against it with messages for people. The schema itself comes from
 * the npm package `dclint`, which ships it as it is published (Apache-2.0); of that package nothing else is used.
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { quoted } from './interpolate.ts'
import type { Schema, SchemaFault } from './json-schema.ts'
import { isSchema, schemaFaults } from './json-schema.ts'
import type { Problems } from './problems.ts'
import { suggest } from './suggest.ts'
import type { Node, Path } from './tree.ts'
import { at, hasVariable, isScalar, originAt, plain } from './tree.ts'

export type { Schema } from './json-schema.ts'

type Json = Schema[string]

const publishedSchema = (): Schema => {
  const require = createRequire(import.meta.url)
  const schema: unknown = require(join(dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json'))
  if (!isSchema(schema)) throw new TypeError('the compose schema is no object')
  return schema
}

/**
 * What docker compose takes beyond the schema that the package has: hooks before the start, some properties of builds and of watching, and models
 * without anything said about them.
 */
const hooksBeforeStart: Schema = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      command: { $ref: '#/definitions/command' },
      image: { type: 'string' },
      user: { type: 'string' },
      privileged: { type: ['boolean', 'string'] },
      working_dir: { type: 'string' },
      environment: { $ref: '#/definitions/list_or_dict' },
      per_replica: { type: ['boolean', 'string'] },
    },
    additionalProperties: false,
    patternProperties: { '^x-': {} },
  },
}

const attestation: Schema = { type: ['string', 'boolean'] }

const additions: Schema = {
  service: {
    properties: {
      pre_start: hooksBeforeStart,
      build: {
        oneOf: { 1: { properties: { no_cache_filter: { $ref: '#/definitions/string_or_list' }, provenance: attestation, sbom: attestation } } },
      },
      models: { oneOf: { 1: { patternProperties: { '^[a-zA-Z0-9._-]+$': { type: ['object', 'null'] } } } } },
    },
  },
  development: { properties: { watch: { items: { properties: { initial_sync: { type: ['boolean', 'string'] } } } } } },
}

/** `base` with what `more` has below it; members of a list are named by their number. */
const extended = (base: Json | undefined, more: Json): Json => {
  if (Array.isArray(base) && isSchema(more)) return base.map((item, index) => (more[index] === undefined ? item : extended(item, more[index])))
  if (!isSchema(base) || !isSchema(more)) return more
  return { ...base, ...Object.fromEntries(Object.entries(more).map(([name, item]) => [name, extended(base[name], item)])) }
}

/** The schema with its references in their places, so that the path of a fault in it says which alternatives it belongs to. */
const inlined = (value: Json, definitions: Schema): Json => {
  if (Array.isArray(value)) return value.map(item => inlined(item, definitions))
  if (!isSchema(value)) return value
  const { $ref: reference, ...rest } = value
  const target = typeof reference === 'string' ? definitions[reference.replace('#/definitions/', '')] : undefined
  const base = target === undefined ? {} : inlined(target, definitions)
  const own = Object.fromEntries(Object.entries(rest).map(([name, item]) => [name, inlined(item, definitions)]))
  return { ...(isSchema(base) ? base : {}), ...own }
}

const build = (): Schema => {
  const { definitions, $schema: _, $id: __, ...schema } = publishedSchema()
  const complete = extended(definitions, additions)
  const result = inlined(schema, isSchema(complete) ? complete : {})
  return isSchema(result) ? result : {}
}

let schema: Schema | undefined

/** The schema, without references. */
export const composeSchema = (): Schema => (schema ??= build())

/** A path in the plain data as one in the tree. */
const pathOf = (pointer: string, root: Node): Path => {
  const path: (string | number)[] = []
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(at(root, path)?.kind === 'sequence' ? Number(name) : name)
  }
  return path
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
  null: 'nothing',
}

const typesOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [])

const alternatives = (types: readonly string[]): string => {
  const names = [...new Set(types)].map(type => typeNames[type] ?? type)
  return names.length < 2 ? (names[0] ?? 'something else') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

/** What the document has there, in words that do not show what a variable holds. */
const found = (node: Node | undefined): string => {
  if (!isScalar(node)) return node?.kind === 'sequence' ? 'a list' : 'a mapping'
  if (node.value === null) return 'nothing'
  return typeof node.value === 'string' ? `the text ${quoted(node)}` : quoted(node).slice(1, -1)
}

const keysOf = (error: SchemaFault): string[] => {
  const properties = error.parentSchema['properties']
  return isSchema(properties) ? Object.keys(properties) : []
}

interface Message {
  readonly path: Path
  readonly message: string
  readonly remedy?: string
}

const unknownKey = (error: SchemaFault, path: Path): Message => {
  const name = String(error.params['additionalProperty'])
  const known = keysOf(error)
  const close = suggest(name, known)
  if (known.length === 0) {
    return { path: [...path, name], message: `${JSON.stringify(name)} cannot be a name here`, remedy: 'Use letters, digits, `.`, `_` and `-`.' }
  }
  return {
    path: [...path, name],
    message: `${JSON.stringify(name)} is no property that the Compose Specification knows here${close === undefined ? '' : `; did you mean ${close}?`}`,
    remedy: close === undefined ? 'Remove it, or begin its name with x- when it is your own.' : `Write ${close}.`,
  }
}

const describe = (error: SchemaFault, root: Node): Message | undefined => {
  const path = pathOf(error.instancePath, root)
  const { params } = error
  switch (error.keyword) {
    case 'type':
      return { path, message: `${alternatives(typesOf(params['type']))} is expected here, not ${found(at(root, path))}` }
    case 'additionalProperties':
      return unknownKey(error, path)
    case 'required':
      return { path, message: `${String(params['missingProperty'])} is missing`, remedy: `Add ${String(params['missingProperty'])}.` }
    case 'enum': {
      const allowed = Array.isArray(params['allowedValues']) ? params['allowedValues'].map(String) : []
      const node = at(root, path)
      const close = isScalar(node) ? suggest(node.template ?? node.text, allowed) : undefined
      return { path, message: `${found(node)} is none of ${allowed.join(', ')}${close === undefined ? '' : `; did you mean ${close}?`}` }
    }
    case 'uniqueItems':
      return { path: [...path, Number(params['i'])], message: `this entry is there twice, also as number ${Number(params['j']) + 1} of the list` }
    case 'pattern':
      return { path, message: `${found(at(root, path))} is not of the form ${String(params['pattern'])}` }
    case 'minimum':
    case 'maximum':
      return { path, message: `it must be ${error.keyword === 'minimum' ? 'at least' : 'at most'} ${String(params['limit'])}` }
    default:
      return { path, message: 'this is not valid' }
  }
}

/** The alternatives of a `oneOf` that a fault is in: `…/oneOf/1/…` gives `…/oneOf` and 1. */
const within = (error: SchemaFault, choice: SchemaFault): number | undefined => {
  const prefix = `${choice.schemaPath}/`
  return error.schemaPath.startsWith(prefix) ? Number(error.schemaPath.slice(prefix.length).split('/')[0]) : undefined
}

/**
 * Of a choice that nothing fits, the faults of the alternative that was meant: the one whose type is right. When none is, one fault that names all
 * the types.
 */
const settle = (errors: readonly SchemaFault[], root: Node): Message[] => {
  const choices = errors.filter(error => error.keyword === 'oneOf').sort((left, right) => right.schemaPath.length - left.schemaPath.length)
  let open = errors.filter(error => error.keyword !== 'oneOf')
  const messages: Message[] = []
  for (const choice of choices) {
    const inside = open.filter(error => within(error, choice) !== undefined && error.instancePath.startsWith(choice.instancePath))
    const wrongType = inside.filter(error => error.keyword === 'type' && error.instancePath === choice.instancePath)
    const wrong = new Set(wrongType.map(error => within(error, choice)))
    const meant = inside.filter(error => !wrong.has(within(error, choice)))
    open = open.filter(error => !inside.includes(error))
    if (meant.length > 0) open.push(...meant)
    else if (inside.length > 0) {
      const path = pathOf(choice.instancePath, root)
      const types = wrongType.flatMap(error => typesOf(error.params['type']))
      messages.push({ path, message: `${alternatives(types)} is expected here, not ${found(at(root, path))}` })
    }
  }
  return [...messages, ...open.flatMap(error => describe(error, root) ?? [])]
}

/**
 * Tells `problems` what of the document the Compose Specification does not allow. True when it is all right. Where variables are not put in, nobody
 * knows what a text that has some comes to: it may be anything.
 */
export const validate = (root: Node, problems: Problems, interpolated = true): boolean => {
  const faults = schemaFaults(composeSchema(), plain(root))
  // Of very many faults, the first ones: nobody reads the others.
  for (const { path, message, remedy } of settle(faults.slice(0, 1000), root)) {
    if (!interpolated && hasVariable(at(root, path))) continue
    problems.error(originAt(root, path), path, message, remedy === undefined ? {} : { remedy })
  }
  return faults.length === 0
}
