/** Which format a file or folder has, by what is in it. */
import { stat } from 'node:fs/promises'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Format } from './database.ts'
import { firstBytes, isZip, plainChunks } from './plain.ts'

const headLength = 64 * 1024

/** The format of the data in `path`. Throws `not_found`, or `invalid` for what is none of them. */
export const formatOf = async (path: string, signal: AbortSignal): Promise<Format> => {
  const found = await stat(path).catch((error: unknown) => {
    throw new DayflyError('not_found', `cannot open ${path}: ${messageOf(error)}`, {
      field: 'source',
      remedy: 'Name a folder, file or URL of vulnerability data.',
      cause: error,
    })
  })
  if (found.isDirectory()) return 'osv'
  const unknown = new DayflyError('invalid', `${path} is no vulnerability data that Dayfly knows`, {
    field: 'source',
    remedy:
      "Import OSV records (a folder, a zip or one .json), Debian's security tracker JSON, an EPSS CSV, CISA's KEV JSON or an OpenVEX document; --format says which it is.",
  })
  if (!found.isFile()) throw unknown
  if (isZip(await firstBytes(path, 4))) return 'osv'
  let head = ''
  for await (const chunk of plainChunks(path, signal)) {
    head += chunk.toString('latin1')
    if (head.length >= headLength) break
  }
  head = head.trimStart().slice(0, headLength)
  if (head.startsWith('#model_version') || head.startsWith('cve,epss')) return 'epss'
  if (!head.startsWith('{')) throw unknown
  if (head.includes('https://openvex.dev/ns')) return 'openvex'
  if (head.includes('"catalogVersion"') || head.includes('"cveID"')) return 'kev'
  if (head.includes('"modified"') && head.includes('"id"')) return 'osv'
  if (head.includes('"releases"') && head.includes('"status"')) return 'debian'
  throw unknown
}
