/** Options of a command line, as getopt(3) finds them: short ones, up to the first argument that is none. */

export interface Options {
  readonly valid: ReadonlySet<string>
  /** Those that take a value. */
  readonly valued: ReadonlySet<string>
}

/** `ab:` are -a, and -b with a value. A leading colon changes nothing. */
export const readOptions = (text: string): Options => {
  const [valid, valued] = [new Set<string>(), new Set<string>()]
  for (let at = 0; at < text.length; at++) {
    const option = text[at] ?? ''
    if (option === ':') continue
    valid.add(option)
    if (text[at + 1] === ':') valued.add(option)
  }
  return { valid, valued }
}

/** Options of one argument like `-nvalue`; a value may be the next argument. Returns how many arguments more than this one were used. */
const readCluster = (items: readonly string[], at: number, { valid, valued }: Options, found: (option: string, value?: string) => void): number => {
  const cluster = items[at] ?? ''
  for (let index = 1; index < cluster.length; index++) {
    const option = cluster[index] ?? ''
    if (option === ':' || !valid.has(option)) {
      found('?')
      continue
    }
    if (!valued.has(option)) {
      found(option)
      continue
    }
    const attached = cluster.slice(index + 1)
    if (attached !== '') found(option, attached)
    else found(option, items[at + 1] ?? '')
    return attached === '' ? 1 : 0
  }
  return 0
}

/**
 * All options with their values, one after another; what is no option is `?`, and a value that is missing stands alone as ''. With `wanted`: the value of that
 * option's last occurrence, or its name where it takes none, or undefined where it does not occur.
 */
export const optionsIn = (items: readonly string[], options: Options, wanted?: string): string | readonly string[] | undefined => {
  const all: string[] = []
  let last: string | undefined
  for (let at = 0; at < items.length; at++) {
    const item = items[at] ?? ''
    if (item === '--' || item.length < 2 || !item.startsWith('-')) break
    // Long options are passed over: read as a cluster they would be nonsense.
    if (item.startsWith('--')) continue
    const isLast = at === items.length - 1
    at += readCluster(items, at, options, (option, value) => {
      if (option === wanted) last = value ?? option
      const isMissing = value === '' && isLast
      all.push(...(value === undefined ? [option] : isMissing ? [''] : [option, value]))
    })
  }
  return wanted === undefined ? all : last
}
