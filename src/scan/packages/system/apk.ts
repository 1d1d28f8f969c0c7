/** Alpine and what is built like it: apk's database of installed packages, text with a letter, a colon and a value in each line. */
import type { Distribution } from '../../../model/package.ts'
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from './collect.ts'
import { collecting, isWord, printable } from './collect.ts'
import { eachLine } from './lines.ts'
import { collectOwned, withOwned } from './owned-files.ts'
import { systemPurl } from './purl.ts'

/** apk-tools 3 keeps it in /usr. */
const paths: ReadonlySet<string> = new Set(['lib/apk/db/installed', 'usr/lib/apk/db/installed'])

/** Package, version, architecture, origin, license; others are of files, dependencies and sums. */
const wanted: ReadonlySet<number> = new Set([...'PVAoL'].map(letter => letter.charCodeAt(0)))
const longestValue = 1024
/** Bytes. */
const longestPath = 4096
/** A folder, and a file in the folder last named. */
const [folderLetter, fileLetter] = [0x46, 0x52]
/** Is no folder's name. */
const tooLong = '\0'

const addRecord = (fields: ReadonlyMap<string, string>, path: string, distribution: Distribution | undefined, collector: Collector): void => {
  const name = fields.get('P')
  const version = fields.get('V')
  if (!name || !version) {
    collector.problem(`has a record without ${name ? `a version: ${printable(name, 80)}` : 'a package name'}`)
    return
  }
  const architecture = fields.get('A')
  const origin = fields.get('o')
  const source = { name: origin && isWord(origin) ? origin : name, version }
  const license = printable(fields.get('L') ?? '', longestValue)
  collector.add({
    type: 'apk',
    name,
    version,
    purl: systemPurl('apk', name, version, distribution, { arch: architecture, upstream: source.name === name ? undefined : source.name }),
    source,
    ...(architecture && isWord(architecture) && { architecture }),
    licenses: license ? [license] : [],
    paths: [path],
  })
}

export const apk: Cataloguer = {
  name: 'apk',
  wants: entry => entry.kind === 'file' && paths.has(entry.path),
  read: async (entry, content, distribution, signal) => {
    const owned = collectOwned(entry.path, entry.path)
    const found = await collecting(entry, signal, async collector => {
      let fields = new Map<string, string>()
      let begun = false
      let folder = ''
      const end = (): void => {
        if (begun) addRecord(fields, entry.path, distribution, collector)
        if (fields.size > 0) fields = new Map()
        folder = ''
        begun = false
      }
      await eachLine(content, signal, (bytes, start, stop) => {
        if (start === stop) return end()
        begun = true
        const letter = bytes[start] ?? 0
        if (stop - start < 2 || bytes[start + 1] !== 0x3a) return
        if (letter === folderLetter || letter === fileLetter) {
          const owner = fields.get('P') ?? '' // apk writes it first
          if (stop - start > longestPath || !isWord(owner)) folder = tooLong
          else if (letter === folderLetter) folder = bytes.toString('utf8', start + 2, stop)
          else if (folder !== tooLong) owned.add(owner, `${folder}/${bytes.toString('utf8', start + 2, stop)}`)
          return
        }
        if (!wanted.has(letter)) return
        const key = String.fromCharCode(letter)
        if (fields.has(key)) collector.problem(`has a record that says ${key} twice`)
        fields.set(key, bytes.toString('utf8', start + 2, Math.min(stop, start + 2 + longestValue)).trim())
      })
      end()
    })
    return withOwned(found, owned)
  },
}
