/** `env_file` and `label_file` of enabled services: their variables and labels under the service's own. */

import type { EnvironmentFile } from './dotenv.ts'
import { isEnvironmentFailure, parseDotenv, parseRawEnvironment } from './dotenv.ts'
import type { Environment } from './environment.ts'
import type { Service } from './project.ts'
import type { Reading } from './reading.ts'
import type { Lookup } from './template.ts'
import type { Origin, Path } from './tree.ts'

type Parse = (text: string, lookup: Lookup, before: ReadonlyMap<string, string>) => ReturnType<typeof parseDotenv>

const parserOf = (format: string | undefined): Parse | undefined => {
  if (format === undefined || format === '' || format === '.env') return parseDotenv
  return format === 'raw' ? parseRawEnvironment : undefined
}

interface Ask {
  readonly path: string
  readonly what: string
  readonly parse: Parse
  readonly lookup: Lookup
  readonly origin: Origin
  readonly field: Path
}

const readFile = async (ask: Ask, before: ReadonlyMap<string, string>, reading: Reading): Promise<EnvironmentFile | undefined> => {
  const text = await reading.text(ask.path, ask.what, ask.origin, ask.field)
  if (text === undefined) return undefined
  const parsed = ask.parse(text, ask.lookup, before)
  if (!isEnvironmentFailure(parsed)) {
    for (const { name, line } of parsed.unset) {
      reading.problems.warn('unset', { file: ask.path, line, column: 1 }, ask.field, `the variable ${name} is not set; it is blank here`)
    }
    return parsed
  }
  reading.problems.error({ file: ask.path, line: parsed.line, column: 1 }, ask.field, parsed.message)
  return undefined
}

/** The service with the variables of its files. `locate` says where a property was written. */
export const withEnvironmentFiles = async (
  name: string,
  service: Service,
  environment: Environment,
  reading: Reading,
  locate: (path: Path) => Origin,
): Promise<Service> => {
  const own = service.environment ?? {}
  const resolved = Object.fromEntries(Object.entries(own).map(([key, value]) => [key, value ?? environment.get(key) ?? null]))
  let values: ReadonlyMap<string, string> = new Map(
    Object.entries(resolved).flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])),
  )
  for (const [index, file] of (service.env_file ?? []).entries()) {
    const field: Path = ['services', name, 'env_file', index]
    const origin = locate(field)
    if (!file.required && (await reading.sources.kind(file.path)) === undefined) continue
    const parse = parserOf(file.format)
    if (parse === undefined) {
      reading.problems.error(origin, field, `${JSON.stringify(file.format)} is no format of an environment file`, {
        remedy: 'Leave it out, or write raw.',
      })
      continue
    }
    const lookup: Lookup = key => environment.get(key) ?? resolved[key] ?? undefined
    const found = await readFile({ path: file.path, what: 'environment file', parse, lookup, origin, field }, values, reading)
    if (found !== undefined) values = found.values
  }
  const all = { ...Object.fromEntries(values), ...resolved }
  const { env_file: _, environment: __, ...rest } = service
  return Object.keys(all).length === 0 ? rest : { ...rest, environment: all }
}

/** The service with the labels of its files. */
export const withLabelFiles = async (name: string, service: Service, reading: Reading, locate: (path: Path) => Origin): Promise<Service> => {
  let values: ReadonlyMap<string, string> = new Map()
  for (const [index, path] of (service.label_file ?? []).entries()) {
    const field: Path = ['services', name, 'label_file', index]
    const lookup: Lookup = key => values.get(key)
    const found = await readFile({ path, what: 'label file', parse: parseDotenv, lookup, origin: locate(field), field }, new Map(), reading)
    if (found !== undefined) values = new Map([...values, ...found.values])
  }
  const { label_file: _, ...rest } = service
  return values.size === 0 ? rest : { ...rest, labels: { ...Object.fromEntries(values), ...service.labels } }
}
