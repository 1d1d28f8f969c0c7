/** Lets at most `limit` through at a time, in order of arrival. What it returns is held while inside, with `using`. */
export const limitConcurrency = (limit: number): (() => Promise<Disposable>) => {
  const waiting: (() => void)[] = []
  let inside = 0
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) inside -= 1
    else next()
  }
  return async () => {
    if (inside < limit) inside += 1
    else await new Promise<void>(resolve => waiting.push(resolve))
    return { [Symbol.dispose]: leave }
  }
}
