/** Secrets in what a compose file's builds are given: all of a context that its .dockerignore does not leave out. */
import { readFileSync, statSync } from 'node:fs'
import { join, matchesGlob, relative } from 'node:path'
import type { Service } from '../../../compose/project.ts'
import { scanFolder } from '../../../scan/scan-folder.ts'
import { openSecretSearch } from '../../../scan/secret-search.ts'
import type { FoundSecrets } from '../../../scan/secrets/findings.ts'
import type { OwnScanOptions } from './folder.ts'
import { saltOfRun, skipping } from './folder.ts'

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** Local folders; what a builder fetches from elsewhere is not here. */
const contextsOf = (services: Readonly<Record<string, Service>>): string[] => [
  ...new Set(Object.values(services).flatMap(({ build }) => (build !== undefined && isFolder(build.context) ? [build.context] : []))),
]

/** `path` and every folder above it: `a/b/c`, `a/b`, `a`. */
const upwards = (path: string): string[] => path.split('/').map((_, index, parts) => parts.slice(0, parts.length - index).join('/'))

const withoutSlashes = (pattern: string): string => pattern.replace(/^\.?\/+/, '').replace(/\/+$/, '')

/** The last line that fits decides, of a folder for all that is in it; `!` takes in again. What may hold something that is taken in again is not left out whole. */
export const ignoring = (text: string): ((path: string) => boolean) => {
  const lines = text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
  const rules = lines.map(line => ({ keeps: line.startsWith('!'), pattern: withoutSlashes(line.replace(/^!/, '').trim()) }))
  const kept = rules.filter(({ keeps }) => keeps).map(({ pattern }) => pattern)
  return path => {
    const parts = upwards(path)
    const last = rules.findLast(({ pattern }) => parts.some(part => matchesGlob(part, pattern)))
    if (last === undefined || last.keeps) return false
    return !kept.some(pattern => pattern.includes('*') || pattern.startsWith(`${path}/`))
  }
}

const ignoreFile = (context: string): string => {
  try {
    return readFileSync(join(context, '.dockerignore'), 'utf8')
  } catch {
    return ''
  }
}

/** Places are paths from `base`. Rejects as `scanFolder` does. */
export const scanBuildContexts = async (
  services: Readonly<Record<string, Service>>,
  base: string,
  { gitleaks, skip, signal }: Pick<OwnScanOptions, 'gitleaks' | 'skip' | 'signal'>,
): Promise<FoundSecrets> => {
  const secrets = openSecretSearch({ salt: saltOfRun() }, gitleaks)
  const unwanted = skipping(skip)
  const findings: FoundSecrets['findings'][number][] = []
  const problems: string[] = []
  for (const context of contextsOf(services)) {
    const ignored = ignoring(ignoreFile(context))
    const found = await scanFolder(context, { cataloguers: [], secrets, skip: path => unwanted(path) || ignored(path), signal })
    const there = relative(base, context)
    const pathOf = (path: string): string => join(there, path)
    for (const finding of found.secrets)
      findings.push({ ...finding, places: finding.places.map(place => (place.path === undefined ? place : { ...place, path: pathOf(place.path) })) })
    problems.push(...found.problems.map(problem => (there === '' ? problem : `${there}: ${problem}`)))
  }
  return { findings, problems }
}
