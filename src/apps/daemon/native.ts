import { resolve } from 'node:path'

/** Folder of the native programs. */
export const nativeDir = resolve(import.meta.dirname, '../../../native/build')
