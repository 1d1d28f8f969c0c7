/** Secrets in what starts are given, found once for the same words. */
import { createHash } from 'node:crypto'
import { remember } from '../../base/remember.ts'
import type { GivenSecrets, ImageEvidence, KubernetesObject } from '../../policy/decision.ts'
import type { FoundSecrets } from '../../scan/secrets/findings.ts'
import { fieldsOfPod, secretsInFields } from '../../scan/secrets/given.ts'

export type FieldSearch = (fields: Readonly<Record<string, string>>) => FoundSecrets

/** Kept in memory. Of values only a digest is. */
const mostKnown = 512

/** What comes from the image's own configuration, and is told of the image, is not told again. */
export const createGiven = (search: FieldSearch): ((pod: KubernetesObject, evidence: ImageEvidence) => GivenSecrets) => {
  const known = new Map<string, FoundSecrets>()
  return (pod, { findings }) => {
    const fields = fieldsOfPod(pod)
    const key = createHash('sha256').update(JSON.stringify(fields)).digest('base64')
    const found = known.get(key) ?? secretsInFields(fields, search)
    remember(known, key, found, mostKnown)
    const configured = new Set(
      (findings ?? []).flatMap(finding =>
        finding.kind === 'secret' && finding.places.some(({ path }) => path === undefined) ? [`${finding.id} ${finding.hash}`] : [],
      ),
    )
    return { findings: found.findings.filter(({ id, hash }) => !configured.has(`${id} ${hash}`)), problems: found.problems }
  }
}
