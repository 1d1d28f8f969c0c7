import type { WhoRowView, WhoView } from '../../../api/schemas/scans.ts'
import { parseDuration } from '../../../base/durations.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable, relative, shortDigest, table } from '../output.ts'
import { momentOf } from '../values.ts'

const vulnerabilities = ({ vulnerabilities: known }: WhoRowView, paint: Paint): string => {
  const [first] = known
  if (first === undefined) return paint('dim', '-')
  const said = first.settled ? paint('dim', ' (settled)') : first.exploited ? paint('red', ' (exploited)') : ''
  const more = known.length > 1 ? `, ${known.length - 1} more` : ''
  return `${printable(first.id)} ${first.severity}${said}${more}`
}

const state = ({ running, instances }: WhoRowView, paint: Paint): string =>
  running > 0 ? paint('yellow', instances > 1 ? `running (${running}/${instances})` : 'running') : paint('dim', 'ended')

const textOf = ({ rows, more, unknown }: WhoView, now: number, paint: Paint): string => {
  const lines = rows.map(row => [
    printable(row.environment.name),
    printable(row.workload),
    printable(row.image.names[0] ?? shortDigest(row.image.digest)),
    row.package === null ? '-' : printable(`${row.package.name} ${row.package.version}`),
    state(row, paint),
    row.until === null ? `since ${relative(row.from, now)}` : `until ${relative(row.until, now)}`,
    vulnerabilities(row, paint),
    row.fixed === null ? '-' : printable(row.fixed),
  ])
  const head = ['ENVIRONMENT', 'WORKLOAD', 'IMAGE', 'PACKAGE', 'STATE', 'WHEN', 'VULNERABILITIES', 'FIXED IN']
  const notes = [
    ...(more ? ['there are more: ask for a newer time (--since) or for more rows (--limit)'] : []),
    ...(unknown.length > 0 ? [`nothing is known of ${unknown.length} more image${unknown.length === 1 ? '' : 's'}, which might have it`] : []),
  ]
  const found = rows.length === 0 ? 'nobody\n' : table(head, lines, paint)
  return `${found}${notes.map(note => `${paint('dim', note)}\n`).join('')}`
}

export const command: Command = {
  name: 'who',
  takes: [],
  summary: 'Say which environments ran a package, a vulnerability or an image, as long as a record speaks of them.',
  details: [
    'A version is as its ecosystem writes it, or of a distribution without what that has added: openssl@3.0.11 is also 3.0.11-1~deb12u2. The name may be that of the source package.',
    'With several of --package, --cve and --image, all must fit. The image itself need not be there any more.',
  ],
  options: [
    { name: 'package', value: 'NAME[@VERSION]', help: 'Only what has this package; a purl will do.' },
    { name: 'cve', value: 'ID', help: 'Only what has this vulnerability, by any of its names.' },
    { name: 'image', value: 'NAME', help: 'Only what ran this image, by name or digest.', completion: 'image' },
    { name: 'since', value: 'TIME', help: 'Only what ran then or later: 30d (ago), or a date. Default: all that is recorded.' },
    { name: 'running', help: 'Only what runs now.' },
    { name: 'limit', value: 'N', help: 'Rows, at most. Default: 1000.' },
  ],
  examples: [
    ['dayfly who --package openssl@3.0.11 --since 30d', 'which environments ran it in the last 30 days'],
    ['dayfly who --cve CVE-2023-5363 --running', 'what has it now'],
    ['dayfly who --image debian:12 --json', 'for programs'],
  ],
  run: async (context, args) => {
    const [since, of, cve, image] = [args.text('since'), args.text('package'), args.text('cve'), args.text('image')]
    if (of === undefined && cve === undefined && image === undefined) {
      throw new DayflyError('invalid', '--package: neither a package, nor a vulnerability, nor an image is asked for', {
        field: '--package',
        remedy: 'Name one of them: --package openssl@3.0.11, --cve CVE-2023-5363 or --image debian:12.',
      })
    }
    const found = await context.client.who({
      ...{ package: of, cve, image, limit: args.number('limit') },
      since: since === undefined ? undefined : momentOf(since, '--since', parseDuration),
      running: args.flag('running') ? true : undefined,
    })
    context.write(context.json ? `${JSON.stringify(found)}\n` : textOf(found, Date.now(), painter(context.colour)))
    return 0
  },
}
