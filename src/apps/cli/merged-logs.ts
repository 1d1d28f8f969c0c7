/** Logs of several instances as one, in the order of their times. */
import type { LogEntry } from '../../api/schemas/environments.ts'

/** The next entry of each is held: memory is bounded by their number. Entries of one source keep their order. */
export async function* mergedByTime<T>(
  sources: readonly { readonly of: T; readonly entries: AsyncIterable<LogEntry> }[],
): AsyncGenerator<{ of: T; entry: LogEntry }> {
  const heads = await Promise.all(
    sources.map(async ({ of, entries }) => {
      const iterator = entries[Symbol.asyncIterator]()
      return { of, iterator, next: await iterator.next() }
    }),
  )
  for (;;) {
    let first: (typeof heads)[number] | undefined
    for (const head of heads) {
      if (head.next.done === true) continue
      if (first === undefined || first.next.done === true || head.next.value.time < first.next.value.time) first = head
    }
    if (first === undefined || first.next.done === true) return
    yield { of: first.of, entry: first.next.value }
    first.next = await first.iterator.next()
  }
}
