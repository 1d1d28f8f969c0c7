/** What is known of a layer, as long as it may be: whoever reads it is the daemon. */
import { DayflyError } from '../../base/errors.ts'
import type { LayerFacts } from '../facts.ts'

/** The lists that may be shortened. */
const lists = ['owned', 'packages', 'secrets', 'setuid', 'worldWritable', 'shells', 'packageManagers', 'problems'] as const

const lengthOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/**
 * The facts as JSON of `most` bytes at most: of the longest lists the ends are left out, and a problem says so. Of whose files are whose it is not said: without
 * that, more packages are listed.
 */
export const fitted = (facts: LayerFacts, most: number): string => {
  const kept = new Map(lists.map(name => [name, { count: facts[name].length, bytes: lengthOf(facts[name]) }]))
  const countOf = (name: (typeof lists)[number]): number => kept.get(name)?.count ?? 0
  const cut = <T>(name: (typeof lists)[number], list: readonly T[]): T[] => list.slice(0, countOf(name))
  for (;;) {
    const missing = lists.filter(name => name !== 'owned' && countOf(name) < facts[name].length)
    const problems = missing.map(name => `there is too much to say about it: of ${facts[name].length} ${name} the first ${countOf(name)} are listed`)
    const text = JSON.stringify({
      ...facts,
      ...{ owned: cut('owned', facts.owned), packages: cut('packages', facts.packages), secrets: cut('secrets', facts.secrets) },
      ...{ setuid: cut('setuid', facts.setuid), worldWritable: cut('worldWritable', facts.worldWritable), shells: cut('shells', facts.shells) },
      ...{ packageManagers: cut('packageManagers', facts.packageManagers), problems: [...problems, ...cut('problems', facts.problems)] },
    } satisfies LayerFacts)
    if (Buffer.byteLength(text) <= most) return text
    const [longest] = [...kept].sort(([, left], [, right]) => right.bytes - left.bytes)
    if (longest === undefined || longest[1].count === 0) throw new DayflyError('corrupt', `what was found takes ${text.length} bytes`)
    const [name, { count }] = longest
    const half = Math.floor(count / 2)
    kept.set(name, { count: half, bytes: lengthOf(facts[name].slice(0, half)) })
  }
}
