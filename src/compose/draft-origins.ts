/** Where contents come from that no draft holds: `x-dayfly` of secrets and volumes, and compose's own `file`, `environment` and `content`. */
import { posix } from 'node:path'
import { z } from 'zod'
import { isWithin } from './draft-mounts.ts'
import type { Config, Project, Secret } from './project.ts'
import type { Sink } from './sink.ts'
import type { Path } from './tree.ts'

/** Where the content of a secret or config comes from. `environment`: it was read with the files. `given`: the caller has it. */
export type Origin =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }
  | { readonly kind: 'given' }

const VolumeExtension = z.strictObject({
  /** A folder or tar archive that fills it, relative to the project folder. */
  seed: z.string().min(1).optional(),
})

const SecretExtension = z.strictObject({
  /** Prints the secret. One text is for a shell. */
  command: z.union([z.string().min(1), z.array(z.string()).min(1)], 'a command, as a text or a list of words').optional(),
})

/** The `x-dayfly` of something, `{}` where there is none. What is wrong with it is told, and undefined returned. */
const read = <T extends z.ZodType>(
  schema: T,
  extensions: Readonly<Record<string, unknown>> | undefined,
  path: Path,
  sink: Sink,
): z.output<T> | undefined => {
  const result = schema.safeParse(extensions?.['x-dayfly'] ?? {})
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const at: Path = [...path, 'x-dayfly', ...issue.path.map(String)]
    if (issue.code === 'unrecognized_keys') for (const key of issue.keys) sink.error([...at, key], 'there is no such property')
    else sink.error(at, issue.message)
  }
  return undefined
}

export const fileOrigin = ({ file, environment }: Pick<Config, 'file' | 'environment'>): Origin | undefined => {
  if (file !== undefined) return { kind: 'file', path: file }
  return environment === undefined ? undefined : { kind: 'environment', variable: environment }
}

/** undefined when there is none, which has been told. */
export const secretOrigin = (name: string, secret: Secret | undefined, given: ReadonlySet<string>, sink: Sink): Origin | undefined => {
  if (given.has(name)) return { kind: 'given' }
  const path: Path = ['secrets', name]
  const extension = read(SecretExtension, secret?.extensions, path, sink)
  if (extension === undefined) return undefined
  const { command } = extension
  if (command !== undefined) return { kind: 'command', command: typeof command === 'string' ? ['/bin/sh', '-c', command] : command }
  const origin = fileOrigin(secret ?? {})
  if (origin === undefined) {
    sink.error(path, 'nothing says what it holds', {
      remedy: `Give it on the command line: --secret ${name}=env:VARIABLE, file:PATH or cmd:COMMAND.`,
    })
  }
  return origin
}

/** By volume: the folder or archive that fills it. */
export const seedsOf = (project: Project, used: ReadonlySet<string>, sink: Sink): Record<string, string> =>
  Object.fromEntries(
    Object.entries(project.volumes).flatMap(([name, volume]) => {
      const path: Path = ['volumes', name]
      const { seed } = read(VolumeExtension, volume.extensions, path, sink) ?? {}
      if (seed === undefined || !used.has(name)) return []
      const source = posix.resolve(project.folder, seed)
      if (isWithin(project.folder, source)) return [[name, source]]
      sink.error([...path, 'x-dayfly', 'seed'], `${source} is outside the project folder ${project.folder}`, {
        remedy: `Give it on the command line: --seed ${name}=${seed}.`,
      })
      return []
    }),
  )
