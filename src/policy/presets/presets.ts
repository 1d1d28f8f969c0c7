/**
 * What holds where nobody has said anything else.
 *
 *   permissive   nothing is denied but images that could not be looked at; the rest is shown
 *   standard     the baseline of the Pod Security Standards; scanned whole; no secret; nothing critical that has had a fix for 30 days, nothing exploited for 3
 *   strict       restricted; named by digest, scanned whole with data of this week, nothing serious that has a fix
 *   baseline, restricted   the Pod Security Standards alone, for manifests
 */

import { createHardeningPolicy } from '../hardening/policy.ts'
import { createImagePolicy } from '../images/policy.ts'
import { createPodSecurityPolicy } from '../pod-security/policy.ts'
import { parseVersion } from '../pod-security/standards.ts'
import type { NativePolicy } from '../policy.ts'
import { createRunningPolicy } from '../running.ts'
import type { PresetName, Settings } from './settings.ts'

const day = 86_400_000
const nothingOfImages = { misconfigurations: {} }
const nothingFollows = { action: 'none', severity: 'critical', fixable: true, exploited: true } as const

const presets: Readonly<Record<PresetName, Settings>> = {
  permissive: {
    podSecurity: [{ level: 'baseline', version: 'latest', action: 'warn', own: {} }],
    images: {
      incompleteScan: 'audit',
      vulnerabilities: { action: 'warn', severity: 'critical', fixable: true, grace: {} },
      secrets: { action: 'warn', severity: 'high' },
      misconfigurations: {},
    },
    hardening: { '5.31-runtime-socket': 'warn' },
    whileRunning: nothingFollows,
  },
  standard: {
    podSecurity: [
      // A folder of its own project is what a compose file mounts; the daemon opens it safely (docs/security.md).
      { level: 'baseline', version: 'latest', action: 'deny', own: { hostPathVolumes: 'audit' } },
    ],
    images: {
      incompleteScan: 'deny',
      vulnerabilities: { action: 'deny', severity: 'critical', fixable: true, grace: { critical: 30 * day }, exploitedGrace: 3 * day },
      dataAge: { action: 'audit', most: 14 * day },
      secrets: { action: 'deny', severity: 'high' },
      misconfigurations: {},
    },
    hardening: { '5.5-sensitive-host-directories': 'deny', '5.31-runtime-socket': 'deny' },
    whileRunning: { action: 'warn', severity: 'critical', fixable: true, exploited: true },
  },
  strict: {
    podSecurity: [{ level: 'restricted', version: 'latest', action: 'deny', own: {} }],
    images: {
      incompleteScan: 'deny',
      vulnerabilities: { action: 'deny', severity: 'high', fixable: true, grace: {}, exploitedGrace: 0 },
      dataAge: { action: 'deny', most: 7 * day },
      secrets: { action: 'deny', severity: 'medium' },
      misconfigurations: { 'image-root-user': 'warn', 'image-setuid-file': 'warn', 'image-world-writable': 'warn' },
      digest: { action: 'deny' },
    },
    hardening: {
      '5.5-sensitive-host-directories': 'deny',
      '5.7-privileged-ports': 'deny',
      '5.10-memory': 'deny',
      '5.11-cpu': 'warn',
      '5.12-read-only-root': 'warn',
      '5.31-runtime-socket': 'deny',
    },
    whileRunning: { action: 'warn', severity: 'high', fixable: true, exploited: true },
  },
  baseline: {
    podSecurity: [{ level: 'baseline', version: 'latest', action: 'deny', own: {} }],
    images: nothingOfImages,
    hardening: {},
    whileRunning: nothingFollows,
  },
  restricted: {
    podSecurity: [{ level: 'restricted', version: 'latest', action: 'deny', own: {} }],
    images: nothingOfImages,
    hardening: {},
    whileRunning: nothingFollows,
  },
}

export const presetSettings = (name: PresetName): Settings => presets[name]

/** The policies that settings stand for. `looking`: see `createImagePolicy`. */
export const builtInPolicies = ({ podSecurity, images, hardening, whileRunning }: Settings, looking: boolean): NativePolicy[] => [
  ...podSecurity.map(({ version, ...options }, index) =>
    createPodSecurityPolicy({ ...options, version: parseVersion(version, `spec.podSecurity[${index}].version`) }),
  ),
  createImagePolicy(images, looking),
  createHardeningPolicy(hardening),
  createRunningPolicy(whileRunning),
]
