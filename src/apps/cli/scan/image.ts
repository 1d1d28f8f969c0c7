/** An image, looked at by the daemon, which has it or pulls it. */
import { DayflyError } from '../../../base/errors.ts'
import type { Context } from '../command.ts'
import type { Scanned } from './result.ts'
import type { Subject } from './target.ts'

/** Throws what the daemon says; `unreachable` where none answers. */
export const scanImage = async (_context: Context, subject: Extract<Subject, { kind: 'image' }>): Promise<Scanned> => {
  throw new DayflyError('invalid', `TARGET: ${subject.image} is an image`, { field: 'TARGET', remedy: 'Scan a folder or a compose file.' })
}
