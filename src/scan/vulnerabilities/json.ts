/** JSON from outside, at most as deep as any of the formats here could want: brackets without end would cost a hundred times their own size. */
const deepest = 64
/** Objects and arrays in one document: empty ones cost thirty times their text. */
const mostContainers = 1_000_000

/** Throws an Error for what is no JSON, nested more than 64 deep, or of more than a million objects and arrays. The caller has bounded its length. */
export const parseJson = (text: string): unknown => {
  let [depth, containers] = [0, 0]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      // To the end of the string: a quote with an even number of backslashes before it.
      do at = text.indexOf('"', at + 1)
      while (at > 0 && isEscaped(text, at))
      if (at < 0) break
    } else if (code === 91 || code === 123) {
      if (++depth > deepest) throw new Error(`it is nested more than ${deepest} deep`)
      if (++containers > mostContainers) throw new Error(`it has more than ${mostContainers} objects and arrays`)
    } else if (code === 93 || code === 125) depth--
  }
  return JSON.parse(text)
}

const isEscaped = (text: string, quote: number): boolean => {
  let at = quote - 1
  while (text.charCodeAt(at) === 92) at--
  return (quote - at) % 2 === 0
}
