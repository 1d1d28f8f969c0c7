/** Patches that the host lacks: what apt would install, and what Dayfly's own vulnerability data says of its packages. Nothing is fetched. */
import { open, stat } from 'node:fs/promises'
import type { PatchesView } from '../../../api/schemas/host.ts'
import type { Clock } from '../../../base/clock.ts'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { VulnerabilityFinding } from '../../../model/finding.ts'
import { compareSeverity } from '../../../model/finding.ts'
import type { Distribution, Package } from '../../../model/package.ts'
import { dpkg, statusPath } from '../../../scan/packages/system/dpkg.ts'
import { parseOsRelease } from '../../../scan/packages/system/os-release.ts'
import { emptyCounts } from '../security/risk.ts'
import { outputOf } from './program.ts'

export interface PatchParts {
  /** Against the vulnerability data in force, in its thread. */
  readonly match: (
    packages: readonly Package[],
    distribution: Distribution | undefined,
    signal: AbortSignal,
  ) => Promise<{ readonly findings: readonly VulnerabilityFinding[]; readonly dataFrom: number | undefined }>
  readonly clock: Pick<Clock, 'wall'>
}

const mostWorst = 50
const aptPatience = 60_000

/** Of `apt-get --simulate upgrade`: `Inst libc6 [2.36-9+deb12u4] (2.36-9+deb12u9 Debian-Security:12/stable-security [amd64])`. */
export const updatesOf = (text: string): PatchesView['updates'] =>
  text.split('\n').flatMap(line => {
    const [, name, installed, candidate, origin] = /^Inst (\S+) \[([^\]]+)\] \((\S+) ([^)]*)\)/.exec(line) ?? []
    if (name === undefined || installed === undefined || candidate === undefined) return []
    return [{ name, installed, candidate, security: /security/i.test(origin ?? '') }]
  })

/** As an image's dpkg list is read; `problem` is told of what it does not say. */
const packagesOf = async (
  distribution: Distribution | undefined,
  problem: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly Package[]> => {
  await using file = await open(`/${statusPath}`, 'r')
  const { size, mode, uid, gid } = await file.stat()
  const entry = { path: statusPath, kind: 'file', size, mode: mode & 0o7777, uid, gid, magic: undefined } as const
  const content = {
    size,
    whole: async (most: number): Promise<Buffer> => {
      if (size > most) throw new DayflyError('corrupt', `${statusPath} is larger than ${most} bytes`)
      return await content.read(0, size)
    },
    read: async (from: number, length: number): Promise<Buffer> => {
      const buffer = Buffer.alloc(Math.min(length, Math.max(0, size - from)))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from)
      return buffer.subarray(0, bytesRead)
    },
  }
  const { packages, problems } = await dpkg.read(entry, content, distribution, signal)
  for (const text of problems) problem(text)
  return packages
}

const distributionOf = async (): Promise<Distribution | undefined> => {
  await using file = await open('/etc/os-release', 'r')
  return parseOsRelease(await file.readFile('utf8'))
}

export const findPatches = async ({ match, clock }: PatchParts, signal: AbortSignal): Promise<PatchesView> => {
  const problems: string[] = []
  const problem = (text: string): void => void problems.push(text)
  const lists = await stat('/var/lib/apt/lists').catch(() => undefined)
  const updates = await outputOf('apt-get', ['--simulate', '-o', 'Debug::NoLocking=true', 'upgrade'], aptPatience).then(
    updatesOf,
    (error: unknown) => {
      problem(`updates: ${messageOf(error)}`)
      return []
    },
  )
  const matched = await (async () => {
    const distribution = await distributionOf()
    return await match(await packagesOf(distribution, problem, signal), distribution, signal)
  })().catch((error: unknown) => {
    problem(`vulnerabilities: ${messageOf(error)}`)
    return undefined
  })
  const unsettled = (matched?.findings ?? []).filter(({ vex }) => vex?.status !== 'not_affected' && vex?.status !== 'fixed')
  const counts = emptyCounts()
  for (const { severity } of unsettled) counts[severity]++
  const worst = unsettled
    .filter(({ fixed }) => fixed !== undefined)
    .sort((left, right) => Number(right.exploited ?? false) - Number(left.exploited ?? false) || compareSeverity(right.severity, left.severity))
  return {
    ...{ takenAt: clock.wall(), listsFrom: lists === undefined ? null : lists.mtimeMs, problems, updates },
    ...{ vulnerabilities: matched?.dataFrom === undefined ? null : counts, exploited: unsettled.filter(({ exploited }) => exploited).length },
    worst: worst.slice(0, mostWorst).map(({ id, severity, exploited = false, package: of, fixed }) => ({
      ...{ id, severity, exploited, package: of.name, version: of.version, fixed: fixed ?? null },
    })),
    dataFrom: matched?.dataFrom ?? null,
  }
}
