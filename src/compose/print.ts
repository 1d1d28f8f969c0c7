/** A project as a compose file again, as docker compose's `config` prints it. Reading it gives the same project. */
import { Document, isPair, isScalar, Scalar, visit } from 'yaml'
import type { Project, Service } from './project.ts'
import { durationText } from './quantities.ts'
import { resolvePlain } from './scalars.ts'

type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain }

const durations: ReadonlySet<string> = new Set([
  'interval',
  'timeout',
  'start_period',
  'start_interval',
  'stop_grace_period',
  'delay',
  'monitor',
  'window',
])
const sizes: ReadonlySet<string> = new Set(['mem_limit', 'mem_reservation', 'memswap_limit', 'shm_size', 'memory', 'size', 'rate'])

/** Values of a service that are not written as they are kept: durations, sizes (as text, as docker compose has them), modes. */
const written = (value: unknown, name: string, within: string): Plain => {
  if (Array.isArray(value)) return value.map(item => written(item, '', name))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        // What the user has named (variables, labels) is never a duration, whatever it is called.
        .map(([key, item]) => [key, typeof item === 'string' ? item : written(item, key, name)]),
    )
  }
  if (typeof value === 'number') {
    if (durations.has(name)) return durationText(value)
    if (sizes.has(name)) return String(value)
    // Octal in text, which both kinds of a mode are read back from.
    if (name === 'mode') return `0${value.toString(8)}`
    if (name === 'cpus' && (within === 'limits' || within === 'reservations')) return String(value)
    return value
  }
  return typeof value === 'string' || typeof value === 'boolean' ? value : null
}

interface Extended {
  readonly extensions?: Readonly<Record<string, unknown>> | undefined
}

const withoutExtensions = ({ extensions, ...rest }: Extended): Plain => {
  const value = written(rest, '', '')
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, ...own(extensions) } : value
}

const own = (extensions: Readonly<Record<string, unknown>> | undefined): Record<string, Plain> =>
  Object.fromEntries(Object.entries(extensions ?? {}).map(([name, value]) => [name, untouched(value)]))

const untouched = (value: unknown): Plain => {
  if (Array.isArray(value)) return value.map(untouched)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, untouched(item)]))
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

const section = (resources: Readonly<Record<string, Extended>>): Plain =>
  Object.fromEntries(Object.entries(resources).map(([name, resource]) => [name, withoutExtensions(resource)]))

/** A dollar sign would begin a variable when the text is read again. */
const escaped = (value: Plain): Plain => {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$')
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, escaped(item)]))
}

/** The project as plain data: what a compose file of it would hold. Enabled services only. */
export const toPlain = (project: Project): { [name: string]: Plain } => {
  const { name, services, networks, volumes, secrets, configs, models, extensions } = project
  const sections = { networks, volumes, secrets, configs, models }
  const ordered: Record<string, Service> = Object.fromEntries(Object.entries(services).sort(([left], [right]) => (left < right ? -1 : 1)))
  return {
    name,
    services: section(ordered),
    ...Object.fromEntries(Object.entries(sections).flatMap(([key, value]) => (Object.keys(value).length === 0 ? [] : [[key, section(value)]]))),
    ...own(extensions),
  }
}

/** Whether a text would be something else when it is read without quotes: here, or by a reader of YAML 1.1. */
const needsQuotes = (text: string): boolean =>
  resolvePlain(text).value !== text || /^(y|n|yes|no|on|off|<<|=)$/i.test(text) || /^\d[\d_.:,-]*($|[Tt ])/.test(text)

/** YAML, or JSON that is indented. */
export const print = (project: Project, format: 'yaml' | 'json' = 'yaml'): string => printPlain(escaped(toPlain(project)), format)

/** The same of plain data, as it is: dollar signs are those of variables. */
export const printPlain = (plain: unknown, format: 'yaml' | 'json' = 'yaml'): string => {
  if (format === 'json') return `${JSON.stringify(plain, undefined, 2)}\n`
  const document = new Document(plain, { version: '1.2', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'string' && needsQuotes(node.value)) node.type = Scalar.QUOTE_DOUBLE
    },
    Pair: (_key, pair) => {
      if (isPair(pair) && isScalar(pair.key) && typeof pair.key.value === 'string' && needsQuotes(pair.key.value)) pair.key.type = Scalar.QUOTE_DOUBLE
    },
  })
  return document.toString({ lineWidth: 0 })
}
