/** One request against one policy, as the API server does it: match, parameters, conditions, validations, annotations. */
import { fromJson } from '../cel/json.ts'
import type { Program } from '../cel/program.ts'
import { expressionLimit } from '../cel/program.ts'
import type { Activation } from '../cel/scope.ts'
import type { Value } from '../cel/values.ts'
import { CelError, CostError, typeName } from '../cel/values.ts'
import type { AdmissionRequest } from '../decision.ts'
import type { Action, Ruling } from '../policy.ts'
import type { CompiledPolicy } from './compile.ts'
import { labelsOf, matches, selects } from './match.ts'
import type { Binding, Param } from './schema.ts'
import { paramsSlot, variablesSlot } from './values.ts'

/** The API server's limit for all expressions of one policy. */
export const policyLimit = 10_000_000

export interface CostLimits {
  /** Units for one expression, and for all of one policy. */
  readonly expression: number
  readonly policy: number
}

export const apiServerLimits: CostLimits = { expression: expressionLimit, policy: policyLimit }

/** Variables are evaluated when they are first used; a failure of one is a failure of all that use it. */
const activate = (compiled: CompiledPolicy, param: Param | undefined, roots: (slot: number) => Value, limits: CostLimits): Activation => {
  const known: (Value | CelError | undefined)[] = []
  const make = (slot: number): Value => {
    if (slot === paramsSlot) return param ? fromJson(param) : null
    const variable = compiled.variables[slot - variablesSlot]
    if (!variable) throw new CelError('there is no such variable')
    return variable.run(activation)
  }
  const activation: Activation = {
    budget: limits.policy,
    limit: limits.expression,
    load: slot => {
      if (slot < paramsSlot) return roots(slot)
      let value = known[slot]
      if (value === undefined) {
        try {
          value = make(slot)
        } catch (error) {
          if (!(error instanceof CelError)) throw error
          value = error
        }
        known[slot] = value
      }
      if (value instanceof CelError) throw value
      return value
    },
  }
  return activation
}

/** What came of an expression: a value, or why there is none. */
const attempt = (program: Program, activation: Activation): { value: Value } | { failure: string } => {
  try {
    return { value: program.run(activation) }
  } catch (error) {
    if (!(error instanceof CelError) && !(error instanceof CostError)) throw error
    return { failure: error.message }
  }
}

interface Said {
  readonly rule: string
  readonly message: string
}

interface Verdict {
  /** What is against the request: goes where the binding's actions say. */
  readonly violations: Said[]
  /** Failures that `failurePolicy: Ignore` lets pass, and annotations: recorded. */
  readonly notes: Said[]
}

const longestMessage = 5 * 1024

/** The message as its expression makes it, or undefined where that gives none that can be shown. */
const madeMessage = (program: Program | undefined, activation: Activation): string | undefined => {
  if (!program) return undefined
  const made = attempt(program, activation)
  const text = 'value' in made && typeof made.value === 'string' ? made.value.trim() : ''
  return text === '' || text.length > longestMessage || /[\r\n]/.test(text) ? undefined : text
}

/** Undefined: the conditions say that the policy is not about this request. */
const judge = (compiled: CompiledPolicy, activation: Activation): Verdict | undefined => {
  const verdict: Verdict = { violations: [], notes: [] }
  const fail = (rule: string, message: string): void => {
    const kept = compiled.policy.spec.failurePolicy === 'Fail' ? verdict.violations : verdict.notes
    kept.push({ rule, message })
  }
  let conditionsFailed = false
  for (const [at, { name, program }] of compiled.matchConditions.entries()) {
    const tested = attempt(program, activation)
    if ('value' in tested && tested.value === false) return undefined
    if ('value' in tested && tested.value === true) continue
    conditionsFailed = true
    fail(
      `matchConditions[${at}]`,
      `match condition ${name} could not be evaluated: ${'failure' in tested ? tested.failure : `it gives a ${typeName(tested.value)}, not a bool`}`,
    )
  }
  if (conditionsFailed) return verdict
  for (const [at, { program, message, messageProgram }] of compiled.validations.entries()) {
    const rule = `validations[${at}]`
    const tested = attempt(program, activation)
    if ('failure' in tested) fail(rule, `expression '${program.source}' resulted in error: ${tested.failure}`)
    else if (tested.value === false) {
      verdict.violations.push({ rule, message: madeMessage(messageProgram, activation) ?? message ?? `failed expression: ${program.source}` })
    } else if (tested.value !== true) fail(rule, `expression '${program.source}' gives a ${typeName(tested.value)}, not a bool`)
  }
  for (const [at, { key, program }] of compiled.auditAnnotations.entries()) {
    const rule = `auditAnnotations[${at}]`
    const made = attempt(program, activation)
    if ('failure' in made) fail(rule, `expression '${program.source}' resulted in error: ${made.failure}`)
    else if (typeof made.value === 'string') {
      const text = made.value.trim().slice(0, 10 * 1024)
      if (text !== '') verdict.notes.push({ rule, message: `${key}: ${text}` })
    } else if (made.value !== null) fail(rule, `expression '${program.source}' gives a ${typeName(made.value)}, not a string`)
  }
  return verdict
}

/** The parameters of a binding for this request. An object without a namespace is there for all. */
const paramsFor = (compiled: CompiledPolicy, binding: Binding, request: AdmissionRequest): readonly Param[] => {
  const { paramRef } = binding.spec
  if (!paramRef) return []
  const namespace = paramRef.namespace ?? request.namespace
  return compiled.params.filter(
    param =>
      (param.metadata.namespace === undefined || param.metadata.namespace === namespace) &&
      (paramRef.selector ? selects(paramRef.selector, labelsOf(param)) : param.metadata.name === paramRef.name),
  )
}

const actionOf = { Deny: 'deny', Warn: 'warn', Audit: 'audit' } as const satisfies Record<string, Action>

const evaluateBinding = (
  compiled: CompiledPolicy,
  binding: Binding,
  request: AdmissionRequest,
  roots: (slot: number) => Value,
  limits: CostLimits,
): Ruling[] => {
  const { spec, metadata } = compiled.policy
  if (binding.spec.matchResources && !matches(binding.spec.matchResources, request)) return []
  const ruling = (action: Action, said: Said): Ruling => ({ action, objection: { policy: metadata.name, ...said } })
  const params: readonly (Param | undefined)[] = spec.paramKind && binding.spec.paramRef ? paramsFor(compiled, binding, request) : [undefined]
  if (params.length === 0) {
    if (binding.spec.paramRef?.parameterNotFoundAction === 'Allow') return []
    const said = {
      rule: 'paramRef',
      message: `the parameters of binding ${binding.metadata.name} were not found: ${spec.paramKind?.kind} ${binding.spec.paramRef?.name ?? 'by its selector'}`,
    }
    return [ruling(spec.failurePolicy === 'Fail' ? 'deny' : 'audit', said)]
  }
  return params.flatMap(param => {
    const verdict = judge(compiled, activate(compiled, param, roots, limits))
    if (!verdict) return []
    const actions = binding.spec.validationActions
    return [
      ...verdict.violations.flatMap(said => actions.map(action => ruling(actionOf[action], said))),
      ...verdict.notes.map(said => ruling('audit', said)),
    ]
  })
}

/** What the policy says of the request. Never throws for what the request holds. */
export const evaluatePolicy = (
  compiled: CompiledPolicy,
  request: AdmissionRequest,
  roots: (slot: number) => Value,
  limits: CostLimits = apiServerLimits,
): Ruling[] => {
  if (!matches(compiled.policy.spec.matchConstraints, request)) return []
  return compiled.bindings.flatMap(binding => evaluateBinding(compiled, binding, request, roots, limits))
}
