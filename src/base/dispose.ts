/** A disposable that runs `work` at its first disposal and never again. */
export const disposable = (work: () => void): Disposable => {
  let done = false
  return {
    [Symbol.dispose]: () => {
      if (done) return
      done = true
      work()
    },
  }
}
