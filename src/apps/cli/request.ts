/** From compose files and options to what the daemon is asked for: what `up`, `diff` and `down -f` have in common. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DiffInput, UpInput } from '../../api/schemas/workloads.ts'
import { DayflyError } from '../../base/errors.ts'
import { given } from '../../base/given.ts'
import type { Loaded } from '../../compose/compose.ts'
import type { Drafted } from '../../compose/draft.ts'
import { draftOf } from '../../compose/draft.ts'
import type { Arguments } from './arguments.ts'
import type { Context } from './command.ts'
import { configsFor, secretContents, secretFiles } from './contents.ts'
import { composeField } from './manifests/compose-fields.ts'
import type { Option } from './option.ts'
import { asInFile, loadProject, projectOptions, servicesOf, tellWarnings } from './project.ts'
import { registryAuth } from './registry-auth.ts'
import { labelsOf, secretsOf } from './values.ts'

export const draftOptions: readonly Option[] = [
  ...projectOptions,
  { name: 'team', value: 'NAME', help: 'Whose it is. Default: the first team of the token, or `default`.' },
  { name: 'ttl', value: 'DURATION', help: "Longest life. Default: x-dayfly's, or 1h; at most 7d." },
  { name: 'idle', value: 'DURATION', help: "Longest time without activity. Default: x-dayfly's, or 30m." },
  { name: 'retention', value: 'DURATION', help: "How long record and output are kept. Default: x-dayfly's, or 30d." },
  { name: 'on-idle', value: 'WHAT', help: 'What idleness does: end (default), or pause until the next request.', completion: ['end', 'pause'] },
  { name: 'scale', value: 'SERVICE=N', repeats: true, help: 'So many instances of it.', completion: 'service=' },
  { name: 'label', short: 'l', value: 'NAME=VALUE', repeats: true, help: 'To be found by.' },
  { name: 'source', value: 'URL@REF', help: 'Where it comes from, e.g. a branch: `dayfly gc` ends those whose source is gone.' },
  {
    name: 'secret',
    value: 'NAME[=SOURCE]',
    repeats: true,
    help: "Content of a secret of the project, in place of the file's; from env:VARIABLE, file:PATH or cmd:COMMAND.",
    completion: 'secret=',
  },
  { name: 'seed', value: 'VOLUME=PATH', repeats: true, help: 'Fills a volume from a folder or a tar archive.', completion: 'volume=' },
  { name: 'pull', help: 'Fetch all images anew.' },
  { name: 'no-deps', help: 'Of the services that are named, not what they depend on.' },
]

/** The label that says where an environment comes from. */
export const sourceLabel = 'dayfly.source'

const invalid = (field: string, message: string, remedy: string): DayflyError => new DayflyError('invalid', `${field}: ${message}`, { field, remedy })

/** `NAME=VALUE`s of an option. */
const pairs = (options: readonly string[], field: string, example: string): Record<string, string> =>
  Object.fromEntries(
    options.map(option => {
      const at = option.indexOf('=')
      if (at < 1) throw invalid(field, `${JSON.stringify(option)} is not ${example}`, `Write it like ${field} ${example}.`)
      return [option.slice(0, at), option.slice(at + 1)]
    }),
  )

const scaleOf = (args: Arguments): Record<string, number> =>
  Object.fromEntries(
    Object.entries(pairs(args.list('scale'), '--scale', 'web=3')).map(([service, count]) => {
      if (!/^\d{1,2}$/.test(count) || Number(count) > 60)
        throw invalid('--scale', `${JSON.stringify(count)} is no number from 0 to 60`, 'Write it like --scale web=3.')
      return [service, Number(count)]
    }),
  )

const onIdleOf = (args: Arguments): 'end' | 'pause' | undefined => {
  const text = args.text('on-idle')
  if (text === undefined || text === 'end' || text === 'pause') return text
  throw invalid('--on-idle', `"${text}" is neither end nor pause`, 'Write it like --on-idle pause.')
}

const seedsOf = (args: Arguments, { draft, seeds }: Drafted): Record<string, string> => {
  const own = pairs(args.list('seed'), '--seed', 'VOLUME=PATH')
  for (const [volume, path] of Object.entries(own)) {
    const known = draft.volumes ?? []
    if (!known.includes(volume)) {
      throw invalid(
        '--seed',
        `no service has a volume ${volume}`,
        known.length === 0 ? 'List it under volumes of a service.' : `There are ${known.join(', ')}.`,
      )
    }
    if (!existsSync(path)) throw invalid('--seed', `${path} does not exist`, 'Name a folder or a tar archive.')
  }
  return Object.fromEntries(Object.entries({ ...seeds, ...own }).map(([volume, path]) => [volume, resolve(path)]))
}

export interface ProjectRequest {
  readonly loaded: Loaded
  readonly drafted: Drafted
  /** base64, by the project's names. */
  readonly contents: Readonly<Record<string, string>>
  readonly request: UpInput
}

/** What is only compared is told apart from what is needed: whoever looks at a change need not have the secrets. */
type Reading = 'all' | 'secrets if they are to be had'

/** Contents of secrets, the project's names and by workload; of none, where they cannot be had and need not be. */
const secretsFor = (
  context: Context,
  args: Arguments,
  loaded: Loaded,
  drafted: Drafted,
  read: Reading,
): { contents: Record<string, string>; secrets?: NonNullable<UpInput['secrets']> } => {
  try {
    const contents = secretContents(loaded, drafted, secretsOf(args.list('secret'), context))
    return { contents, secrets: secretFiles(drafted, contents) }
  } catch (error) {
    if (read === 'all' || !(error instanceof DayflyError)) throw error
    context.say(`dayfly: warning: contents of secrets are not compared: ${error.message}`)
    return { contents: {} }
  }
}

const requestOf = async (context: Context, args: Arguments, read: Reading): Promise<ProjectRequest> => {
  const partial = servicesOf(args.positionals).length > 0
  if (args.flag('no-deps') && !partial) throw invalid('--no-deps', 'no service is named', 'Write it like `dayfly up --no-deps web`.')
  const loaded = await loadProject(context, args, args.positionals)
  const named = args.list('secret').map(option => option.replace(/=.*$/s, ''))
  const source = args.text('source')
  const drafted = draftOf(loaded, {
    lease: given({ ttl: args.duration('ttl'), idle: args.duration('idle'), retention: args.duration('retention'), onIdle: onIdleOf(args) }),
    labels: { ...labelsOf(args.list('label')), ...(source === undefined ? {} : { [sourceLabel]: source }) },
    scale: scaleOf(args),
    secrets: new Set(named),
    pull: args.flag('pull'),
  })
  tellWarnings(context, [...loaded.warnings, ...drafted.warnings])
  const { contents, secrets } = secretsFor(context, args, loaded, drafted, read)
  return {
    loaded,
    drafted,
    contents,
    request: {
      draft: { ...drafted.draft, configs: { ...drafted.draft.configs, ...configsFor(loaded, drafted) } },
      seeds: seedsOf(args, drafted),
      partial,
      ...given({ secrets, team: args.text('team'), auth: registryAuth(context.env) }),
    },
  }
}

/** Tells warnings. */
export const projectRequest = async (context: Context, args: Arguments, read: Reading): Promise<ProjectRequest> => {
  try {
    return await requestOf(context, args, read)
  } catch (error) {
    throw asInFile(error)
  }
}

/** As `diff` takes it. */
export const diffOf = ({ request: { draft, secrets, auth, partial, team } }: ProjectRequest): DiffInput => ({
  draft,
  ...given({ secrets, auth, partial, team }),
})

/** The daemon's faults in the words of the file: what it calls a workload is a service there. What it does not admit is named as `dayfly admit` names it. */
export const inWordsOfTheFile = (error: unknown, services: Loaded['project']['services']): unknown => {
  if (!(error instanceof DayflyError) || error.field?.startsWith('workloads.') !== true) return error
  if (error.code === 'denied') {
    const field = composeField(services, error.field)
    if (field === undefined) return error
    const message = error.message.startsWith(`${error.field}: `) ? error.message.slice(error.field.length + 2) : error.message
    return new DayflyError(error.code, `${field}: ${message}`, { field, cause: error, ...given({ remedy: error.remedy }) })
  }
  const field = error.field.replace(/^workloads\./, 'services.')
  return new DayflyError(error.code, error.message.replaceAll(/^workloads\./gm, 'services.'), {
    field,
    cause: error,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
  })
}
