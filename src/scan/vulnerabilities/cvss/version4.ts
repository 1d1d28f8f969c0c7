/** CVSS 4.0: the MacroVector's score, less the mean of how far the vector is from the highest one of it, in each group of equivalence (EQ1–EQ6). */
import { macroVectors } from './macrovectors.ts'
import { vectorParser } from './vector.ts'

const parse = vectorParser({
  mandatory: ['AV:NALP', 'AC:LH', 'AT:NP', 'PR:NLH', 'UI:NPA', 'VC:HLN', 'VI:HLN', 'VA:HLN', 'SC:HLN', 'SI:HLN', 'SA:HLN'],
  optional: [
    'E:XAPU',
    'CR:XHML',
    'IR:XHML',
    'AR:XHML',
    'MAV:XNALP',
    'MAC:XLH',
    'MAT:XNP',
    'MPR:XNLH',
    'MUI:XNPA',
    'MVC:XHLN',
    'MVI:XHLN',
    'MVA:XHLN',
    'MSC:XHLN',
    'MSI:XSHLN',
    'MSA:XSHLN',
    'S:XNP',
    'AU:XNY',
    'R:XAUI',
    'V:XDC',
    'RE:XLMH',
    'U:[X][Clear][Green][Amber][Red]',
  ],
})

/** Values from the worst on: how many steps a value is from it. */
const ladders: Readonly<Record<string, string>> = {
  AV: 'NALP',
  PR: 'NLH',
  UI: 'NPA',
  AC: 'LH',
  AT: 'NP',
  VC: 'HLN',
  VI: 'HLN',
  VA: 'HLN',
  SC: 'SHLN',
  SI: 'SHLN',
  SA: 'SHLN',
  CR: 'HML',
  IR: 'HML',
  AR: 'HML',
}

/** The highest vectors of each level, and how deep it is: how many steps lead out of it. EQ3 and EQ6 go together. */
interface Level {
  readonly highest: readonly string[]
  readonly depth: number
}
const level = (depth: number, ...highest: string[]): Level => ({ depth, highest })
const groups: Readonly<Record<'1' | '2' | '36' | '4', Readonly<Record<string, Level>>>> = {
  1: {
    0: level(1, 'AV:N/PR:N/UI:N'),
    1: level(4, 'AV:A/PR:N/UI:N', 'AV:N/PR:L/UI:N', 'AV:N/PR:N/UI:P'),
    2: level(5, 'AV:P/PR:N/UI:N', 'AV:A/PR:L/UI:P'),
  },
  2: { 0: level(1, 'AC:L/AT:N'), 1: level(2, 'AC:H/AT:N', 'AC:L/AT:P') },
  36: {
    '00': level(7, 'VC:H/VI:H/VA:H/CR:H/IR:H/AR:H'),
    '01': level(6, 'VC:H/VI:H/VA:L/CR:M/IR:M/AR:H', 'VC:H/VI:H/VA:H/CR:M/IR:M/AR:M'),
    '10': level(8, 'VC:L/VI:H/VA:H/CR:H/IR:H/AR:H', 'VC:H/VI:L/VA:H/CR:H/IR:H/AR:H'),
    '11': level(
      8,
      'VC:L/VI:H/VA:L/CR:H/IR:M/AR:H',
      'VC:L/VI:H/VA:H/CR:H/IR:M/AR:M',
      'VC:H/VI:L/VA:H/CR:M/IR:H/AR:M',
      'VC:H/VI:L/VA:L/CR:M/IR:H/AR:H',
      'VC:L/VI:L/VA:H/CR:H/IR:H/AR:M',
    ),
    '21': level(10, 'VC:L/VI:L/VA:L/CR:H/IR:H/AR:H'),
  },
  4: { 0: level(6, 'SC:H/SI:S/SA:S'), 1: level(5, 'SC:H/SI:H/SA:H'), 2: level(4, 'SC:L/SI:L/SA:L') },
}

type Read = (name: string) => string

const stepsBelow = (read: Read, highest: string): number | undefined => {
  let steps = 0
  for (const metric of highest.split('/')) {
    const [name = '', value = ''] = metric.split(':')
    const ladder = ladders[name] ?? ''
    const below = ladder.indexOf(read(name)) - ladder.indexOf(value)
    if (below < 0) return undefined
    steps += below
  }
  return steps
}

/** Steps from the first of the highest vectors that is nowhere below this one. */
const distance = (read: Read, { highest }: Level): number => {
  for (const vector of highest) {
    const steps = stepsBelow(read, vector)
    if (steps !== undefined) return steps
  }
  return 0
}

const equivalence = (read: Read): readonly [number, number, number, number, number, number] => {
  const is = (name: string, value: string): boolean => read(name) === value
  const easy = Number(is('AV', 'N')) + Number(is('PR', 'N')) + Number(is('UI', 'N'))
  const eq1 = easy === 3 ? 0 : easy > 0 && !is('AV', 'P') ? 1 : 2
  const eq2 = is('AC', 'L') && is('AT', 'N') ? 0 : 1
  const eq3 = is('VC', 'H') && is('VI', 'H') ? 0 : is('VC', 'H') || is('VI', 'H') || is('VA', 'H') ? 1 : 2
  const eq4 = is('SI', 'S') || is('SA', 'S') ? 0 : is('SC', 'H') || is('SI', 'H') || is('SA', 'H') ? 1 : 2
  const eq5 = is('E', 'A') ? 0 : is('E', 'P') ? 1 : 2
  const eq6 = (is('CR', 'H') && is('VC', 'H')) || (is('IR', 'H') && is('VI', 'H')) || (is('AR', 'H') && is('VA', 'H')) ? 0 : 1
  return [eq1, eq2, eq3, eq4, eq5, eq6]
}

/** 0–10, with the threat and environmental metrics where the vector has any. `vector` is without its prefix; undefined for what is none. */
export const score4 = (vector: string): number | undefined => {
  const metrics = parse(vector)
  if (!metrics) return undefined
  const read: Read = name => {
    const modified = metrics.get(`M${name}`) ?? 'X'
    const value = modified === 'X' ? (metrics.get(name) ?? 'X') : modified
    // What is not known is the worst.
    return value === 'X' ? (name === 'E' ? 'A' : 'H') : value
  }
  if (['VC', 'VI', 'VA', 'SC', 'SI', 'SA'].every(name => read(name) === 'N')) return 0
  const [eq1, eq2, eq3, eq4, eq5, eq6] = equivalence(read)
  const scoreOf = (a: number, b: number, c: number, d: number, e: number, f: number): number | undefined =>
    macroVectors.get(`${a}${b}${c}${d}${e}${f}`)
  const value = scoreOf(eq1, eq2, eq3, eq4, eq5, eq6) ?? 0
  const beside = [scoreOf(eq1, eq2, eq3 + 1, eq4, eq5, eq6), scoreOf(eq1, eq2, eq3, eq4, eq5, eq6 + 1)].filter(score => score !== undefined)
  // Of the two ways down from 00 the one that goes less far; 11 and 01 only have EQ3's, 10 only has EQ6's.
  const lower36 = eq3 === 1 && eq6 === 0 ? scoreOf(eq1, eq2, 1, eq4, eq5, 1) : beside.length > 0 ? Math.max(...beside) : undefined
  const steps: readonly (readonly [number | undefined, Level | undefined])[] = [
    [scoreOf(eq1 + 1, eq2, eq3, eq4, eq5, eq6), groups[1][eq1]],
    [scoreOf(eq1, eq2 + 1, eq3, eq4, eq5, eq6), groups[2][eq2]],
    [lower36, groups[36][`${eq3}${eq6}`]],
    [scoreOf(eq1, eq2, eq3, eq4 + 1, eq5, eq6), groups[4][eq4]],
    // In EQ5 there is one vector a level.
    [scoreOf(eq1, eq2, eq3, eq4, eq5 + 1, eq6), undefined],
  ]
  const existing = steps.filter(([lower]) => lower !== undefined)
  const sum = existing.reduce((total, [lower = 0, found]) => total + (found ? ((value - lower) * distance(read, found)) / found.depth : 0), 0)
  const tenths = value - (existing.length === 0 ? 0 : sum / existing.length)
  return Math.floor(Math.min(100, Math.max(0, tenths)) + 0.5 + 1e-6) / 10
}
