/** Starts before ends: while containers are being started, what has ended can wait a moment for its removal. */
export interface Precedence {
  /** A start has begun; it is over when this is disposed of. Doing so twice does nothing. */
  start(): Disposable
  /** Resolves when no start is under way, or after `patience` ms. */
  clear(patience: number): Promise<void>
}

export const createPrecedence = (): Precedence => {
  let starting = 0
  let none = Promise.withResolvers<void>()
  return {
    start: () => {
      if (starting++ === 0) none = Promise.withResolvers()
      let over = false
      return {
        [Symbol.dispose]: () => {
          if (over) return
          over = true
          if (--starting === 0) none.resolve()
        },
      }
    },
    clear: async patience => {
      if (starting === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, patience)
      await Promise.race([none.promise, promise])
      clearTimeout(timer)
    },
  }
}
