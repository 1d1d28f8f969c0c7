/** Paths of a document made absolute: they are relative to the folder of the project, or of the file that was extended or included. */
import type { Reading } from './reading.ts'
import type { Entry, Node, Path, Scalar } from './tree.ts'
import { hasVariable, isMapping, isSequence, isText, member, patternTable, withMember } from './tree.ts'

type Rule = (node: Node, folder: string, reading: Reading) => Node

const changed = (node: Scalar, text: string): Scalar => ({ ...node, value: text, text })

const plainPath: Rule = (node, folder, reading) => {
  // Where a variable leads is not known before it is put in.
  if (!isText(node) || node.value === '' || (!reading.interpolates && hasVariable(node))) return node
  return changed(node, reading.path(folder, node.value))
}

/** Windows paths stay what they are, to be refused as such. */
export const isWindowsPath = (text: string): boolean => /^[A-Za-z]:[\\/]/.test(text) || text.startsWith('\\\\')

const hostPath: Rule = (node, folder, reading) => (isText(node) && isWindowsPath(node.value) ? node : plainPath(node, folder, reading))

/** Whether a build context is no folder on this machine. */
export const isRemoteContext = (text: string): boolean =>
  text.includes('://') || text.startsWith('service:') || text.startsWith('github.com/') || text.startsWith('git@')

const context: Rule = (node, folder, reading) => (isText(node) && isRemoteContext(node.value) ? node : plainPath(node, folder, reading))

const mount: Rule = (node, folder, reading) => {
  const source = member(node, 'source')
  const type = member(node, 'type')
  if (!isMapping(node) || source === undefined || !isText(type) || type.value !== 'bind') return node
  return withMember(node, 'source', hostPath(source, folder, reading))
}

/** A local volume with `o: bind` is a bind mount by another name. */
const volume: Rule = (node, folder, reading) => {
  const driver = member(node, 'driver')
  const options = member(node, 'driver_opts')
  const device = member(options, 'device')
  const kind = member(options, 'o')
  if (!isMapping(node) || !isMapping(options) || device === undefined) return node
  if (!isText(driver) || driver.value !== 'local' || !isText(kind) || kind.value !== 'bind') return node
  return withMember(node, 'driver_opts', withMember(options, 'device', hostPath(device, folder, reading)))
}

const rules = patternTable<Rule>({
  'services.*.build.context': context,
  'services.*.build.additional_contexts.*': context,
  'services.*.build.ssh.*': plainPath,
  'services.*.env_file.*.path': plainPath,
  'services.*.label_file.*': plainPath,
  'services.*.extends.file': (node, folder, reading) => (isText(node) && node.value.includes('://') ? node : plainPath(node, folder, reading)),
  'services.*.develop.watch.*.path': plainPath,
  'services.*.volumes.*': mount,
  'configs.*.file': hostPath,
  'secrets.*.file': hostPath,
  'volumes.*': volume,
})

/** A canonical document with its paths made absolute. */
export const resolvePaths = (node: Node, folder: string, reading: Reading, path: Path = []): Node => {
  const rule = rules(path)
  if (rule !== undefined) return rule(node, folder, reading)
  if (isSequence(node)) return { ...node, items: node.items.map((item, index) => resolvePaths(item, folder, reading, [...path, index])) }
  if (!isMapping(node)) return node
  const entries = new Map<string, Entry>()
  for (const [name, entry] of node.entries) entries.set(name, { key: entry.key, value: resolvePaths(entry.value, folder, reading, [...path, name]) })
  return { ...node, entries }
}
