import type { Command } from '../command.ts'
import { assembleFor, policyOptions, versionOption } from '../manifests/read.ts'
import { rulesInForce } from '../manifests/summary.ts'
import { painter, printable, table, timestamp } from '../output.ts'

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
    const assembly = await assembleFor(args, { looking: true, now: Date.now() })
    const rules = rulesInForce(assembly)
    if (context.json) {
      context.write(`${JSON.stringify({ rules, settings: assembly.settings, exemptions: assembly.exemptions, notes: assembly.notes }, null, 2)}\n`)
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
    return 0
  },
}
