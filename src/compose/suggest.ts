/** Steps (insertions, deletions, replacements, swaps of neighbours) from one word to another; `most` + 1 when there are more. */
const distance = (left: string, right: string, most: number): number => {
  if (Math.abs(left.length - right.length) > most) return most + 1
  let before: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let steps = Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + (same ? 0 : 1))
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        steps = Math.min(steps, (before[column - 2] ?? 0) + 1)
      }
      current.push(steps)
    }
    before = previous
    previous = current
  }
  return previous[right.length] ?? most + 1
}

/** Which of the words was probably meant, or undefined. */
export const suggest = (word: string, words: Iterable<string>): string | undefined => {
  if (word.length > 64) return undefined
  const most = word.length <= 4 ? 1 : word.length <= 8 ? 2 : 3
  const plain = (text: string): string => text.toLowerCase().replaceAll('-', '_')
  let best: { word: string; steps: number } | undefined
  for (const candidate of words) {
    const steps = distance(plain(word), plain(candidate), most)
    if (steps <= most && (best === undefined || steps < best.steps)) best = { word: candidate, steps }
  }
  return best?.word
}
