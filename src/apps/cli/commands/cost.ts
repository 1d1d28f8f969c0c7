import type { CostView } from '../../../api/schemas/records.ts'
import { formatBytes } from '../../../base/bytes.ts'
import { formatDuration, parseDuration } from '../../../base/durations.ts'
import { DayflyError } from '../../../base/errors.ts'
import { groupings } from '../../../model/usage.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable, shortDigest, table } from '../output.ts'
import { momentOf } from '../values.ts'

type Row = CostView['total']

const amount = (value: number): string => (value === 0 ? '0' : Math.abs(value) < 0.01 ? value.toPrecision(2) : value.toFixed(2))
const seconds = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0))

const nameOf = ({ by }: CostView, { key, name }: Row): string => {
  if (by === 'environment') return name === '' ? key : `${name} (${key})`
  if (by === 'image') return `${name === '' ? '' : `${name} `}${shortDigest(key)}`
  return key === '' ? '-' : key
}

const line = (title: string, { instances, cpuSeconds, memoryGiBSeconds, sent, cost }: Row): string[] => [
  printable(title),
  String(instances),
  seconds(cpuSeconds),
  seconds(memoryGiBSeconds),
  formatBytes(Math.round(sent)),
  amount(cost.total),
  amount(cost.idle),
  amount(cost.saved),
]

const textOf = (view: CostView, paint: Paint): string => {
  const { by, label, prices, rows, total } = view
  const { currency, cpuSecond, gibSecond, egressGiB, forgottenFor } = prices
  if (total.instances === 0) return 'nothing was used in that time, or nothing of it was measured\n'
  const head = [by === 'label' ? (label ?? '') : by, 'instances', 'CPU s', 'GiB × s', 'sent', `cost, ${currency}`, 'of it idle', 'saved']
  return [
    table(
      head.map(title => title.toUpperCase()),
      [...rows.map(row => line(nameOf(view, row), row)), line('all', total)],
      paint,
    ),
    paint(
      'dim',
      `prices: ${cpuSecond} a CPU second, ${gibSecond} a GiB second, ${egressGiB} a GiB sent; saved: against running on for ${formatDuration(forgottenFor)} after the last activity (docs/cost.md)\n`,
    ),
  ].join('')
}

const groupOf = (text: string): { by: (typeof groupings)[number]; label?: string } => {
  const [, label] = /^label:(.+)$/.exec(text) ?? []
  if (label !== undefined) return { by: 'label', label }
  const by = groupings.find(known => known === text && known !== 'label')
  if (by !== undefined) return { by }
  throw new DayflyError('invalid', `--by: "${text}" is none of owner, environment, image, label:NAME, day`, {
    field: '--by',
    remedy: 'Write it like --by label:team.',
  })
}

export const command: Command = {
  name: 'cost',
  takes: [],
  summary: 'Say what instances used, and what that cost.',
  details: [
    'Of instances that have ended, as long as their record is kept. `serve --prices FILE` says what things cost. Idle: memory that was held while nothing happened. Saved: what the memory of ' +
      'environments that their lease ended would have cost, had they run on. docs/cost.md says how each is counted.',
  ],
  options: [
    {
      name: 'by',
      value: 'GROUP',
      help: 'owner (default), environment, image, label:NAME or day.',
      completion: ['owner', 'environment', 'image', 'label:', 'day'],
    },
    { name: 'since', value: 'TIME', help: 'Only what ended from then on: 7d (ago), or a date.' },
    { name: 'until', value: 'TIME', help: 'Only what ended before.' },
  ],
  examples: [
    ['dayfly cost --by owner --since 7d', 'who used what in a week'],
    ['dayfly cost --by label:team --json | jq .rows', 'for programs'],
  ],
  run: async (context, args) => {
    const moment = (name: 'since' | 'until'): number | undefined => {
      const text = args.text(name)
      return text === undefined ? undefined : Math.max(0, momentOf(text, `--${name}`, parseDuration))
    }
    const view = await context.client.cost({ ...groupOf(args.text('by') ?? 'owner'), since: moment('since'), until: moment('until') })
    context.write(context.json ? `${JSON.stringify(view)}\n` : textOf(view, painter(context.colour)))
    return 0
  },
}
