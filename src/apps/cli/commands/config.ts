import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { Loaded } from '../../../compose/compose.ts'
import { print, printPlain, toPlain } from '../../../compose/print.ts'
import { resolveModel } from '../../../compose/resolve.ts'
import type { Arguments } from '../arguments.ts'
import type { Command, Context } from '../command.ts'
import { asInFile, loadProject, loadRequest, projectOptions, tellWarnings } from '../project.ts'

const lines = (names: readonly string[]): string => names.map(name => `${name}\n`).join('')

const formatOf = (text: string | undefined, json: boolean): 'yaml' | 'json' => {
  if (text === undefined) return json ? 'json' : 'yaml'
  if (text === 'yaml' || text === 'json') return text
  throw new DayflyError('invalid', `--format: "${text}" is neither yaml nor json`, { field: '--format', remedy: 'Write it like --format json.' })
}

/** A digest of what is said of each of the services, in lines. */
const hashes = ({ project }: Loaded, wanted: string): string => {
  const names = Object.keys(project.services).sort()
  const unknown = wanted === '*' ? undefined : wanted.split(',').find(name => !names.includes(name))
  if (unknown !== undefined) {
    throw new DayflyError('invalid', `--hash: there is no service ${unknown}`, {
      field: '--hash',
      remedy: 'Write it like --hash web, or --hash "*".',
    })
  }
  const plain = toPlain(project)['services']
  const digest = (name: string): string =>
    createHash('sha256')
      .update(JSON.stringify(typeof plain === 'object' && plain !== null ? Reflect.get(plain, name) : undefined))
      .digest('hex')
  return lines((wanted === '*' ? names : wanted.split(',')).map(name => `${name} ${digest(name)}`))
}

/** One a service, in the order of their names. */
const imagesOf = ({ project }: Loaded): string[] =>
  Object.entries(project.services)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, { image }]) => image ?? `${project.name}-${name}`)

const profilesOf = ({ project }: Loaded): string[] => [
  ...new Set(
    Object.values({ ...project.services, ...project.disabled })
      .flatMap(({ profiles = [] }) => profiles)
      .sort(),
  ),
]

/** What is printed of a project in place of it all, by option. */
const parts: Readonly<Record<string, (loaded: Loaded) => readonly string[]>> = {
  services: ({ project }) => Object.keys(project.services).sort(),
  volumes: ({ project }) => Object.keys(project.volumes).sort(),
  networks: ({ project }) => Object.keys(project.networks).sort(),
  images: imagesOf,
  profiles: profilesOf,
}

/** Options that say what is printed exclude each other. */
const partOf = (args: Arguments): string | undefined => {
  const [first, second] = [...Object.keys(parts), 'hash', 'no-interpolate'].filter(name => args.flag(name) || args.text(name) !== undefined)
  if (second === undefined) return first
  throw new DayflyError('invalid', `--${second}: --${first} excludes it`, { field: `--${second}`, remedy: 'Give one of them.' })
}

const uninterpolated = async (context: Context, args: Arguments, format: 'yaml' | 'json'): Promise<string> => {
  try {
    const { model, problems } = await resolveModel(loadRequest(context, args, args.positionals))
    tellWarnings(context, problems.warnings)
    return printPlain(model, format)
  } catch (error) {
    throw asInFile(error)
  }
}

const textOf = async (context: Context, args: Arguments): Promise<string> => {
  const part = partOf(args)
  const format = formatOf(args.text('format'), context.json)
  if (part === 'no-interpolate') return await uninterpolated(context, args, format)
  const loaded = await loadProject(context, args, args.positionals)
  const hash = args.text('hash')
  if (hash !== undefined) return hashes(loaded, hash)
  const list = part === undefined ? undefined : parts[part]
  if (list !== undefined) return lines(list(loaded))
  tellWarnings(context, loaded.warnings)
  return args.flag('quiet') ? '' : print(loaded.project, format)
}

export const command: Command = {
  name: 'config',
  takes: ['[FILE|SERVICE...]'],
  summary: 'Check compose files, and print what they come to.',
  details: [
    'Variables are put in, files merged, short forms written out. What is wrong is told with its place; what Dayfly refuses, with the name of the policy.',
    'With services named, only these and what they depend on. What ends in .yaml, .yml or .json, or has a slash, is a file.',
  ],
  completion: 'service',
  options: [
    ...projectOptions,
    { name: 'format', value: 'FORMAT', help: 'yaml (default) or json.', completion: ['yaml', 'json'] },
    { name: 'no-interpolate', help: 'Leave variables as they are written. Only syntax and schema are checked.' },
    { name: 'services', help: 'Only names of services.' },
    { name: 'volumes', help: 'Only names of volumes.' },
    { name: 'networks', help: 'Only names of networks.' },
    { name: 'images', help: 'Only names of images.' },
    { name: 'profiles', help: 'Only names of profiles.' },
    { name: 'hash', value: 'SERVICE', help: 'A digest of what is said of a service, or of each with "*".', completion: 'service' },
    { name: 'output', short: 'o', value: 'FILE', help: 'Write it there.', completion: 'file' },
    { name: 'quiet', short: 'q', help: 'Print nothing: only check.' },
  ],
  examples: [
    ['dayfly config -q', 'is it right?'],
    ['dayfly config web', 'of it only web, and what web depends on'],
    ['dayfly config --format json | jq .services', 'for programs'],
  ],
  run: async (context, args) => {
    const text = await textOf(context, args)
    const output = args.text('output')
    if (args.flag('quiet')) return 0
    if (output === undefined) context.write(text)
    else {
      await writeFile(output, text).catch((error: unknown) => {
        throw new DayflyError('invalid', `--output: ${output} cannot be written: ${messageOf(error)}`, { field: '--output', cause: error })
      })
    }
    return 0
  },
}
