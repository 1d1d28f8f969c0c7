import type { Explanation } from '../../../policy/explain.ts'
import { explain } from '../../../policy/explain.ts'
import { createExemptions } from '../../../policy/presets/exemptions.ts'
import type { Command } from '../command.ts'
import { assembleFor, policyOptions, readSubjects, versionOption } from '../manifests/read.ts'
import type { AdmissionSubject } from '../manifests/subject.ts'
import type { Paint } from '../output.ts'
import { painter, printable } from '../output.ts'

interface Explained {
  readonly subject: AdmissionSubject
  readonly explanations: readonly Explanation[]
}

const indented = (text: string, by: string): string =>
  text
    .trim()
    .split('\n')
    .map(line => `${by}${printable(line)}`)
    .join('\n')

const longestValue = 200
const short = (text: string): string => (text.length > longestValue ? `${text.slice(0, longestValue)}…` : text)

const textOf = ({ subject, explanations }: Explained, paint: Paint): string[] => {
  const { name, file, line, refused } = subject
  const head = paint('bold', printable(`${name}  ${file}:${line}`))
  if (refused.length > 0) return [head, ...refused.map(({ field, message }) => `  deny  compose: ${printable(`${field ?? ''}: ${message}`)}`)]
  if (explanations.length === 0) return [head, '  nothing has anything against it']
  return [
    head,
    ...explanations.flatMap(({ action, objection, expression, binding, seen }) => {
      const { policy, rule, message, field, exemption } = objection
      const at = field === undefined ? '' : ` at ${field} (line ${subject.lineOf(field)})`
      return [
        `  ${paint(action === 'deny' ? 'red' : 'yellow', action)}  ${printable(`${policy}/${rule}${binding === undefined ? '' : ` by the binding ${binding}`}: ${message}${at}`)}`,
        ...(exemption === undefined ? [] : [`    exempted by ${printable(exemption)}: recorded only`]),
        ...(expression === undefined ? [] : [indented(expression, '    ')]),
        ...seen.map(part => indented(`${part.expression.replaceAll(/\s+/g, ' ')} is ${short(part.value)}`, '      ')),
      ]
    }),
  ]
}

export const command: Command = {
  name: 'policy explain',
  takes: ['FILE...'],
  summary: 'Say which clauses decide about manifests and compose files, and the values they saw.',
  details: [
    'Documents are read as by dayfly admit. All that is said of one is shown, what an exemption covers too. Exit code 0, whatever was decided.',
  ],
  completion: 'file',
  options: [...policyOptions, versionOption],
  examples: [['dayfly policy explain --policy policies/ pod.yaml', 'why it is denied']],
  run: async (context, args) => {
    const now = Date.now()
    const assembly = await assembleFor(args, { looking: false, now })
    const subjects = await readSubjects(context, args.positionals, now)
    const exemptions = createExemptions(assembly.exemptions)
    const { files: documents, builtIns } = assembly
    const explained = subjects.map(
      (subject): Explained => ({ subject, explanations: subject.requests.flatMap(request => explain({ documents, builtIns, exemptions }, request)) }),
    )
    if (context.json) {
      const found = explained.map(({ subject: { file, line, name, refused }, explanations }) => ({ file, line, name, refused, explanations }))
      context.write(`${JSON.stringify({ schemaVersion: 1, documents: found }, null, 2)}\n`)
    } else context.write(`${explained.map(each => textOf(each, painter(context.colour)).join('\n')).join('\n\n')}\n`)
    return 0
  },
}
