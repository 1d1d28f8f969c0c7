/** What of images and documents is no file: their values by field path, for `findInFields`. */
import { isSecretName } from './names.ts'

export interface ImageConfiguration {
  readonly env?: readonly string[]
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** What made each layer, as the image's history says. */
  readonly history?: readonly string[]
}

/** `env.NAME`, `command`, `entrypoint`, `labels.NAME`, `history[N]`. Command lines are one text, so that `--password x` is seen as one. */
export const fieldsOfImage = (image: ImageConfiguration): Record<string, string> => {
  const fields: [string, string][] = []
  for (const variable of image.env ?? []) {
    const equals = variable.indexOf('=')
    if (equals > 0) fields.push([`env.${variable.slice(0, equals)}`, variable.slice(equals + 1)])
  }
  if (image.command !== undefined) fields.push(['command[0]', image.command.join(' ')])
  if (image.entrypoint !== undefined) fields.push(['entrypoint[0]', image.entrypoint.join(' ')])
  for (const [name, value] of Object.entries(image.labels ?? {})) fields.push([`labels.${name}`, value])
  for (const [index, line] of (image.history ?? []).entries()) fields.push([`history[${index}]`, line])
  return Object.fromEntries(fields)
}

/** `--password`, behind which comes one: the name that says so. */
const secretOption = (value: unknown): string | undefined =>
  typeof value === 'string' && /^--?[A-Za-z][\w-]{0,63}$/.test(value) && isSecretName(value) ? value : undefined

/** Values of a document that are looked at, and how deep. */
const mostValues = 10_000
const deepest = 64

/**
 * All texts of a parsed document (compose, Kubernetes) by path: `services.web.environment.TOKEN`, `services.web.command[0]`. Entries `NAME=value` of lists
 * are `…environment.NAME`, and what follows `--password` in one is `…command[2].--password`. Second: whether all were taken; there are limits of number and depth.
 */
export const fieldsOfDocument = (document: unknown): readonly [Record<string, string>, boolean] => {
  const fields: [string, string][] = []
  let complete = true
  const visit = (value: unknown, path: string, depth: number): void => {
    if (fields.length >= mostValues || depth > deepest) {
      complete = false
      return
    }
    if (typeof value === 'string') fields.push([path === '' ? '[0]' : path, value])
    else if (typeof value === 'number' || typeof value === 'bigint') fields.push([path, String(value)])
    else if (Array.isArray(value)) {
      for (const [index, each] of value.entries()) {
        const equals = typeof each === 'string' ? each.indexOf('=') : -1
        // The name and value of a Kubernetes container's variable are two fields of one entry.
        if (typeof each === 'string' && equals > 0 && /^[A-Za-z_][\w.-]*$/.test(each.slice(0, equals)))
          visit(each.slice(equals + 1), `${path}.${each.slice(0, equals)}`, depth + 1)
        else if (isVariable(each)) visit(each.value, `${path}.${each.name}`, depth + 1)
        else {
          const option = typeof each === 'string' ? secretOption(value[index - 1]) : undefined
          visit(each, option === undefined ? `${path}[${index}]` : `${path}[${index}].${option}`, depth + 1)
        }
        if (!complete) return
      }
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, each] of Object.entries(value)) {
        visit(each, path === '' ? key : `${path}.${key}`, depth + 1)
        if (!complete) return
      }
    }
  }
  visit(document, '', 0)
  return [Object.fromEntries(fields), complete]
}

const isVariable = (value: unknown): value is { readonly name: string; readonly value: string } =>
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  'value' in value &&
  typeof value.name === 'string' &&
  typeof value.value === 'string' &&
  /^[A-Za-z_][\w.-]*$/.test(value.name)
