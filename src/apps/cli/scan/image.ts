/** Images, looked at by the daemon, which has them or pulls them: an image's layers are hostile input, and it has a process that may do nothing but read. */
import { createHash } from 'node:crypto'
import type { ScanInput, ScanView } from '../../../api/schemas/scans.ts'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { Finding } from '../../../model/finding.ts'
import type { VexStatement } from '../../../scan/vulnerabilities/vex.ts'
import type { Context } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { createProgress } from '../progress.ts'
import { registryAuth } from '../registry-auth.ts'
import type { ComposeScan } from './compose.ts'
import type { Scanned } from './result.ts'
import type { Subject } from './target.ts'

type Pull = NonNullable<ScanInput['pull']>

export interface ImageScanOptions {
  readonly pull: Pull
  /** Statements of the caller's own, over those that the daemon has. */
  readonly vex: readonly VexStatement[]
  /** Wall ms. */
  readonly now: number
}

const ask = async (context: Context, image: string, pull: Pull): Promise<ScanView> => {
  const auth = registryAuth(context.env)
  const progress = process.stderr.isTTY && !context.json ? createProgress(image) : undefined
  const request = { image, pull, ...(auth === undefined ? {} : { auth }) }
  return await context.client.scan(request, progress?.show ?? (() => {})).finally(() => progress?.clear())
}

const withVex = async (findings: readonly Finding[], digest: string, { vex, now }: ImageScanOptions): Promise<Finding[]> => {
  if (vex.length === 0) return [...findings]
  const { vexIndex } = await import('../../../scan/vulnerabilities/vex.ts')
  const find = vexIndex(vex)
  return findings.map(finding => {
    if (finding.kind !== 'vulnerability') return finding
    const said = find([finding.id, ...finding.aliases], { purl: finding.package.purl, products: [digest] }, now)
    return said === undefined ? finding : { ...finding, vex: said }
  })
}

/** Throws what the daemon says; starts one where none answers. */
export const scanImage = async (
  context: Context,
  { image, target }: Extract<Subject, { kind: 'image' }>,
  options: ImageScanOptions,
): Promise<Scanned> => {
  const view = await withDaemon(context, () => ask(context, image, options.pull))
  return {
    target: { ...target, digest: view.image.digest },
    ...{ distribution: view.distribution ?? undefined, packages: view.packages },
    findings: await withVex(view.findings, view.image.digest, options),
    problems: [...view.problems, ...view.unknown],
    dataFrom: view.dataFrom ?? undefined,
  }
}

/** What is found in an image of a service is told where the file names it. What is known of the name the file has told already. */
const inCompose = (finding: Finding, image: string, places: Finding['places']): Finding => ({
  ...finding,
  places: places.map(place => ({ ...place, object: [image, finding.places[0]?.path].filter(Boolean).join(':') })),
  fingerprint: createHash('sha256').update(`image\0${image}\0${finding.fingerprint}`).digest('hex').slice(0, 32),
})

const answers = async (context: Context): Promise<boolean> => {
  try {
    await context.client.version()
    return true
  } catch (error) {
    if (error instanceof DayflyError && error.code === 'unreachable') return false
    throw error
  }
}

const earliest = (left: number | undefined, right: number | undefined): number | undefined =>
  left === undefined || right === undefined ? (left ?? right) : Math.min(left, right)

/** The compose file with what its images hold, when a daemon answers. One that cannot be looked at is a problem: the scan is incomplete. */
export const withImages = async (context: Context, { scanned, images }: ComposeScan, options: ImageScanOptions): Promise<Scanned> => {
  if (images.size === 0) return scanned
  if (!(await answers(context))) {
    context.say(`dayfly: no daemon answers: what is in ${images.size === 1 ? 'the image' : `the ${images.size} images`} was not looked at`)
    return scanned
  }
  let all = scanned
  for (const [image, places] of images) {
    try {
      const view = await ask(context, image, options.pull)
      const findings = (await withVex(view.findings, view.image.digest, options)).filter(
        ({ id }) => id !== 'image-tag-latest' && id !== 'image-without-digest',
      )
      all = {
        ...all,
        packages: [...all.packages, ...view.packages],
        findings: [...all.findings, ...findings.map(finding => inCompose(finding, image, places))],
        problems: [...all.problems, ...[...view.problems, ...view.unknown].map(problem => `${image}: ${problem}`)],
        dataFrom: earliest(all.dataFrom, view.dataFrom ?? undefined),
      }
    } catch (error) {
      all = { ...all, problems: [...all.problems, `${image} could not be looked at: ${messageOf(error).replace(/^image: /, '')}`] }
    }
  }
  return all
}
