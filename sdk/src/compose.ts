/**
 * Compose files to what the daemon is asked for: by the very code that the command line has for it, with this program's rights, environment and folder. Only
 * loaded by `Environment.up`.
 */
import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { configsFor, makeMountedFolders, secretContents, secretFiles } from '../../src/apps/cli/contents.ts'
import { composeSources } from '../../src/apps/cli/project.ts'
import { load } from '../../src/compose/compose.ts'
import { draftOf } from '../../src/compose/draft.ts'
import type { Sources } from '../../src/compose/sources.ts'
import { failure } from './errors.ts'
import type { UpRequest } from './schemas.ts'

export interface ComposeOptions {
  /** Of project and environment. Default: what the file says, or the folder's name. */
  readonly name?: string | undefined
  readonly envs?: Readonly<Record<string, string>> | undefined
  readonly profiles?: readonly string[] | undefined
  readonly services?: readonly string[] | undefined
  /** Where relative paths start. Default: the file's folder, or the working folder. */
  readonly projectDirectory?: string | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly scale?: Readonly<Record<string, number>> | undefined
  /** Contents of secrets of the project, in place of the file's. */
  readonly secrets?: Readonly<Record<string, string | Uint8Array>> | undefined
  readonly timeoutMs?: number | undefined
  readonly idleMs?: number | undefined
}

/** @internal */
export interface Composed {
  readonly request: UpRequest
  readonly warnings: readonly string[]
}

/** The text, as if it lay there. */
const withText = (path: string, text: string): Sources => ({
  read: async of => (of === path ? text : await composeSources.read(of)),
  kind: async of => (of === path ? 'file' : await composeSources.kind(of)),
  realpath: async of => (of === path ? path : await composeSources.realpath(of)),
})

const isFile = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

interface Source {
  readonly file: string
  readonly sources: Sources
}

/** A path when there is such a file or it looks like the name of one; a text when it has lines or a colon; an object is one's JSON. */
const sourceOf = async (compose: string | object, folder: string): Promise<Source> => {
  const inline = join(folder, 'compose.inline.yaml')
  if (typeof compose === 'object') return { file: inline, sources: withText(inline, JSON.stringify(compose)) }
  const isText = compose.includes('\n') || /^\s*\{/.test(compose) || /^[\w-]+:\s/.test(compose)
  if (isText) return { file: inline, sources: withText(inline, compose) }
  const path = resolve(folder, compose)
  if (await isFile(path)) return { file: path, sources: composeSources }
  throw failure('not_found', `compose: there is no file ${path}`, 'compose', 'Give the path of a compose file, its text, or an object.')
}

/** @internal */
export const composed = async (compose: string | object, options: ComposeOptions): Promise<Composed> => {
  const folder = resolve(options.projectDirectory ?? '.')
  const { file, sources } = await sourceOf(compose, folder)
  const env = Object.fromEntries(
    Object.entries({ ...process.env, ...options.envs }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  const loaded = await load({
    files: [file],
    projectFolder: options.projectDirectory === undefined ? dirname(file) : folder,
    projectName: options.name,
    env,
    profiles: options.profiles ?? [],
    services: options.services ?? [],
    sources,
  })
  const given = Object.fromEntries(Object.entries(options.secrets ?? {}).map(([name, content]) => [name, Buffer.from(content).toString('base64')]))
  const { timeoutMs, idleMs } = options
  const drafted = draftOf(loaded, {
    lease: { ...(timeoutMs === undefined ? {} : { ttl: timeoutMs }), ...(idleMs === undefined ? {} : { idle: idleMs }) },
    labels: { ...options.metadata },
    scale: { ...options.scale },
    secrets: new Set(Object.keys(given)),
  })
  const [built] = drafted.builds
  if (built !== undefined) {
    const service = built.services[0] ?? ''
    throw failure(
      'invalid',
      `services.${service}.build: images are not built from here`,
      `services.${service}.build`,
      `Build it first (dayfly up --dry-run names what is missing; dayfly up builds), and name it as \`image\` without \`build\`.`,
    )
  }
  makeMountedFolders(loaded)
  const request: UpRequest = JSON.parse(
    JSON.stringify({
      draft: { ...drafted.draft, configs: { ...drafted.draft.configs, ...configsFor(loaded, drafted) } },
      secrets: secretFiles(drafted, secretContents(loaded, drafted, given)),
      seeds: drafted.seeds,
      partial: (options.services ?? []).length > 0,
    }),
  )
  const warnings = [...loaded.warnings, ...drafted.warnings].map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  return { request, warnings }
}
