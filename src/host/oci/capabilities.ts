/**
 * Capabilities of a container's first process, without `CAP_`.
 *
 * The minimum is what entry points of ordinary images need in order to hand over to an unprivileged user: change owners and modes of their
 * own files, switch user, signal their children. All of them count inside the container's user namespace only. What the peers add beyond it and
 * Dayfly does not: NET_RAW (a ping works without, by `ping_group_range`), NET_BIND_SERVICE (low ports are open, by `ip_unprivileged_port_start`),
 * MKNOD, SYS_CHROOT, AUDIT_WRITE, SETFCAP, SETPCAP.
 */
export const minimumCapabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID'] as const

/** What may be asked for beyond the minimum. The rest reaches past the container (SYS_ADMIN, SYS_MODULE, …) and is refused. */
export const grantableCapabilities = [
  'AUDIT_WRITE',
  'IPC_LOCK',
  'IPC_OWNER',
  'LEASE',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETPCAP',
  'SYS_CHROOT',
  'SYS_NICE',
  'SYS_PTRACE',
] as const

const prefixed = (names: Iterable<string>): string[] => [...new Set(names)].map(name => `CAP_${name}`).sort()

export interface CapabilitySets {
  readonly bounding: string[]
  readonly effective: string[]
  readonly permitted: string[]
  readonly inheritable: string[]
  readonly ambient: string[]
}

/** Root gets the minimum and what was asked for; another user only what was asked for, as ambient ones, so that they survive the exec. */
export const capabilitySets = (uid: number, asked: readonly string[]): CapabilitySets => {
  const bounding = prefixed([...minimumCapabilities, ...asked])
  const held = uid === 0 ? bounding : prefixed(asked)
  const passed = uid === 0 ? [] : held
  return { bounding, effective: held, permitted: held, inheritable: passed, ambient: passed }
}

/** What was asked for beyond the minimum, read back from a bounding set that `capabilitySets` made. */
export const askedCapabilities = (bounding: readonly string[]): string[] => {
  const minimum: ReadonlySet<string> = new Set(minimumCapabilities)
  return bounding.map(name => name.replace(/^CAP_/, '')).filter(name => !minimum.has(name))
}
