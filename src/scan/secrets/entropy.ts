/** Shannon entropy of the text's characters, in bits per character: 0 for `aaaa`, 4 at most for hexadecimal, 6 for base64. */
export const entropyOf = (text: string): number => {
  if (text.length === 0) return 0
  const counts = new Map<number, number>()
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  let sum = 0
  for (const count of counts.values()) sum -= (count / text.length) * Math.log2(count / text.length)
  return sum
}
