/** The statement that is signed when a record is sealed. */
import { canonicalJson } from '../model/record.ts'
import type { PrunedStatement, RecordPredicate, RecordStatement } from '../model/seal.ts'
import { prunedPredicateType, recordPredicateType, statementType } from '../model/seal.ts'
import type { RecordFacts } from './facts.ts'

/** What the entries alone do not say. */
export type Findings = Pick<RecordPredicate, 'images' | 'logs' | 'forensics' | 'signedAt'>

export const recordStatement = (facts: RecordFacts, { images, logs, forensics, signedAt }: Findings): RecordStatement => {
  const { environment, createdAt, endedAt, cause, entries, types, accessLog, activity, head } = facts
  return {
    _type: statementType,
    subject: [{ name: environment.id, digest: { sha256: head } }],
    predicateType: recordPredicateType,
    predicate: { environment, createdAt, endedAt, cause, entries, types, images, logs, accessLog, activity, forensics, signedAt },
  }
}

export const prunedStatement = (environment: string, head: string, predicate: PrunedStatement['predicate']): PrunedStatement => ({
  ...{ _type: statementType, subject: [{ name: environment, digest: { sha256: head } }], predicateType: prunedPredicateType, predicate },
})

const derived = ['environment', 'createdAt', 'endedAt', 'cause', 'entries', 'types', 'accessLog', 'activity'] as const

/** Names of what a statement says otherwise than the record that it is of. */
export const differences = (facts: RecordFacts, predicate: RecordPredicate): string[] => {
  const images = new Set(predicate.images.map(({ digest: { sha256 } }) => `sha256:${sha256}`))
  return [
    ...derived.filter(field => canonicalJson(facts[field]) !== canonicalJson(predicate[field])),
    ...(canonicalJson(predicate.logs.map(({ instance }) => instance)) === canonicalJson(facts.instances) ? [] : ['list of instances']),
    ...(facts.firstImages.every(([image]) => images.has(image)) ? [] : ['list of images']),
  ]
}
