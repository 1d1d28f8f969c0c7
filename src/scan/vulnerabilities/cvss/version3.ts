/** CVSS 3.0 and 3.1: base, temporal and environmental equations of the specifications, which differ in how a changed scope's impact is modified. */
import type { Metrics } from './vector.ts'
import { vectorParser } from './vector.ts'

const parse = vectorParser({
  mandatory: ['AV:NALP', 'AC:LH', 'PR:NLH', 'UI:NR', 'S:UC', 'C:NLH', 'I:NLH', 'A:NLH'],
  optional: [
    'E:XUPFH',
    'RL:XOTWU',
    'RC:XURC',
    'CR:XLMH',
    'IR:XLMH',
    'AR:XLMH',
    'MAV:XNALP',
    'MAC:XLH',
    'MPR:XNLH',
    'MUI:XNR',
    'MS:XUC',
    'MC:XNLH',
    'MI:XNLH',
    'MA:XNLH',
  ],
})

const weights: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
  E: { X: 1, H: 1, F: 0.97, P: 0.94, U: 0.91 },
  RL: { X: 1, U: 1, W: 0.97, T: 0.96, O: 0.95 },
  RC: { X: 1, C: 1, R: 0.96, U: 0.92 },
  CR: { X: 1, H: 1.5, M: 1, L: 0.5 },
  IR: { X: 1, H: 1.5, M: 1, L: 0.5 },
  AR: { X: 1, H: 1.5, M: 1, L: 0.5 },
}
const privileges = { same: { N: 0.85, L: 0.62, H: 0.27 }, changed: { N: 0.85, L: 0.68, H: 0.5 } } as const
const temporalMetrics = ['E', 'RL', 'RC']
const environmentalMetrics = ['CR', 'IR', 'AR', 'MAV', 'MAC', 'MPR', 'MUI', 'MS', 'MC', 'MI', 'MA']

/** The smallest tenth that is not less, as 3.1 defines it: on whole hundred-thousandths. */
const roundUp = (value: number): number => {
  const whole = Math.round(value * 100_000)
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10
}

const isSet = (metrics: Metrics, names: readonly string[]): boolean => names.some(name => (metrics.get(name) ?? 'X') !== 'X')

const isPrivilege = (value: string): value is keyof typeof privileges.same => Object.hasOwn(privileges.same, value)

/** `read` gives a metric's value; the modified ones where the environment is scored. */
const combine = (read: (name: string) => string, weight: (name: string) => number, subscore: number, changedImpact: number): number => {
  const changed = read('S') === 'C'
  const impact = changed ? changedImpact : 6.42 * subscore
  if (impact <= 0) return 0
  const needed = read('PR')
  const privilege = isPrivilege(needed) ? privileges[changed ? 'changed' : 'same'][needed] : 0
  const exploitability = 8.22 * weight('AV') * weight('AC') * privilege * weight('UI')
  return roundUp(Math.min(10, changed ? 1.08 * (impact + exploitability) : impact + exploitability))
}

/** 0–10: with the temporal and environmental metrics where the vector has any. `vector` is without its prefix; undefined for what is none. */
export const score3 = (vector: string, minor: 0 | 1): number | undefined => {
  const metrics = parse(vector)
  if (!metrics) return undefined
  const own = (name: string): number => weights[name]?.[metrics.get(name) ?? 'X'] ?? 0
  const temporal = own('E') * own('RL') * own('RC')
  if (!isSet(metrics, environmentalMetrics)) {
    const subscore = 1 - (1 - own('C')) * (1 - own('I')) * (1 - own('A'))
    const base = combine(name => metrics.get(name) ?? '', own, subscore, 7.52 * (subscore - 0.029) - 3.25 * (subscore - 0.02) ** 15)
    return isSet(metrics, temporalMetrics) ? roundUp(base * temporal) : base
  }
  const modified = (name: string): string => {
    const value = metrics.get(`M${name}`) ?? 'X'
    return value === 'X' ? (metrics.get(name) ?? '') : value
  }
  const weight = (name: string): number => weights[name]?.[modified(name)] ?? 0
  const remaining = (1 - weight('C') * own('CR')) * (1 - weight('I') * own('IR')) * (1 - weight('A') * own('AR'))
  const subscore = Math.min(1 - remaining, 0.915)
  const excess = minor === 0 ? (subscore - 0.02) ** 15 : (subscore * 0.9731 - 0.02) ** 13
  return roundUp(combine(modified, weight, subscore, 7.52 * (subscore - 0.029) - 3.25 * excess) * temporal)
}
