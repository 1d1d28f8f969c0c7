import { DayflyError, messageOf } from '../../../base/errors.ts'
import { given } from '../../../base/given.ts'
import { createProcessTable } from '../../../detect/processes/table.ts'
import type { Learner } from '../../../detect/profile/learn.ts'
import { createLearner } from '../../../detect/profile/learn.ts'
import type { Profile } from '../../../detect/profile/profile.ts'
import { emptyProfile, mergeRun, parseProfile, profileFits } from '../../../detect/profile/profile.ts'
import type { Command, Context } from '../command.ts'
import { readTextFile, writeTextFile } from '../paths.ts'
import { openRecording, readRecording } from '../recording.ts'

/** A run is one instance from its beginning to its end. */
const learn = async (context: Context, profile: Profile, name: string): Promise<Profile> =>
  await readRecording(await openRecording(context, name), async (subjects, events) => {
    const runs = new Map<string, { readonly learner: Learner; readonly processes: ReturnType<typeof createProcessTable> }>()
    for (const subject of subjects) {
      if (profileFits(profile, subject)) runs.set(subject.instance, { learner: createLearner(), processes: createProcessTable() })
    }
    if (runs.size === 0) {
      const there = [...new Set(subjects.map(({ workload }) => workload))].join(', ')
      throw new DayflyError('not_found', `ENV: no instance of ${name} is one that the profile is for`, {
        field: 'ENV',
        remedy: there === '' ? 'Name an environment that a sensor watched.' : `It has these workloads: ${there}.`,
      })
    }
    for await (const event of events) {
      const run = runs.get(event.instance)
      run?.learner.observe(event, run.processes.apply(event))
    }
    return [...runs.values()].reduce((merged, { learner }) => mergeRun(merged, learner.run), profile)
  })

const readProfile = async (path: string): Promise<Profile> => {
  const text = await readTextFile(path, '--into')
  try {
    return parseProfile(JSON.parse(text))
  } catch (error) {
    throw new DayflyError('invalid', `--into: ${path} is no profile: ${messageOf(error)}`, {
      field: '--into',
      remedy: 'Name a file that this command wrote.',
    })
  }
}

export const command: Command = {
  name: 'profile learn',
  takes: ['ENV...'],
  summary: 'Learn what a workload does from environments that have ended, or from bundles.',
  details: [
    'Each instance is a run. The profile is a JSON document: programs, ports, peers, written paths, capabilities. Among the rule files of the daemon (`rules` in its state folder) it tells of what is new, once it has enough runs.',
    'What `dayfly exec` has put in is not learnt. Look at what was learnt before you trust it: an intruder who was there is in it.',
  ],
  completion: 'environment',
  options: [
    { name: 'workload', value: 'NAME', repeats: true, help: 'Whose it is.', completion: 'workload' },
    {
      name: 'image',
      value: 'NAME',
      repeats: true,
      help: 'Of which image it is: a name or digest; * stands for any characters.',
      completion: 'image',
    },
    { name: 'name', value: 'NAME', help: 'What the profile is called. Default: the first workload or image.' },
    { name: 'minimum-runs', value: 'COUNT', help: 'Before so many runs it says nothing. Default: 3.' },
    { name: 'into', value: 'FILE', help: 'A profile that learns more, and is written again.', completion: 'file' },
    { name: 'output', short: 'o', value: 'FILE', help: 'Write it there. Default: standard output.', completion: 'file' },
  ],
  examples: [
    ['dayfly profile learn web --workload nginx -o nginx.json', 'the first run'],
    ['dayfly profile learn web --into nginx.json', 'one more'],
  ],
  run: async (context, args) => {
    const into = args.text('into')
    const [workloads, images] = [args.list('workload'), args.list('image')]
    if ((into === undefined) === (workloads.length + images.length === 0)) {
      throw new DayflyError('invalid', '--workload: say whose profile it is, or which one learns more by --into', {
        field: '--workload',
        remedy: 'Name a workload or an image, or a profile by --into; not both.',
      })
    }
    const match = given({ workloads: workloads.length > 0 ? [...workloads] : undefined, images: images.length > 0 ? [...images] : undefined })
    const name = args.text('name') ?? workloads[0] ?? images[0] ?? ''
    let profile = into === undefined ? emptyProfile(name, match, args.number('minimum-runs') ?? 3) : await readProfile(into)
    for (const each of args.positionals) profile = await learn(context, profile, each)
    const text = `${JSON.stringify(profile, null, 2)}\n`
    const output = args.text('output') ?? into
    if (output === undefined) context.write(text)
    else writeTextFile(output, text, args.has('output') ? '--output' : '--into')
    return 0
  },
}
