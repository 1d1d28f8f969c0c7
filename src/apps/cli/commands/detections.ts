import type { DetectionList, StoryView } from '../../../api/schemas/security.ts'
import { parseDuration } from '../../../base/durations.ts'
import { DayflyError } from '../../../base/errors.ts'
import { priorities } from '../../../model/detection.ts'
import { activityText } from '../activity-line.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable, table, timestamp } from '../output.ts'
import { momentOf } from '../values.ts'

const isUrgent = (priority: (typeof priorities)[number]): boolean => priorities.indexOf(priority) <= priorities.indexOf('error')

const listText = ({ detections, next }: DetectionList, paint: Paint): string => {
  if (detections.length === 0) return 'nothing was detected\n'
  const rows = detections.map(({ id, time, priority, rule, environment, workload, process, measures, audit }) => [
    String(id),
    timestamp(time),
    paint(isUrgent(priority) ? 'red' : 'yellow', priority),
    printable(rule),
    printable(`${environment.name}${workload === null ? '' : `/${workload}`}`),
    printable(`${process.exe ?? process.name}[${process.vpid}]`),
    measures.length === 0 ? '-' : `${audit ? 'would ' : ''}${measures.join(', ')}`,
  ])
  const more = next === null ? '' : `${paint('dim', `there are older ones: --before ${next}`)}\n`
  return `${table(['ID', 'TIME', 'PRIORITY', 'RULE', 'ENVIRONMENT', 'PROCESS', 'FOLLOWS'], rows, paint)}${more}`
}

const storyText = ({ detection, activity, more, record }: StoryView, paint: Paint): string => {
  const { priority, rule, output, time, environment, instance } = detection
  const since = (at: number): string => `${((at - time) / 1000).toFixed(3)} s`.padStart(11)
  return [
    `${paint(isUrgent(priority) ? 'red' : 'yellow', priority)}  ${printable(rule)}  ${timestamp(time)}  ${printable(environment.name)}/${instance ?? ''}`,
    printable(output),
    '',
    paint('bold', more ? `what it did before, the last ${activity.length} entries` : 'what it did in the minute before'),
    ...(activity.length === 0
      ? ['nothing is kept of it']
      : activity.flatMap(({ activity: one }) =>
          one.type === 'sample' ? [] : [printable(`${since(one.time)}  ${one.type.padEnd(8)}  ${activityText(one)}`)],
        )),
    '',
    paint('bold', 'what the record says of that time'),
    ...record.map(({ time: at, type, reason }) => `${since(at)}  ${type}  ${printable(reason)}`),
    '',
  ].join('\n')
}

export const command: Command = {
  name: 'detections',
  takes: [],
  summary: 'List what rules have detected, or tell the story of one.',
  details: ['The newest first, of all records. --story shows what the instance did in the minute before, and what was done about it.'],
  options: [
    { name: 'story', value: 'ID', help: 'Tell this one, by its id in the list.' },
    { name: 'rule', value: 'NAME', help: 'Only of this rule.' },
    { name: 'priority', value: 'PRIORITY', help: 'At least as urgent as this.', completion: priorities },
    { name: 'environment', value: 'REF', help: 'Only of this environment.', completion: 'environment' },
    { name: 'instance', value: 'REF', help: 'Only of this instance.', completion: 'instance' },
    { name: 'since', value: 'TIME', help: 'Only from then on: 10m (ago), or a date.' },
    { name: 'before', value: 'ID', help: 'Only those before this one.' },
    { name: 'limit', short: 'n', value: 'COUNT', help: 'At most so many, up to 500. Default: 100.' },
  ],
  examples: [
    ['dayfly detections --since 1d --priority warning', 'what was told today'],
    ['dayfly detections --story 58', 'how it came to that'],
  ],
  run: async (context, args) => {
    const paint = painter(context.colour)
    const story = args.number('story')
    if (story !== undefined) {
      const told = await context.client.detectionStory(story)
      context.write(context.json ? `${JSON.stringify(told)}\n` : storyText(told, paint))
      return 0
    }
    const [priority, since] = [args.text('priority'), args.text('since')]
    if (priority !== undefined && !priorities.some(known => known === priority)) {
      const words = priorities.join(', ')
      throw new DayflyError('invalid', `--priority: "${priority}" is none of ${words}`, { field: '--priority', remedy: `Write one of ${words}.` })
    }
    const found = await context.client.detections({
      ...{ rule: args.text('rule'), priority, environment: args.text('environment'), instance: args.text('instance') },
      ...{
        since: since === undefined ? undefined : momentOf(since, '--since', parseDuration),
        before: args.number('before'),
        limit: args.number('limit'),
      },
    })
    context.write(context.json ? `${JSON.stringify(found)}\n` : listText(found, paint))
    return 0
  },
}
