/** Values of their final types: lists and mappings of text, words of commands, durations in milliseconds, sizes in bytes. */
import { booleanOf, quoted } from './interpolate.ts'
import type { Problems } from './problems.ts'
import { bytesOf, durationOf } from './quantities.ts'
import type { Entry, Node, Path, Scalar } from './tree.ts'
import { isMapping, isNull, isScalar, isSequence, isText, mapMembers, mapping, members, patternTable, scalar, sequence } from './tree.ts'
import { splitWords } from './words.ts'

type Rule = (node: Node, path: Path, problems: Problems) => Node

/** `NAME=value` entries or a mapping as a mapping of text; `nothing` is what a name alone means. */
const textMap =
  (nothing: '' | null): Rule =>
  (node, path, problems) => {
    const bare = (from: Scalar): Node => (nothing === null ? scalar(null, from.origin) : scalar('', from.origin))
    if (isMapping(node))
      return mapMembers(node, value => (isNull(value) && isScalar(value) ? bare(value) : isScalar(value) ? { ...value, value: value.text } : value))
    if (!isSequence(node)) return node
    const found: [string, Node][] = []
    for (const item of node.items.filter(isScalar)) {
      const equals = item.text.indexOf('=')
      const name = equals < 0 ? item.text : item.text.slice(0, equals)
      if (nothing === null && name !== name.trimEnd()) {
        problems.error(item.origin, path, `${quoted(item)} has a space before the =`, { remedy: 'Remove the space.' })
      }
      found.push([name, equals < 0 ? bare(item) : scalar(item.text.slice(equals + 1), item.origin)])
    }
    return mapping(found, node.origin)
  }

const variables = textMap(null)
const labels = textMap('')

/** A number of devices, or `all` of them. */
const count: Rule = (node, path, problems) => {
  if (!isText(node)) return node
  if (node.value.toLowerCase() === 'all') return scalar('all', node.origin)
  return integer(node, path, problems)
}

/** `HOST=IP`, `HOST:IP`, or a mapping: host to addresses. */
const hosts: Rule = (node, path, problems) => {
  const address = (text: string): string => (text.length > 2 && text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text)
  const found = new Map<string, Node[]>()
  const add = (host: string, values: readonly string[], from: Node): void => {
    if (host === '' || /[:=]/.test(host)) problems.error(from.origin, path, `${JSON.stringify(host)} is no host name`)
    found.set(host, [...(found.get(host) ?? []), ...values.map(value => scalar(address(value), from.origin))])
  }
  if (isMapping(node)) {
    for (const [host, value] of members(node))
      add(
        host,
        (isSequence(value) ? value.items : [value]).map(item => (isScalar(item) ? item.text : '')),
        value,
      )
  } else if (isSequence(node)) {
    for (const item of node.items.filter(isScalar)) {
      const [, host, addresses] = /^([^=]*)=([\s\S]*)$/.exec(item.text) ?? /^([^:]*):([\s\S]*)$/.exec(item.text) ?? []
      if (host === undefined || addresses === undefined) problems.error(item.origin, path, `${quoted(item)} is no HOST=ADDRESS`)
      else add(host, addresses.split(','), item)
    }
  } else return node
  return mapping(
    [...found].map(([host, addresses]) => [host, sequence(addresses, node.origin)] as const),
    node.origin,
  )
}

/** A command as words. null is kept: it means that nothing is said, as in a file that overrides another. */
const words: Rule = (node, path, problems) => {
  if (!isText(node)) return node
  const split = splitWords(node.value)
  if (split === undefined) {
    problems.error(node.origin, path, `${quoted(node)} cannot be split into words: a quote, backslash or parenthesis is open`, {
      remedy: 'Write it as a list, or close it.',
    })
    return node
  }
  if (split.rest !== '') {
    problems.warn(
      'notice',
      node.origin,
      path,
      'no shell reads this command, so it ends at the first ; & | < or >, as with docker compose. Use ["sh", "-c", "…"]',
    )
  }
  return sequence(
    split.words.map(word => scalar(word, node.origin)),
    node.origin,
  )
}

const test: Rule = node => (isText(node) ? sequence([scalar('CMD-SHELL', node.origin), node], node.origin) : node)

const list: Rule = node => {
  if (isScalar(node) && !isNull(node)) return sequence([{ ...node, value: node.text }], node.origin)
  return isSequence(node) ? { ...node, items: node.items.map(item => (isScalar(item) ? { ...item, value: item.text } : item)) } : node
}

const measured =
  (measure: (text: string) => number | undefined, example: string): Rule =>
  (node, path, problems) => {
    if (!isScalar(node) || isNull(node) || typeof node.value === 'boolean') return node
    const value = measure(node.text)
    if (value === undefined || !Number.isFinite(value)) problems.error(node.origin, path, `${quoted(node)} is not ${example}`)
    return { ...node, value: value ?? 0 }
  }

const duration = measured(durationOf, 'a duration like 1m30s, 500ms or 2h')
const bytes = measured(bytesOf, 'a size like 64k, 512m or 1.5gb')
const number = measured(text => (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined), 'a number')
const integer = measured(text => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined), 'a whole number')
const port = measured(text => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined), 'a port')

/** Octal where it is text (`"0440"`); a number has been read by YAML's own rules already. */
const mode: Rule = (node, path, problems) => {
  if (!isText(node)) return node
  if (/^0?o?[0-7]{1,5}$/.test(node.value)) return { ...node, value: Number.parseInt(node.value.replace('o', ''), 8) }
  problems.error(node.origin, path, `${quoted(node)} is not a mode like 0440`)
  return scalar(0, node.origin)
}

const boolean: Rule = (node, path, problems) => {
  if (!isText(node)) return node
  const value = booleanOf(node.value)
  if (value === undefined) problems.error(node.origin, path, `true or false is expected here, not ${quoted(node)}`)
  return { ...node, value: value ?? false }
}

const text: Rule = node => (isScalar(node) && !isNull(node) ? { ...node, value: node.text } : node)

const ulimit: Rule = (node, path, problems) => {
  if (!isScalar(node) || isNull(node)) return node
  const value = integer(node, path, problems)
  return mapping(
    [
      ['soft', value],
      ['hard', value],
    ],
    node.origin,
  )
}

const options: Rule = (node, path, problems) =>
  isMapping(node) ? mapMembers(node, value => list(isNull(value) ? scalar('', value.origin) : value, path, problems)) : node

const under = (prefixes: readonly string[], rule: Rule): Record<string, Rule> => Object.fromEntries(prefixes.map(prefix => [prefix, rule]))

const hooks = ['post_start.*', 'pre_stop.*', 'pre_start.*', 'develop.watch.*.exec'].map(name => `services.*.${name}`)
const updates = ['update_config', 'rollback_config'].map(name => `services.*.deploy.${name}`)

const rules = patternTable<Rule>({
  ...under(['services.*.environment', 'services.*.build.args', ...hooks.map(hook => `${hook}.environment`)], variables),
  ...under(
    [
      ...['annotations', 'labels', 'sysctls', 'storage_opt', 'build.labels', 'build.additional_contexts', 'deploy.labels', 'logging.options'].map(
        name => `services.*.${name}`,
      ),
      ...['networks.*.driver_opts', 'volumes.*.volume.labels', 'gpus.*.options', 'deploy.resources.reservations.devices.*.options'].map(
        name => `services.*.${name}`,
      ),
      ...['networks.*', 'volumes.*', 'secrets.*', 'configs.*'].map(name => `${name}.labels`),
      ...['networks.*', 'volumes.*', 'secrets.*'].map(name => `${name}.driver_opts`),
      ...['networks.*.ipam.options', 'networks.*.ipam.config.*.aux_addresses'],
    ],
    labels,
  ),
  ...under(['services.*.extra_hosts', 'services.*.build.extra_hosts'], hosts),
  ...under(['services.*.command', 'services.*.entrypoint', ...hooks.map(hook => `${hook}.command`)], words),
  'services.*.healthcheck.test': test,
  ...under(
    [
      ...['tmpfs', 'dns', 'dns_search', 'expose', 'group_add', 'label_file'].map(name => `services.*.${name}`),
      ...['build.no_cache_filter', 'develop.watch.*.include', 'develop.watch.*.ignore'].map(name => `services.*.${name}`),
    ],
    list,
  ),
  ...under(
    [
      ...['interval', 'timeout', 'start_period', 'start_interval'].map(name => `services.*.healthcheck.${name}`),
      ...updates.flatMap(update => [`${update}.delay`, `${update}.monitor`]),
      ...['stop_grace_period', 'deploy.restart_policy.delay', 'deploy.restart_policy.window'].map(name => `services.*.${name}`),
    ],
    duration,
  ),
  ...under(
    [
      ...['mem_limit', 'mem_reservation', 'memswap_limit', 'shm_size', 'build.shm_size'].map(name => `services.*.${name}`),
      ...['deploy.resources.limits.memory', 'deploy.resources.reservations.memory', 'volumes.*.tmpfs.size'].map(name => `services.*.${name}`),
      ...['read_bps', 'read_iops', 'write_bps', 'write_iops'].map(name => `services.*.blkio_config.device_${name}.*.rate`),
    ],
    bytes,
  ),
  ...under(
    ['cpus', 'mem_swappiness', 'deploy.resources.limits.cpus', 'deploy.resources.reservations.cpus'].map(name => `services.*.${name}`),
    number,
  ),
  ...under(
    ['deploy.resources.limits.pids', 'blkio_config.weight', 'blkio_config.weight_device.*.weight', 'healthcheck.retries'].map(
      name => `services.*.${name}`,
    ),
    integer,
  ),
  'services.*.ports.*.target': port,
  ...under(
    ['secrets.*.mode', 'configs.*.mode', 'build.secrets.*.mode', 'volumes.*.tmpfs.mode'].map(name => `services.*.${name}`),
    mode,
  ),
  ...under(
    [
      ...['attach', 'build.no_cache', 'build.pull', 'build.privileged', 'volumes.*.bind.create_host_path', 'env_file.*.required'].map(
        name => `services.*.${name}`,
      ),
      ...hooks.flatMap(hook => [`${hook}.privileged`, `${hook}.per_replica`]),
      'services.*.develop.watch.*.initial_sync',
    ],
    boolean,
  ),
  'services.*.gpus.*.count': count,
  'services.*.deploy.resources.reservations.devices.*.count': count,
  'services.*.ports.*.published': text,
  'services.*.build.ssh.*': text,
  'services.*.ulimits.*': ulimit,
  'services.*.build.ulimits.*': ulimit,
  'services.*.provider.options': options,
})

/** The document with values of their final types; what cannot be one is told to `problems`. */
export const typed = (node: Node, problems: Problems, path: Path = []): Node => {
  const value = rules(path)?.(node, path, problems) ?? node
  if (isSequence(value)) return { ...value, items: value.items.map((item, index) => typed(item, problems, [...path, index])) }
  if (!isMapping(value)) return value
  const entries = new Map<string, Entry>()
  for (const [name, entry] of value.entries) entries.set(name, { key: entry.key, value: typed(entry.value, problems, [...path, name]) })
  return { ...value, entries }
}
