import { once } from 'node:events'
import type { Detection } from '../../../detect/detector.ts'
import { priorities } from '../../../model/detection.ts'
import type { KernelEvent } from '../../../model/kernel-event.ts'
import type { Container } from '../../watch/containers.ts'
import { shortId } from '../../watch/containers.ts'
import type { Totals, WatchListeners } from '../../watch/watching.ts'
import { startWatching } from '../../watch/watching.ts'
import { activityText } from '../activity-line.ts'
import type { Command, Context } from '../command.ts'
import type { Style } from '../output.ts'
import { painter, printable } from '../output.ts'
import { aloneOption, ruleFilesOf } from '../rules.ts'

/** Writes people's lines: time, what it is, whose, and what was said. */
const lineWriter =
  (context: Context) =>
  (time: number, style: Style, what: string, container: Container, text: string): void => {
    const paint = painter(context.colour)
    const id = shortId(container.id)
    const whose = container.name === id ? `${container.runtime}/${id}` : `${container.runtime}/${container.name}/${id}`
    const head = paint(style, what.padEnd(18))
    context.write(`${paint('dim', new Date(time).toISOString())}  ${head}  ${printable(whose).padEnd(32)}  ${printable(text)}\n`)
  }

const forPeople = (context: Context, events: boolean): WatchListeners => {
  const write = lineWriter(context)
  return {
    onContainer: container => {
      if (events) write(Date.now(), 'cyan', 'container', container, container.imageName === '' ? 'is seen' : `is seen, of ${container.imageName}`)
    },
    onEvent: (event, container) => {
      if (events) write(event.time, 'dim', event.type, container, activityText(event))
    },
    onDetection: ({ rule, priority, output, event }, container) => {
      const urgent = priorities.indexOf(priority) <= priorities.indexOf('error')
      write(event.time, urgent ? 'red' : 'yellow', priority, container, `${rule}: ${output}`)
    },
    onGone: container => {
      if (events) write(Date.now(), 'cyan', 'gone', container, 'has ended')
    },
  }
}

/** What a line needs of a container to be found again. */
const briefly = ({ runtime, id, name }: Container) => ({ runtime, id, name })

const forPrograms = (context: Context, events: boolean): WatchListeners => {
  const write = (line: Readonly<Record<string, unknown>>): void => context.write(`${JSON.stringify(line)}\n`)
  const detected = ({ event, ...said }: Detection, container: Container): void =>
    write({ type: 'detection', time: event.time, ...said, container: briefly(container), event })
  const happened = (event: KernelEvent, container: Container): void => write({ type: 'event', container: briefly(container), event })
  return {
    onContainer: container => write({ type: 'container', time: Date.now(), container }),
    onEvent: events ? happened : () => {},
    onDetection: detected,
    onGone: (container, counts) => write({ type: 'gone', time: Date.now(), container: briefly(container), counts }),
  }
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0)

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const tellTotals = (context: Context, totals: Totals): void => {
  const { containers, detections, counts, faults } = totals
  if (context.json) {
    context.write(`${JSON.stringify({ type: 'totals', containers, detections, faults, counts: counts ?? null })}\n`)
    return
  }
  const dropped = counts === undefined ? 0 : sum(counts.dropped)
  const kinds = Object.entries(counts?.dropped ?? {}).map(([type, count]) => `${count} ${type}`)
  const seen = counts === undefined ? 'the sensor did not say how many events there were' : `${many(sum(counts.emitted), 'event')}, ${dropped} lost`
  const which = dropped === 0 ? '' : ` (${kinds.join(', ')})`
  const unjudged = faults === 0 ? '' : `; ${faults} could not be judged`
  context.say(`dayfly: ${many(containers, 'container')}, ${seen}${which}, ${many(detections, 'detection')}${unjudged}`)
}

export const command: Command = {
  name: 'watch',
  takes: [],
  summary: "Watch this host's other containers: those of docker, podman, containerd, and whatever else has a pid namespace.",
  details: [
    "No daemon is needed or asked, neither Dayfly's nor theirs, and nothing is enforced: it looks on, until it is interrupted. It needs root. Dayfly's own containers are left out: their daemon watches them.",
    "What is known of a container comes from its control group and from the files of its runtime; docs/watch.md says which. A container that has the host's pid namespace (--pid=host) is not seen.",
    'Exit code 0, whatever was detected. 125: the sensor cannot see, or has died. At the end it says how many events there were, and how many were lost.',
  ],
  options: [
    {
      name: 'rules',
      value: 'FILE',
      repeats: true,
      help: "Rules in Falco's language, a file or folder of them, after Dayfly's own.",
      completion: 'file',
    },
    aloneOption,
    { name: 'events', help: 'Everything that happens, not only what rules speak of.' },
    { name: 'for', value: 'DURATION', help: 'For so long. Default: until it is interrupted.' },
  ],
  examples: [
    ['dayfly watch', "what Dayfly's rules say of everything that runs here"],
    ['dayfly watch --rules falco_rules.yaml --alone --json', "Falco's rules, for another program"],
    ['dayfly watch --events --for 10s', 'all that containers do now'],
  ],
  run: async (context, args) => {
    const duration = args.duration('for')
    const files = await ruleFilesOf(args.list('rules'), '--rules')
    const listeners = (context.json ? forPrograms : forPeople)(context, args.flag('events'))
    const over = new AbortController()
    const { signal } = over
    // Listened to from before the sensor is started: an early one ends it, too.
    const interrupted = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map(name => once(process, name, { signal }))).catch(() => undefined)
    await using watching = await startWatching({ dayfly: !args.flag('alone'), files }, listeners)
    for (const { probe, reason } of watching.missing) context.say(`dayfly: warning: this kernel does not tell of ${probe}: ${reason}`)
    context.say('dayfly: watching')
    const timeUp = Promise.withResolvers<undefined>()
    const timer = duration === undefined ? undefined : setTimeout(() => timeUp.resolve(undefined), duration)
    try {
      const died = await Promise.race([interrupted.then(() => undefined), timeUp.promise, watching.ended])
      tellTotals(context, await watching.finish())
      if (died !== undefined) throw died
      return 0
    } finally {
      clearTimeout(timer)
      over.abort()
    }
  },
}
