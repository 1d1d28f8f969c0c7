/**
 * What came in through the gateway, into the record: totals of each workload, and a mark of the access log (see access-log.ts), every ten seconds and
 * before the record is sealed.
 */
import type { Log } from '../../base/log.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Report, TargetReport } from '../../gateway/gateway.ts'
import { accessMarkType } from '../../seal/facts.ts'
import { createAccessLog } from './access-log.ts'

const recordInterval = 10_000
/** Bytes of an environment's access log. */
const longestAccessLog = 64 * 1024 * 1024
/** Records that were closed last: what is told of them still is too late. */
const mostClosed = 1_000

interface Totals {
  requests: number
  failed: number
  bytesIn: number
  bytesOut: number
}

export interface TrafficOptions {
  readonly note: Engine['note']
  readonly accessLogPath: (environment: string) => string
  readonly log: Log
  /** Bytes of an environment's access log, 64 MiB by default. */
  readonly longest?: number
}

export interface Traffic extends AsyncDisposable {
  see(report: Report): void
  /** Writes what is known into an environment's record. What is told of it later is dropped: the record is about to be sealed. */
  close(environment: string): Promise<void>
  forget(environment: string): void
}

export const createTraffic = ({ note, accessLogPath, log, longest = longestAccessLog }: TrafficOptions): Traffic => {
  const totals = new Map<string, Map<string, Totals>>()
  const accessLog = createAccessLog({ pathOf: accessLogPath, longest, log })
  /** Environments whose access log has something that no mark vouches for. */
  const unmarked = new Set<string>()
  const closed = new Set<string>()
  const busy = new Set<Promise<unknown>>()

  const background = (work: Promise<unknown>): void => {
    busy.add(work)
    work.catch((error: unknown) => log.warn('the record of the gateway could not be written', { error })).finally(() => busy.delete(work))
  }

  const count = ({ environment, workload, finished, statuses, bytesIn, bytesOut }: TargetReport): void => {
    if (finished === 0 && bytesIn === 0 && bytesOut === 0) return
    const those = totals.get(environment) ?? new Map<string, Totals>()
    totals.set(environment, those)
    const known = those.get(workload) ?? { requests: 0, failed: 0, bytesIn: 0, bytesOut: 0 }
    known.requests += finished
    known.failed += Object.entries(statuses).reduce((sum, [status, number]) => sum + (Number(status) >= 500 ? number : 0), 0)
    known.bytesIn += bytesIn
    known.bytesOut += bytesOut
    those.set(workload, known)
  }

  const writeTotals = (environment: string): void => {
    const those = totals.get(environment)
    totals.delete(environment)
    for (const [workload, sums] of those ?? [])
      note(environment, 'gateway.traffic', `${sums.requests} requests to ${workload}`, { workload, ...sums })
  }

  const writeMark = async (environment: string): Promise<void> => {
    unmarked.delete(environment)
    const mark = await accessLog.mark(environment)
    if (mark) note(environment, accessMarkType, `the access log has ${mark.lines} lines`, { ...mark, limit: longest })
  }

  const write = async (entries: Report['access']): Promise<void> => {
    for (const environment of await accessLog.write(entries)) {
      note(environment, 'gateway.access_log_full', 'requests from now on are counted, but not in the access log', { limit: longest })
    }
  }

  const recordAll = async (): Promise<void> => {
    for (const environment of [...totals.keys()]) writeTotals(environment)
    await Promise.all([...unmarked].map(writeMark))
  }
  const recording = setInterval(() => background(recordAll()), recordInterval)
  recording.unref()

  return {
    see: ({ targets, access, accessDropped }) => {
      const late = targets.filter(({ environment, finished }) => finished > 0 && closed.has(environment))
      if (late.length > 0) log.warn('requests ended after the record of their environment', { targets: late.map(({ id }) => id) })
      for (const target of targets) if (!closed.has(target.environment)) count(target)
      const entries = access.filter(({ environment }) => !closed.has(environment))
      for (const { environment } of entries) unmarked.add(environment)
      for (const [environment, dropped] of Object.entries(accessDropped)) {
        if (closed.has(environment)) continue
        accessLog.drop(environment, dropped)
        unmarked.add(environment)
      }
      if (entries.length > 0) background(write(entries))
    },
    close: async environment => {
      closed.add(environment)
      if (closed.size > mostClosed) closed.delete(closed.values().next().value ?? '')
      writeTotals(environment)
      await writeMark(environment)
    },
    forget: environment => {
      totals.delete(environment)
      unmarked.delete(environment)
      accessLog.forget(environment)
    },
    [Symbol.asyncDispose]: async () => {
      clearInterval(recording)
      await Promise.allSettled([...busy, recordAll()])
    },
  }
}
