/** CVSS 2.0: base, temporal and environmental equations of the specification. */
import type { Metrics } from './vector.ts'
import { vectorParser } from './vector.ts'

const parse = vectorParser({
  mandatory: ['AV:LAN', 'AC:HML', 'Au:MSN', 'C:NPC', 'I:NPC', 'A:NPC'],
  optional: [
    'E:[U][POC][F][H][ND]',
    'RL:[OF][TF][W][U][ND]',
    'RC:[UC][UR][C][ND]',
    'CDP:[N][L][LM][MH][H][ND]',
    'TD:[N][L][M][H][ND]',
    'CR:[L][M][H][ND]',
    'IR:[L][M][H][ND]',
    'AR:[L][M][H][ND]',
  ],
})

const weights: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  AV: { L: 0.395, A: 0.646, N: 1 },
  AC: { H: 0.35, M: 0.61, L: 0.71 },
  Au: { M: 0.45, S: 0.56, N: 0.704 },
  C: { N: 0, P: 0.275, C: 0.66 },
  I: { N: 0, P: 0.275, C: 0.66 },
  A: { N: 0, P: 0.275, C: 0.66 },
  E: { U: 0.85, POC: 0.9, F: 0.95, H: 1, ND: 1 },
  RL: { OF: 0.87, TF: 0.9, W: 0.95, U: 1, ND: 1 },
  RC: { UC: 0.9, UR: 0.95, C: 1, ND: 1 },
  CDP: { N: 0, L: 0.1, LM: 0.3, MH: 0.4, H: 0.5, ND: 0 },
  TD: { N: 0, L: 0.25, M: 0.75, H: 1, ND: 1 },
  CR: { L: 0.5, M: 1, H: 1.51, ND: 1 },
  IR: { L: 0.5, M: 1, H: 1.51, ND: 1 },
  AR: { L: 0.5, M: 1, H: 1.51, ND: 1 },
}

const temporalMetrics = ['E', 'RL', 'RC']
const environmentalMetrics = ['CDP', 'TD', 'CR', 'IR', 'AR']

/** To the nearest tenth, halves up; the small part makes up for what binary fractions lose. */
const tenth = (value: number): number => Math.max(0, Math.floor(value * 10 + 0.5 + 1e-9) / 10)

const isSet = (metrics: Metrics, names: readonly string[]): boolean => names.some(name => (metrics.get(name) ?? 'ND') !== 'ND')

/** 0–10: with the temporal and environmental metrics where the vector has any. undefined for what is no vector. */
export const score2 = (vector: string): number | undefined => {
  const metrics = parse(vector)
  if (!metrics) return undefined
  const weight = (name: string): number => weights[name]?.[metrics.get(name) ?? 'ND'] ?? 0
  const exploitability = 20 * weight('AV') * weight('AC') * weight('Au')
  const baseOf = (impact: number): number => (impact === 0 ? 0 : tenth((0.6 * impact + 0.4 * exploitability - 1.5) * 1.176))
  const temporalOf = (base: number): number => (isSet(metrics, temporalMetrics) ? tenth(base * weight('E') * weight('RL') * weight('RC')) : base)
  if (!isSet(metrics, environmentalMetrics)) return temporalOf(baseOf(10.41 * (1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A')))))
  const remaining = (1 - weight('C') * weight('CR')) * (1 - weight('I') * weight('IR')) * (1 - weight('A') * weight('AR'))
  const adjusted = temporalOf(baseOf(Math.min(10, 10.41 * (1 - remaining))))
  return tenth((adjusted + (10 - adjusted) * weight('CDP')) * weight('TD'))
}
