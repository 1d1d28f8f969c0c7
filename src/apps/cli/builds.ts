/** Images that a project builds: those that are missing, or all of them. */
import { isAbsolute, resolve } from 'node:path'
import type { BuildInput } from '../../api/schemas/images.ts'
import { DayflyError } from '../../base/errors.ts'
import { given } from '../../base/given.ts'
import type { Loaded } from '../../compose/compose.ts'
import type { Build, Drafted } from '../../compose/draft.ts'
import type { Context } from './command.ts'
import { createProgress } from './progress.ts'
import { registryAuth } from './registry-auth.ts'

export type When = 'missing' | 'always' | 'never'

const field = ({ services: [service = ''] }: Build): string => `services.${service}.build`

const folderOf = (build: Build, text: string, folder: string): string => {
  if (isAbsolute(text)) return text
  if (!/^[a-z+]+:\/\/|^git@|\.git(#|$)/.test(text)) return resolve(folder, text)
  throw new DayflyError('invalid', `${field(build)}.context: ${text} is not on this host`, {
    field: `${field(build)}.context`,
    remedy: 'Clone it, and name its folder.',
  })
}

const contextsOf = (build: Build, builds: readonly Build[], folder: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(build.build.additional_contexts ?? {}).map(([name, at]) => {
      const image = /^(?:docker-image|docker):\/\/(.+)$/.exec(at)?.[1]
      if (image !== undefined) return [name, `docker://${image}`]
      if (!at.startsWith('service:')) return [name, folderOf(build, at, folder)]
      const other = builds.find(({ services }) => services.includes(at.slice('service:'.length)))
      return [name, `docker://${other?.image ?? at}`]
    }),
  )

/** `contents`: of the project's secrets, base64. */
const requestOf = (
  context: Context,
  build: Build,
  { builds }: Drafted,
  { project }: Loaded,
  contents: Readonly<Record<string, string>>,
): BuildInput => {
  const { build: said } = build
  const dockerfile = said.dockerfile_inline === undefined ? { path: said.dockerfile ?? 'Dockerfile' } : { text: said.dockerfile_inline }
  const args = Object.entries(said.args ?? {}).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))
  return {
    name: build.image,
    context: folderOf(build, said.context, project.folder),
    dockerfile,
    args: Object.fromEntries(args),
    labels: said.labels ?? {},
    contexts: contextsOf(build, builds, project.folder),
    hosts: said.extra_hosts ?? {},
    ulimits: said.ulimits ?? {},
    secrets: Object.fromEntries((said.secrets ?? []).map(({ source, target }) => [target ?? source, contents[source] ?? ''])),
    network: said.network === undefined || said.network === 'none' ? 'none' : 'host',
    pull: said.pull === true,
    cache: said.no_cache !== true,
    ...given({ tags: said.tags, target: said.target, platform: build.platform, auth: registryAuth(context.env) }),
  }
}

/** What a build is given that reaches past it, on standard error. */
const tellReach = (context: Context, build: Build, { network }: BuildInput): void => {
  if (network !== 'host') return
  context.say(`dayfly: warning: ${field(build)}.network: its steps share this host's network, services on its loopback included`)
}

/** What another build begins from comes before it. */
const ordered = (builds: readonly Build[]): Build[] => {
  const done = new Set<Build>()
  const visit = (build: Build): void => {
    if (done.has(build)) return
    done.add(build)
    for (const at of Object.values(build.build.additional_contexts ?? {})) {
      const other = at.startsWith('service:') ? builds.find(({ services }) => services.includes(at.slice('service:'.length))) : undefined
      if (other !== undefined) visit(other)
    }
    done.delete(build)
    done.add(build)
  }
  for (const build of builds) visit(build)
  return [...done]
}

const isThere = async (context: Context, image: string): Promise<boolean> => {
  try {
    await context.client.image(image)
    return true
  } catch (error) {
    if (error instanceof DayflyError && error.code === 'not_found') return false
    throw error
  }
}

/** Builds what `when` asks for, one after another; what it prints goes to standard error. */
export const buildImages = async (
  context: Context,
  loaded: Loaded,
  drafted: Drafted,
  when: When,
  contents: Readonly<Record<string, string>>,
): Promise<void> => {
  for (const build of ordered(drafted.builds)) {
    const wanted = when === 'always' || (when === 'missing' && (build.always || !(await isThere(context, build.image))))
    if (!wanted) continue
    if (!context.json) context.say(`dayfly: building ${build.image} for ${build.services.join(', ')}`)
    const progress = process.stderr.isTTY && !context.json ? createProgress(build.image) : undefined
    const print = (text: string): void => {
      if (!context.json) process.stderr.write(text)
    }
    const request = requestOf(context, build, drafted, loaded, contents)
    tellReach(context, build, request)
    await context.client.build(request, print, progress?.show ?? (() => {})).finally(() => progress?.clear())
  }
}
