/** What rule files say they need: `required_engine_version` and `required_plugin_versions`. */
import type { Report } from './diagnostic.ts'
import { keysOf } from './keys.ts'
import type { MappingNode, YamlNode } from './yaml.ts'

/** The version of Falco's engine whose language this is. */
export const engineVersion = '0.63.0'

/** What of Falco's plugins is built in: their names and the versions whose fields these are. */
const builtIn: Readonly<Record<string, string>> = { container: '0.99.0' }

const parse = (text: string): readonly [number, number, number] | undefined => {
  const [, major, minor, patch] = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+][0-9A-Za-z.+-]*)?$/.exec(text) ?? []
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}

/** As semantic versions are: the same major one, and none later. */
const satisfies = (has: string, wanted: readonly [number, number, number]): boolean => {
  const [major, minor, patch] = parse(has) ?? [0, 0, 0]
  return major === wanted[0] && (minor > wanted[1] || (minor === wanted[1] && patch >= wanted[2]))
}

export const readEngineVersion = (mapping: MappingNode, report: Report): void => {
  const keys = keysOf(mapping, 'required_engine_version', report)
  const text = keys.required('required_engine_version')
  if (!text) return
  // Before versions had three parts, they were one number.
  const wanted = parse(/^\d{1,9}$/.test(text.text) ? `0.${text.text}.0` : text.text)
  if (!wanted) keys.fail(`"${text.text}" is no version: write it like 0.31.0`, text.place)
  else if (!satisfies(engineVersion, wanted))
    keys.fail(`the rules need version ${wanted.join('.')} of the engine, and this is ${engineVersion}`, text.place, 'LOAD_ERR_VALIDATE', text.text)
  keys.warnUnknown(['required_engine_version'])
}

interface Requirement {
  readonly name: string
  readonly version: readonly [number, number, number]
}

const readRequirement = (node: YamlNode, known: readonly string[], report: Report): Requirement | undefined => {
  if (node.kind !== 'mapping') {
    report.error('LOAD_ERR_YAML_VALIDATE', node.place, 'a plugin is written with name and version', { item: 'required_plugin_versions' })
    return undefined
  }
  const keys = keysOf(node, 'required_plugin_versions', report)
  const [name, version] = [keys.required('name'), keys.required('version')]
  keys.warnUnknown(known)
  if (!name || !version) return undefined
  const parsed = parse(version.text)
  if (!parsed) keys.fail(`"${version.text}" is no version: write it like 0.4.0`, version.place, 'LOAD_ERR_VALIDATE', version.text)
  return parsed && { name: name.text, version: parsed }
}

/** A plugin that is not there is a warning: rules of its sources are inert, all others go on. */
export const readPluginVersions = (mapping: MappingNode, report: Report): void => {
  const keys = keysOf(mapping, 'required_plugin_versions', report)
  const plugins = keys.node('required_plugin_versions')
  keys.warnUnknown(['required_plugin_versions'])
  if (plugins?.kind !== 'sequence') {
    keys.fail('it is a list of plugins, each with name and version', plugins?.place)
    return
  }
  for (const plugin of plugins.items) {
    const first = readRequirement(plugin, ['name', 'version', 'alternatives'], report)
    const others = plugin.kind === 'mapping' ? plugin.entries.get('alternatives')?.value : undefined
    if (others && others.kind !== 'sequence') keys.fail('alternatives are a list of plugins, each with name and version', others.place)
    const alternatives = others?.kind === 'sequence' ? others.items.map(node => readRequirement(node, ['name', 'version'], report)) : []
    const all = [first, ...alternatives].filter(requirement => requirement !== undefined)
    const names = all.map(({ name }) => name)
    if (new Set(names).size < names.length)
      keys.fail(`${names.join(', ')}: a plugin stands once among alternatives`, plugin.place, 'LOAD_ERR_VALIDATE')
    const isThere = all.some(({ name, version }) => builtIn[name] !== undefined && satisfies(builtIn[name], version))
    if (!isThere && first)
      keys.warn('LOAD_UNKNOWN_PLUGIN', `there is no plugin ${names.join(' or ')} in this version: rules of its source never match`, plugin.place)
  }
}
