/** The gate's first question: whether the image is blocked. */
import { createHash } from 'node:crypto'
import type { Admission, Verdict } from './admission.ts'
import type { BlockedImage, BlockedImages } from './blocked-images.ts'

export const blockedPolicyName = 'blocked-images'

const hash = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** `name`: as it is asked for now. Whoever had it blocked may know it by another, which is nobody else's business. */
const denialOf = (image: BlockedImage, name: string | undefined): Verdict => ({
  decision: {
    verdict: 'denied',
    denials: [
      {
        policy: blockedPolicyName,
        rule: image.rule === undefined ? 'blocked' : `blocked by ${image.rule}`,
        message: `the image ${name ?? image.digest} is blocked since ${new Date(image.since).toISOString()}: ${image.reason}`,
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
    const workload = Object.hasOwn(question.spec.workloads, question.workload) ? question.spec.workloads[question.workload] : undefined
    const digest = workload?.image
    const before = digest === undefined ? undefined : blocked.find(digest)
    if (before !== undefined) return denialOf(before, workload?.imageName)
    const verdict = await admission.admit(question, signal)
    // It may have been blocked meanwhile.
    const since = digest === undefined ? undefined : blocked.find(digest)
    return since === undefined ? verdict : denialOf(since, workload?.imageName)
  },
})
