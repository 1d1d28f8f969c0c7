/** What a runtime says when it cannot create a container, as the error that the user gets. */
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

/** A NativeError of `create` or `exec` becomes `command_not_found` or `command_not_executable` where that is what it says, `host` otherwise. */
export const refusal = (error: unknown, command: string): unknown => {
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
  return new DayflyError('host', `the container could not be created: ${error.message}`, { cause: error })
}
