/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
const distance = (from: string, to: string): number => {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      next.push(least)
    }
    ;[before, row] = [row, next]
  }
  return row[to.length] ?? 0
}

/** The known word that is nearest to what was written, when it is near enough to be meant. */
export const suggest = (written: string, known: readonly string[]): string | undefined => {
  const most = Math.max(1, Math.floor(written.replace(/^-+/, '').length / 3))
  const [best] = known
    .map(word => ({ word, far: word.startsWith(written) && written.replace(/^-+/, '').length > 1 ? 0 : distance(written, word) }))
    .filter(({ far }) => far <= most)
    .sort((left, right) => left.far - right.far)
  return best?.word
}
