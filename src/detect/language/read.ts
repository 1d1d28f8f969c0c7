/** Reads rule files, one after another: what a later one says of a list, macro or rule changes it. */
import type { FieldTable } from '../fields/field.ts'
import type { Definitions } from './definitions.ts'
import type { Report } from './diagnostic.ts'
import type { Keys } from './keys.ts'
import { keysOf, Refused } from './keys.ts'
import { patternKinds, readPattern } from './read-pattern.ts'
import { appendRemedy, readOverride, readRule } from './read-rule.ts'
import type { RuleSource } from './rule.ts'
import { readEngineVersion, readPluginVersions } from './versions.ts'
import type { MappingNode } from './yaml.ts'
import { readYaml } from './yaml.ts'

/** Whether the item is appended, by `override` of its one key or by the old `append: true`. */
const isAppended = (keys: Keys, key: string): boolean => {
  const overrides = readOverride(keys, [key], [key])
  const append = keys.flag('append') ?? false
  if (keys.has('append')) keys.warn('LOAD_DEPRECATED_ITEM', `append is deprecated: ${appendRemedy}`, keys.placeOf('append'))
  if (append && overrides?.size) keys.fail(`append and override cannot both be there: ${appendRemedy}`, keys.placeOf('append'))
  return append || overrides?.get(key) === 'append'
}

/** Throws RangeError. */
const readList = (keys: Keys, definitions: Definitions): void => {
  const name = keys.required('list')
  if (!keys.has('items')) keys.fail('items is missing: write items: [] for none')
  const items = keys.words('items')
  const appended = isAppended(keys, 'items')
  keys.warnUnknown(['list', 'items', 'append', 'override'])
  keys.settle()
  if (!name || !items) return
  if (!/^[^()"'\s=,]+$/.test(name.text))
    keys.warn(
      'LOAD_INVALID_LIST_NAME',
      `"${name.text}" cannot be used in a condition: a list's name has no blanks, brackets, quotes, commas or =`,
      name.place,
    )
  const before = definitions.lists.get(name.text)
  if (appended && !before) throw new RangeError(`there is no list ${name.text} above to append to: define it first, or leave out append`)
  const order = definitions.next++
  if (appended && before) {
    for (const item of items) before.items.push(item)
    before.visibility = order
  } else definitions.lists.set(name.text, { name: name.text, place: keys.place, index: before?.index ?? order, visibility: order, items: [...items] })
}

/** Throws RangeError. */
const readMacro = (keys: Keys, definitions: Definitions): void => {
  const [name, condition] = [keys.required('macro'), keys.required('condition')]
  const appended = isAppended(keys, 'condition')
  keys.warnUnknown(['macro', 'condition', 'append', 'override'])
  keys.settle()
  if (!name || !condition) return
  if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name.text))
    keys.warn(
      'LOAD_INVALID_MACRO_NAME',
      `"${name.text}" cannot be used in a condition: a macro's name is a letter, then letters, digits and _`,
      name.place,
    )
  const before = definitions.macros.get(name.text)
  if (appended && !before) throw new RangeError(`there is no macro ${name.text} above to append to: define it first, or leave out append`)
  const order = definitions.next++
  if (appended && before) {
    before.condition.push(condition)
    before.visibility = order
  } else
    definitions.macros.set(name.text, {
      name: name.text,
      place: keys.place,
      index: before?.index ?? order,
      visibility: order,
      condition: [condition],
    })
}

const nameOf = (mapping: MappingNode, key: string): string => {
  const value = mapping.entries.get(key)?.value
  return value?.kind === 'scalar' ? `${key} "${value.text.slice(0, 200)}"` : key
}

const readItem = (mapping: MappingNode, definitions: Definitions, fields: FieldTable, report: Report): void => {
  if (mapping.entries.has('required_engine_version')) {
    readEngineVersion(mapping, report)
    return
  }
  if (mapping.entries.has('required_plugin_versions')) {
    readPluginVersions(mapping, report)
    return
  }
  const kind = (['list', 'macro', 'rule', ...patternKinds] as const).find(key => mapping.entries.has(key))
  if (kind === undefined) {
    const [first = ''] = mapping.entries.keys()
    report.warning('LOAD_UNKNOWN_ITEM', mapping.place, `"${first}" is neither a rule, a macro nor a list: it is ignored`, { token: first })
    return
  }
  const keys = keysOf(mapping, nameOf(mapping, kind), report)
  try {
    if (kind === 'list') readList(keys, definitions)
    else if (kind === 'macro') readMacro(keys, definitions)
    else if (kind === 'rule') readRule(keys, definitions, fields)
    else readPattern(keys, kind, definitions, report)
  } catch (error) {
    if (error instanceof RangeError) keys.fail(error.message, mapping.place, 'LOAD_ERR_VALIDATE')
    else if (!(error instanceof Refused)) throw error
  }
}

export const readSource = ({ name, text }: RuleSource, definitions: Definitions, fields: FieldTable, report: Report): void => {
  for (const document of readYaml(name, text, report)) {
    if (document.kind === 'scalar' && document.isNull) continue
    if (document.kind !== 'sequence') {
      report.error(
        'LOAD_ERR_YAML_VALIDATE',
        document.place,
        'a rule file is a list of rules, macros and lists: begin each with "- rule:", "- macro:" or "- list:"',
      )
      continue
    }
    for (const item of document.items) {
      if (item.kind === 'mapping') readItem(item, definitions, fields, report)
      else if (item.kind !== 'scalar' || !item.isNull)
        report.error(
          'LOAD_ERR_YAML_VALIDATE',
          item.place,
          `there is a ${item.kind === 'scalar' ? 'word' : 'list'} where a rule, a macro or a list belongs`,
        )
    }
  }
}
