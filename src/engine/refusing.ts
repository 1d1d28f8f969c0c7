/** The gate's first question: whether the image is blocked. */
import { createHash } from 'node:crypto'
import type { Admission, Verdict } from './admission.ts'
import type { BlockedImage, BlockedImages } from './blocked-images.ts'

export const blockedPolicyName = 'blocked-images'

const hash = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`

const denialOf = (image: BlockedImage): Verdict => ({
  decision: {
    verdict: 'denied',
    denials: [
      {
        policy: blockedPolicyName,
        rule: image.rule === undefined ? 'blocked' : `blocked by ${image.rule}`,
        message: `the image ${image.name ?? image.digest} is blocked since ${new Date(image.since).toISOString()}: ${image.reason}`,
        field: 'image',
        remedy: `Run another image; or, once it is known to be harmless: dayfly image unblock ${image.digest}`,
      },
    ],
    ...{ warnings: [], audits: [], policies: hash(blockedPolicyName), inputs: hash(JSON.stringify(image)) },
  },
  cached: false,
  took: 0,
})

/** Asks nobody else about an image that is blocked: no exemption lets it through, and no decision that was made before. */
export const refusingBlocked = (admission: Admission, blocked: BlockedImages): Admission => ({
  admit: async (question, signal) => {
    const digest = Object.hasOwn(question.spec.workloads, question.workload) ? question.spec.workloads[question.workload]?.image : undefined
    const before = digest === undefined ? undefined : blocked.find(digest)
    if (before !== undefined) return denialOf(before)
    const verdict = await admission.admit(question, signal)
    // It may have been blocked meanwhile.
    const since = digest === undefined ? undefined : blocked.find(digest)
    return since === undefined ? verdict : denialOf(since)
  },
})
