/** Idempotency keys and what was answered to them, in a table: a repeated request finds its answer after a restart as well. */
import type { Clock } from '../base/clock.ts'
import type { Replies } from '../model/reply.ts'
import type { Row } from './rows.ts'

type Values = Record<string, string | number | null>

interface Tables {
  transaction<T>(work: () => T): T
  one(text: string, values?: Values): Row | undefined
  run(text: string, values: Values): unknown
}

/** How long a key is known, ms, and how many of one caller are. */
export const keptFor = 24 * 3600 * 1000
export const keptPerCaller = 1000

export const createReplies = ({ transaction, one, run }: Tables, clock: Clock): Replies => {
  /** Of this process. */
  const running = new Set<string>()
  const name = (caller: string, key: string): string => JSON.stringify([caller, key])
  return {
    take: (caller, key, request) =>
      transaction(() => {
        run('DELETE FROM reply WHERE taken_at < :before', { before: clock.wall() - keptFor })
        const known = one('SELECT * FROM reply WHERE caller = :caller AND key = :key', { caller, key })
        if (known === undefined) {
          run('INSERT INTO reply (caller, key, request, taken_at) VALUES (:caller, :key, :request, :now)', {
            caller,
            key,
            request,
            now: clock.wall(),
          })
          run(
            `DELETE FROM reply WHERE caller = :caller AND status IS NOT NULL AND taken_at <
             (SELECT taken_at FROM reply WHERE caller = :caller ORDER BY taken_at DESC LIMIT 1 OFFSET ${keptPerCaller - 1})`,
            { caller },
          )
          running.add(name(caller, key))
          return { kind: 'new' }
        }
        if (known['request'] !== request) return { kind: 'other' }
        if (known['status'] !== null) return { kind: 'answered', reply: { status: Number(known['status']), body: String(known['body']) } }
        return { kind: running.has(name(caller, key)) ? 'running' : 'interrupted' }
      }),
    answered: (caller, key, { status, body }) => {
      running.delete(name(caller, key))
      run('UPDATE reply SET status = :status, body = :body WHERE caller = :caller AND key = :key', { caller, key, status, body })
    },
    release: (caller, key) => {
      running.delete(name(caller, key))
      run('DELETE FROM reply WHERE caller = :caller AND key = :key AND status IS NULL', { caller, key })
    },
  }
}
