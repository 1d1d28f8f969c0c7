/**
 * All that is kept of an environment, to be proven and exported: read in a thread, in pieces, of one moment, whatever is pruned meanwhile. Not the thread of
 * searches: nobody who searches waits for an export.
 */
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { ActivityHead } from '../../model/activity.ts'
import type { ActivityBlock, ActivityPlace, ActivityVerdict } from '../../store/activity/activity-store.ts'
import { createActivityCalls } from './activity-calls.ts'
import type { BlockSize } from './activity-messages.ts'

export interface ActivitySnapshot extends AsyncDisposable {
  /** undefined: nothing was ever kept of it. */
  place(environment: string): Promise<ActivityPlace | undefined>
  /** Up to and with that number, in their order. Rejects `corrupt` at one that cannot be uncompressed. */
  blocks(environment: string, last: number): AsyncGenerator<Pick<ActivityBlock, 'number' | 'entries' | 'hash' | 'bytes'>>
  sizes(environment: string, last: number): AsyncGenerator<BlockSize>
  /** Whether what is kept is what the head proves, and no more. */
  verify(environment: string, head: ActivityHead): Promise<ActivityVerdict>
}

export interface ActivityArchive extends AsyncDisposable {
  /** undefined: nothing was ever kept on this host. Rejects `exhausted` when there are too many. Not for long: see ActivityReaderOptions.snapshot. */
  snapshot(): Promise<ActivitySnapshot | undefined>
}

const mostSnapshots = 16
/** ms after which one is closed, whoever still reads: what was pruned stays on the disk until then. */
const longest = 900_000
const patience = 60_000

export const createActivityArchive = ({ stateDir, log }: { readonly stateDir: string; readonly log: Log }): ActivityArchive => {
  const calls = createActivityCalls({ stateDir, log, patience, name: 'dayfly-archive', remedy: 'Try again when the host has less to do.' })
  let open = 0
  let nextSnapshot = 1

  return {
    snapshot: async () => {
      if (open >= mostSnapshots) throw new DayflyError('exhausted', 'too many records are read at once', { remedy: 'Try again in a while.' })
      open++
      const snapshot = nextSnapshot++
      const over = new AbortController()
      const close = async (): Promise<void> => {
        if (over.signal.aborted) return
        over.abort(
          new DayflyError('timeout', `the record was read for longer than ${longest} ms`, { remedy: 'Read it faster: export it to a file.' }),
        )
        open--
        clearTimeout(timer)
        // A thread that has ended has closed it too.
        await calls.ask({ type: 'close', snapshot }).catch(() => undefined)
      }
      const timer = setTimeout(() => void close(), longest)
      timer.unref()
      const { signal } = over
      try {
        const { there } = await calls.ask({ type: 'open', snapshot }, signal)
        if (!there) {
          await close()
          return undefined
        }
      } catch (error) {
        await close()
        throw error
      }
      return {
        place: async environment => (await calls.ask({ type: 'place', snapshot, environment }, signal)).place,
        blocks: async function* (environment, last) {
          for (let after = 0; ; ) {
            const { blocks } = await calls.ask({ type: 'blocks', snapshot, environment, after, last }, signal)
            // What went through a message is no Buffer any more.
            for (const { bytes, ...block } of blocks) yield { ...block, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length) }
            const at = blocks.at(-1)
            if (at === undefined) return
            after = at.number
          }
        },
        sizes: async function* (environment, last) {
          for (let after = 0; ; ) {
            const { blocks } = await calls.ask({ type: 'sizes', snapshot, environment, after, last }, signal)
            yield* blocks
            const at = blocks.at(-1)
            if (at === undefined) return
            after = at.number
          }
        },
        verify: async (environment, head) => {
          for (let from: ActivityHead | undefined; ; ) {
            const { progress } = await calls.ask({ type: 'verify', snapshot, environment, head, from }, signal)
            if ('verdict' in progress) return progress.verdict
            from = progress.at
          }
        },
        [Symbol.asyncDispose]: close,
      }
    },
    [Symbol.asyncDispose]: () => calls[Symbol.asyncDispose](),
  }
}
