/** What a value of an option or a positional is, for completion. */
export type Completion =
  | ('environment' | 'instance' | 'image' | 'file' | 'command')
  /** Of the environment that the first positional names. */
  | 'workload'
  /** In the compose files; with `=` what comes before a value. */
  | ('service' | 'profile' | 'service=' | 'volume=' | 'secret=')
  | readonly string[]

export interface Option {
  /** Long name, without dashes. */
  readonly name: string
  readonly short?: string
  /** What help calls its value; without one it is a switch. */
  readonly value?: string
  readonly repeats?: boolean
  readonly help: string
  readonly completion?: Completion
}

export const globalOptions: readonly Option[] = [
  { name: 'json', help: 'Print JSON: one document, or one a line for what goes on.' },
  { name: 'no-color', help: 'No colours. So does NO_COLOR in the environment.' },
  { name: 'run-dir', value: 'FOLDER', help: "Folder of the daemon's socket. Default: $DAYFLY_RUN_DIR or /run/dayfly.", completion: 'file' },
  { name: 'state-dir', value: 'FOLDER', help: 'Folder of all durable state. Default: $DAYFLY_STATE_DIR or /var/lib/dayfly.', completion: 'file' },
  { name: 'help', short: 'h', help: 'Print this help.' },
]
