import type { Command } from '../command.ts'
import { painter, printable, table } from '../output.ts'
import { aloneOption, readRules } from '../rules.ts'

const stateOf = ({ enabled, isInert }: { readonly enabled: boolean; readonly isInert: boolean }): string => {
  if (isInert) return 'never matches'
  return enabled ? 'on' : 'off'
}

/** All of them is nearly all. */
const eventsOf = (types: ReadonlySet<string>): string => (types.size > 8 ? `${types.size} of them` : [...types].sort().join(' '))

export const command: Command = {
  name: 'rules ls',
  takes: ['[FILE...]'],
  summary: 'List rules, sequences and thresholds: those of Dayfly, and those of files.',
  details: ['In the order in which they are asked, with the events that each is for. No daemon is asked.'],
  completion: 'file',
  options: [aloneOption],
  examples: [
    ['dayfly rules ls', "Dayfly's own"],
    ['dayfly rules ls --alone rules/falco_rules.yaml', 'what a file has'],
  ],
  run: async (context, args) => {
    const { book } = await readRules(args)
    const { rules, patterns, errors } = book.loaded
    const all = [
      ...rules.map(rule => ({ ...rule, kind: 'rule', state: stateOf(rule) })),
      ...patterns.map(pattern => ({
        ...{
          ...pattern,
          lacking: pattern.steps.flatMap(({ rule }) => rule.lacking),
          eventTypes: new Set(pattern.steps.flatMap(({ rule }) => [...rule.eventTypes])),
        },
        state: stateOf({ enabled: pattern.enabled, isInert: pattern.steps.some(({ rule }) => rule.isInert) }),
      })),
    ]
    if (context.json) {
      const told = all.map(({ name, kind, priority, tags, state, eventTypes, lacking, description, place }) => ({
        ...{ name, kind, priority, tags, state, events: [...eventTypes].sort(), lacking, description, place },
      }))
      context.write(`${JSON.stringify({ rules: told, errors: errors.length }, null, 2)}\n`)
      return errors.length > 0 ? 2 : 0
    }
    const rows = all.map(({ name, kind, priority, tags, state, eventTypes }) =>
      [name, kind, priority, state, eventsOf(eventTypes), tags.join(' ')].map(printable),
    )
    context.write(table(['NAME', 'KIND', 'PRIORITY', 'STATE', 'EVENTS', 'TAGS'], rows, painter(context.colour)))
    if (errors.length > 0) context.say(`dayfly: there are ${errors.length} errors in these files: dayfly rules check tells them`)
    return errors.length > 0 ? 2 : 0
  },
}
