/** A file read in windows: a zip of a hundred thousand small records is read in its order, and each would cost several calls of its own. */
import type { FileHandle } from 'node:fs/promises'
import { RandomAccessReader } from 'yauzl'
import { DayflyError } from '../../base/errors.ts'

const windowLength = 1024 * 1024
/** The directory and the records are read in turns. */
const mostWindows = 2

interface Window {
  readonly start: number
  readonly bytes: Buffer
}

/** Reads `file`, which stays the caller's to close. Windows are not shared: what is given out stays as it is. */
export class WindowReader extends RandomAccessReader {
  readonly #file: FileHandle
  /** The one used last comes first. */
  #windows: readonly Window[] = []

  constructor(file: FileHandle) {
    super()
    this.#file = file
  }

  async #fill(start: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length)
    let filled = 0
    while (filled < length) {
      const { bytesRead } = await this.#file.read(bytes, filled, length - filled, start + filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    return bytes.subarray(0, filled)
  }

  /** Exactly these bytes, which must not be written to. Throws `corrupt` where the file has fewer. */
  async bytes(start: number, length: number): Promise<Buffer> {
    const known = this.#windows.find(window => start >= window.start && start + length <= window.start + window.bytes.length)
    const window = known ?? { start, bytes: await this.#fill(start, Math.max(length, windowLength)) }
    if (window !== this.#windows[0]) this.#windows = [window, ...this.#windows.filter(other => other !== window)].slice(0, mostWindows)
    const found = window.bytes.subarray(start - window.start, start - window.start + length)
    if (found.length < length) throw new DayflyError('corrupt', 'it ends too early')
    return found
  }

  override read(buffer: Buffer, offset: number, length: number, position: number, done: (error: Error | null) => void): void {
    this.bytes(position, length).then(
      found => {
        found.copy(buffer, offset)
        done(null)
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
    )
  }
}
