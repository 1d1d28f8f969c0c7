import { DayflyError } from '../../base/errors.ts'

/** How a shell reports a program that wrote into a pipe which nobody reads. */
export const brokenPipe = 141

/** What a failed write to standard output means: an exit code where nobody reads it any more, else an error `host`. */
export const outputFailure = (error: NodeJS.ErrnoException, remedy: string): number | DayflyError =>
  error.code === 'EPIPE' ? brokenPipe : new DayflyError('host', `standard output cannot be written to: ${error.message}`, { remedy, cause: error })
