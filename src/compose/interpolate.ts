/** Puts variables into the values of a document (not into its keys), and makes numbers and booleans of text where those are expected. */
import type { Problems } from './problems.ts'
import type { Lookup } from './template.ts'
import { isFailure, substitute } from './template.ts'
import type { Node, Path, Scalar } from './tree.ts'
import { patternTable } from './tree.ts'

type Cast = 'integer' | 'number' | 'boolean'

const casts = patternTable<Cast>({
  'services.*.cpu_count': 'integer',
  'services.*.cpu_percent': 'number',
  'services.*.cpu_period': 'integer',
  'services.*.cpu_quota': 'integer',
  'services.*.cpu_rt_period': 'integer',
  'services.*.cpu_rt_runtime': 'integer',
  'services.*.cpu_shares': 'integer',
  'services.*.cpus': 'number',
  'services.*.depends_on.*.required': 'boolean',
  'services.*.depends_on.*.restart': 'boolean',
  'services.*.deploy.placement.max_replicas_per_node': 'integer',
  'services.*.deploy.replicas': 'integer',
  'services.*.deploy.restart_policy.max_attempts': 'integer',
  'services.*.deploy.rollback_config.max_failure_ratio': 'number',
  'services.*.deploy.rollback_config.parallelism': 'integer',
  'services.*.deploy.update_config.max_failure_ratio': 'number',
  'services.*.deploy.update_config.parallelism': 'integer',
  'services.*.healthcheck.disable': 'boolean',
  'services.*.healthcheck.retries': 'integer',
  'services.*.init': 'boolean',
  'services.*.oom_kill_disable': 'boolean',
  'services.*.oom_score_adj': 'integer',
  'services.*.pids_limit': 'integer',
  'services.*.ports.*.target': 'integer',
  'services.*.privileged': 'boolean',
  'services.*.read_only': 'boolean',
  'services.*.scale': 'integer',
  'services.*.stdin_open': 'boolean',
  'services.*.tty': 'boolean',
  'services.*.ulimits.*': 'integer',
  'services.*.ulimits.*.hard': 'integer',
  'services.*.ulimits.*.soft': 'integer',
  'services.*.volumes.*.read_only': 'boolean',
  'services.*.volumes.*.volume.nocopy': 'boolean',
  'networks.*.attachable': 'boolean',
  'networks.*.enable_ipv4': 'boolean',
  'networks.*.enable_ipv6': 'boolean',
  'networks.*.external': 'boolean',
  'networks.*.internal': 'boolean',
  'volumes.*.external': 'boolean',
  'secrets.*.external': 'boolean',
  'configs.*.external': 'boolean',
})

const booleans: Readonly<Record<string, boolean>> = { true: true, y: true, yes: true, on: true, false: false, n: false, no: false, off: false }

/** Text as a boolean, YAML 1.1's words included; undefined when it is none. */
export const booleanOf = (text: string): boolean | undefined => booleans[text.toLowerCase()]

const castValue = (cast: Cast, text: string): number | boolean | undefined => {
  if (cast === 'boolean') return booleanOf(text)
  const allowed = cast === 'integer' ? /^[+-]?\d+$/ : /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
  return allowed.test(text) ? Number(text) : undefined
}

const meant: Readonly<Record<Cast, string>> = { integer: 'a whole number', number: 'a number', boolean: 'true or false' }

const castScalar = (node: Scalar, path: Path, problems: Problems): Scalar => {
  const cast = casts(path)
  if (cast === undefined || typeof node.value !== 'string') return node
  const value = castValue(cast, node.value)
  if (value === undefined) {
    problems.error(node.origin, path, `${meant[cast]} is expected here, not ${quoted(node)}`)
    return node
  }
  if (typeof value === 'boolean' && !['true', 'false'].includes(node.value.toLowerCase())) {
    problems.warn('deprecated', node.origin, path, `${quoted(node)} is no boolean in YAML 1.2; write ${value}`)
  }
  return { ...node, value, text: String(value) }
}

/** A scalar as a message may show it: as the file has it, so that no message holds the value of a variable. */
export const quoted = (node: Scalar): string => {
  const source = node.template ?? node.text
  return `"${source.length > 80 ? `${source.slice(0, 77)}...` : source}"`
}

const interpolateScalar = (node: Scalar, path: Path, lookup: Lookup, problems: Problems): Scalar => {
  if (typeof node.value !== 'string' || !node.value.includes('$')) return castScalar(node, path, problems)
  const result = substitute(node.value, lookup)
  if (isFailure(result)) {
    if (result.kind === 'required') {
      const reason = result.message === '' ? '' : `: ${result.message}`
      problems.error(node.origin, path, `the variable ${result.name} is required and has no value${reason}`, {
        remedy: `Set ${result.name} in the environment, in .env or in a file given with --env-file.`,
      })
    } else {
      problems.error(node.origin, path, `${quoted(node)} is no valid use of a variable`, { remedy: 'Write $$ where a dollar sign is meant.' })
    }
    return node
  }
  for (const name of result.unset) problems.warn('unset', node.origin, path, `the variable ${name} is not set; it is blank here`)
  return castScalar({ ...node, value: result.text, text: result.text, template: node.value }, path, problems)
}

/** The document with its variables replaced. What cannot be replaced stays as it is and is told to `problems`. */
export const interpolate = (node: Node, lookup: Lookup, problems: Problems, path: Path = []): Node => {
  if (node.kind === 'scalar') return interpolateScalar(node, path, lookup, problems)
  if (node.kind === 'sequence') return { ...node, items: node.items.map((item, index) => interpolate(item, lookup, problems, [...path, index])) }
  const entries = new Map(
    [...node.entries].map(([name, { key, value }]) => [name, { key, value: interpolate(value, lookup, problems, [...path, name]) }]),
  )
  return { ...node, entries }
}
