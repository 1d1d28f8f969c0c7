/** PHP's packages, as Composer lists them: those that are there in vendor/composer/installed.json (of Composer 1 and 2), those that are locked in composer.lock. */
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { collecting, Malformed } from '../system/collect.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import { listOf, memberOf, readJson, textOf } from './json.ts'

const addAll = (packages: readonly unknown[], path: string, collector: Collector): void => {
  for (const each of packages) {
    const [name, version] = [textOf(each, 'name'), textOf(each, 'version')]
    const declared = memberOf(each, 'license')
    const licenses = (Array.isArray(declared) ? listOf(declared) : [declared]).map(license => (typeof license === 'string' ? license : undefined))
    if (name && version) collector.add(languagePackage('composer', name, version, path, licenses))
    else collector.problem(`has a package without a ${name ? 'version' : 'name'}`)
  }
}

/** What is for development and was installed all the same is there. */
export const composer: Cataloguer = {
  name: 'composer',
  wants: ({ kind, path }) => kind === 'file' && (path.endsWith('/composer/installed.json') || path === 'composer/installed.json'),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const installed = await readJson(content)
      const packages = Array.isArray(installed) ? installed : memberOf(installed, 'packages')
      if (!Array.isArray(packages)) throw new Malformed("is not Composer's list of packages")
      addAll(packages, entry.path, collector)
    }),
}

export const composerLock: Cataloguer = {
  name: 'composer-lock',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('composer.lock') && baseName(path) === 'composer.lock' && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const packages = memberOf(await readJson(content), 'packages')
      if (!Array.isArray(packages)) throw new Malformed("is not Composer's lock")
      addAll(packages, entry.path, collector)
    }),
}
