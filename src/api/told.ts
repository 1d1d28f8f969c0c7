import { createQueue } from './queue.ts'

/** What is told while something is done, each line as it comes; then what came of it. Throws what the work throws, after all that it has told. */
export async function* toldThen<Line>(work: (tell: (line: Line) => void) => Promise<Line>): AsyncGenerator<Line> {
  const queue = createQueue<Line>()
  const outcome = work(queue.push).finally(queue.end)
  outcome.catch(() => {}) // Thrown below.
  yield* queue.items
  yield await outcome
}
