/** The user's own credentials for registries, for a daemon that may run as somebody else. */
import { readFileSync } from 'node:fs'
import type { Context } from './command.ts'

/** The text of the first file, in skopeo's order, that holds any credentials itself. Files that name only a helper are left to the daemon's user. */
export const registryAuth = (env: Context['env']): string | undefined => {
  const home = env['HOME'] ?? '/root'
  const candidates = [
    env['REGISTRY_AUTH_FILE'],
    env['XDG_RUNTIME_DIR'] === undefined ? undefined : `${env['XDG_RUNTIME_DIR']}/containers/auth.json`,
    `${env['XDG_CONFIG_HOME'] ?? `${home}/.config`}/containers/auth.json`,
    `${env['DOCKER_CONFIG'] ?? `${home}/.docker`}/config.json`,
  ]
  for (const path of candidates) {
    if (path === undefined) continue
    try {
      const text = readFileSync(path, 'utf8')
      const parsed: unknown = JSON.parse(text)
      if (typeof parsed !== 'object' || parsed === null || !('auths' in parsed) || typeof parsed.auths !== 'object' || parsed.auths === null) continue
      if (Object.values(parsed.auths).some(entry => typeof entry === 'object' && entry !== null && 'auth' in entry)) return text
    } catch {
      // Not there, or not readable: skopeo passes it over, too.
    }
  }
  return undefined
}
