/** From the documents of a policy folder that are about detection to the settings in force. */
import { DayflyError } from '../../base/errors.ts'
import type { DetectionExemption } from './exemptions.ts'
import { parseDetectionExemption } from './exemptions.ts'
import type { DetectionSettings } from './settings.ts'
import { defaultDetectionSettings, parseDetectionSettings } from './settings.ts'

export const detectionKinds = ['DetectionSettings', 'DetectionExemption'] as const

/** A document with its place, as whoever reads policy files has it. */
export interface PlacedDocument {
  readonly file: string
  readonly kind: string
  readonly name: string
  readonly value: unknown
  place(path: readonly PropertyKey[]): { readonly line: number }
}

export interface DetectionRules {
  readonly settings: DetectionSettings
  readonly exemptions: readonly DetectionExemption[]
  /** Whether there is a document of settings. */
  readonly chosen: boolean
}

/** Says where the document is before what is wrong with it. */
const within = <T>(document: PlacedDocument, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DayflyError)) throw error
    const name = document.name === '' ? '' : ` ${document.name}`
    throw new DayflyError('invalid', `${document.file}:${document.place([]).line}: ${document.kind}${name}: ${error.message}`, {
      ...(error.field === undefined ? {} : { field: error.field }),
      remedy: error.remedy ?? 'Correct the file.',
    })
  }
}

/** Throws `invalid` naming file, line and field. Documents of other kinds are left alone. `now` is wall ms. */
export const readDetectionRules = (documents: readonly PlacedDocument[], now: number): DetectionRules => {
  const [first, second] = documents.filter(({ kind }) => kind === 'DetectionSettings')
  if (first !== undefined && second !== undefined) {
    throw new DayflyError('invalid', `${second.file}:${second.place([]).line}: there are DetectionSettings in ${first.file} too`, {
      field: 'kind',
      remedy: 'Keep one of them.',
    })
  }
  const names = new Set<string>()
  const exemptions = documents
    .filter(({ kind }) => kind === 'DetectionExemption')
    .map(document =>
      within(document, () => {
        const exemption = parseDetectionExemption(document.value, now)
        const { name } = exemption.metadata
        if (names.has(name)) {
          throw new DayflyError('invalid', `there are two called ${name}`, { field: 'metadata.name', remedy: 'Give one of them another name.' })
        }
        names.add(name)
        return exemption
      }),
    )
  const settings = first === undefined ? defaultDetectionSettings : within(first, () => parseDetectionSettings(first.value))
  return { settings, exemptions, chosen: first !== undefined }
}
