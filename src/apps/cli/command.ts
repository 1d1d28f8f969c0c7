/** What a command is. Its module is loaded only when it runs, for every module loaded is time that a user waits. */
import type { Client } from '../../api/client/client.ts'
import type { Arguments } from './arguments.ts'
import type { Completion, Option } from './option.ts'

export interface Command {
  /** After `dayfly`, e.g. `run` or `image pull`. */
  readonly name: string
  /** Its positionals, e.g. `['IMAGE', 'COMMAND...']`; with `...` one or more, in brackets none or more. */
  readonly takes: readonly string[]
  readonly summary: string
  /** Further paragraphs of its help. */
  readonly details?: readonly string[]
  readonly options: readonly Option[]
  readonly examples: readonly (readonly [command: string, does: string])[]
  /** What starts with the first positional belongs to another program. */
  readonly passesOn?: boolean
  readonly completion?: Completion
  /** It says itself what happens when nobody reads its output any more. Otherwise that ends it, as it ends any program. */
  readonly minds?: 'broken pipes'
  /** Returns the exit code. */
  run(context: Context, args: Arguments): Promise<number>
}

export interface CommandSummary {
  readonly name: string
  readonly summary: string
  readonly hidden?: boolean
  load(): Promise<{ readonly command: Command }>
}

export interface Context {
  readonly stateDir: string
  readonly runDir: string
  readonly json: boolean
  readonly colour: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly client: Client
  readonly commands: readonly CommandSummary[]
  /** To standard output, as it is. */
  write(text: string): void
  /** One line to people, on standard error. */
  say(line: string): void
}

/** How a command is shown to be used, e.g. `dayfly run --help`. */
export const helpOf = (name: string): string => `dayfly ${name === '' ? '' : `${name} `}--help`
