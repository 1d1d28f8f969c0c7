/** What the positionals of `dayfly scan` name. */
import { basename, dirname, relative, resolve } from 'node:path'
import { DayflyError } from '../../../base/errors.ts'
import type { Target } from '../../../scan/report/report.ts'
import { isComposeText } from '../manifests/form.ts'
import { kindOf, readTextFile } from '../paths.ts'

export type Subject =
  | { readonly kind: 'folder'; readonly folder: string; readonly only: readonly string[] | undefined; readonly target: Target }
  | { readonly kind: 'compose'; readonly file: string; readonly text: string; readonly target: Target }
  | { readonly kind: 'image'; readonly image: string; readonly target: Target }

/** Of a folder: '' for the working folder, a path that is absolute when it is outside it. With a slash at its end. */
const prefixOf = (folder: string, here: string): string => {
  const path = relative(here, folder)
  if (path === '') return ''
  return path === '..' || path.startsWith('../') ? `${folder}/` : `${path}/`
}

const isPath = (name: string): boolean => /^(\.{0,2}\/|\.{1,2}$)/.test(name) || /\.(ya?ml|json)$/i.test(name)

const missing = (name: string): DayflyError =>
  new DayflyError('not_found', `TARGET: there is no file or folder ${name}`, {
    field: 'TARGET',
    remedy: 'Name a folder, a compose file, or an image.',
  })

/** A name of an image as a path: code scanning wants one, and shows it. */
const imageFile = (name: string): string =>
  name.replace(/^(docker|oci|oci-archive|docker-archive|docker-daemon|dir):\/+/, '').replace(/@sha256:.*$/, '')

const single = async (name: string, here: string, asFiles: boolean): Promise<Subject> => {
  const path = resolve(here, name)
  const kind = await kindOf(path, 'TARGET')
  if (kind === 'folder') {
    const prefix = prefixOf(path, here)
    return {
      kind: 'folder',
      folder: path,
      only: undefined,
      target: { kind: 'folder', name, prefix, file: prefix === '' ? '.' : prefix.slice(0, -1) },
    }
  }
  if (kind === 'file') {
    const prefix = prefixOf(dirname(path), here)
    const file = `${prefix}${basename(path)}`
    if (!asFiles && /\.(ya?ml|json)$/i.test(path)) {
      const text = await readTextFile(path, 'TARGET')
      if (isComposeText(text)) return { kind: 'compose', file: path, text, target: { kind: 'compose', name, prefix, file } }
    }
    return { kind: 'folder', folder: dirname(path), only: [basename(path)], target: { kind: 'folder', name, prefix, file } }
  }
  if (asFiles || isPath(name) || !/^[\w][\w.:/@+-]*$/.test(name)) throw missing(name)
  return { kind: 'image', image: name, target: { kind: 'image', name, prefix: '', file: imageFile(name) } }
}

/** `here` is the working folder, absolute. `asFiles`: they are files and folders, whatever they are called and hold. Several must be files and folders within it. Throws `invalid` or `not_found`. */
export const subjectOf = async (names: readonly string[], here: string, asFiles = false): Promise<Subject> => {
  const [first = '.'] = names
  if (names.length < 2) return await single(first, here, asFiles)
  const only: string[] = []
  for (const name of names) {
    const path = resolve(here, name)
    if ((await kindOf(path, 'TARGET')) === undefined) throw missing(name)
    const inside = relative(here, path)
    if (inside === '..' || inside.startsWith('../')) {
      throw new DayflyError('invalid', `TARGET: ${name} is not in the working folder`, {
        field: 'TARGET',
        remedy: 'Scan it by itself, or go to a folder that all are in.',
      })
    }
    only.push(inside)
  }
  const target: Target = { kind: 'folder', name: `${names.length} files and folders`, prefix: '', file: '.' }
  return { kind: 'folder', folder: here, only: only.includes('') ? undefined : only, target }
}
