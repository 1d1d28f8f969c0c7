/** Patterns that lines of logs are compared with: RE2's, so that no pattern takes longer than the line is long. */
import RE2 from 're2'
import { DayflyError, messageOf } from '../../base/errors.ts'

const longest = 1024

/** Whether a line has what the pattern means. Throws `invalid` with field `grep`. */
export const linePattern = (pattern: string): ((line: Uint8Array) => boolean) => {
  const remedy = 'See https://github.com/google/re2/wiki/Syntax: there are no back references and no look-around.'
  if (pattern.length > longest) {
    throw new DayflyError('invalid', `grep: a pattern is at most ${longest} characters long`, { field: 'grep', remedy: 'Look for less.' })
  }
  const regex = (() => {
    try {
      return new RE2(pattern, 'u')
    } catch (error) {
      throw new DayflyError('invalid', `grep: the pattern is not RE2's: ${messageOf(error)}`, { field: 'grep', remedy })
    }
  })()
  return line => regex.test(Buffer.from(line.buffer, line.byteOffset, line.length))
}
