/** Compose files in memory, for tests. */
import { posix } from 'node:path'
import type { Sources } from '../../src/compose/sources.ts'

/** Files by their absolute paths; `links` are symbolic links by theirs. What does not exist is not there, as on a disk. */
export const memorySources = (files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): Sources => {
  const realpath = (path: string): string => {
    let real = '/'
    for (const part of posix.normalize(path).split('/')) {
      real = posix.join(real, part)
      const target = links[real]
      if (target !== undefined) real = realpath(posix.resolve(posix.dirname(real), target))
    }
    return real
  }
  const kind = (path: string): 'file' | 'folder' | 'other' | undefined => {
    const real = realpath(path)
    if (Object.hasOwn(files, real)) return 'file'
    if (real.endsWith('.sock')) return 'other'
    return Object.keys(files).some(name => name.startsWith(real === '/' ? '/' : `${real}/`)) ? 'folder' : undefined
  }
  return {
    read: async path => {
      const text = files[realpath(path)]
      if (text === undefined) throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
      return text
    },
    kind: async path => kind(path),
    realpath: async path => realpath(path),
  }
}
