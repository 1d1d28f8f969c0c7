/** Capabilities by their bit, from 0 (include/uapi/linux/capability.h). */
const names = [
  ...(['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP', 'LINUX_IMMUTABLE'] as const),
  ...(['NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER', 'SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT'] as const),
  ...(['SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE', 'SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE'] as const),
  ...(['AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP', 'MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ'] as const),
  ...(['PERFMON', 'BPF', 'CHECKPOINT_RESTORE'] as const),
] as const

/** `2000` → `['NET_RAW']`. A bit without a name is its number. What is no hexadecimal number has none. */
export const capabilityNames = (hexadecimal: string): readonly string[] => {
  if (!/^[0-9a-f]{1,16}$/i.test(hexadecimal)) return []
  const bits = BigInt(`0x${hexadecimal}`)
  return Array.from({ length: 64 }, (_, bit) => bit).flatMap(bit => (((bits >> BigInt(bit)) & 1n) === 1n ? [names[bit] ?? String(bit)] : []))
}
