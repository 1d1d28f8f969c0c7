/** Rules that are being written, against what was recorded or against cases; and what rules there are. In the playground's thread. */
import type { DiagnosticView, RuleView, TriedRuleView } from '../../../api/schemas/rules.ts'
import { DayflyError } from '../../../base/errors.ts'
import { readRuleCases, runRuleCases } from '../../../detect/cases.ts'
import type { RuleBook } from '../../../detect/create.ts'
import { createDetector, readRuleBook } from '../../../detect/create.ts'
import type { Diagnostic } from '../../../detect/language/diagnostic.ts'
import type { LoadedRules } from '../../../detect/language/loaded.ts'
import type { ActivityReader } from '../../../store/activity/activity-store.ts'
import type { Result, Task } from './messages.ts'

const file = 'playground'
const mostMatches = 200
const mostCases = 200
const mostEvents = 200_000

const diagnostic =
  (severity: 'error' | 'warning') =>
  ({ code, place, item, message }: Diagnostic): DiagnosticView => ({
    ...{ severity, code, file: place.file, line: place.line, column: place.column, item: item ?? null, message },
  })

const problemsOf = ({ errors, warnings }: LoadedRules, isTheirs: (file: string) => boolean): DiagnosticView[] => [
  // Dayfly's own are right by themselves; an error in them comes of what the text has changed.
  ...errors.map(diagnostic('error')),
  ...warnings.filter(({ place }) => isTheirs(place.file)).map(diagnostic('warning')),
]

const rulesOf = ({ rules, patterns }: LoadedRules): RuleView[] => [
  ...rules.map(({ name, description, priority, tags, enabled, isInert, lacking, eventTypes, place }) => ({
    ...{ name, kind: 'rule' as const, description, priority, tags: [...tags], enabled, inert: isInert, lacking: [...lacking] },
    ...{ events: [...eventTypes].sort(), file: place.file, line: place.line },
  })),
  ...patterns.map(({ name, kind, description, priority, tags, enabled, steps, place }) => ({
    ...{ name, kind, description, priority, tags: [...tags], enabled },
    ...{ inert: steps.some(({ rule }) => rule.isInert), lacking: [...new Set(steps.flatMap(({ rule }) => rule.lacking))] },
    ...{ events: [...new Set(steps.flatMap(({ rule }) => [...rule.eventTypes]))].sort(), file: place.file, line: place.line },
  })),
]

export const listRules = ({ dayfly, files }: Task['list']): Result['list'] => {
  const { loaded } = readRuleBook({ dayfly, files })
  const names = new Set(files.map(({ path }) => path))
  return { rules: rulesOf(loaded), problems: problemsOf(loaded, name => names.has(name)) }
}

/** Of the recorded activity, as far as time and number go. */
const judge = (task: Task['rule'], own: ReadonlySet<string>, reader: ActivityReader | undefined) => {
  const { rules, dayfly, recorded, milliseconds } = task
  const matches: TriedRuleView['matches'] = []
  let [found, events] = [0, 0]
  let complete = true
  if (recorded === undefined || reader === undefined) return { matches, found, events, complete }
  const detector = createDetector({ dayfly, files: [{ path: file, text: rules }] })
  const subjects = new Map(recorded.subjects.map(subject => [subject.instance, subject]))
  for (const subject of recorded.subjects) detector.introduce(subject)
  const end = performance.now() + milliseconds
  for (const event of reader.read(recorded.environment)) {
    const subject = event.type === 'sample' ? undefined : subjects.get(event.instance)
    if (event.type === 'sample' || subject === undefined) continue
    if (++events > mostEvents || performance.now() > end) {
      complete = false
      break
    }
    for (const { rule, priority, output } of detector.observe(event)) {
      if (!own.has(rule)) continue
      found++
      if (matches.length >= mostMatches) continue
      const { time, type, name, instance } = event
      matches.push({ rule, priority, output, time, event: type, process: name, instance, workload: subject.workload })
    }
  }
  return { matches, found, events, complete: complete && found <= mostMatches }
}

const runCases = ({ rules, dayfly, cases }: Task['rule'], own: ReadonlySet<string>): TriedRuleView['cases'] => {
  const written = cases === undefined ? undefined : readRuleCases({ path: 'cases', text: cases })
  if (written === undefined) {
    throw new DayflyError('invalid', 'cases: there is no document of kind RuleTest', { field: 'cases', remedy: 'docs/rules.md shows one.' })
  }
  return runRuleCases(written.slice(0, mostCases), { dayfly, files: [{ path: file, text: rules }] }).map(({ name, failures }) => ({
    name,
    // What Dayfly's own rules say beside is nobody's mistake here.
    failures: failures.filter(
      failure => !/^(.*): nobody expected it to say: /.test(failure) || [...own].some(rule => failure.startsWith(`${rule}: `)),
    ),
  }))
}

export const tryRule = (task: Task['rule'], reader: ActivityReader | undefined): TriedRuleView => {
  const began = performance.now()
  const none = { matches: [], found: 0, events: 0, complete: true, cases: [] }
  let book: RuleBook
  try {
    book = readRuleBook({ dayfly: task.dayfly, files: [{ path: file, text: task.rules }] })
  } catch (error) {
    if (!(error instanceof DayflyError)) throw error
    return { ...none, problems: [], faults: error.message.split('\n'), rules: [], took: performance.now() - began }
  }
  const problems = problemsOf(book.loaded, name => name === file)
  const rules = rulesOf(book.loaded).filter(rule => rule.file === file)
  const said = { ...none, problems, rules }
  if (book.loaded.errors.length > 0) return { ...said, faults: [], took: performance.now() - began }
  const own = new Set(rules.map(({ name }) => name))
  try {
    const cases = task.cases === undefined ? [] : runCases(task, own)
    return { ...said, ...judge(task, own, reader), faults: [], cases, took: performance.now() - began }
  } catch (error) {
    if (!(error instanceof DayflyError)) throw error
    return { ...said, faults: error.message.split('\n'), took: performance.now() - began }
  }
}
