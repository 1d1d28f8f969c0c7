/** A compose file: secrets in it and in what it builds from, what Dayfly would refuse of it, and how it names its images. Nothing is asked of a daemon. */
import { createHash } from 'node:crypto'
import { basename, dirname } from 'node:path'
import { admit } from '../../../compose/admit.ts'
import type { Problem } from '../../../compose/problems.ts'
import { InvalidCompose } from '../../../compose/problems.ts'
import type { Resolved } from '../../../compose/resolve.ts'
import { resolve } from '../../../compose/resolve.ts'
import type { MisconfigurationFinding, Place } from '../../../model/finding.ts'
import { misconfigurationsOfName } from '../../../scan/misconfigurations.ts'
import { scanDocument } from '../../../scan/scan-document.ts'
import { createSecretRules } from '../../../scan/secrets/scanner.ts'
import type { Context } from '../command.ts'
import { composeSources } from '../project.ts'
import { scanBuildContexts } from './build-contexts.ts'
import type { OwnScanOptions } from './folder.ts'
import { saltOfRun } from './folder.ts'
import type { Scanned } from './result.ts'
import type { Subject } from './target.ts'

type ComposeSubject = Extract<Subject, { kind: 'compose' }>

const fingerprint = (...parts: readonly string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32)

/** `Privileged containers` → `compose/privileged-containers`. */
const ruleOf = (policy: string): string =>
  `compose/${policy
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')}`

const placeAt = (file: string, line: number, field: string): Place => ({ path: file, ...(line > 0 ? { line } : {}), field })

/** What Dayfly does not do for anybody: a control of the Pod Security Standards, or one of its own. */
const refused = ({ file, line, path, message, remedy, policy = '' }: Problem): MisconfigurationFinding => ({
  kind: 'misconfiguration',
  id: ruleOf(policy),
  severity: 'high',
  title: message,
  ...(remedy === undefined ? {} : { remedy }),
  places: [placeAt(file, line, path)],
  fingerprint: fingerprint('compose', ruleOf(policy), path, message),
})

/** What services run that is not built, with the places that name it. */
const imagesOf = ({ project, locate }: Resolved, file: string): Map<string, Place[]> => {
  const images = new Map<string, Place[]>()
  for (const [name, { image, build }] of Object.entries(project.services)) {
    if (image === undefined || build !== undefined) continue
    const place = placeAt(file, locate(['services', name, 'image']).line, `services.${name}.image`)
    images.set(image, [...(images.get(image) ?? []), place])
  }
  return images
}

/** Services that share an image share its finding. */
const ofNames = (images: ReadonlyMap<string, Place[]>): MisconfigurationFinding[] =>
  [...images].flatMap(([image, places]) =>
    misconfigurationsOfName(image).map(finding => ({ ...finding, title: `${finding.title}: ${image}`, places })),
  )

export interface ComposeScan {
  readonly scanned: Scanned
  /** That its services run, and that are not built, with the places that name them. */
  readonly images: ReadonlyMap<string, Place[]>
}

/** Throws `InvalidCompose` for a file that is none. */
export const scanCompose = async (context: Pick<Context, 'env'>, subject: ComposeSubject, options: OwnScanOptions): Promise<ComposeScan> => {
  const { file, text, target } = subject
  const name = basename(file)
  const env = Object.fromEntries(Object.entries(context.env).filter((pair): pair is [string, string] => pair[1] !== undefined))
  const request = { files: [file], projectFolder: dirname(file), env, profiles: ['*'], sources: composeSources }
  const resolved = await resolve(request)
  await admit(resolved, composeSources)
  const refusals: MisconfigurationFinding[] = []
  try {
    resolved.problems.throwIfAny()
  } catch (error) {
    if (!(error instanceof InvalidCompose) || error.problems.some(({ policy }) => policy === undefined)) throw error
    refusals.push(...error.problems.map(refused))
  }
  const images = imagesOf(resolved, name)
  const secrets = scanDocument(name, text, createSecretRules({ salt: saltOfRun(), gitleaks: options.gitleaks }))
  const built = await scanBuildContexts(resolved.project.services, dirname(file), options)
  // The file may lie in a context of its own.
  const known = new Set(secrets.findings.map(({ redacted }) => redacted))
  const inContexts = built.findings.filter(({ redacted, places }) => !(known.has(redacted) && places.every(({ path }) => path === name)))
  return {
    scanned: {
      ...{ target, distribution: undefined, packages: [], dataFrom: undefined },
      findings: [...secrets.findings, ...inContexts, ...refusals, ...ofNames(images)],
      problems: [...secrets.problems, ...built.problems],
    },
    images,
  }
}
