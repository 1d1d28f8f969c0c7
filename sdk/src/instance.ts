/** What can be done in one instance. */
import type { Api } from './api.ts'
import type { Commands } from './commands.ts'
import { createCommands } from './commands.ts'
import type { Files } from './files.ts'
import { createFiles } from './files.ts'
import type { Pty } from './pty.ts'
import { createPty } from './pty.ts'

export interface Inside {
  readonly commands: Commands
  readonly files: Files
  readonly pty: Pty
}

/**
 * `instance` is asked anew each time: what is kept running may be another instance by then.
 *
 * @internal
 */
export const insideOf = (api: Api, instance: () => Promise<string>): Inside => ({
  commands: createCommands(api, instance),
  files: createFiles(api, instance),
  pty: createPty(api, instance),
})
