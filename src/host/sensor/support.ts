/** Whether a sensor could see anything on this host, without starting one. */
import { existsSync, readFileSync } from 'node:fs'
import { DayflyError } from '../../base/errors.ts'

export interface SensorSupport {
  /** Everything that can be told without trying is there. */
  readonly usable: boolean
  /** What is missing, and what to do about it. Empty when usable. */
  readonly problems: readonly { readonly problem: string; readonly remedy: string }[]
}

/** CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF. What CAP_SYS_RESOURCE is for (larger pipes) it can do without. */
const capabilities: readonly (readonly [string, bigint])[] = [
  ['CAP_NET_ADMIN', 12n],
  ['CAP_SYS_PTRACE', 19n],
  ['CAP_PERFMON', 38n],
  ['CAP_BPF', 39n],
]

const missingCapabilities = (): string[] => {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  const have = BigInt(`0x${effective}`)
  return capabilities.filter(([, bit]) => (have & (1n << bit)) === 0n).map(([name]) => name)
}

/** Synchronous and cheap: five files at most. `binary`: path of dayfly-sensor. */
export const sensorSupport = (binary: string): SensorSupport => {
  const problems: { problem: string; remedy: string }[] = []
  if (process.arch !== 'x64') problems.push({ problem: `the sensor does not know ${process.arch}`, remedy: 'Run it on x86-64.' })
  if (!existsSync('/sys/kernel/btf/vmlinux'))
    problems.push({
      problem: 'this kernel tells no types (BTF)',
      remedy: 'Use a kernel built with CONFIG_DEBUG_INFO_BTF, as those of Debian and Ubuntu are.',
    })
  if (!existsSync(binary))
    problems.push({
      problem: `${binary} is missing`,
      remedy: 'Build it: sudo make sensor (needs clang, llvm, bpftool, libbpf-dev, libelf-dev, zlib1g-dev).',
    })
  const lacking = missingCapabilities()
  if (lacking.length > 0) problems.push({ problem: `this process lacks ${lacking.join(', ')}`, remedy: 'Run the daemon as root of the host.' })
  return { usable: problems.length === 0, problems }
}

/** Throws the first problem as a `host` error. */
export const requireSensor = (binary: string): void => {
  const problem = sensorSupport(binary).problems[0]
  if (problem !== undefined) throw new DayflyError('host', problem.problem, { remedy: problem.remedy })
}
