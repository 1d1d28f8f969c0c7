/** The built-in policies' settings: a preset, and what is changed of it. The document `kind: AdmissionSettings` of a policy folder. */
import { z } from 'zod'
import { parse } from '../../model/parse.ts'
import { hardeningChecks } from '../hardening/policy.ts'
import { ImageRules } from '../images/settings.ts'
import { RunningRules } from '../running.ts'

const Action = z.enum(['deny', 'warn', 'audit'])

export const presetNames = ['permissive', 'standard', 'strict', 'baseline', 'restricted'] as const
export const PresetName = z.enum(presetNames)
export type PresetName = z.infer<typeof PresetName>

export const PodSecuritySettings = z.strictObject({
  level: z.enum(['baseline', 'restricted']),
  /** `latest` or `v1.36`. */
  version: z.string().default('latest'),
  action: Action,
  /** By control, what follows instead for Dayfly's own workloads. */
  own: z.record(z.string(), Action).default({}),
})

export const Settings = z.strictObject({
  podSecurity: z.array(PodSecuritySettings),
  images: ImageRules,
  /** By check of the CIS benchmark. */
  hardening: z.partialRecord(z.enum(hardeningChecks), Action),
  /** What follows when a vulnerability becomes known while its image runs. */
  whileRunning: RunningRules,
})
export type Settings = z.output<typeof Settings>

/** What is said replaces that part of the preset; of `images`, `hardening` and `whileRunning`, single rules, and `null` takes one away. */
const Document = z.strictObject({
  apiVersion: z.literal('dayfly.dev/v1'),
  kind: z.literal('AdmissionSettings'),
  metadata: z.looseObject({ name: z.string().optional() }).optional(),
  spec: z.strictObject({
    preset: PresetName.default('standard'),
    podSecurity: z.array(PodSecuritySettings).optional(),
    images: z.record(z.string(), z.json()).optional(),
    hardening: z.record(z.string(), z.json()).optional(),
    whileRunning: z.record(z.string(), z.json()).optional(),
  }),
})

const overlay = (below: Readonly<Record<string, unknown>>, above: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ ...below, ...above }).filter(([, value]) => value !== null))

/** Throws `invalid` naming the field. `presetOf` gives the settings that a preset stands for. */
export const parseSettings = (document: unknown, presetOf: (name: PresetName) => Settings): Settings => {
  const { spec } = parse(Document, document)
  const preset = presetOf(spec.preset)
  return {
    podSecurity: spec.podSecurity ?? preset.podSecurity,
    images: parse(ImageRules, overlay(preset.images, spec.images ?? {}), 'spec.images'),
    hardening: parse(Settings.shape.hardening, overlay(preset.hardening, spec.hardening ?? {}), 'spec.hardening'),
    whileRunning: parse(RunningRules, overlay(preset.whileRunning, spec.whileRunning ?? {}), 'spec.whileRunning'),
  }
}
