/**
 * Reading untyped JSON field by field. As Kubernetes decodes: `null` is absence; a value of another type is an error that names the field.
 * A schema of the whole would cost more than all that is checked.
 */
import { DayflyError } from '../base/errors.ts'

export interface Node {
  /** `spec.containers[0].securityContext`, as users write it. */
  readonly path: string
  readonly value: Readonly<Record<string, unknown>>
}

const wrongType = (path: string, wanted: string): DayflyError =>
  new DayflyError('invalid', `${path}: this is not ${wanted}`, { field: path, remedy: `Write ${wanted}.` })

export const pathOf = (node: Node, key: string): string => (node.path === '' ? key : `${node.path}.${key}`)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

export const root = (value: unknown, path = ''): Node => {
  if (!isObject(value)) throw wrongType(path === '' ? 'the document' : path, 'an object')
  return { path, value }
}

/** Only what the object itself holds: a key like `constructor` finds nothing. */
const at = (node: Node | undefined, key: string): unknown => {
  if (node === undefined || !Object.hasOwn(node.value, key)) return undefined
  return node.value[key] ?? undefined
}

export const has = (node: Node | undefined, key: string): boolean => at(node, key) !== undefined

export const child = (node: Node | undefined, key: string): Node | undefined => {
  const value = at(node, key)
  if (node === undefined || value === undefined) return undefined
  if (!isObject(value)) throw wrongType(pathOf(node, key), 'an object')
  return { path: pathOf(node, key), value }
}

const list = (node: Node | undefined, key: string): readonly unknown[] => {
  const value = at(node, key)
  if (node === undefined || value === undefined) return []
  if (!Array.isArray(value)) throw wrongType(pathOf(node, key), 'a list')
  return value
}

export const children = (node: Node | undefined, key: string): Node[] =>
  list(node, key).map((value, index) => root(value, node === undefined ? key : `${pathOf(node, key)}[${index}]`))

export const texts = (node: Node | undefined, key: string): string[] =>
  list(node, key).map((value, index) => {
    if (typeof value !== 'string') throw wrongType(`${node === undefined ? key : pathOf(node, key)}[${index}]`, 'a text')
    return value
  })

export const text = (node: Node | undefined, key: string): string | undefined => {
  const value = at(node, key)
  if (node === undefined || value === undefined || typeof value === 'string') return typeof value === 'string' ? value : undefined
  throw wrongType(pathOf(node, key), 'a text')
}

export const flag = (node: Node | undefined, key: string): boolean | undefined => {
  const value = at(node, key)
  if (node === undefined || value === undefined || typeof value === 'boolean') return typeof value === 'boolean' ? value : undefined
  throw wrongType(pathOf(node, key), 'true or false')
}

export const integer = (node: Node | undefined, key: string): number | undefined => {
  const value = at(node, key)
  if (node === undefined || value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value)) return value
  throw wrongType(pathOf(node, key), 'a whole number')
}
