/**
 * The detector: processes, rules, sequences, thresholds and profiles put together.
 *
 * Pure: what it says follows from the subjects, the rules and the events in their order, so it makes no difference how events are batched, or whether they come live
 * or from a record. An instance that was not introduced is a fault of the caller: nothing is judged against half an identity.
 */
import { parseAllDocuments } from 'yaml'
import { DayflyError, messageOf } from '../base/errors.ts'
import { isNestedDeeper } from '../base/yaml-nesting.ts'
import type { KernelEvent } from '../model/kernel-event.ts'
import type { Detection, Detector, Subject } from './detector.ts'
import type { Egress } from './egress.ts'
import { createEgress } from './egress.ts'
import type { EventContext } from './fields/context.ts'
import { eventName } from './fields/event-names.ts'
import { formatDiagnostic } from './language/diagnostic.ts'
import { loadRules } from './language/load.ts'
import type { LoadedRules } from './language/loaded.ts'
import type { RuleSet, RuleSource } from './language/rule.ts'
import { compileRules } from './language/rule-set.ts'
import type { ProcessTable } from './processes/table.ts'
import { createProcessTable } from './processes/table.ts'
import { createProfileJudge } from './profile/judge.ts'
import type { Names } from './profile/names.ts'
import { createNames } from './profile/names.ts'
import type { Profile } from './profile/profile.ts'
import { parseProfile, profileFits } from './profile/profile.ts'
import { ownRules } from './rules/own.ts'
import { compilePatterns } from './sequences/compile.ts'
import { createSequenceTracker } from './sequences/sequence-tracker.ts'
import { createThresholdTracker } from './sequences/threshold-tracker.ts'

/** A file, with what it holds: rules in Falco's language and Dayfly's, or one profile. */
export interface RuleFile {
  readonly path: string
  readonly text: string
}

export interface DetectorRules {
  /** Whether Dayfly's own rules take part. They come before the files. */
  readonly dayfly: boolean
  /** In this order: a later one may change what an earlier one says. */
  readonly files: readonly RuleFile[]
}

/** A detector whose rules can be others from one event to the next, with all that it knows of processes. */
export interface RuledDetector extends Detector {
  /** Throws `invalid` naming file, line and what is wrong; then the rules stay as they are. How many there are: rules, sequences, thresholds and profiles. */
  setRules(rules: DetectorRules): number
}

/** What files come to. */
export interface RuleBook {
  readonly loaded: LoadedRules
  readonly profiles: readonly Profile[]
}

/** Longer ones are no profiles: brackets and letters of the largest one that there can be. */
const longestProfile = 32 * 2 ** 20

/** The document of a file that says of itself that it is a profile. Throws `invalid`. */
const profileOf = ({ path, text }: RuleFile): Profile | undefined => {
  // Only one that says so is read twice.
  if (!/["']?\bkind\b["']?\s*:\s*["']?Profile\b/.test(text) || text.length > longestProfile || isNestedDeeper(text, 32)) return undefined
  const documents = parseAllDocuments(text, { logLevel: 'silent' })
  if (!Array.isArray(documents)) return undefined
  const [document] = documents
  if (documents.length !== 1 || document === undefined || document.errors.length > 0) return undefined
  const value: unknown = document.toJS({ maxAliasCount: 0 })
  if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'Profile') return undefined
  try {
    return parseProfile(value)
  } catch (error) {
    throw new DayflyError('invalid', `${path}: ${messageOf(error)}`, {
      field: path,
      remedy: 'Learn the profile anew with `dayfly profile learn`.',
      cause: error,
    })
  }
}

/** Never throws for what is in rules: what is wrong is in `loaded.errors`. Throws `invalid` for a profile that is none. */
export const readRuleBook = ({ dayfly, files }: DetectorRules): RuleBook => {
  const profiles: Profile[] = []
  const sources: RuleSource[] = dayfly ? [...ownRules()] : []
  for (const file of files) {
    const profile = profileOf(file)
    if (profile !== undefined) profiles.push(profile)
    else sources.push({ name: file.path, text: file.text })
  }
  return { loaded: loadRules(sources), profiles }
}

/** Errors that are told at once. */
const mostErrors = 20

interface Book {
  readonly rules: RuleSet
  readonly patterns: ReturnType<typeof compilePatterns>
  readonly profiles: readonly Profile[]
}

/** Throws `invalid` for a book with errors. */
const compileBook = ({ loaded, profiles }: RuleBook): Book => {
  const { errors } = loaded
  const [first] = errors
  if (first !== undefined) {
    const more = errors.length > mostErrors ? [`and ${errors.length - mostErrors} more`] : []
    throw new DayflyError('invalid', [...errors.slice(0, mostErrors).map(formatDiagnostic), ...more].join('\n'), {
      field: first.place.file,
      remedy: 'Correct the rules; `dayfly rules check` says the same.',
    })
  }
  return { rules: compileRules(loaded.rules), patterns: compilePatterns(loaded.patterns), profiles }
}

const countOf = ({ rules, patterns, profiles }: Book): number =>
  rules.rules.length + patterns.sequences.length + patterns.thresholds.length + profiles.length

/** What is followed in one instance by one book: all of it begins anew when the rules are others. */
interface Watch {
  readonly book: Book
  readonly sequences: ReturnType<typeof createSequenceTracker>
  readonly thresholds: ReturnType<typeof createThresholdTracker>
  readonly profiles: readonly ReturnType<typeof createProfileJudge>[]
}

const createWatch = (book: Book, subject: Subject): Watch => ({
  book,
  sequences: createSequenceTracker(book.patterns.sequences),
  thresholds: createThresholdTracker(book.patterns.thresholds),
  profiles: book.profiles.filter(profile => profileFits(profile, subject)).map(createProfileJudge),
})

interface Instance {
  subject: Subject
  readonly processes: ProcessTable
  readonly names: Names
  egress: (event: KernelEvent) => Egress | undefined
  watch: Watch
  events: number
}

const nothing: readonly Detection[] = []

const judge = (instance: Instance, context: EventContext): readonly Detection[] => {
  const { watch } = instance
  const { event } = context
  const type = eventName(event)
  const found: Detection[] = []
  for (const { rule, output, fields } of watch.book.rules.match(context)) {
    found.push({ rule: rule.name, priority: rule.priority, output, fields, tags: rule.tags, source: 'syscall', event })
  }
  for (const { sequence: pattern, told } of watch.sequences(context, type)) {
    found.push({ rule: pattern.name, priority: pattern.priority, ...told, tags: pattern.tags, source: 'sequence', event })
  }
  for (const { threshold: pattern, told } of watch.thresholds(context, type)) {
    found.push({ rule: pattern.name, priority: pattern.priority, ...told, tags: pattern.tags, source: 'sequence', event })
  }
  for (const tell of watch.profiles) found.push(...tell(event, context.process))
  return found.length === 0 ? nothing : found
}

/** Throws `invalid` as `setRules` does. */
export const createDetector = (rules: DetectorRules): RuledDetector => {
  let book = compileBook(readRuleBook(rules))
  const instances = new Map<string, Instance>()
  return {
    setRules: next => {
      book = compileBook(readRuleBook(next))
      for (const instance of instances.values()) instance.watch = createWatch(book, instance.subject)
      return countOf(book)
    },
    introduce: subject => {
      const known = instances.get(subject.instance)
      if (known !== undefined) {
        // Told again, by an update say: what is known of its processes stays.
        known.subject = subject
        known.egress = createEgress(subject.egress, known.names)
        return
      }
      const names = createNames()
      instances.set(subject.instance, {
        ...{
          subject,
          names,
          processes: createProcessTable(),
          egress: createEgress(subject.egress, names),
          watch: createWatch(book, subject),
          events: 0,
        },
      })
    },
    observe: event => {
      const instance = instances.get(event.instance)
      if (instance === undefined || instance.subject.environment !== event.environment) {
        throw new DayflyError('internal', `an event of instance ${event.instance} came before it was said who that is`)
      }
      instance.names.see(event)
      const process = instance.processes.apply(event)
      const { subject, names } = instance
      return judge(instance, { event, process, subject, number: ++instance.events, egress: instance.egress(event), namesOf: names.namesOf })
    },
    forget: instance => void instances.delete(instance),
  }
}
