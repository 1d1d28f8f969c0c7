/** What the kernel can do. Everything is read; nothing is tried out, so that looking changes nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import type { Check } from './check.ts'
import { fail, ok } from './check.ts'
import { isAtLeast, versionIn } from './versions.ts'

/** Text of a file, or undefined when it is not there or not for us. */
const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Overlayfs takes idmapped lower layers since 5.19: container root is an unprivileged id without copying images. */
const leastKernel = '5.19'

export const checkKernel = (): Check => {
  const version = versionIn(release()) ?? release()
  return isAtLeast(version, leastKernel)
    ? ok('kernel', release())
    : fail('kernel', `${release()} cannot map the ids of image layers`, `Run Linux ${leastKernel} or newer, as Debian 12 and Ubuntu 24.04 have.`)
}

export const checkRoot = (): Check =>
  process.getuid?.() === 0
    ? ok('root', 'yes')
    : fail('root', `user id ${process.getuid?.() ?? 'unknown'}`, 'Run the daemon with sudo: namespaces, mounts and cgroups are made.')

export const checkUserNamespaces = (): Check => {
  const most = Number(read('/proc/sys/user/max_user_namespaces') ?? '0')
  return most > 0 && existsSync('/proc/self/ns/user')
    ? ok('user namespaces', `up to ${most}`)
    : fail('user namespaces', 'none are allowed', 'sysctl -w user.max_user_namespaces=65536, and keep it in /etc/sysctl.d/.')
}

/** Built in, loaded, or there to be loaded. */
const hasModule = (name: string): 'there' | 'loadable' | undefined => {
  if (existsSync(`/sys/module/${name}`) || new RegExp(`\\b${name}$`, 'm').test(read('/proc/filesystems') ?? '')) return 'there'
  const folder = `/lib/modules/${release()}`
  const listed = [`${folder}/modules.builtin`, `${folder}/modules.dep`].some(path => new RegExp(`/${name}\\.ko`, 'm').test(read(path) ?? ''))
  return listed ? 'loadable' : undefined
}

export const checkOverlay = (): Check => {
  const state = hasModule('overlay')
  if (state === undefined) return fail('overlayfs', 'this kernel does not have it', 'Use a kernel with CONFIG_OVERLAY_FS.')
  return ok('overlayfs', state === 'there' ? 'there' : 'loaded when it is needed')
}

export const checkSeccomp = (): Check => {
  const actions = read('/proc/sys/kernel/seccomp/actions_avail')
  return actions === undefined ? fail('seccomp', 'this kernel does not have it', 'Use a kernel with CONFIG_SECCOMP_FILTER.') : ok('seccomp', actions)
}
