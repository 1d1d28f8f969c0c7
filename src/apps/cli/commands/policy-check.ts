import { readDetectionRules } from '../../../detect/settings/read.ts'
import { assemble } from '../../../policy/assemble.ts'
import { readCases } from '../../../policy/cases/cases.ts'
import type { Command } from '../command.ts'
import { readPolicyFiles } from '../manifests/read.ts'

const counted = (count: number, one: string, several: string): string => `${count} ${count === 1 ? one : several}`

export const command: Command = {
  name: 'policy check',
  takes: ['PATH...'],
  summary: 'Load policy files and check the types of their expressions.',
  details: [
    'Everything that is wrong is told at once, each with file and line, expressions with the place in them. Exit code 0: they can be used. 2: they cannot.',
  ],
  completion: 'file',
  options: [],
  examples: [['dayfly policy check policies/', 'before the daemon or a cluster gets them']],
  run: async (context, args) => {
    const now = Date.now()
    const files = await readPolicyFiles(args.positionals, 'PATH')
    const { files: set, exemptions, tests, notes, detection: documents } = assemble(files, { preset: undefined, looking: true, now })
    const detection = readDetectionRules(documents, now)
    const cases = tests.flatMap(document => readCases(document, now))
    if (context.json) {
      const { policies, bindings } = set
      context.write(
        `${JSON.stringify({ files: files.length, policies: policies.length, bindings: bindings.length, exemptions: exemptions.length, detectionSettings: detection.chosen ? 1 : 0, detectionExemptions: detection.exemptions.length, cases: cases.length, notes })}\n`,
      )
      return 0
    }
    for (const note of notes) context.say(`dayfly: ${note}`)
    const parts = [
      counted(set.policies.length, 'policy', 'policies'),
      counted(set.bindings.length, 'binding', 'bindings'),
      counted(exemptions.length, 'exemption', 'exemptions'),
      ...(detection.chosen ? ['settings of detection'] : []),
      ...(detection.exemptions.length > 0 ? [counted(detection.exemptions.length, 'exemption from detection', 'exemptions from detection')] : []),
      counted(cases.length, 'test case', 'test cases'),
    ]
    context.write(`${counted(files.length, 'file', 'files')}: ${parts.join(', ')}; nothing is wrong\n`)
    return 0
  },
}
