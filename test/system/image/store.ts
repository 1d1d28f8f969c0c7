/** A store in a temporary folder, and what is left in it. */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openImageStore } from '../../../src/host/image/open.ts'
import type { ImageStore, ImageStoreOptions } from '../../../src/host/image/store.ts'
import { unpackBinary } from './unpacker.ts'

export interface Place extends Disposable {
  readonly folder: string
  /** Of the store. */
  readonly images: string
  open(options?: Partial<ImageStoreOptions>): Promise<ImageStore>
  /** Names in a folder of the store. */
  names(part: string): string[]
  /** An unpacker that notes each start, and how often it was started. */
  readonly countingUnpacker: string
  unpackings(): number
}

export const createPlace = (): Place => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-images-'))
  const images = join(folder, 'images')
  const countingUnpacker = join(folder, 'unpack')
  const log = join(folder, 'unpackings')
  writeFileSync(countingUnpacker, `#!/bin/sh\necho started >> ${log}\nexec ${unpackBinary} "$@"\n`)
  chmodSync(countingUnpacker, 0o755)
  return {
    folder,
    images,
    countingUnpacker,
    open: (options = {}) => openImageStore({ folder: images, unpackBinary: countingUnpacker, ...options }),
    names: part => readdirSync(join(images, part)).sort(),
    unpackings: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
