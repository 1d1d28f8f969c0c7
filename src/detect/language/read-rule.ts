/** Reads an item that defines a rule, or changes one that is there. */

import { priorities } from '../../model/detection.ts'
import type { Priority } from '../detector.ts'
import type { FieldTable } from '../fields/field.ts'
import type { Definitions, ExceptionDefinition, RuleDefinition } from './definitions.ts'
import { completeException, readExceptions } from './exceptions.ts'
import type { Keys } from './keys.ts'
import type { ScalarNode } from './yaml.ts'

const appendable = ['condition', 'output', 'desc', 'tags', 'exceptions'] as const
const replaceable = [
  ...(['condition', 'output', 'desc', 'priority', 'capture', 'capture_duration', 'tags', 'exceptions'] as const),
  ...(['enabled', 'warn_evttypes', 'skip-if-unknown-filter'] as const),
] as const
const ruleKeys = ['rule', ...replaceable, 'source', 'override', 'append']

/** Each one copies the rule. */
const mostChanges = 1000
export const appendRemedy = 'write override: with append for the key instead'

/** `Info` is an old way to write informational. */
export const readPriority = (keys: Keys, node: ScalarNode | undefined): Priority | undefined => {
  if (!node) return undefined
  const word = node.text.toLowerCase()
  const found = priorities.find(priority => priority === (word === 'info' ? 'informational' : word))
  if (!found) keys.fail(`"${node.text}" is no priority: they are ${priorities.join(', ')}`, node.place, 'LOAD_ERR_YAML_VALIDATE', node.text)
  return found
}

/** What `override` says of each key, checked: the key may be changed so, and is there. */
export const readOverride = (
  keys: Keys,
  mayAppend: readonly string[],
  mayReplace: readonly string[],
): ReadonlyMap<string, 'append' | 'replace'> | undefined => {
  const node = keys.node('override')
  if (!node) return undefined
  const found = new Map<string, 'append' | 'replace'>()
  if (node.kind !== 'mapping') {
    keys.fail('override says append or replace for each key', node.place)
    return found
  }
  for (const [key, { place, value }] of node.entries) {
    const word = value.kind === 'scalar' ? value.text : value.kind
    if (word !== 'append' && word !== 'replace') keys.fail(`override of ${key} is append or replace, not "${word}"`, value.place, undefined, word)
    else if (!(word === 'append' ? mayAppend : mayReplace).includes(key))
      keys.fail(mayReplace.includes(key) ? `${key} cannot be appended to: replace it` : `${key} cannot be changed by override`, place, undefined, key)
    else if (!keys.has(key)) keys.fail(`override says ${word} for ${key}, but ${key} is not here: write it beside override`, place, undefined, key)
    else found.set(key, word)
  }
  for (const key of mayReplace)
    if (found.size > 0 && keys.has(key) && !found.has(key))
      keys.fail(`${key} is here, but override does not say what to do with it`, keys.placeOf(key), undefined, key)
  return found
}

export const tagsOf = (keys: Keys): ReadonlySet<string> => new Set((keys.words('tags') ?? []).map(({ text }) => text))

/** Throws RangeError when an exception of an item does not go with those that are there. */
const appendExceptions = (
  before: readonly ExceptionDefinition[],
  added: readonly ExceptionDefinition[],
  fields: FieldTable | undefined,
): readonly ExceptionDefinition[] => {
  const all = [...before]
  for (const exception of added) {
    const index = all.findIndex(({ name }) => name === exception.name)
    const known = all[index]
    if (!known) {
      if (exception.values.length === 0) throw new RangeError(`exception "${exception.name}" is new here and needs values`)
      all.push(completeException(exception, fields))
    } else if (exception.fields || exception.comparisons)
      throw new RangeError(`exception "${exception.name}" is there already: only values can be appended, not fields or comps`)
    else all[index] = { ...known, values: [...known.values, ...exception.values] }
  }
  return all
}

type Changes = { -readonly [Key in keyof RuleDefinition]?: RuleDefinition[Key] }

/** What the key makes of the rule. */
const change = (keys: Keys, rule: RuleDefinition, key: string, how: 'append' | 'replace', fields: FieldTable | undefined): Changes => {
  const isAppend = how === 'append'
  if (key === 'exceptions') {
    const read = readExceptions(keys, isAppend)
    return { exceptions: isAppend ? appendExceptions(rule.exceptions, read, fields) : read.map(exception => completeException(exception, fields)) }
  }
  if (key === 'tags') return { tags: isAppend ? rule.tags.union(tagsOf(keys)) : tagsOf(keys) }
  if (key === 'enabled') return { enabled: keys.flag(key) ?? rule.enabled }
  if (key === 'warn_evttypes') return { warnEventTypes: keys.flag(key) ?? rule.warnEventTypes }
  if (key === 'skip-if-unknown-filter') return { skipIfUnknown: keys.flag(key) ?? rule.skipIfUnknown }
  const text = keys.required(key)
  if (!text) return {}
  if (key === 'condition') return { condition: isAppend ? [...rule.condition, text] : [text] }
  if (key === 'output') return { output: isAppend ? [...rule.output, text] : [text] }
  if (key === 'desc') return { description: isAppend ? `${rule.description} ${text.text}` : text.text }
  return key === 'priority' ? { priority: readPriority(keys, text) ?? rule.priority } : {}
}

/** Throws RangeError. */
const changeRule = (
  keys: Keys,
  definitions: Definitions,
  name: string,
  changes: ReadonlyMap<string, 'append' | 'replace'>,
  fields: FieldTable | undefined,
): void => {
  const before = definitions.rules.get(name)
  if (!before) throw new RangeError(`there is no rule "${name}" above that could be changed: define it first, or leave out override and append`)
  const source = keys.text('source')
  if (source && source.text !== before.source) throw new RangeError(`rule "${name}" is of source ${before.source}, not ${source.text}`)
  let rule = before
  // Appending comes before replacing, whatever their order.
  for (const wanted of ['append', 'replace'] as const)
    for (const [key, how] of changes)
      if (how === wanted) rule = { ...rule, ...change(keys, rule, key, how, before.source === 'syscall' ? fields : undefined) }
  keys.settle()
  if (rule.changes >= mostChanges) throw new RangeError(`rule "${name}" is changed more than ${mostChanges} times: write it anew`)
  definitions.rules.set(name, { ...rule, changes: rule.changes + 1 })
}

/** Throws RangeError. */
const defineRule = (keys: Keys, definitions: Definitions, name: string, fields: FieldTable): void => {
  const before = definitions.rules.get(name)
  const [condition, output, description] = [keys.required('condition'), keys.required('output'), keys.required('desc')]
  const priority = readPriority(keys, keys.required('priority'))
  const source = keys.has('source') ? keys.text('source')?.text : 'syscall'
  const definition = {
    enabled: keys.flag('enabled') ?? true,
    warnEventTypes: keys.flag('warn_evttypes') ?? true,
    skipIfUnknown: keys.flag('skip-if-unknown-filter') ?? false,
    tags: tagsOf(keys),
  }
  const exceptions = readExceptions(keys, false)
  keys.settle()
  if (!condition || !output || !description || !priority || source === undefined) return
  if (before && before.source !== source) throw new RangeError(`there is a rule "${name}" of source ${before.source} already: choose another name`)
  if (source !== 'syscall')
    keys.warn('LOAD_UNKNOWN_SOURCE', `there is no source ${source} in this version: the rule never matches`, keys.placeOf('source'))
  const known = source === 'syscall' ? fields : undefined
  definitions.rules.set(name, {
    ...{ name, place: keys.place, condition: [condition], output: [output], description: description.text.trim(), priority, source, ...definition },
    exceptions: exceptions.map(exception => completeException(exception, known)),
    changes: 0,
  })
}

/** Throws RangeError when the item does not go with what is there. */
export const readRule = (keys: Keys, definitions: Definitions, fields: FieldTable): void => {
  const name = keys.required('rule')?.text
  keys.warnUnknown(ruleKeys)
  if (name === undefined) return
  const overrides = readOverride(keys, appendable, replaceable)
  const isAppend = keys.flag('append') ?? false
  if (keys.has('append')) keys.warn('LOAD_DEPRECATED_ITEM', `append is deprecated: ${appendRemedy}`, keys.placeOf('append'))
  if (isAppend && overrides?.size) keys.fail(`append and override cannot both be there: ${appendRemedy}`, keys.placeOf('append'))
  if (overrides && keys.hasFailed()) return
  if (overrides?.size) {
    changeRule(keys, definitions, name, overrides, fields)
    return
  }
  if (isAppend) {
    const changes = (['condition', 'exceptions'] as const).filter(key => keys.has(key)).map(key => [key, 'append'] as const)
    if (changes.length === 0) throw new RangeError('an appended rule needs a condition or exceptions')
    changeRule(keys, definitions, name, new Map(changes), fields)
    return
  }
  if (!['condition', 'output', 'desc', 'priority'].some(key => keys.has(key))) {
    if (!keys.has('enabled')) keys.fail('condition, output, desc and priority are missing')
    keys.warn('LOAD_DEPRECATED_ITEM', 'enabled alone is deprecated: write override with enabled: replace beside it', keys.placeOf('enabled'))
    changeRule(keys, definitions, name, new Map([['enabled', 'replace']]), fields)
    return
  }
  defineRule(keys, definitions, name, fields)
}
