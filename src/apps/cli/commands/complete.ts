import { candidatesOf, given, positional } from '../candidates.ts'
import type { Command, CommandSummary, Context } from '../command.ts'
import type { Option } from '../option.ts'
import { globalOptions } from '../option.ts'

const optionWords = (options: readonly Option[]): string[] =>
  options.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])])

/** The command whose name these words begin with, and how many words that takes. */
const commandOf = (commands: readonly CommandSummary[], words: readonly string[]): { summary: CommandSummary; length: number } | undefined => {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ')
    const summary = words.length >= length ? commands.find(command => command.name === name && command.hidden !== true) : undefined
    if (summary !== undefined) return { summary, length }
  }
  return undefined
}

const candidates = async (context: Context, before: readonly string[], current: string): Promise<readonly string[]> => {
  const found = commandOf(context.commands, before)
  if (found === undefined) {
    const prefix = before.length === 0 ? '' : `${before.join(' ')} `
    const names = context.commands
      .filter(({ name, hidden }) => hidden !== true && name.startsWith(prefix))
      .map(({ name }) => name.slice(prefix.length).split(' ')[0] ?? '')
    return current.startsWith('-') ? optionWords(globalOptions) : [...new Set(names)]
  }
  const { command } = await found.summary.load()
  const options = [...command.options, ...globalOptions]
  const last = before.at(-1) ?? ''
  const waiting = options.find(({ name, short, value }) => value !== undefined && (last === `--${name}` || last === `-${short}`))
  const words = before.slice(found.length)
  const args = given(command, waiting === undefined ? words : words.slice(0, -1))
  // The words of another program are its own affair.
  if (args === undefined || (command.passesOn === true && args.positionals.length > 0)) return []
  if (waiting !== undefined) return await candidatesOf(context, waiting.completion, args)
  if (current.startsWith('-')) return optionWords(options)
  const said = new Set(args.positionals)
  return (await candidatesOf(context, positional(command, args), args)).filter(word => !said.has(word))
}

export const command: Command = {
  name: '__complete',
  takes: ['[WORD...]'],
  summary: 'Print what the last word may become, one a line.',
  passesOn: true,
  options: [],
  examples: [],
  run: async (context, args) => {
    const current = args.positionals.at(-1) ?? ''
    const all = await candidates(context, args.positionals.slice(0, -1), current)
    context.write(
      all
        .filter(word => word.startsWith(current))
        .map(word => `${word}\n`)
        .join(''),
    )
    return 0
  },
}
