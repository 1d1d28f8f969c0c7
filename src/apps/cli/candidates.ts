/** What a value or a positional may be, for completion. Nothing is said of what cannot be had: a completion is no place for messages. */
import type { Arguments } from './arguments.ts'
import { parseArguments } from './arguments.ts'
import type { Command, Context } from './command.ts'
import type { Completion } from './option.ts'
import { globalOptions } from './option.ts'
import { loadRequest } from './project.ts'

const environments = async ({ client }: Context): Promise<readonly string[]> => (await client.environments({})).map(({ name }) => name)

/** Environments, and the workloads of those that have several. */
const instances = async ({ client }: Context): Promise<readonly string[]> =>
  (await client.environments({})).flatMap(({ name, workloads }) => {
    const own = Object.keys(workloads)
    return [name, ...(own.length > 1 ? own.map(workload => `${name}/${workload}`) : [])]
  })

/** Of the environment that the first positional names. */
const workloads = async ({ client }: Context, { positionals: [ref] }: Arguments): Promise<readonly string[]> =>
  ref === undefined ? [] : Object.keys((await client.environment(ref)).workloads)

const membersOf = (value: unknown): (readonly [string, unknown])[] => (typeof value === 'object' && value !== null ? Object.entries(value) : [])

/** A section of the compose files that the options name, or of those here: as they are written, for variables may lack their values. */
const section = async (context: Context, args: Arguments, name: string): Promise<(readonly [string, unknown])[]> => {
  const { resolveModel } = await import('../../compose/resolve.ts')
  const { model } = await resolveModel({ ...loadRequest(context, args, args.positionals), services: [], profiles: ['*'] })
  return membersOf(model[name])
}

const names = async (context: Context, args: Arguments, name: string, suffix = ''): Promise<string[]> =>
  (await section(context, args, name)).map(([key]) => `${key}${suffix}`)

const profiles = async (context: Context, args: Arguments): Promise<string[]> => {
  const all = (await section(context, args, 'services')).flatMap(([, service]) =>
    membersOf(service).flatMap(([name, value]) => (name === 'profiles' && Array.isArray(value) ? value.map(String) : [])),
  )
  return [...new Set(all)]
}

const find = async (context: Context, completion: Completion, args: Arguments): Promise<readonly string[]> => {
  switch (completion) {
    case 'environment':
      return await environments(context)
    case 'instance':
      return await instances(context)
    case 'workload':
      return await workloads(context, args)
    case 'image':
      return (await context.client.images()).flatMap(image => image.names)
    case 'service':
      return await names(context, args, 'services')
    case 'service=':
      return await names(context, args, 'services', '=')
    case 'volume=':
      return await names(context, args, 'volumes', '=')
    case 'secret=':
      return await names(context, args, 'secrets', '=')
    case 'profile':
      return await profiles(context, args)
    case 'command':
      return context.commands.filter(({ hidden }) => hidden !== true).map(({ name }) => name)
    case 'file':
      return []
    default:
      return completion
  }
}

/** What another positional of a command may be, after those that are there. */
export const positional = ({ takes, completion }: Command, { positionals: { length } }: Arguments): Completion | undefined => {
  const name = takes[length] ?? (takes.at(-1)?.includes('...') === true ? takes.at(-1) : undefined)
  if (name === undefined) return undefined
  if (name === takes[0]) return completion
  return name.includes('WORKLOAD') ? 'workload' : undefined
}

/** The words of a command before the one that is being written, as far as they are right. */
export const given = ({ name, options, passesOn }: Command, words: readonly string[]): Arguments | undefined => {
  try {
    return parseArguments(words, { options: [...options, ...globalOptions], passesOn: passesOn === true, helpCommand: `dayfly ${name} --help` })
  } catch {
    return undefined
  }
}

export const candidatesOf = async (context: Context, completion: Completion | undefined, args: Arguments): Promise<readonly string[]> => {
  if (completion === undefined) return []
  return await find(context, completion, args).catch(() => [])
}
