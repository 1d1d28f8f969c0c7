import { DayflyError } from '../../../base/errors.ts'
import type { Detection, Subject } from '../../../detect/detector.ts'
import { replay } from '../../../detect/replay.ts'
import { priorities } from '../../../model/detection.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable } from '../output.ts'
import { openRecording, readRecording } from '../recording.ts'
import { aloneOption, readRules } from '../rules.ts'

const textOf = ({ rule, priority, output, event }: Detection, { workload }: Subject, paint: Paint): string => {
  const urgent = priorities.indexOf(priority) <= priorities.indexOf('error')
  const head = paint(urgent ? 'red' : 'yellow', priority.padEnd(13))
  return `${new Date(event.time).toISOString()}  ${head}  ${printable(`${workload}/${event.instance}  ${rule}: ${output}`)}\n`
}

export const command: Command = {
  name: 'rules run',
  takes: ['[FILE...]'],
  summary: 'Run what an environment did through rules, as if they had been there.',
  details: [
    "What was recorded is judged by Dayfly's own rules and those of files, with the same result that they would have had live. Where events were lost then, they are missing now.",
    'Whether a bundle is what was recorded says `dayfly verify`; here it is not looked at.',
    'Exit code 0: nothing was detected. 1: something was. 2: bad input.',
  ],
  completion: 'file',
  options: [
    {
      name: 'replay',
      value: 'ENV|BUNDLE',
      help: 'A file of `dayfly export`, or an environment that has ended. Required.',
      completion: 'environment',
    },
    { name: 'rule', value: 'NAME', repeats: true, help: 'Show only what this rule says.' },
    aloneOption,
  ],
  examples: [
    ['dayfly rules run --replay web', 'what the rules of today say of it'],
    ['dayfly rules run --alone hunt.yaml --replay web.tar.zst', 'hunting in a bundle'],
  ],
  run: async (context, args) => {
    const { files } = await readRules(args)
    const name = args.text('replay')
    if (name === undefined) {
      throw new DayflyError('invalid', '--replay: is missing', {
        field: '--replay',
        remedy: 'Name an environment that has ended, or a file of `dayfly export`.',
      })
    }
    const only = new Set(args.list('rule'))
    const paint = painter(context.colour)
    let found = 0
    const result = await readRecording(await openRecording(context, name), (subjects, events) =>
      replay({ dayfly: !args.flag('alone'), files }, subjects, events, ({ detection, subject }) => {
        if (only.size > 0 && !only.has(detection.rule)) return
        found++
        const { event, ...said } = detection
        context.write(
          context.json
            ? `${JSON.stringify({ ...said, time: event.time, environment: event.environment, instance: event.instance, workload: subject.workload, event })}\n`
            : textOf(detection, subject, paint),
        )
      }),
    )
    const strangers = result.unknown === 0 ? '' : `; ${result.unknown} are of instances that the record does not describe, and were not judged`
    if (!context.json) context.say(`dayfly: ${found} detections in ${result.events} events${strangers}`)
    return found > 0 ? 1 : 0
  },
}
