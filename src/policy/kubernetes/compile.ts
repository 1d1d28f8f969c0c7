/** A policy and its bindings, compiled: everything that can be wrong with an expression is found here, never when it decides. */

import type { Trace } from '../cel/compile.ts'
import { kubernetesLibrary } from '../cel/library/all.ts'
import type { Program } from '../cel/program.ts'
import { CompileError, compile } from '../cel/program.ts'
import type { Variable } from '../cel/scope.ts'
import { SyntaxFault } from '../cel/tokens.ts'
import type { Type } from '../cel/types.ts'
import { dyn, formatType } from '../cel/types.ts'
import type { Binding, Param, Policy, PolicySet } from './schema.ts'
import { imageSlots, policyScope, variablesSlot } from './values.ts'

export interface CompiledPolicy {
  readonly policy: Policy
  readonly matchConditions: readonly { readonly name: string; readonly program: Program }[]
  /** In the order of their slots. */
  readonly variables: readonly Program[]
  readonly validations: readonly { readonly program: Program; readonly message: string | undefined; readonly messageProgram: Program | undefined }[]
  readonly auditAnnotations: readonly { readonly key: string; readonly program: Program }[]
  readonly bindings: readonly Binding[]
  /** All objects of its paramKind. */
  readonly params: readonly Param[]
}

/** A fault of an expression: where in the document it is. */
export interface ExpressionFault {
  readonly policy: string
  readonly path: readonly (string | number)[]
  readonly source: string
  readonly error: CompileError
}

/** Gives each expression of a policy what its parts' values go to. */
export type Tracer = (path: readonly (string | number)[], source: string) => Trace

const expects = (source: string, program: Program, kinds: readonly string[]): Program => {
  if (program.type.kind === 'dyn' || kinds.includes(program.type.kind)) return program
  throw new CompileError(source, new SyntaxFault(typeMessage(program.type, kinds), program.node.start, program.node.end))
}

const typeMessage = (type: Type, kinds: readonly string[]): string =>
  `the expression gives a ${formatType(type)}, where a ${kinds.join(' or ')} is expected`

/** Compiles one policy. Every fault is given to `fault`; the result is of use only when there was none. */
export const compilePolicy = (policy: Policy, set: PolicySet, fault: (fault: ExpressionFault) => void, trace?: Tracer): CompiledPolicy => {
  const { spec } = policy
  const withParams = spec.paramKind !== undefined
  const members = new Map<string, Variable>()
  const plain = policyScope(withParams, undefined)
  const scope = policyScope(withParams, members)
  const program = (path: readonly (string | number)[], source: string, kinds: readonly string[] | undefined, where = scope): Program | undefined => {
    try {
      const made = compile(source, kubernetesLibrary, where, trace?.(path, source))
      return kinds ? expects(source, made, kinds) : made
    } catch (error) {
      if (!(error instanceof CompileError)) throw error
      fault({ policy: policy.metadata.name, path, source, error })
      return undefined
    }
  }
  const matchConditions = spec.matchConditions.flatMap(({ name, expression }, at) => {
    const made = program(['spec', 'matchConditions', at, 'expression'], expression, ['bool'], plain)
    return made ? [{ name, program: made }] : []
  })
  const variables = spec.variables.flatMap(({ name, expression }, at) => {
    const made = program(['spec', 'variables', at, 'expression'], expression, undefined)
    // Those behind it are compiled as if it were there: one fault, one message.
    members.set(name, { type: made?.type ?? dyn, slot: variablesSlot + at, local: false })
    return made ? [made] : []
  })
  const validations = spec.validations.flatMap(({ expression, message, messageExpression }, at) => {
    const made = program(['spec', 'validations', at, 'expression'], expression, ['bool'])
    const text =
      messageExpression === undefined ? undefined : program(['spec', 'validations', at, 'messageExpression'], messageExpression, ['string'])
    return made ? [{ program: made, message, messageProgram: text }] : []
  })
  const auditAnnotations = spec.auditAnnotations.flatMap(({ key, valueExpression }, at) => {
    const made = program(['spec', 'auditAnnotations', at, 'valueExpression'], valueExpression, ['string', 'null'])
    return made ? [{ key, program: made }] : []
  })
  const bindings = set.bindings.filter(binding => binding.spec.policyName === policy.metadata.name)
  const params = set.params.filter(param => param.apiVersion === spec.paramKind?.apiVersion && param.kind === spec.paramKind.kind)
  return { policy, matchConditions, variables, validations, auditAnnotations, bindings, params }
}

/** Whether any expression speaks of images or their findings: if none does, they need not be handed over. */
export const speaksOfImages = (set: PolicySet): boolean => {
  let faulty = false
  const compiled = set.policies.map(policy =>
    compilePolicy(policy, set, () => {
      faulty = true
    }),
  )
  const programs = compiled.flatMap(({ matchConditions, variables, validations, auditAnnotations }) => [
    ...variables,
    ...[...matchConditions, ...auditAnnotations].map(({ program }) => program),
    ...validations.flatMap(({ program, messageProgram }) => (messageProgram ? [program, messageProgram] : [program])),
  ])
  return faulty || programs.some(({ slots }) => !slots.isDisjointFrom(imageSlots))
}
