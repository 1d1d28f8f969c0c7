/** Gates for tests that are about something else, and for those that are about the gate. */
import type { Admission, AdmissionQuestion } from '../../src/engine/admission.ts'
import type { Decision } from '../../src/policy/decision.ts'

const digest = (text: string): string => `sha256:${Buffer.from(text).toString('hex').slice(0, 64).padEnd(64, '0')}`

export const decision = (given: Partial<Decision> = {}): Decision => ({
  ...{ verdict: 'allowed', denials: [], warnings: [], audits: [], policies: digest('none'), inputs: digest('any') },
  ...given,
})

/** Decides as it is told; everything is allowed where nothing is. */
export const admission = (decide: (question: AdmissionQuestion) => Decision | Promise<Decision> = () => decision()): Admission => ({
  admit: async question => ({ decision: await decide(question), cached: false, took: 0 }),
})
