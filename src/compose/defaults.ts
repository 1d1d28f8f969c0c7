/** What the long forms mean where they leave something out. */

import type { Entry, Mapping, Node, Path } from './tree.ts'
import { isMapping, isSequence, isText, member, patternTable, scalar, withMember } from './tree.ts'

const withDefault = (node: Node, name: string, value: string | number | boolean): Node =>
  isMapping(node) && member(node, name) === undefined ? withMember(node, name, scalar(value, node.origin)) : node

const secretTarget = (node: Node): Node => {
  const source = member(node, 'source')
  return isText(source) ? withDefault(node, 'target', `/run/secrets/${source.value}`) : node
}

const deviceCount = (node: Node): Node => (member(node, 'device_ids') === undefined ? withDefault(node, 'count', 'all') : node)

const defaults = patternTable<(node: Node) => Node>({
  'services.*.build': node => withDefault(node, 'context', '.'),
  'services.*.secrets.*': secretTarget,
  'services.*.ports.*': node => withDefault(withDefault(node, 'protocol', 'tcp'), 'mode', 'ingress'),
  'services.*.deploy.resources.reservations.devices.*': deviceCount,
  'services.*.gpus.*': deviceCount,
  'services.*.volumes.*.bind': node => withDefault(node, 'create_host_path', true),
})

const walk = (node: Node, path: Path): Node => {
  const complete = defaults(path)?.(node) ?? node
  if (isSequence(complete)) return { ...complete, items: complete.items.map((item, index) => walk(item, [...path, index])) }
  if (!isMapping(complete)) return complete
  const entries = new Map<string, Entry>()
  for (const [name, entry] of complete.entries) entries.set(name, { key: entry.key, value: walk(entry.value, [...path, name]) })
  return { ...complete, entries }
}

/** A canonical document with its defaults. */
export const setDefaults = (model: Mapping): Mapping => {
  const complete = walk(model, [])
  return isMapping(complete) ? complete : model
}
