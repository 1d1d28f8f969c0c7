/** Single processes of a cell, and evidence of all of it. */
import { existsSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'
import { DayflyError } from '../../base/errors.ts'
import type { Evidence, EvidenceRequest, ProcessOfHost } from '../../engine/backend.ts'
import { collectEvidence } from '../../host/forensics/evidence.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { Helper } from '../../host/native/helper.ts'
import { slotIds } from '../../host/network/slots.ts'
import type { Cell } from './cell.ts'
import { isAlive } from './processes.ts'

/** µs of one clock tick, of which /proc counts. */
const clockTick = 10_000
const sigkill = 9

/**
 * The start is compared by the helper, which holds the process by then; that it is one of the cell's is looked up before. A process keeps its cgroup, for nothing
 * inside can move it; so whoever has that pid and that start is the one that was looked up.
 */
export const killOne = async (id: string, { cgroup }: Pick<Cell, 'cgroup'>, { pid, start }: ProcessOfHost, helper: Helper): Promise<boolean> => {
  const process = { pid, startTime: Math.floor(start / clockTick) }
  const isMember = cgroup.processes().includes(pid)
  if (!isAlive(process)) return false
  if (!isMember) throw new DayflyError('invalid', `the process ${pid} is none of the instance ${id}`, { field: 'process' })
  try {
    await helper.kill(process, sigkill)
    return true
  } catch (error) {
    if (error instanceof NativeError && error.errno === 'ESRCH') return false
    throw error
  }
}

const programOf = (pid: number): string => {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`))
  } catch {
    return ''
  }
}

/** The guard and runtimes on their way in are Dayfly's own. */
const isOurs = (pid: number): boolean => ['dayfly-monitor', 'crun'].includes(programOf(pid))

export const evidenceOf = async (
  { cgroup, paths, slot }: Pick<Cell, 'cgroup' | 'paths' | 'slot'>,
  first: number | undefined,
  request: EvidenceRequest,
  helper: Helper,
  signal: AbortSignal,
): Promise<Evidence> => {
  if (!existsSync(paths.upper)) throw new DayflyError('not_found', 'nothing of the instance is left')
  const all = cgroup.processes()
  const sandboxed = all.some(pid => programOf(pid).startsWith('runsc'))
  const pids = all.filter(pid => !isOurs(pid)).toSorted((left, right) => left - right)
  const networkPid = first !== undefined && pids.includes(first) ? first : pids[0]
  const source = { pids, networkPid, upper: paths.upper, firstId: slotIds(slot).first, xattr: helper.xattr }
  const { files, gaps } = await collectEvidence(source, request, signal)
  return { files, gaps: [...gaps, ...(sandboxed ? ['what runs inside gVisor is not seen from the host: these are its own processes'] : [])] }
}
