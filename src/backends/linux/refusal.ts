/** What a runtime says when it refuses a container or a command, as the error that the user gets. */
import { DayflyError } from '../../base/errors.ts'
import { NativeError } from '../../host/native/channel.ts'

const causes = [
  {
    says: /not found in \$PATH|executable file .* not found|error finding executable|no such file or directory/i,
    code: 'command_not_found',
    what: 'is not in the image',
  },
  {
    says: /(permission denied|operation not permitted|is a directory|exec format error)/i,
    code: 'command_not_executable',
    what: 'cannot be executed',
  },
] as const

/** What a monitor says whose container has ended, or a socket that no monitor listens on any more. */
const ended = new Set(['ESRCH', 'ENOENT', 'ECONNREFUSED', 'EPIPE'])

const mentionsCommand = (message: string, command: string): boolean => message.includes(command) || /exec(utable)?\b/i.test(message)

/**
 * A NativeError of `create`, `start` or `exec` becomes `command_not_found` or `command_not_executable` where that is what it says, `wrong_state` when there
 * was nobody to do it, and otherwise `host`, its message beginning with `attempt`: "the container could not be created".
 */
export const refusal = (error: unknown, command: string, attempt: string): unknown => {
  if (!(error instanceof NativeError)) return error
  if (ended.has(error.errno)) return new DayflyError('wrong_state', `it has ended: ${error.message}`, { cause: error })
  const found = causes.find(({ says }) => says.test(error.message) && mentionsCommand(error.message, command))
  if (found !== undefined) {
    return new DayflyError(found.code, `the command "${command}" ${found.what}`, {
      field: 'command',
      remedy: 'Check its spelling and path; `dayfly image inspect` shows what the image runs by itself.',
      cause: error,
    })
  }
  return new DayflyError('host', `${attempt}: ${error.message}`, { cause: error })
}
