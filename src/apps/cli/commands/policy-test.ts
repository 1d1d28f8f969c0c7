import { DayflyError } from '../../../base/errors.ts'
import type { Assembly } from '../../../policy/assemble.ts'
import type { CaseResult } from '../../../policy/cases/cases.ts'
import { readCases, runCases } from '../../../policy/cases/cases.ts'
import { junit } from '../../../policy/cases/junit.ts'
import type { Policies } from '../../../policy/decision.ts'
import { createPolicies } from '../../../policy/policies.ts'
import { createExemptions } from '../../../policy/presets/exemptions.ts'
import type { Command } from '../command.ts'
import { formatOf } from '../format.ts'
import { assembleFor, policyOptions, readPolicyFiles, versionOption } from '../manifests/read.ts'
import type { Paint } from '../output.ts'
import { painter, printable } from '../output.ts'
import { deliver } from '../scan/output.ts'

const formats = ['text', 'json', 'junit'] as const

/** The files alone, where nobody has said which built-in policies are in force: a test of one's own rule is not about others. */
const enforced = (assembly: Assembly): Policies =>
  assembly.chosen ? assembly.enforce() : createPolicies({ documents: assembly.files, exemptions: createExemptions(assembly.exemptions) })

const textOf = (results: readonly CaseResult[], paint: Paint): string => {
  const lines = results.flatMap(({ suite, name, file, line, failures }) => [
    `${failures.length === 0 ? paint('green', 'ok    ') : paint('red', 'not ok')}  ${printable(`${suite}: ${name}`)}`,
    ...failures.map(failure => `  ${printable(`${file}:${line}: ${failure}`)}`),
  ])
  const failed = results.filter(({ failures }) => failures.length > 0).length
  return `${[...lines, `${results.length - failed} of ${results.length} cases are as expected`].join('\n')}\n`
}

export const command: Command = {
  name: 'policy test',
  takes: ['PATH...'],
  summary: 'Run the cases of policy files: a request, and what is expected of it.',
  details: [
    'Documents of kind PolicyTest hold the cases; they may lie beside the policies, or in files of their own with --policy naming the policies. Built-in policies take part when --preset or a document of kind AdmissionSettings says which.',
    'Exit code 0: all are as expected. 1: one is not. 2: bad input.',
  ],
  completion: 'file',
  options: [
    ...policyOptions,
    versionOption,
    { name: 'format', value: 'FORMAT', help: `${formats.join(', ')}. Default: text.`, completion: formats },
    { name: 'output', short: 'o', value: 'FILE', help: 'Write it there.', completion: 'file' },
  ],
  examples: [['dayfly policy test policies/ --format junit -o report.xml', 'for a CI server']],
  run: async (context, args) => {
    const now = Date.now()
    const format = formatOf(args, context.json, formats)
    const files = await readPolicyFiles(args.positionals, 'PATH')
    // Rules about what is in images take part for the cases that say what that is.
    const [looking, names] = [
      await assembleFor(args, { looking: true, now, more: files }),
      await assembleFor(args, { looking: false, now, more: files }),
    ]
    const cases = looking.tests.flatMap(document => readCases(document, now))
    if (cases.length === 0) {
      throw new DayflyError('invalid', `PATH: there is no case in ${args.positionals.join(', ')}`, {
        field: 'PATH',
        remedy: 'Write a document of apiVersion dayfly.dev/v1 and kind PolicyTest; docs/policy-files.md shows one.',
      })
    }
    await using withImages = enforced(looking)
    await using withoutImages = enforced(names)
    const results = await runCases(cases, request => (Object.keys(request.images).length > 0 ? withImages : withoutImages).decide(request))
    const output = args.text('output')
    const text =
      format === 'junit'
        ? junit(results)
        : format === 'json'
          ? `${JSON.stringify({ schemaVersion: 1, cases: results.map(({ milliseconds: _, ...result }) => ({ ...result, passed: result.failures.length === 0 })) }, null, 2)}\n`
          : textOf(results, painter(context.colour && output === undefined))
    await deliver(context, output, text)
    return results.some(({ failures }) => failures.length > 0) ? 1 : 0
  },
}
