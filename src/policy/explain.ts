/** Why it was decided so: each clause that said something, and what it saw. Slower than deciding, and in the caller's thread: for people, not for starts. */
import { show } from './cel/json.ts'
import type { Node } from './cel/syntax.ts'
import type { Value } from './cel/values.ts'
import { CelError } from './cel/values.ts'
import type { AdmissionRequest, Objection } from './decision.ts'
import type { CompiledPolicy } from './kubernetes/compile.ts'
import { compilePolicy } from './kubernetes/compile.ts'
import { evaluatePolicy } from './kubernetes/evaluate.ts'
import type { PolicySet } from './kubernetes/schema.ts'
import { requestValues } from './kubernetes/values.ts'
import type { Action, Exemptions, NativePolicy } from './policy.ts'

/** A part of an expression and what it was. */
export interface Seen {
  readonly expression: string
  /** As CEL writes it; for a failure, `error: …`. Within a comprehension it is that of the last element looked at: the one that decided. */
  readonly value: string
}

export interface Explanation {
  readonly action: Action
  readonly objection: Objection
  /** Of a policy of a file: the clause as it is written, and its binding. */
  readonly expression?: string
  readonly binding?: string
  /** From the whole to its parts; variables that it uses are among them. Empty for built in policies. */
  readonly seen: readonly Seen[]
}

interface Record {
  readonly node: Node
  readonly value: Value | CelError
}

/** What each expression's parts were, by the expression's path. */
type Records = Map<string, { readonly source: string; readonly parts: Map<Node, Record> }>

const fieldOf = (path: readonly (string | number)[]): string =>
  path
    .map(part => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1)

const recorder = (records: Records) => (path: readonly (string | number)[], source: string) => {
  const parts = new Map<Node, Record>()
  records.set(fieldOf(path), { source, parts })
  return (node: Node, value: Value | CelError): void => void parts.set(node, { node, value })
}

const seenOf = (records: Records, path: string): Seen[] => {
  const found = records.get(path)
  if (!found) return []
  const known = new Set<string>()
  return [...found.parts.values()]
    .toSorted((left, right) => left.node.start - right.node.start || right.node.end - left.node.end)
    .flatMap(({ node, value }) => {
      const expression = found.source.slice(node.start, node.end)
      if (known.has(expression)) return []
      known.add(expression)
      return [{ expression, value: value instanceof CelError ? `error: ${value.message}` : show(value) }]
    })
}

/** `validations[2]` is the path of its expression; of an annotation it is that of its value. */
const pathOf = (rule: string): string => `spec.${rule}.${rule.startsWith('auditAnnotations') ? 'valueExpression' : 'expression'}`

const explainPolicy = (compiled: CompiledPolicy, records: Records, request: AdmissionRequest): Explanation[] =>
  compiled.bindings.flatMap(binding => {
    for (const { parts } of records.values()) parts.clear()
    const rulings = evaluatePolicy({ ...compiled, bindings: [binding] }, request, requestValues(request))
    return rulings.map(({ action, objection }): Explanation => {
      const found = records.get(pathOf(objection.rule))
      return {
        action,
        objection,
        binding: binding.metadata.name,
        ...(found ? { expression: found.source } : {}),
        seen: seenOf(records, pathOf(objection.rule)),
      }
    })
  })

export interface Explained {
  readonly documents?: PolicySet
  readonly builtIns?: readonly NativePolicy[]
  readonly exemptions?: Exemptions
}

/** Everything that was said of the request, exempted or not. */
export const explain = ({ documents, builtIns = [], exemptions }: Explained, request: AdmissionRequest): Explanation[] => {
  const native = builtIns.flatMap(policy =>
    policy.evaluate(request).rulings.map(({ action, objection }): Explanation => ({ action, objection, seen: [] })),
  )
  const ofFiles = (documents?.policies ?? []).flatMap(policy => {
    const records: Records = new Map()
    const compiled = compilePolicy(
      policy,
      documents ?? { policies: [], bindings: [], params: [] },
      fault => {
        throw fault.error
      },
      recorder(records),
    )
    return explainPolicy(compiled, records, request)
  })
  return [...native, ...ofFiles].map(explanation => {
    const exempted = exemptions?.find(explanation.objection, request)
    return exempted ? { ...explanation, objection: { ...explanation.objection, exemption: exempted.name } } : explanation
  })
}
