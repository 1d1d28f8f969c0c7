/** From the words of the command line to the one command that runs, and from what it throws to an exit code. */
import { createClient } from '../../api/client/client.ts'
import { placeIn } from '../../api/client/secure.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Arguments } from './arguments.ts'
import { checkPositionals, parseArguments } from './arguments.ts'
import type { Command, CommandSummary, Context } from './command.ts'
import { helpOf } from './command.ts'
import { commands } from './commands.ts'
import { dockerCommands } from './docker-words.ts'
import { tell } from './failure.ts'
import { globalOptions } from './option.ts'
import { outputFailure } from './output-failure.ts'
import { suggest } from './suggest.ts'

export const socketPath = (runDir: string): string => `${runDir}/dayfly.sock`

const unknownCommand = (word: string, known: readonly CommandSummary[]): DayflyError => {
  const names = known.filter(({ hidden }) => hidden !== true).map(({ name }) => name)
  const near = suggest(word, [...names, ...names.map(name => name.split(' ')[0] ?? name)])
  const same = dockerCommands.get(word) ?? (near === undefined ? undefined : `dayfly ${near}`)
  const meant = same === undefined ? '' : `Did you mean \`${same}\`? `
  return new DayflyError('invalid', `${word}: there is no such command`, { field: 'COMMAND', remedy: `${meant}\`dayfly help\` lists them.` })
}

/** The command that the words name, and the words that are left for it. Without one: the help that is shown instead. */
const find = (
  words: readonly string[],
): { global: Arguments; summary: CommandSummary; rest: readonly string[] } | { global: Arguments; group: string } => {
  const version = { name: 'version', help: '' }
  const global = parseArguments(words, { options: [...globalOptions, version], passesOn: true, helpCommand: helpOf('') })
  const [name, ...rest] = global.positionals
  if (global.flag('version')) return find(['version', ...words.filter(word => word !== '--version')])
  if (name === undefined) return { global, group: '' }
  const summary = commands.find(command => command.name === name)
  if (summary !== undefined) return { global, summary, rest }

  const members = commands.filter(command => command.name.startsWith(`${name} `))
  if (members.length === 0) throw unknownCommand(name, commands)
  const inner = parseArguments(rest, { options: globalOptions, passesOn: true, helpCommand: helpOf(name) })
  const [second, ...more] = inner.positionals
  if (second === undefined) return { global, group: name }
  const member = members.find(command => command.name === `${name} ${second}`)
  if (member === undefined) throw unknownCommand(`${name} ${second}`, members)
  return { global, summary: member, rest: [...rest.slice(0, rest.length - inner.positionals.length), ...more] }
}

const createContext = (global: Arguments, args: Arguments): Context => {
  const option = (name: string): string | undefined => args.text(name) ?? global.text(name)
  const runDir = option('run-dir') ?? process.env['DAYFLY_RUN_DIR'] ?? '/run/dayfly'
  const noColour = args.flag('no-color') || global.flag('no-color') || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb'
  return {
    runDir,
    stateDir: option('state-dir') ?? process.env['DAYFLY_STATE_DIR'] ?? '/var/lib/dayfly',
    json: args.flag('json') || global.flag('json'),
    colour: !noColour && process.stdout.isTTY === true,
    env: process.env,
    client: createClient(placeIn(process.env) ?? socketPath(runDir)),
    commands,
    write: text => void process.stdout.write(text),
    say: line => void process.stderr.write(`${line}\n`),
  }
}

const onColours = (): boolean => process.stderr.isTTY === true && (process.env['NO_COLOR'] ?? '') === ''

const endUnwritten =
  (json: boolean) =>
  (error: NodeJS.ErrnoException): void => {
    const failure = outputFailure(error, 'Free some space where it goes.')
    process.exit(typeof failure === 'number' ? failure : tell(failure, { json, colour: onColours() }))
  }

const runCommand = async (command: Command, global: Arguments, rest: readonly string[], onJson: (json: boolean) => void): Promise<number> => {
  const helpCommand = helpOf(command.name)
  const args = parseArguments(rest, { options: [...command.options, ...globalOptions], passesOn: command.passesOn === true, helpCommand })
  if (args.flag('help') || global.flag('help')) {
    const { commandHelp } = await import('./help.ts')
    process.stdout.write(commandHelp(command))
    return 0
  }
  onJson(args.flag('json') || global.flag('json'))
  checkPositionals(args.positionals, command.takes, helpCommand)
  if (command.minds !== 'broken pipes') process.stdout.on('error', endUnwritten(args.flag('json') || global.flag('json')))
  return await command.run(createContext(global, args), args)
}

/** Runs what the words ask for. Errors go to standard error; the result is the exit code. */
export const dispatch = async (words: readonly string[]): Promise<number> => {
  let json = words.includes('--json')
  process.stderr.on('error', () => {}) // Without a reader of messages there is nobody to tell it to.
  try {
    const found = find(words)
    if ('summary' in found) {
      const { command } = await found.summary.load()
      return await runCommand(command, found.global, found.rest, asked => {
        json = asked // Until here the words may hold another program's --json.
      })
    }
    const { overview } = await import('./help.ts')
    const members = found.group === '' ? commands : commands.filter(({ name }) => name.startsWith(`${found.group} `))
    const asked = found.global.flag('help') || words.includes('--help') || words.includes('-h')
    ;(asked ? process.stdout : process.stderr).write(overview(members, found.group))
    return asked ? 0 : 2
  } catch (error) {
    return tell(error, { json, colour: onColours() })
  }
}
