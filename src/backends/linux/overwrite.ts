import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'

/**
 * Writes a short text (less than a page) over what a file holds, in one call. Where the run folder is on a disk this takes 5 µs; emptying a file first, or
 * making a new one and naming it, takes 300: ext4 then allocates its blocks at once.
 */
export const overwrite = (file: string, text: string): void => {
  const fd = openSync(file, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    const bytes = Buffer.from(text)
    writeSync(fd, bytes)
    if (fstatSync(fd).size > bytes.length) ftruncateSync(fd, bytes.length)
  } finally {
    closeSync(fd)
  }
}
