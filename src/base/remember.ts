/** Puts an entry into a map of at most `most`: the oldest one goes for it. One that is there is renewed, and becomes the newest. */
export const remember = <K, V>(known: Map<K, V>, key: K, value: V, most: number): void => {
  known.delete(key)
  if (known.size >= most) {
    const [oldest] = known.keys()
    if (oldest !== undefined) known.delete(oldest)
  }
  known.set(key, value)
}
