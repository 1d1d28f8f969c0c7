/** From the files of a policy folder, or none, to the policies in force: what the daemon, `dayfly admit` and `dayfly policy` have in common. */
import { z } from 'zod'
import { DayflyError } from '../base/errors.ts'
import { parse } from '../model/parse.ts'
import type { Policies } from './decision.ts'
import type { PolicyDocument, PolicyFile } from './kubernetes/files.ts'
import type { PolicyPlace } from './kubernetes/load.ts'
import { loadPolicies } from './kubernetes/load.ts'
import type { PolicySet } from './kubernetes/schema.ts'
import { createPolicies } from './policies.ts'
import type { NativePolicy } from './policy.ts'
import type { ExemptionDocument } from './presets/exemptions.ts'
import { createExemptions, parseExemption } from './presets/exemptions.ts'
import { builtInPolicies, presetSettings } from './presets/presets.ts'
import type { PresetName, Settings } from './presets/settings.ts'
import { parseSettings } from './presets/settings.ts'

export interface AssemblyOptions {
  /** Replaces what the files say; `standard` where nobody says anything. */
  readonly preset: PresetName | undefined
  /** Of the Pod Security Standards, in place of what the settings say: `latest` or `v1.36`. */
  readonly podSecurityVersion?: string | undefined
  /** Whether images are looked at: see `createImagePolicy`. */
  readonly looking: boolean
  /** Wall ms: an exemption must not end more than a year from now. */
  readonly now: number
}

export interface Assembly {
  readonly settings: Settings
  readonly builtIns: readonly NativePolicy[]
  readonly exemptions: readonly ExemptionDocument[]
  readonly files: PolicySet
  /** Where each policy of the files is written, by its name. */
  readonly places: ReadonlyMap<string, PolicyPlace>
  /** Documents of kind PolicyTest: they are about the policies, and decide nothing. */
  readonly tests: readonly PolicyDocument[]
  /** Documents about detection, as they stand: `detect/settings` reads them. */
  readonly detection: readonly PolicyDocument[]
  /** Whether somebody has said which built-in policies are in force: the option or a document of kind AdmissionSettings. */
  readonly chosen: boolean
  /** What was put in place of what the files leave out, and exemptions that are over: a sentence each. */
  readonly notes: readonly string[]
  /** Puts them in force. Dispose of it. */
  enforce(): Policies
}

/** Says where the document is before what is wrong with it. */
const within = <T>(document: PolicyDocument, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DayflyError)) throw error
    const { line } = document.place([])
    throw new DayflyError('invalid', `${document.file}:${line}: ${document.kind} ${document.name}: ${error.message}`, {
      ...(error.field === undefined ? {} : { field: error.field }),
      remedy: error.remedy ?? 'Correct the file.',
    })
  }
}

const settingsOf = (documents: readonly PolicyDocument[], preset: PresetName | undefined): Settings => {
  const [first, second] = documents
  if (first !== undefined && second !== undefined) {
    throw new DayflyError('invalid', `${second.file}:${second.place([]).line}: there are AdmissionSettings in ${first.file} too`, {
      field: 'kind',
      remedy: 'Keep one of them.',
    })
  }
  if (preset !== undefined || first === undefined) return presetSettings(preset ?? 'standard')
  return within(first, () => parseSettings(first.value, presetSettings))
}

const atVersion = (settings: Settings, version: string | undefined): Settings =>
  version === undefined ? settings : { ...settings, podSecurity: settings.podSecurity.map(each => ({ ...each, version })) }

const exemptionsOf = (documents: readonly PolicyDocument[], now: number): ExemptionDocument[] => {
  const read = documents.map(document => within(document, () => parseExemption(document.value, now)))
  const names = read.map(({ metadata }) => metadata.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new DayflyError('invalid', `there are two exemptions called ${twice}`, { field: 'metadata.name', remedy: 'Give one of them another name.' })
  return read
}

const detectionKinds = ['DetectionSettings', 'DetectionExemption']
const OwnKind = z.enum(['AdmissionSettings', 'Exemption', 'PolicyTest', ...detectionKinds])

/** Throws `invalid` naming file, line and field; nothing of faulty files is in force. */
export const assemble = (files: readonly PolicyFile[], { preset, podSecurityVersion, looking, now }: AssemblyOptions): Assembly => {
  const { set, own, notes, places } = loadPolicies(files)
  const stranger = own.find(({ kind }) => !OwnKind.safeParse(kind).success)
  if (stranger !== undefined) within(stranger, () => parse(OwnKind, stranger.kind, 'kind'))
  const said = own.filter(({ kind }) => kind === 'AdmissionSettings')
  const settings = atVersion(settingsOf(said, preset), podSecurityVersion)
  const exemptions = exemptionsOf(
    own.filter(({ kind }) => kind === 'Exemption'),
    now,
  )
  const builtIns = builtInPolicies(settings, looking)
  const over = exemptions.filter(({ spec }) => spec.until <= now).map(({ metadata }) => `the exemption ${metadata.name} is over: it exempts nothing`)
  return {
    ...{ settings, builtIns, exemptions, files: set, places, notes: [...notes, ...over] },
    detection: own.filter(({ kind }) => detectionKinds.includes(kind)),
    ...{ tests: own.filter(({ kind }) => kind === 'PolicyTest'), chosen: preset !== undefined || said.length > 0 },
    enforce: () => createPolicies({ documents: set, builtIns, exemptions: createExemptions(exemptions) }),
  }
}
