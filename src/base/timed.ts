/** How long work took, for whoever counts it. */
import { messageOf } from './errors.ts'

/** Does the work; `tell` gets its begin and its end (monotonic ms) and why it failed, however it ends. */
export const timed = async <T>(work: () => Promise<T>, tell: (began: number, ended: number, failure: string | undefined) => void): Promise<T> => {
  const began = performance.now()
  try {
    const result = await work()
    tell(began, performance.now(), undefined)
    return result
  } catch (error) {
    tell(began, performance.now(), messageOf(error))
    throw error
  }
}
