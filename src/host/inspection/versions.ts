/** The first dotted number in a text, e.g. of `crun version 1.14.1`; undefined when there is none. */
export const versionIn = (text: string): string | undefined => /\d+(?:\.\d+)+/.exec(text)?.[0]

/** Whether a dotted version is at least another: numbers are compared part by part, a missing part is 0. */
export const isAtLeast = (version: string, least: string): boolean => {
  const [left, right] = [version, least].map(text => text.split('.').map(Number))
  for (let part = 0; part < Math.max(left?.length ?? 0, right?.length ?? 0); part++) {
    const difference = (left?.[part] ?? 0) - (right?.[part] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return true
}
