/** As much of a Dockerfile as says which images it begins from. */

const variable = /\$(?:\{(\w+)(?::([-+])([^}]*))?\}|(\w+))/g

const expand = (text: string, values: ReadonlyMap<string, string>): string =>
  text.replaceAll(variable, (_, braced: string | undefined, operator: string | undefined, word = '', plain: string | undefined) => {
    const value = values.get(braced ?? plain ?? '') ?? ''
    if (operator === '-') return value === '' ? word : value
    return operator === '+' ? (value === '' ? '' : word) : value
  })

/** Instructions without comments, continued lines put together. Here-documents are read over as if they were instructions: none of them begins with FROM. */
const instructions = (text: string): string[] => {
  const continuation = /^#\s*escape\s*=\s*`/im.exec(text.split(/\n(?!\s*#)/)[0] ?? '') ? '`' : '\\'
  const lines: string[] = []
  let open = ''
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*#/.test(line)) continue
    const continued = line.trimEnd().endsWith(continuation)
    open += continued ? `${line.trimEnd().slice(0, -1)} ` : line
    if (continued) continue
    if (open.trim() !== '') lines.push(open.trim())
    open = ''
  }
  return open.trim() === '' ? lines : [...lines, open.trim()]
}

const unquoted = (text: string): string => text.replace(/^(["'])(.*)\1$/, '$2')

/** Images that it begins from, or copies from, that are neither stages of it nor `scratch`. `args`: of the build; they count where the file declares them. */
export const imagesOf = (text: string, args: Readonly<Record<string, string>>): string[] => {
  const values = new Map<string, string>()
  const stages = new Set<string>(['scratch'])
  const images = new Set<string>()
  let began = false
  const take = (image: string): void => {
    if (image !== '' && !stages.has(image.toLowerCase()) && !/^\d+$/.test(image)) images.add(image)
  }
  for (const instruction of instructions(text)) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/s.exec(instruction) ?? []
    const name = word.toUpperCase()
    if (name === 'ARG' && !began) {
      for (const declared of rest.split(/\s+/)) {
        const [key = '', value] = declared.split(/=(.*)/s)
        const given = args[key] ?? (value === undefined ? undefined : expand(unquoted(value), values))
        if (given !== undefined) values.set(key, given)
      }
    } else if (name === 'FROM') {
      began = true
      const [image = '', as = '', stage = ''] = rest.split(/\s+/).filter(part => !part.startsWith('--'))
      take(expand(unquoted(image), values))
      if (as.toUpperCase() === 'AS') stages.add(stage.toLowerCase())
    } else if (name === 'COPY' || name === 'ADD' || name === 'RUN') {
      for (const [, from = ''] of rest.matchAll(/--(?:from=|mount=\S*?from=)([^\s,]+)/g)) take(expand(unquoted(from), values))
    }
  }
  return [...images]
}
