/** Secrets of targets: read when they are needed, so that one that is replaced counts from then on. */
import { open } from 'node:fs/promises'
import { messageOf } from '../base/errors.ts'
import { DeliveryError } from './delivery.ts'

const longest = 64 * 1024

/** Without blanks and line ends around it. Rejects with DeliveryError, also when all users of the host may read it. */
export const readSecret = async (path: string): Promise<string> => {
  try {
    await using file = await open(path)
    const { mode, size } = await file.stat()
    if ((mode & 0o007) !== 0) throw new DeliveryError(`${path} can be read or written by every user: chmod o-rwx ${path}`)
    if (size > longest) throw new DeliveryError(`${path} is larger than ${longest} bytes`)
    const text = (await file.readFile('utf8')).trim()
    if (text === '') throw new DeliveryError(`${path} is empty`)
    return text
  } catch (error) {
    throw error instanceof DeliveryError ? error : new DeliveryError(`${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}
