/** What is in force, rule by rule, for people. */
import type { Assembly } from './assemble.ts'
import type { Binding, Policy } from './kubernetes/schema.ts'
import type { Settings } from './presets/settings.ts'

export interface RuleInForce {
  readonly policy: string
  readonly rule: string
  /** What it asks for: of a built-in one a sentence, of a file's its message or expression. */
  readonly summary: string
  readonly from: 'built in' | 'file'
  /** What follows for whoever breaks it, as the file's bindings or the settings say. */
  readonly actions: readonly string[]
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

const actionsOf = ({ metadata }: Policy, bindings: readonly Binding[]): string[] => [
  ...new Set(bindings.filter(({ spec }) => spec.policyName === metadata.name).flatMap(({ spec }) => spec.validationActions)),
]

/** Of a rule about images the settings say the action alone, or with what else there is to say. */
const actionIn = (setting: unknown): string[] => {
  if (typeof setting === 'string') return [setting]
  return typeof setting === 'object' && setting !== null && 'action' in setting && typeof setting.action === 'string' ? [setting.action] : []
}

const builtInActions = ({ podSecurity, images, hardening, whileRunning }: Settings, policy: string, rule: string): string[] => {
  const level = podSecurity.find(each => policy === `pod-security-${each.level}`)
  if (level !== undefined) return [level.action]
  if (policy === 'while-running') return actionIn(whileRunning)
  if (policy !== 'images') return actionIn(Object.entries(hardening).find(([name]) => name === rule)?.[1])
  if (rule === 'scanned') return ['deny']
  return actionIn(Object.entries({ ...images, ...images.misconfigurations }).find(([name]) => name === rule)?.[1])
}

export const rulesInForce = ({ builtIns, files, settings }: Assembly): RuleInForce[] => [
  ...builtIns.flatMap(({ name, rules }) =>
    rules.map(
      ({ name: rule, summary }): RuleInForce => ({ policy: name, rule, summary, from: 'built in', actions: builtInActions(settings, name, rule) }),
    ),
  ),
  ...files.policies.flatMap(policy => {
    const actions = actionsOf(policy, files.bindings)
    return [
      ...policy.spec.validations.map(
        ({ message, expression }, index): RuleInForce => ({
          ...{ policy: policy.metadata.name, rule: `validations[${index}]`, summary: oneLine(message ?? expression), from: 'file', actions },
        }),
      ),
      ...policy.spec.auditAnnotations.map(
        ({ key, valueExpression }, index): RuleInForce => ({
          ...{
            policy: policy.metadata.name,
            rule: `auditAnnotations[${index}]`,
            summary: `records ${key}: ${oneLine(valueExpression)}`,
            from: 'file',
          },
          actions: ['Audit'],
        }),
      ),
    ]
  }),
]
