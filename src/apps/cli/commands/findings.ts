import type { FindingGroupView, FindingList } from '../../../api/schemas/security.ts'
import { FindingGroupKind } from '../../../api/schemas/security.ts'
import { DayflyError } from '../../../base/errors.ts'
import { Severity, severities } from '../../../model/finding.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable, relative, table } from '../output.ts'

const colours = { critical: 'red', high: 'red', medium: 'yellow', low: 'dim', negligible: 'dim', unknown: 'yellow' } as const

const where = ({ running, environments }: FindingGroupView, paint: Paint): string =>
  running > 0 ? paint('yellow', `${running} running`) + (environments > running ? `, ${environments - running} ended` : '') : `${environments} ended`

const marks = ({ exploited, epss, settled }: FindingGroupView, paint: Paint): string =>
  [
    ...(exploited ? [paint('red', 'exploited')] : []),
    ...(epss !== null && epss >= 0.1 ? [`EPSS ${Math.round(epss * 100)}%`] : []),
    ...(settled ? [paint('dim', 'settled')] : []),
  ].join(' ')

const textOf = ({ findings, total, running, pending, unknown }: FindingList, now: number, paint: Paint): string => {
  if (total === 0) return 'nothing is known to be wrong\n'
  const rows = findings.map(one => [
    String(Math.round(one.risk)),
    paint(colours[one.severity], one.severity),
    printable(one.kind),
    printable(one.id),
    one.package === null ? '-' : printable(`${one.package.name} ${one.package.versions.join(', ')}`),
    one.fixed === null ? '-' : printable(one.fixed),
    where(one, paint),
    relative(one.since, now),
    marks(one, paint),
  ])
  const notes = [
    `${total} in all, ${running} of them in something that runs${findings.length < total ? `; these are the first ${findings.length}` : ''}`,
    ...(pending > 0 ? [`${pending} images are still being looked into: ask again`] : []),
    ...(unknown.length > 0 ? [`nothing is known of ${unknown.length} images, which might have anything`] : []),
  ]
  const head = ['RISK', 'SEVERITY', 'KIND', 'FINDING', 'PACKAGE', 'FIXED IN', 'ENVIRONMENTS', 'SINCE', '']
  return `${table(head, rows, paint)}${notes.map(note => `${paint('dim', note)}\n`).join('')}`
}

/** One of several words. Throws `invalid` naming the option. */
const oneOf = <T extends string>(text: string | undefined, words: readonly T[], option: string): T | undefined => {
  const found = words.find(word => word === text)
  if (text !== undefined && found === undefined)
    throw new DayflyError('invalid', `${option}: "${text}" is none of ${words.join(', ')}`, {
      field: option,
      remedy: `Write one of ${words.join(', ')}.`,
    })
  return found
}

export const command: Command = {
  name: 'findings',
  takes: [],
  summary: 'List what is wrong with what runs and what ran, by risk.',
  details: [
    'Vulnerabilities, secrets and misconfigurations of images that records speak of, detections, and denied starts: the same thing once, with how many environments have it.',
    'Risk is severity, times what is known of its exploitation, twice as much while something runs with it; docs/security.md has the numbers.',
  ],
  options: [
    { name: 'kind', value: 'KIND', help: `${FindingGroupKind.options.join(', ')}.`, completion: FindingGroupKind.options },
    { name: 'severity', value: 'SEVERITY', help: 'At least this.', completion: severities },
    { name: 'running', help: 'Only what concerns something that runs now.' },
    { name: 'exploited', help: 'Only what is known to be exploited.' },
    { name: 'fixable', help: 'Only what has a fix.' },
    { name: 'settled', help: 'Also what an OpenVEX statement settles.' },
    { name: 'image', value: 'NAME', help: 'Only of this image: a digest, or part of a name.', completion: 'image' },
    { name: 'environment', value: 'REF', help: 'Only of this environment: its id or name.', completion: 'environment' },
    { name: 'text', value: 'TEXT', help: 'Only with this in an id, title or package.' },
    { name: 'limit', short: 'n', value: 'COUNT', help: 'At most so many, up to 500. Default: 100.' },
  ],
  examples: [
    ['dayfly findings --running --severity high', 'what is bad and alive'],
    ['dayfly findings --exploited --json', 'for programs'],
  ],
  run: async (context, args) => {
    const set = (name: string): 'true' | undefined => (args.flag(name) ? 'true' : undefined)
    const found = await context.client.findings({
      ...{
        kind: oneOf(args.text('kind'), FindingGroupKind.options, '--kind'),
        severity: oneOf(args.text('severity'), Severity.options, '--severity'),
      },
      ...{ running: set('running'), exploited: set('exploited'), fixable: set('fixable'), settled: set('settled') },
      ...{ image: args.text('image'), environment: args.text('environment'), text: args.text('text'), limit: args.number('limit') },
    })
    context.write(context.json ? `${JSON.stringify(found)}\n` : textOf(found, Date.now(), painter(context.colour)))
    return 0
  },
}
