/** `*` is any run of characters. Linear: every part is looked for once, from where the one before it ended. */
export const fits = (pattern: string, value: string): boolean => {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return value === first
  if (!value.startsWith(first) || !value.endsWith(last) || value.length < first.length + last.length) return false
  let at = first.length
  for (const part of rest) {
    const found = value.indexOf(part, at)
    if (found < 0 || found + part.length > value.length - last.length) return false
    at = found + part.length
  }
  return true
}

/** Whether one of the patterns fits one of the values; without patterns, all do. */
export const anyFits = (patterns: readonly string[] | undefined, values: readonly string[]): boolean =>
  patterns === undefined || values.some(value => patterns.some(pattern => fits(pattern, value)))
