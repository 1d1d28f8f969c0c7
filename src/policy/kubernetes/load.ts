/** Policy files to what decides. Everything that can be wrong with them is said here, all of it at once, with its place. */
import type { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import type { ExpressionFault } from './compile.ts'
import { compilePolicy } from './compile.ts'
import type { PolicyDocument, PolicyFile } from './files.ts'
import { readDocuments } from './files.ts'
import type { PolicySet } from './schema.ts'
import { Binding, Param, Policy } from './schema.ts'

export interface LoadedPolicies {
  readonly set: PolicySet
  /** Documents of Dayfly's own kinds, for whoever knows them: settings, exemptions. */
  readonly own: readonly PolicyDocument[]
  /** What was put in place of what the files leave out, one sentence each. */
  readonly notes: readonly string[]
  /** Where each policy is written, by its name. */
  readonly places: ReadonlyMap<string, PolicyPlace>
}

export interface PolicyPlace {
  readonly file: string
  /** From 1. */
  readonly line: number
}

const ownGroup = 'dayfly.dev/'

/** Kinds that look like policies and are not decided by Dayfly: silence would be taken for protection. */
const refusedKinds: Readonly<Record<string, string>> = {
  MutatingAdmissionPolicy:
    'Dayfly changes no workload at its admission; write the field into the workload, and a ValidatingAdmissionPolicy that asks for it',
  MutatingAdmissionPolicyBinding: 'Dayfly changes no workload at its admission',
  ValidatingWebhookConfiguration: 'Dayfly calls no webhook; write its rule as a ValidatingAdmissionPolicy',
  MutatingWebhookConfiguration: 'Dayfly calls no webhook',
}

const fieldOf = (path: readonly PropertyKey[]): string =>
  path
    .map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')

const describe = (document: PolicyDocument): string => `${document.kind} ${document.name === '' ? 'without a name' : document.name}`

const at = (document: PolicyDocument, path: readonly PropertyKey[], key?: string): string => {
  const { line, column } = document.place(path, key)
  return `${document.file}:${line}:${column}: ${describe(document)}`
}

const faultsOf = (document: PolicyDocument, issues: readonly z.core.$ZodIssue[]): string[] =>
  issues.flatMap(issue => {
    if (issue.code !== 'unrecognized_keys') return [`${at(document, issue.path)}: ${fieldOf(issue.path) || 'the document'}: ${issue.message}`]
    return issue.keys.map(key => `${at(document, issue.path, key)}: ${fieldOf([...issue.path, key])}: there is no such field`)
  })

const readAs = <S extends z.ZodType>(schema: S, document: PolicyDocument, faults: string[]): z.output<S>[] => {
  const result = schema.safeParse(document.value)
  if (result.success) return [result.data]
  faults.push(...faultsOf(document, result.error.issues))
  return []
}

const group = 'admissionregistration.k8s.io/'

const unique = (documents: readonly PolicyDocument[], faults: string[]): void => {
  const seen = new Map<string, PolicyDocument>()
  for (const document of documents) {
    const metadata = document.value['metadata']
    const namespace = typeof metadata === 'object' && metadata !== null && 'namespace' in metadata ? String(metadata.namespace) : ''
    const key = JSON.stringify([document.apiVersion.replace(/^(admissionregistration\.k8s\.io)\/.*/, '$1'), document.kind, namespace, document.name])
    const other = seen.get(key)
    if (other) faults.push(`${at(document, ['metadata', 'name'])}: metadata.name: there is one of this name in ${other.file}:${other.place([]).line}`)
    seen.set(key, document)
  }
}

/** A policy that nothing binds does nothing in a cluster; here somebody has named its folder, and means it. */
const bindingFor = (policy: Policy): Binding => ({
  apiVersion: policy.apiVersion,
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name: policy.metadata.name },
  spec: { policyName: policy.metadata.name, validationActions: ['Deny'] },
})

const refuse = (faults: readonly string[]): never => {
  const shown = faults.slice(0, 50)
  const more = faults.length - shown.length
  throw new DayflyError('invalid', `${shown.join('\n')}${more > 0 ? `\nand ${more} more` : ''}`, {
    remedy: 'Correct the policy files; nothing of them is in force.',
  })
}

/** Where an expression is at fault, with the expression's line and a caret. */
const expressionFault = (document: PolicyDocument, { path, source, error }: ExpressionFault): string => {
  const line = document.lineWithin(path, source, error.start)
  return `${document.file}:${line}: ${describe(document)}: ${fieldOf(path)}: at ${JSON.stringify(error.token)}: ${error.message}`
}

/** Reads and checks policy files. Throws `invalid` with all that is wrong, a line (or three) for each fault. */
export const loadPolicies = (files: readonly PolicyFile[]): LoadedPolicies => {
  const documents = files.flatMap(file => readDocuments(file))
  const faults: string[] = []
  const own: PolicyDocument[] = []
  const notes: string[] = []
  const policies: { policy: Policy; document: PolicyDocument }[] = []
  const bindings: { binding: Binding; document: PolicyDocument }[] = []
  const params: Param[] = []
  for (const document of documents) {
    const refused = refusedKinds[document.kind]
    if (document.apiVersion.startsWith(ownGroup)) own.push(document)
    else if (document.apiVersion.startsWith(group) && refused !== undefined) faults.push(`${at(document, [])}: ${refused}`)
    else if (document.apiVersion.startsWith(group) && document.kind === 'ValidatingAdmissionPolicy') {
      policies.push(...readAs(Policy, document, faults).map(policy => ({ policy, document })))
    } else if (document.apiVersion.startsWith(group) && document.kind === 'ValidatingAdmissionPolicyBinding') {
      bindings.push(...readAs(Binding, document, faults).map(binding => ({ binding, document })))
    } else if (document.apiVersion.startsWith(group)) faults.push(`${at(document, [], 'kind')}: kind: there is no ${document.kind} that Dayfly knows`)
    else params.push(...readAs(Param, document, faults))
  }
  unique(documents, faults)
  const named = new Map(policies.map(({ policy }) => [policy.metadata.name, policy]))
  const broken = faults.length > 0
  for (const { binding, document } of bindings) {
    const policy = named.get(binding.spec.policyName)
    // A policy that could not be read is reported already.
    if (!policy) {
      if (!broken)
        faults.push(
          `${at(document, ['spec', 'policyName'])}: spec.policyName: there is no ValidatingAdmissionPolicy ${binding.spec.policyName} in these files`,
        )
    } else if (policy.spec.paramKind && !binding.spec.paramRef)
      faults.push(`${at(document, ['spec'])}: spec.paramRef: the policy takes parameters of kind ${policy.spec.paramKind.kind}`)
    else if (!policy.spec.paramKind && binding.spec.paramRef)
      faults.push(`${at(document, ['spec', 'paramRef'])}: spec.paramRef: the policy takes no parameters: it has no paramKind`)
  }
  const made: Binding[] = []
  for (const { policy, document } of policies) {
    if (bindings.some(({ binding }) => binding.spec.policyName === policy.metadata.name)) continue
    if (policy.spec.paramKind)
      faults.push(`${at(document, ['metadata', 'name'])}: it takes parameters, and no ValidatingAdmissionPolicyBinding says which`)
    else {
      made.push(bindingFor(policy))
      notes.push(
        `${document.file}: ${describe(document)} has no binding: it denies wherever it matches. A cluster would ignore it: add a ValidatingAdmissionPolicyBinding.`,
      )
    }
  }
  const set: PolicySet = { policies: policies.map(({ policy }) => policy), bindings: [...bindings.map(({ binding }) => binding), ...made], params }
  for (const { policy, document } of policies) compilePolicy(policy, set, fault => faults.push(expressionFault(document, fault)))
  if (faults.length > 0) refuse(faults)
  const places = new Map(
    policies.map(({ policy, document }) => [policy.metadata.name, { file: document.file, line: document.place([]).line }] as const),
  )
  return { set, own, notes, places }
}
