/** A reporter for node:test that writes one JSON line per run: the counts, and each skipped test with its reason. scripts/test.ts adds them up. */
import type { TestEvent } from 'node:test/reporters'

interface Skipped {
  readonly name: string
  /** Empty when the test does not say why. */
  readonly reason: string
}

export default async function* count(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const skipped: Skipped[] = []
  for await (const event of source) {
    if (event.type === 'test:pass' && event.data.skip !== undefined) {
      skipped.push({ name: event.data.name, reason: typeof event.data.skip === 'string' ? event.data.skip : '' })
    }
    if (event.type === 'test:summary' && event.data.file === undefined) {
      const { tests, passed, skipped: left, todo } = event.data.counts
      yield `${JSON.stringify({ passed, failed: tests - passed - left - todo, skipped })}\n`
    }
  }
}
