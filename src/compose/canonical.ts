/** Short forms to long ones. What has the wrong type is left as it is: the schema has already said so. */
import { quoted } from './interpolate.ts'
import { parseMount } from './mounts.ts'
import { parsePort } from './ports.ts'
import type { Problems } from './problems.ts'
import type { Entry, Mapping, Node, Origin, Path, Scalar } from './tree.ts'
import {
  hasVariable,
  isMapping,
  isNull,
  isScalar,
  isSequence,
  isText,
  mapping,
  member,
  members,
  patternTable,
  scalar,
  sequence,
  withMember,
} from './tree.ts'

export interface Forming {
  readonly problems: Problems
  /** Whether variables have been put in. Otherwise what would have to be taken apart and has one stays as it is written. */
  readonly interpolated: boolean
}

type Rule = (node: Node, path: Path, forming: Forming) => Node

const isOpen = (node: Node, { interpolated }: Forming): boolean => !interpolated && hasVariable(node)

/** A member that is text, made out of a part of a scalar: it keeps the scalar's place, and never shows a variable's value in a message. */
const part = (from: Scalar, value: string | number | boolean): Scalar => ({
  ...scalar(value, from.origin),
  ...(from.template === undefined ? {} : { template: from.template }),
})

/** The reason quotes parts of the text: not where these may be the value of a variable. */
const why = (node: Scalar, reason: string): string => (node.template === undefined ? `: ${reason}` : '')

const wrapped =
  (name: string): Rule =>
  node =>
    isText(node) ? mapping([[name, node]], node.origin) : node

const listed: Rule = node => (isText(node) ? sequence([node], node.origin) : node)

const named: Rule = node =>
  isSequence(node)
    ? mapping(
        node.items.filter(isScalar).map(item => [item.text, scalar(null, item.origin)] as const),
        node.origin,
      )
    : node

const asText: Rule = node => (isScalar(node) && !isNull(node) ? { ...node, value: node.text } : node)

const dependencies: Rule = node => {
  const started = (origin: Origin): [string, Node] => ['condition', scalar('service_started', origin)]
  const required = (origin: Origin): [string, Node] => ['required', scalar(true, origin)]
  if (isSequence(node)) {
    return mapping(
      node.items.filter(isScalar).map(item => [item.text, mapping([started(item.origin), required(item.origin)], item.origin)] as const),
      node.origin,
    )
  }
  if (!isMapping(node)) return node
  const entries = new Map<string, Entry>()
  for (const [name, { key, value }] of node.entries) {
    const defaults = [started(key), required(key)].filter(([field]) => member(value, field) === undefined)
    const complete = isMapping(value) ? { ...value, entries: new Map([...value.entries, ...mapping(defaults, key).entries]) } : value
    entries.set(name, { key, value: complete })
  }
  return { ...node, entries }
}

const environmentFiles: Rule = node => {
  const long = (item: Node): Node => {
    if (isText(item)) {
      return mapping(
        [
          ['path', item],
          ['required', part(item, true)],
        ],
        item.origin,
      )
    }
    return isMapping(item) && member(item, 'required') === undefined ? withMember(item, 'required', scalar(true, item.origin)) : item
  }
  if (isSequence(node)) return { ...node, items: node.items.map(long) }
  return isText(node) ? sequence([long(node)], node.origin) : node
}

const keyValues: Rule = (node, path, forming) => {
  if (!isSequence(node) || node.items.some(item => isOpen(item, forming))) return node
  const found: [string, Node][] = []
  for (const item of node.items.filter(isScalar)) {
    const equals = item.text.indexOf('=')
    if (equals < 0) forming.problems.error(item.origin, path, `${quoted(item)} is not NAME=VALUE`)
    else found.push([item.text.slice(0, equals), part(item, item.text.slice(equals + 1))])
  }
  return mapping(found, node.origin)
}

const sshKeys: Rule = (node, path, forming) => {
  if (isText(node)) return sshKeys(sequence([node], node.origin), path, forming)
  if (!isSequence(node) || node.items.some(item => isOpen(item, forming))) return node
  const found: [string, Node][] = []
  for (const item of node.items.filter(isScalar)) {
    const equals = item.text.indexOf('=')
    if (equals >= 0) found.push([item.text.slice(0, equals), part(item, item.text.slice(equals + 1))])
    else if (item.text === 'default') found.push([item.text, scalar(null, item.origin)])
    else forming.problems.error(item.origin, path, `${quoted(item)} is no ssh key: default, or ID=PATH`)
  }
  return mapping(found, node.origin)
}

const graphics: Rule = node => (isText(node) ? sequence([mapping([['count', part(node, 'all')]], node.origin)], node.origin) : node)

const device: Rule = (node, path, forming) => {
  if (!isText(node) || isOpen(node, forming)) return node
  const [source = '', target = source, permissions = 'rwm', ...more] = node.value.split(':')
  if (more.length > 0) forming.problems.error(node.origin, path, `${quoted(node)} is no device: SOURCE[:TARGET[:PERMISSIONS]]`)
  const fields = { source, target: target === '' ? source : target, permissions }
  return mapping(
    Object.entries(fields).map(([name, value]) => [name, part(node, value)] as const),
    node.origin,
  )
}

const volume: Rule = (node, path, forming) => {
  if (!isText(node) || isOpen(node, forming)) return node
  const mount = parseMount(node.value)
  if (typeof mount === 'string') {
    forming.problems.error(node.origin, path, `${quoted(node)} is no volume${why(node, mount)}`, {
      remedy: 'Write [SOURCE:]TARGET[:OPTIONS], or the long form.',
    })
    return node
  }
  if (mount.unknown.length > 0) forming.problems.warn('ignored', node.origin, path, `the mount options ${mount.unknown.join(', ')} mean nothing`)
  const { type, source, target, readOnly, propagation, selinux, nocopy } = mount
  const fields: [string, Node][] = [['type', part(node, type)]]
  if (source !== undefined) fields.push(['source', part(node, source)])
  fields.push(['target', part(node, target)])
  if (readOnly) fields.push(['read_only', part(node, true)])
  if (type === 'bind' || propagation !== undefined || selinux !== undefined) {
    const bind: [string, Node][] = type === 'bind' ? [['create_host_path', part(node, true)]] : []
    if (propagation !== undefined) bind.push(['propagation', part(node, propagation)])
    if (selinux !== undefined) bind.push(['selinux', part(node, selinux)])
    fields.push(['bind', mapping(bind, node.origin)])
  }
  if (type === 'volume') fields.push(['volume', mapping(nocopy ? [['nocopy', part(node, true)]] : [], node.origin)])
  return mapping(fields, node.origin)
}

const ports: Rule = (node, path, forming) => {
  if (!isSequence(node)) return node
  const long = node.items.flatMap((item, index): Node[] => {
    if (!isScalar(item) || isNull(item) || typeof item.value === 'boolean' || isOpen(item, forming)) return [item]
    const parsed = parsePort(item.text)
    if (typeof parsed === 'string') {
      forming.problems.error(item.origin, [...path, index], `${quoted(item)} is no port${why(item, parsed)}`, {
        remedy: 'Write [[IP:]HOST:]CONTAINER[/PROTOCOL].',
      })
      return []
    }
    return parsed.map(({ target, published, hostIp, protocol }) => {
      const fields: [string, Node][] = [['mode', part(item, 'ingress')]]
      if (hostIp !== undefined) fields.push(['host_ip', part(item, hostIp)])
      fields.push(['target', part(item, target)])
      if (published !== undefined) fields.push(['published', part(item, published)])
      fields.push(['protocol', part(item, protocol)])
      return mapping(fields, item.origin)
    })
  })
  return { ...node, items: long }
}

/** `external: {name: …}` is the old way to write `external: true` with a `name`. */
const external: Rule = (node, path, forming) => {
  const old = member(node, 'external')
  if (!isMapping(node) || !isMapping(old)) return node
  const oldName = member(old, 'name')
  const name = member(node, 'name')
  const known = withMember(node, 'external', scalar(true, old.origin))
  if (!isText(oldName)) return known
  forming.problems.warn('deprecated', old.origin, [...path, 'external', 'name'], 'external.name is deprecated; write name beside external: true')
  if (isScalar(name) && name.text !== oldName.text) {
    forming.problems.error(oldName.origin, [...path, 'external', 'name'], 'name and external.name differ', { remedy: 'Keep name alone.' })
  }
  return name === undefined ? withMember(known, 'name', oldName) : known
}

const rules = patternTable<Rule>({
  'services.*.build': wrapped('context'),
  'services.*.build.additional_contexts': keyValues,
  'services.*.build.provenance': asText,
  'services.*.build.sbom': asText,
  'services.*.build.secrets.*': wrapped('source'),
  'services.*.build.ssh': sshKeys,
  'services.*.configs.*': wrapped('source'),
  'services.*.depends_on': dependencies,
  'services.*.develop.watch.*.ignore': listed,
  'services.*.develop.watch.*.include': listed,
  'services.*.devices.*': device,
  'services.*.dns': listed,
  'services.*.env_file': environmentFiles,
  'services.*.extends': wrapped('service'),
  'services.*.gpus': graphics,
  'services.*.label_file': listed,
  'services.*.models': named,
  'services.*.networks': named,
  'services.*.ports': ports,
  'services.*.secrets.*': wrapped('source'),
  'services.*.volumes.*': volume,
  'configs.*': external,
  'networks.*': external,
  'secrets.*': external,
  'volumes.*': external,
})

/** The document in its long form. */
export const canonical = (node: Node, forming: Forming, path: Path = []): Node => {
  const long = rules(path)?.(node, path, forming) ?? node
  if (isSequence(long)) return { ...long, items: long.items.map((item, index) => canonical(item, forming, [...path, index])) }
  if (!isMapping(long)) return long
  const entries = new Map<string, Entry>()
  for (const [name, entry] of long.entries) entries.set(name, { key: entry.key, value: canonical(entry.value, forming, [...path, name]) })
  return { ...long, entries }
}

/** Empty entries of `dns` count for nothing: they come from variables that are not set. */
export const omitEmpty = (root: Node): Node => {
  const services = member(root, 'services')
  if (!isMapping(root) || !isMapping(services)) return root
  const cleaned = members(services).map(([name, service]): [string, Node] => {
    const dns = member(service, 'dns')
    if (!isMapping(service) || !isSequence(dns)) return [name, service]
    return [name, withMember(service, 'dns', { ...dns, items: dns.items.filter(item => !isScalar(item) || item.text !== '') })]
  })
  const entries = new Map<string, Entry>()
  for (const [name, value] of cleaned) entries.set(name, { key: services.entries.get(name)?.key ?? value.origin, value })
  const kept: Mapping = { ...services, entries }
  return withMember(root, 'services', kept)
}
