import { readVersion } from '../../../base/version.ts'
import type { Command, Context } from '../command.ts'
import { formatOf } from '../format.ts'
import type { Verdict } from '../manifests/judge.ts'
import { judge, verdictDocument, verdictJunit, verdictSarif, verdictText } from '../manifests/judge.ts'
import { assembleFor, policyOptions, readSubjects, versionOption } from '../manifests/read.ts'
import { painter } from '../output.ts'
import { gitleaksOption, readGitleaks } from '../scan/gitleaks.ts'
import { deliver } from '../scan/output.ts'

const formats = ['text', 'json', 'sarif', 'junit'] as const

interface Judgement {
  readonly verdicts: readonly Verdict[]
  readonly version: string
  readonly now: number
}

const render = (format: (typeof formats)[number], { verdicts, version, now }: Judgement, context: Context, output: string | undefined): string => {
  if (format === 'text') return verdictText(verdicts, painter(context.colour && output === undefined))
  if (format === 'junit') return verdictJunit(verdicts)
  return `${JSON.stringify(format === 'json' ? verdictDocument(verdicts, version) : verdictSarif(verdicts, readVersion(), now), null, 2)}\n`
}

export const command: Command = {
  name: 'admit',
  takes: ['FILE...'],
  summary: 'Judge manifests and compose files by policy, as at their start.',
  details: [
    'FILE is Kubernetes manifests (several documents, lists, YAML or JSON), a compose file, a folder of them, or - for standard input. Each document, and each service, gets a verdict. No daemon and no cluster is asked; images are judged by their names alone.',
    'Exit code 0: all are allowed. 1: one is denied. 2: bad input.',
  ],
  completion: 'file',
  options: [
    ...policyOptions,
    versionOption,
    gitleaksOption,
    { name: 'format', value: 'FORMAT', help: `${formats.join(', ')}. Default: text.`, completion: formats },
    { name: 'output', short: 'o', value: 'FILE', help: 'Write it there.', completion: 'file' },
    { name: 'quiet', short: 'q', help: 'Print nothing: only the exit code and --output.' },
  ],
  examples: [
    ['dayfly admit --preset restricted deploy/', 'would they run where the restricted standard holds'],
    ['helm template . | dayfly admit --policy policies -', 'what a chart comes to, by your own policies'],
    ['dayfly admit compose.yaml --format sarif -o admit.sarif', 'for code scanning'],
  ],
  run: async (context, args) => {
    const now = Date.now()
    const format = formatOf(args, context.json, formats)
    const assembly = await assembleFor(args, { looking: false, now })
    const gitleaks = await readGitleaks(args.list('gitleaks'), context.say)
    const subjects = await readSubjects(context, args.positionals, now, gitleaks)
    for (const note of assembly.notes) context.say(`dayfly: ${note}`)
    await using policies = assembly.enforce()
    const verdicts: Verdict[] = []
    for (const subject of subjects) verdicts.push(await judge(subject, policies))
    const output = args.text('output')
    if (output !== undefined || !args.flag('quiet'))
      await deliver(context, output, render(format, { verdicts, version: policies.version, now }, context, output))
    return verdicts.some(({ verdict }) => verdict === 'denied') ? 1 : 0
  },
}
