/** CVSS vectors: `NAME:VALUE` between slashes, each name once, each with a value that its version knows. */

/** A vector's metrics: value by name. */
export type Metrics = ReadonlyMap<string, string>

/** What a version of the standard knows. `mandatory` must be in every vector; each string is a metric and its values, as in `AV:NALP`. */
export interface Grammar {
  readonly mandatory: readonly string[]
  readonly optional: readonly string[]
}

/** Far more than the longest vector of any version. */
const longest = 512

/** Values of more than one letter are in brackets: `RL:[OF][TF][W][U][ND]`. */
const valuesOf = (metric: string): readonly [string, ReadonlySet<string>] => {
  const [name = '', values = ''] = metric.split(':')
  return [name, new Set(values.startsWith('[') ? values.slice(1, -1).split('][') : values)]
}

/** A parser of vectors without their prefix; undefined for what is none. */
export const vectorParser = ({ mandatory, optional }: Grammar): ((text: string) => Metrics | undefined) => {
  const known = new Map([...mandatory, ...optional].map(valuesOf))
  const needed = mandatory.map(metric => valuesOf(metric)[0])
  return text => {
    if (text.length > longest) return undefined
    const metrics = new Map<string, string>()
    for (const part of text.split('/')) {
      const [name = '', value = '', ...more] = part.split(':')
      if (more.length > 0 || metrics.has(name) || !known.get(name)?.has(value)) return undefined
      metrics.set(name, value)
    }
    return needed.every(name => metrics.has(name)) ? metrics : undefined
  }
}
