/** The finished model as plain, typed data; own properties (`x-…`) apart. */
import type { z } from 'zod'
import type { Problems } from './problems.ts'
import { Content } from './project.ts'
import type { Schema } from './schema.ts'
import { composeSchema } from './schema.ts'
import type { Node, Path } from './tree.ts'
import { isMapping, isNull, isSequence, originAt, plain } from './tree.ts'

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The alternatives that a schema has for a kind of node. */
const alternativesOf = (schema: Schema | undefined): Schema[] => {
  const choices = schema?.['oneOf']
  return schema === undefined ? [] : Array.isArray(choices) ? choices.filter(isSchema) : [schema]
}

interface Fields {
  readonly properties: Schema
  readonly patterns: readonly (readonly [string, Schema])[]
}

/** What a schema says about mappings: the properties it knows, and patterns of names. */
export const fieldsOf = (schema: Schema | undefined): Fields => {
  const found = alternativesOf(schema).find(choice => isSchema(choice['properties']) || isSchema(choice['patternProperties']))
  const properties = found?.['properties']
  const patterns = found?.['patternProperties']
  return {
    properties: isSchema(properties) ? properties : {},
    patterns: isSchema(patterns) ? Object.entries(patterns).flatMap(([name, value]) => (isSchema(value) ? [[name, value] as const] : [])) : [],
  }
}

export const itemsOf = (schema: Schema | undefined): Schema | undefined =>
  alternativesOf(schema)
    .map(choice => choice['items'])
    .find(isSchema)

const ownProperty = '^x-'

/** Levels whose own properties are kept: project, and each service, network, volume, config, secret and model. */
const keeps = (path: Path): boolean => path.length === 0 || (path.length === 2 && path[0] !== 'include')

const bare = (node: Node, schema: Schema | undefined, path: Path, problems: Problems): unknown => {
  if (isSequence(node)) return node.items.map((item, index) => bare(item, itemsOf(schema), [...path, index], problems))
  if (!isMapping(node)) return plain(node)
  const { properties, patterns } = fieldsOf(schema)
  const result: Record<string, unknown> = {}
  const extensions: Record<string, unknown> = {}
  for (const [name, { key, value }] of node.entries) {
    const known = properties[name]
    const here = [...path, name]
    if (!isSchema(known) && name.startsWith('x-') && patterns.some(([text]) => text === ownProperty)) {
      extensions[name] = plain(value)
      if (!keeps(path)) problems.warn('ignored', key, here, 'own properties have no effect this deep in a file')
      continue
    }
    const matched = patterns.find(([text]) => text !== ownProperty && new RegExp(text).test(name))
    // What may be null in the schema means «nothing said», but where a name alone says something.
    if (isNull(value) && isSchema(known)) continue
    result[name] = bare(value, isSchema(known) ? known : matched?.[1], here, problems)
  }
  if (path.length === 0 || (keeps(path) && Object.keys(extensions).length > 0)) result['extensions'] = extensions
  return result
}

const issuePath = (issue: z.core.$ZodIssue): Path => issue.path.map(part => (typeof part === 'number' ? part : String(part)))

/** The content of a project, or undefined when a value has a type that it cannot have, which is told to `problems`. */
export const decode = (model: Node, problems: Problems): Content | undefined => {
  const empty = { services: {}, networks: {}, volumes: {}, secrets: {}, configs: {}, models: {} }
  const data = bare(model, composeSchema(), [], problems)
  const result = Content.safeParse(isSchemaLike(data) ? { ...empty, ...data } : data)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const path = issuePath(issue)
    problems.error(originAt(model, path), path, issue.message.replace(/^Invalid input: /, ''))
  }
  return undefined
}

const isSchemaLike = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
