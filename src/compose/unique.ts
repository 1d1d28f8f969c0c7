/** Lists whose entries have a key: a later entry takes the place of an earlier one with the same key. */
import { parseMount } from './mounts.ts'
import type { Entry, Node, Path } from './tree.ts'
import { isMapping, isScalar, isSequence, member, patternTable } from './tree.ts'

type Key = (entry: Node) => string | undefined

const text = (node: Node | undefined): string | undefined => (isScalar(node) ? node.text : undefined)

const whole: Key = text

const name: Key = entry => text(entry)?.replace(/=[\s\S]*$/, '')

const target: Key = entry => {
  if (isMapping(entry)) return text(member(entry, 'target'))
  const mount = parseMount(text(entry) ?? '')
  return typeof mount === 'string' ? undefined : mount.target
}

const device: Key = entry => {
  if (isMapping(entry)) return text(member(entry, 'target'))
  const [source, inside] = (text(entry) ?? '').split(':')
  return inside ?? source
}

const file =
  (folder: string): Key =>
  entry =>
    isMapping(entry) ? (text(member(entry, 'target')) ?? `${folder}/${text(member(entry, 'source')) ?? ''}`) : `${folder}/${text(entry) ?? ''}`

const port: Key = entry => {
  if (!isMapping(entry)) return text(entry)
  const part = (key: string, otherwise: string): string => text(member(entry, key)) ?? otherwise
  return `${part('host_ip', '0.0.0.0')}:${part('published', '')}:${part('target', '')}/${part('protocol', 'tcp')}`
}

const environmentFile: Key = entry => (isMapping(entry) ? text(member(entry, 'path')) : text(entry))

const keys = patternTable<Key>({
  'networks.*.labels': name,
  'networks.*.ipam.options': name,
  'services.*.annotations': name,
  'services.*.build.args': name,
  'services.*.build.additional_contexts': name,
  'services.*.build.labels': name,
  'services.*.build.tags': name,
  'services.*.cap_add': name,
  'services.*.cap_drop': name,
  'services.*.configs': file(''),
  'services.*.deploy.labels': name,
  'services.*.devices': device,
  'services.*.dns': name,
  'services.*.dns_opt': name,
  'services.*.dns_search': name,
  'services.*.environment': name,
  'services.*.env_file': environmentFile,
  'services.*.expose': whole,
  'services.*.labels': name,
  'services.*.links': name,
  'services.*.networks.*.aliases': name,
  'services.*.networks.*.link_local_ips': name,
  'services.*.ports': port,
  'services.*.profiles': name,
  'services.*.secrets': file('/run/secrets'),
  'services.*.sysctls': name,
  'services.*.tmpfs': name,
  'services.*.volumes': target,
})

const uniqueItems = (entries: readonly Node[], key: Key): readonly Node[] => {
  const places = new Map<string, number>()
  const result: Node[] = []
  for (const entry of entries) {
    const found = key(entry)
    const place = found === undefined ? undefined : places.get(found)
    if (place !== undefined) result[place] = entry
    else {
      if (found !== undefined) places.set(found, result.length)
      result.push(entry)
    }
  }
  return result
}

/** The document with each keyed list's entries once. */
export const enforceUnique = (node: Node, path: Path = []): Node => {
  if (isSequence(node)) {
    const key = keys(path)
    return key === undefined ? node : { ...node, items: uniqueItems(node.items, key) }
  }
  if (!isMapping(node)) return node
  const entries = new Map<string, Entry>()
  for (const [member, entry] of node.entries) entries.set(member, { key: entry.key, value: enforceUnique(entry.value, [...path, member]) })
  return { ...node, entries }
}
