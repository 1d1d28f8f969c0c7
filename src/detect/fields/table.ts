/** All fields that rules may name. docs/rules.md has this table for readers; a test compares the two. */
import { containerFields } from './container-fields.ts'
import { dayflyFields } from './dayfly-fields.ts'
import { descriptorFields } from './descriptor-fields.ts'
import { eventFields } from './event-fields.ts'
import type { FieldTable } from './field.ts'
import { processFields } from './process-fields.ts'

const all = [...eventFields, ...processFields, ...descriptorFields, ...containerFields, ...dayflyFields]

export const fieldTable: FieldTable = new Map(all.map(field => [field.name, field]))

const written = (name: string, argument: (typeof all)[number]['argument']): string => {
  if (!argument) return `\`${name}\``
  const brackets = `\`${name}[${argument.kind === 'index' ? 'N' : 'NAME'}]\``
  return [argument.need === 'optional' ? `\`${name}\`` : undefined, argument.dotted ? `\`${name}.NAME\`` : undefined, brackets]
    .filter(Boolean)
    .join(' ')
}

/** As Markdown: those that Dayfly knows, then those that it does not, with the reason. */
export const fieldsDocument = (): string => {
  const known = all.filter(({ lacking }) => lacking === undefined)
  const lacking = Map.groupBy(
    all.filter(field => field.lacking !== undefined),
    field => field.lacking ?? '',
  )
  return [
    '| field | type | what it is |',
    '|---|---|---|',
    ...known.map(({ name, type, doc, argument, holds }) => `| ${written(name, argument)} | ${type}${holds === 'list' ? ' list' : ''} | ${doc} |`),
    '',
    'Falco has these too. Dayfly accepts them in rules, and they never have a value:',
    '',
    '| fields | why |',
    '|---|---|',
    ...[...lacking].map(([reason, fields]) => `| ${fields.map(({ name, argument }) => written(name, argument)).join(' ')} | ${reason} |`),
    '',
  ].join('\n')
}
