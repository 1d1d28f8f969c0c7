/** A policy that is being written, against a sample. In the playground's thread. */
import type { TriedPolicyView } from '../../../api/schemas/rules.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Assembly } from '../../../policy/assemble.ts'
import { assemble } from '../../../policy/assemble.ts'
import { explain } from '../../../policy/explain.ts'
import { namespaceLabels, readManifests, requestOf } from '../../../policy/manifests.ts'
import { createExemptions } from '../../../policy/presets/exemptions.ts'
import type { Task } from './messages.ts'

const mostResults = 100
const mostSeen = 100
const longestValue = 500
const short = (text: string): string => (text.length > longestValue ? `${text.slice(0, longestValue)}…` : text)

/** What is no document is an expression: the only one of a policy about everything. */
const documentOf = (text: string): string => {
  if (/^\s*["']?(apiVersion|kind)["']?\s*:/m.test(text) || text.trimStart().startsWith('{"')) return text
  const about = { apiVersion: 'admissionregistration.k8s.io/v1', metadata: { name: 'playground' } }
  const all = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }
  const spec = { matchConstraints: { resourceRules: [all] }, validations: [{ expression: text.trim() }] }
  const policy = { ...about, kind: 'ValidatingAdmissionPolicy', spec }
  const binding = { ...about, kind: 'ValidatingAdmissionPolicyBinding', spec: { policyName: 'playground', validationActions: ['Deny'] } }
  return [policy, binding].map(document => JSON.stringify(document)).join('\n---\n')
}

const faultsOf = (error: unknown): string[] => {
  if (!(error instanceof DayflyError)) throw error
  return error.message.split('\n')
}

/** The built-in policies where the text itself has chosen some, or they are asked for. */
const assembleText = (text: string, builtIn: boolean, now: number): Assembly => {
  const assembly = assemble([{ path: 'policy', text: documentOf(text) }], { preset: undefined, looking: false, now })
  return builtIn || assembly.chosen ? assembly : { ...assembly, builtIns: [] }
}

export const tryPolicy = ({ policy, sample, builtIn, now }: Task['policy']): TriedPolicyView => {
  const began = performance.now()
  const none = { notes: [], results: [] }
  let assembly: Assembly
  let manifests: ReturnType<typeof readManifests>
  try {
    assembly = assembleText(policy, builtIn, now)
  } catch (error) {
    return { ...none, faults: faultsOf(error), took: performance.now() - began }
  }
  try {
    manifests = readManifests({ path: 'sample', text: sample })
  } catch (error) {
    return { ...none, faults: faultsOf(error), took: performance.now() - began }
  }
  const labels = namespaceLabels(manifests)
  const exemptions = createExemptions(assembly.exemptions)
  const results = manifests.slice(0, mostResults).map(manifest => {
    const found = explain({ documents: assembly.files, builtIns: assembly.builtIns, exemptions }, requestOf(manifest, labels, 'playground', now))
    const objections = found.map(({ action, objection, expression, seen }) => ({
      ...{ action, policy: objection.policy, rule: objection.rule, message: objection.message, remedy: objection.remedy ?? null },
      ...{ field: objection.field ?? null, line: objection.field === undefined ? null : manifest.lineOf(objection.field) },
      ...{ exemption: objection.exemption ?? null, expression: expression ?? null },
      seen: seen.slice(0, mostSeen).map(part => ({ expression: short(part.expression), value: short(part.value) })),
    }))
    const denied = objections.some(({ action, exemption }) => action === 'deny' && exemption === null)
    return { name: manifest.name, line: manifest.line, verdict: denied ? ('denied' as const) : ('allowed' as const), objections }
  })
  const faults = manifests.length === 0 ? ['sample: there is no document in it'] : []
  return { faults, notes: [...assembly.notes], results, took: performance.now() - began }
}
