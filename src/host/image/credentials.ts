/** Credentials for one registry, from where skopeo looks for them: they are only ever a header. */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { RegistryAuth } from './store.ts'

export type Credentials = { readonly basic: string } | { readonly identityToken: string }

const Entry = z.object({ auth: z.string().optional(), identitytoken: z.string().optional() })
const File = z.object({ auths: z.record(z.string(), Entry.catch({})).optional() })

const usualPlaces = (): string[] => [
  ...(process.env['REGISTRY_AUTH_FILE'] === undefined ? [] : [process.env['REGISTRY_AUTH_FILE']]),
  join(process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`, 'containers/auth.json'),
  join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'containers/auth.json'),
  join(process.env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json'),
]

/** Keys as docker and podman write them: a host, a URL of it, or a host and the beginning of a repository. The longest wins. */
const entryOf = (auths: Readonly<Record<string, z.infer<typeof Entry>>>, registry: string, repository: string): Credentials | undefined => {
  const hosts = registry === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [registry]
  const found = Object.entries(auths)
    .map(([key, entry]) => ({ key: key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, ''), entry }))
    .filter(({ key }) => hosts.some(host => key === host || `${host}/${repository}`.startsWith(`${key}/`) || `${host}/${repository}` === key))
    .sort((left, right) => right.key.length - left.key.length)[0]?.entry
  if (found?.identitytoken !== undefined && found.identitytoken !== '') return { identityToken: found.identitytoken }
  return found?.auth === undefined || found.auth === '' ? undefined : { basic: found.auth }
}

const readAuths = (text: string): Readonly<Record<string, z.infer<typeof Entry>>> => {
  try {
    return File.parse(JSON.parse(text)).auths ?? {}
  } catch {
    return {}
  }
}

/** Undefined: the registry is asked as anybody. A file that cannot be read holds none. */
export const credentialsFor = async (registry: string, repository: string, auth: RegistryAuth | undefined): Promise<Credentials | undefined> => {
  if (auth !== undefined && 'content' in auth) return entryOf(readAuths(auth.content), registry, repository)
  for (const path of auth === undefined ? usualPlaces() : [auth.file]) {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    const found = text === undefined ? undefined : entryOf(readAuths(text), registry, repository)
    if (found !== undefined) return found
  }
  return undefined
}
