/** Compose files as the commands that take them read them: with the caller's rights, environment and folder. */
import { readFileSync } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import type { Loaded } from '../../compose/compose.ts'
import { load } from '../../compose/compose.ts'
import type { Warning } from '../../compose/problems.ts'
import type { LoadRequest } from '../../compose/resolve.ts'
import type { Sources } from '../../compose/sources.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './command.ts'
import type { Option } from './option.ts'

export const projectOptions: readonly Option[] = [
  {
    name: 'file',
    short: 'f',
    value: 'FILE',
    repeats: true,
    help: 'Compose file; each over those before. Default: $COMPOSE_FILE, or the compose.yaml here or above.',
    completion: 'file',
  },
  {
    name: 'name',
    short: 'p',
    value: 'NAME',
    help: "Of project and environment. Default: the file's name:, or the folder's.",
    completion: 'environment',
  },
  { name: 'env-file', value: 'FILE', repeats: true, help: 'Instead of .env of the project folder.', completion: 'file' },
  { name: 'profile', value: 'NAME', repeats: true, help: 'Profile to enable. Default: $COMPOSE_PROFILES.', completion: 'profile' },
  { name: 'project-directory', value: 'FOLDER', help: "Where relative paths start. Default: the first file's folder.", completion: 'file' },
]

const absent = (error: unknown): undefined => {
  const errno = errnoOf(error)
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined
  throw error
}

const realpathOf = async (path: string): Promise<string> => {
  const found = await realpath(path).catch(absent)
  return found ?? join(await realpathOf(dirname(path)), path.slice(dirname(path).length))
}

const standardInput = '/dev/stdin'

/** The files of the host. */
export const composeSources: Sources = {
  // By its descriptor: a socket cannot be opened by a path.
  read: async path => (path === standardInput ? readFileSync(0, 'utf8') : await readFile(path, 'utf8')),
  kind: async path => {
    const found = await stat(path).catch(absent)
    if (found === undefined) return undefined
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'other'
  },
  realpath: realpathOf,
}

/** `-` is standard input. */
const fileAt = (path: string): string => (path === '-' ? standardInput : resolve(path))

/** `compose.yaml`, `-` and what has a slash are files; anything else is the name of a service, as docker compose has it. */
const isFile = (word: string): boolean => word === '-' || word.includes('/') || /\.(ya?ml|json)$/i.test(word)

/** The services that the positionals of a command name. */
export const servicesOf = (positionals: readonly string[]): string[] => positionals.filter(word => !isFile(word))

const isSet = (pair: [string, string | undefined]): pair is [string, string] => pair[1] !== undefined

/** What the options and positionals ask for. */
export const loadRequest = (context: Pick<Context, 'env'>, args: Arguments, positionals: readonly string[]): LoadRequest => {
  const files = [...positionals.filter(isFile), ...args.list('file')]
  const [first] = files
  const folder = args.text('project-directory') ?? (first === undefined || first === '-' ? '.' : dirname(first))
  return {
    files: files.map(fileAt),
    projectFolder: resolve(folder),
    projectName: args.text('name'),
    env: Object.fromEntries(Object.entries(context.env).filter(isSet)),
    ...(args.list('env-file').length === 0 ? {} : { envFiles: args.list('env-file').map(path => resolve(path)) }),
    profiles: args.list('profile'),
    services: servicesOf(positionals),
    dependencies: !args.flag('no-deps'),
    sources: composeSources,
  }
}

/**
 * Fields of a file are told as the file has them: `secrets.token` is there what `--secret` is elsewhere, so it is not left to be taken for an option's. What
 * begins with `services` can be taken for nothing else.
 */
export const asInFile = (error: unknown): unknown => {
  if (!(error instanceof DayflyError) || error.field === undefined || /^(--|services\b|[A-Z])/.test(error.field)) return error
  return new DayflyError(error.code, error.message, { cause: error, ...(error.remedy === undefined ? {} : { remedy: error.remedy }) })
}

/** The files that the options and positionals name. Throws `invalid` with all that is wrong in them. */
export const loadProject = async (context: Pick<Context, 'env'>, args: Arguments, positionals: readonly string[]): Promise<Loaded> => {
  try {
    return await load(loadRequest(context, args, positionals))
  } catch (error) {
    throw asInFile(error)
  }
}

/** A line each, on standard error. */
export const tellWarnings = (context: Pick<Context, 'say'>, warnings: readonly Warning[]): void => {
  for (const { file, line, path, message } of warnings) {
    const place = file === '' ? '' : line === 0 ? `${file}: ` : `${file}:${line}: `
    context.say(`dayfly: warning: ${place}${path === '' ? '' : `${path}: `}${message}`)
  }
}
