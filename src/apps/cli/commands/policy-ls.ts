import type { DetectionRules } from '../../../detect/settings/read.ts'
import { readDetectionRules } from '../../../detect/settings/read.ts'
import type { DetectionMatch } from '../../../detect/settings/responses.ts'
import { rulesInForce } from '../../../policy/summary.ts'
import type { Command } from '../command.ts'
import { assembleFor, policyOptions, versionOption } from '../manifests/read.ts'
import type { Paint } from '../output.ts'
import { painter, printable, table, timestamp } from '../output.ts'

const matchOf = (match: DetectionMatch): string =>
  Object.entries(match)
    .map(([name, value]) => `${name} ${[value].flat().join('|')}`)
    .join(', ') || 'everything'

const responsesTable = ({ settings: { mode, responses } }: DetectionRules, paint: Paint): string => {
  const rows = responses.map(({ match, actions, forensics, notify }) =>
    [
      matchOf(match),
      [...(forensics ? ['forensics'] : []), ...actions].join(', '),
      notify?.join(', ') ?? (actions.includes('alert') ? 'all' : '-'),
    ].map(printable),
  )
  return table(['DETECTION OF', mode === 'audit' ? 'WOULD DO' : 'DOES', 'TELLS'], rows, paint)
}

export const command: Command = {
  name: 'policy ls',
  takes: [],
  summary: 'List all rules that are in force, and exemptions from them.',
  details: ['Those of the files and preset that are named here; without any, those of the preset standard. No daemon is asked.'],
  options: [...policyOptions, versionOption],
  examples: [
    ['dayfly policy ls --preset strict', 'what a preset stands for'],
    ['dayfly policy ls --policy policies/', 'what holds with these files'],
  ],
  run: async (context, args) => {
    const now = Date.now()
    const assembly = await assembleFor(args, { looking: true, now })
    const detection = readDetectionRules(assembly.detection, now)
    const rules = rulesInForce(assembly)
    if (context.json) {
      context.write(
        `${JSON.stringify({ rules, settings: assembly.settings, exemptions: assembly.exemptions, detection, notes: assembly.notes }, null, 2)}\n`,
      )
      return 0
    }
    for (const note of assembly.notes) context.say(`dayfly: ${note}`)
    const paint = painter(context.colour)
    const rows = rules.map(({ policy, rule, summary, actions }) => [policy, rule, actions.join(', ').toLowerCase(), summary].map(printable))
    context.write(table(['POLICY', 'RULE', 'ACTION', 'WHAT IT ASKS FOR'], rows, paint))
    if (assembly.exemptions.length > 0) {
      const exempted = assembly.exemptions.map(({ metadata, spec }) =>
        [metadata.name, spec.policies.join(', '), timestamp(spec.until), spec.owner, spec.reason].map(printable),
      )
      context.write(`\n${table(['EXEMPTION', 'FROM', 'UNTIL', 'OWNER', 'REASON'], exempted, paint)}`)
    }
    // Whoever has written nothing about it need not read what follows then.
    if (detection.chosen) context.write(`\n${responsesTable(detection, paint)}`)
    if (detection.exemptions.length > 0) {
      const exempted = detection.exemptions.map(({ metadata, spec }) =>
        [metadata.name, spec.rules.join(', '), timestamp(spec.until), spec.owner, spec.reason].map(printable),
      )
      context.write(`\n${table(['DETECTION EXEMPTION', 'FROM', 'UNTIL', 'OWNER', 'REASON'], exempted, paint)}`)
    }
    return 0
  },
}
