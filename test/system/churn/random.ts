/** Seeded choices: the same seed chooses the same again, though not at the same instant of the machine. */
export interface Random {
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number
  pick<T>(choices: readonly [T, ...T[]]): T
  chance(share: number): boolean
  /** An independent stream of choices. */
  fork(): Random
}

/** Mulberry32. */
export const seeded = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    between,
    pick: choices => choices[between(0, choices.length - 1)] ?? choices[0],
    chance: share => next() < share,
    fork: () => seeded(between(0, 0xffff_ffff)),
  }
}
