/** Reads an item that defines a sequence or a threshold. */
import { parseDuration } from '../../base/durations.ts'
import type { Definitions } from './definitions.ts'
import type { Report } from './diagnostic.ts'
import type { Keys } from './keys.ts'
import { keysOf } from './keys.ts'
import type { PatternDefinition, PlacedPiece, StepDefinition } from './pattern.ts'
import { generated } from './piece.ts'
import { readPriority, tagsOf } from './read-rule.ts'
import type { YamlNode } from './yaml.ts'

export const patternKinds = ['sequence', 'threshold'] as const

const common = ['desc', 'within', 'output', 'priority', 'tags', 'enabled']
const known = {
  sequence: ['sequence', 'steps', ...common],
  threshold: ['threshold', 'condition', 'by', 'distinct', 'more_than', ...common],
} as const
const stepKeys = ['as', 'condition', 'same', 'note']

const mostSteps = 10
/** ms: what is longer ago is no sequence any more, and would have to be remembered. */
const longest = 600_000
const mostCounted = 10_000

const withinOf = (keys: Keys): number => {
  const node = keys.required('within')
  if (!node) return 0
  try {
    const within = parseDuration(node.text, 'within')
    if (within > 0 && within <= longest) return within
  } catch {
    // Said below, with its place.
  }
  keys.fail('within is a time like 30s, ten minutes at most', node.place, undefined, node.text)
  return 0
}

const stepOf = (node: YamlNode, index: number, item: string, report: Report, names: readonly string[]): StepDefinition | undefined => {
  const label = `${item}, step ${index + 1}`
  if (node.kind !== 'mapping') {
    report.error('LOAD_ERR_YAML_VALIDATE', node.place, 'a step has as, condition, and perhaps same and note', { item: label })
    return undefined
  }
  const keys = keysOf(node, label, report)
  keys.warnUnknown(stepKeys)
  const [as, condition, note, same] = [keys.required('as'), keys.required('condition'), keys.text('note'), keys.node('same')]
  if (as && (!/^[a-z][a-z0-9_]{0,30}$/.test(as.text) || names.includes(as.text)))
    keys.fail('as is a word of its own in lower case', as.place, undefined, as.text)
  const fields: (readonly [string, PlacedPiece])[] = []
  if (same?.kind === 'mapping') {
    for (const [name, { value }] of same.entries) {
      if (value.kind === 'scalar' && value.text !== '') fields.push([name, value])
      else keys.fail(`same.${name} is the name of a field`, value.place)
    }
  } else if (same !== undefined) keys.fail('same says names and the fields that they stand for: { file: fd.name }', same.place)
  keys.settle()
  if (!as || !condition) return undefined
  return { as: as.text, place: node.place, condition, note: note ?? generated('%evt.type by %proc.cmdline', node.place), same: fields }
}

const stepsOf = (keys: Keys, item: string, report: Report): readonly StepDefinition[] => {
  const node = keys.node('steps')
  if (node?.kind !== 'sequence' || node.items.length < 2 || node.items.length > mostSteps) {
    keys.fail(`steps is a list of 2 to ${mostSteps} steps`, node?.place)
    return []
  }
  const steps: StepDefinition[] = []
  for (const [index, each] of node.items.entries()) {
    const step = stepOf(
      each,
      index,
      item,
      report,
      steps.map(({ as }) => as),
    )
    if (step) steps.push(step)
    else keys.fail(`step ${index + 1} cannot be used`, each.place)
  }
  return steps
}

const countOf = (keys: Keys): number => {
  const node = keys.required('more_than')
  const count = Number(node?.text)
  if (node && !(Number.isInteger(count) && count >= 1 && count <= mostCounted))
    keys.fail(`more_than is a number from 1 to ${mostCounted}`, node.place, undefined, node.text)
  return count
}

/** Throws `Refused` when it is not as it must be. A later one of the same name takes its place. */
export const readPattern = (keys: Keys, kind: (typeof patternKinds)[number], definitions: Definitions, report: Report): void => {
  const name = keys.required(kind)
  keys.warnUnknown(known[kind])
  const [description, output] = [keys.required('desc'), keys.required('output')]
  const priority = readPriority(keys, keys.required('priority'))
  const [within, enabled] = [withinOf(keys), keys.flag('enabled') ?? true]
  const isSequence = kind === 'sequence'
  const condition = isSequence ? undefined : keys.required('condition')
  const moreThan = isSequence ? 0 : countOf(keys)
  if (!isSequence && !keys.has('by')) keys.fail('by is missing: what is counted apart, like [proc.pid], or [] for the whole instance')
  const steps = isSequence ? stepsOf(keys, keys.item, report) : []
  const [by, distinct] = [keys.words('by') ?? [], keys.words('distinct') ?? []]
  keys.settle()
  if (!name || !description || !output || !priority) return
  const all: readonly StepDefinition[] = condition
    ? [{ as: 'event', place: keys.place, condition, note: generated('', keys.place), same: [] }]
    : steps
  const definition: PatternDefinition = {
    ...{ kind, name: name.text, place: keys.place, description: description.text.trim(), priority, tags: tagsOf(keys), enabled, output },
    ...{ steps: all, within, by, distinct, moreThan },
  }
  definitions.patterns.set(name.text, definition)
}
