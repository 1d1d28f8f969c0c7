import { DayflyError, messageOf } from '../../../base/errors.ts'
import { behaviourKinds } from '../../../detect/profile/behaviour.ts'
import type { Profile } from '../../../detect/profile/profile.ts'
import { parseProfile } from '../../../detect/profile/profile.ts'
import type { Command } from '../command.ts'
import { painter, printable } from '../output.ts'
import { readTextFile } from '../paths.ts'

const patterns = ({ spec: { match } }: Profile): string =>
  Object.entries(match)
    .map(([kind, values]) => `${kind} ${(values ?? []).join(', ')}`)
    .join('; ')

export const command: Command = {
  name: 'profile show',
  takes: ['FILE'],
  summary: 'Show what a profile has learnt.',
  completion: 'file',
  options: [],
  examples: [['dayfly profile show nginx.json', 'programs, ports, peers, files, capabilities']],
  run: async (context, args) => {
    const [path = ''] = args.positionals
    const text = await readTextFile(path, 'FILE')
    let profile: Profile
    try {
      profile = parseProfile(JSON.parse(text))
    } catch (error) {
      throw new DayflyError('invalid', `FILE: ${path} is no profile: ${messageOf(error)}`, {
        field: 'FILE',
        remedy: 'Name a file that `dayfly profile learn` wrote.',
      })
    }
    if (context.json) {
      context.write(`${JSON.stringify(profile)}\n`)
      return 0
    }
    const paint = painter(context.colour)
    const { runs, minimumRuns, open, priority } = profile.spec
    const state = runs < minimumRuns ? `says nothing before it has ${minimumRuns}` : `tells of what is new as ${priority}`
    context.write(`${printable(`${profile.metadata.name}: ${patterns(profile)}`)}\n${runs} runs: it ${state}\n`)
    for (const kind of behaviourKinds) {
      const values = open.includes(kind) ? ['too varied to be learnt'] : profile.spec[kind]
      context.write(`\n${paint('bold', kind)}\n${values.map(value => `  ${printable(value)}\n`).join('') || '  none\n'}`)
    }
    return 0
  },
}
