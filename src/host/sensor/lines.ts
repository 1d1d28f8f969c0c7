/** Cuts the sensor's output into lines and reads them. A chunk's lines come as one batch: one call per chunk, not per event. */
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Line } from './protocol.ts'

/** Longer than any line that a sensor writes. */
const maximumLine = 1024 * 1024

/**
 * Returns the function that takes the stream's chunks. It throws `host` for a line that is too long or no JSON object with a `type`: the stream cannot be followed any
 * further. Events are trusted beyond that: they come from a program of the same build, and there may be tens of thousands a second.
 */
export const createLineReader = (onLines: (lines: readonly Line[]) => void): ((chunk: Buffer) => void) => {
  let rest: Buffer[] = []
  let restLength = 0
  return chunk => {
    const end = chunk.lastIndexOf(10)
    if (end === -1) {
      rest.push(chunk)
      restLength += chunk.length
      if (restLength > maximumLine) throw new DayflyError('host', `a line of more than ${maximumLine} bytes`)
      return
    }
    const whole = restLength === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)])
    rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
    restLength = chunk.length - end - 1
    const lines: Line[] = []
    for (const text of whole.toString('utf8').split('\n')) if (text !== '') lines.push(parse(text))
    onLines(lines)
  }
}

const parse = (text: string): Line => {
  let value: Line
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new DayflyError('host', `a line that is no JSON (${messageOf(error)}): ${text.slice(0, 80)}`, { cause: error })
  }
  if (typeof value !== 'object' || value === null || typeof value.type !== 'string')
    throw new DayflyError('host', `a line without a type: ${text.slice(0, 80)}`)
  return value
}
