/** How instances are watched and what follows: the document `kind: DetectionSettings` of a policy folder. */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { parse } from '../../model/parse.ts'
import { defaultResponses, ResponseRule } from './responses.ts'
import { NotifyTarget } from './targets.ts'

/** `audit`: it is told what would be stopped. `enforce`: the kernel stops it. */
const Enforcement = z.enum(['off', 'audit', 'enforce'])
export type Enforcement = z.infer<typeof Enforcement>

/** As an instance sees it: absolute, with no `.` or `..` in it. What is below a folder is meant too. */
const InnerPath = z
  .string()
  .max(255)
  .refine(path => path.startsWith('/') && !path.split('/').some(part => part === '.' || part === '..'), 'an absolute path like /etc/shadow')

export const SensorSettings = z.strictObject({
  /** Programs that are not the image's: written since, or without a file. */
  droppedBinaries: Enforcement.default('audit'),
  /** Connections that no policy opens. */
  connections: Enforcement.default('off'),
  /** Listening at an address that others reach. */
  listeners: Enforcement.default('off'),
  /** Scripts that are not the image's, executed as programs. */
  scripts: Enforcement.default('off'),
  /** Beside those that are always watched: every open of them is an event. */
  sensitivePaths: z.array(InnerPath).max(1000).default([]),
  /** Every open to write below them is an event. */
  writePaths: z.array(InnerPath).max(1000).default([]),
})
export type SensorSettings = z.output<typeof SensorSettings>

export const RuleSettings = z.strictObject({
  /** Whether Dayfly's own rules take part. */
  dayfly: z.boolean().default(true),
  /** Rule files beside those of `<state>/rules`, absolute, in this order: a later one may override what an earlier one says. */
  files: z.array(z.string().max(4096).regex(/^\//, 'an absolute path')).max(1000).default([]),
})
export type RuleSettings = z.output<typeof RuleSettings>

const Spec = z.strictObject({
  /** `audit`: what would be done is written and told, and nothing is done. Alerts go out either way. */
  mode: z.enum(['audit', 'enforce']).default('enforce'),
  sensor: SensorSettings.prefault({}),
  rules: RuleSettings.prefault({}),
  /** All that match apply. */
  responses: z
    .array(ResponseRule)
    .max(1000)
    .default([...defaultResponses]),
  notify: z.array(NotifyTarget).max(100).default([]),
})
export type DetectionSettings = z.output<typeof Spec>

const Document = z.strictObject({
  apiVersion: z.literal('dayfly.dev/v1'),
  kind: z.literal('DetectionSettings'),
  metadata: z.looseObject({ name: z.string().optional() }).optional(),
  spec: Spec.prefault({}),
})

/** Without a document. */
export const defaultDetectionSettings: DetectionSettings = Spec.parse({})

/** Throws `invalid` naming the field: also for a target that is named and not there, or there twice. */
export const parseDetectionSettings = (document: unknown): DetectionSettings => {
  const { spec } = parse(Document, document)
  const names = spec.notify.map(({ name }) => name)
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index)
  if (twice >= 0) {
    const field = `spec.notify[${twice}].name`
    throw new DayflyError('invalid', `${field}: there are two targets called ${names[twice]}`, { field, remedy: 'Give one of them another name.' })
  }
  for (const [at, { notify }] of spec.responses.entries()) {
    for (const [index, name] of (notify ?? []).entries()) {
      if (names.includes(name)) continue
      const field = `spec.responses[${at}].notify[${index}]`
      throw new DayflyError('invalid', `${field}: there is no target called ${name}`, {
        field,
        remedy: names.length === 0 ? 'Describe it in spec.notify.' : `Describe it in spec.notify, or name one that is there: ${names.join(', ')}.`,
      })
    }
  }
  return spec
}
