import { DayflyError } from '../../../base/errors.ts'
import type { RuleCase, RuleCaseResult } from '../../../detect/cases.ts'
import { readRuleCases, runRuleCases } from '../../../detect/cases.ts'
import type { RuleFile } from '../../../detect/create.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable } from '../output.ts'
import { aloneOption, readRuleFiles } from '../rules.ts'

const textOf = (results: readonly RuleCaseResult[], paint: Paint): string => {
  const lines = results.flatMap(({ suite, name, file, failures }) => [
    `${failures.length === 0 ? paint('green', 'ok    ') : paint('red', 'not ok')}  ${printable(`${suite}: ${name}`)}`,
    ...failures.map(failure => `  ${printable(`${file}: ${failure}`)}`),
  ])
  const failed = results.filter(({ failures }) => failures.length > 0).length
  return `${[...lines, `${results.length - failed} of ${results.length} cases are as expected`].join('\n')}\n`
}

export const command: Command = {
  name: 'rules test',
  takes: ['FILE...'],
  summary: 'Run the cases of rule files: events, and what is to be said of them.',
  details: [
    'Documents of kind RuleTest hold the cases, in files of their own beside the rules; docs/rules.md shows one. All rules that speak must be expected, and no other.',
    'Exit code 0: all are as expected. 1: one is not. 2: bad input.',
  ],
  completion: 'file',
  options: [aloneOption],
  examples: [['dayfly rules test rules/ --alone', "what one's own rules say"]],
  run: async (context, args) => {
    const rules: RuleFile[] = []
    const cases: RuleCase[] = []
    for (const file of await readRuleFiles(args)) {
      const own = readRuleCases(file)
      if (own === undefined) rules.push(file)
      else cases.push(...own)
    }
    if (cases.length === 0) {
      throw new DayflyError('invalid', `FILE: there is no case in ${args.positionals.join(', ')}`, {
        field: 'FILE',
        remedy: 'Write a document of apiVersion dayfly.dev/v1 and kind RuleTest; docs/rules.md shows one.',
      })
    }
    const results = runRuleCases(cases, { dayfly: !args.flag('alone'), files: rules })
    if (context.json) {
      const told = results.map(result => ({ ...result, passed: result.failures.length === 0 }))
      context.write(`${JSON.stringify({ schemaVersion: 1, cases: told }, null, 2)}\n`)
    } else context.write(textOf(results, painter(context.colour)))
    return results.some(({ failures }) => failures.length > 0) ? 1 : 0
  },
}
