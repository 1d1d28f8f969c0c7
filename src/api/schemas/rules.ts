/** Wire schemas of what is in force: policies, rules of detection, exemptions; and of the playground, which tries them out. Times are wall ms. */
import { z } from 'zod'
import { Priority } from './security.ts'

const Hits = z.object({
  count: z.int().describe('Among the newest entries of all records that are looked at: at most 2,000.'),
  last: z.number().nullable(),
})

export const PolicyList = z
  .object({
    version: z.string().describe('`sha256:…` of all that is in force.'),
    fault: z.string().nullable().describe('Why the files as they are now are not in force: those before them are.'),
    folder: z.string().describe("On the daemon's host."),
    notes: z.array(z.string()),
    policies: z.array(
      z.object({
        name: z.string(),
        source: z.enum(['built in', 'file']),
        file: z.string().nullable(),
        line: z.int().nullable(),
        rules: z.array(
          z.object({ rule: z.string(), summary: z.string(), actions: z.array(z.string()).describe('In lower case: deny, warn, audit.') }),
        ),
        hits: Hits.describe('Decisions in which it denied, warned or was noted.'),
        denied: z.int().describe('Of these, denials.'),
      }),
    ),
  })
  .meta({ id: 'PolicyList' })
export type PolicyList = z.infer<typeof PolicyList>

export const DiagnosticView = z
  .object({
    severity: z.enum(['error', 'warning']),
    code: z.string().describe("Falco's, e.g. LOAD_ERR_COMPILE_CONDITION."),
    file: z.string(),
    line: z.int(),
    column: z.int(),
    item: z.string().nullable(),
    message: z.string(),
  })
  .meta({ id: 'RuleDiagnostic' })
export type DiagnosticView = z.infer<typeof DiagnosticView>

export const RuleView = z
  .object({
    name: z.string(),
    kind: z.enum(['rule', 'sequence', 'threshold']),
    description: z.string(),
    priority: Priority,
    tags: z.array(z.string()),
    enabled: z.boolean(),
    inert: z.boolean().describe('It asks for something that Dayfly has not, and never matches.'),
    lacking: z.array(z.string()),
    events: z.array(z.string()).describe('Types of events that it is asked about.'),
    file: z.string().describe('`dayfly/…` for those of Dayfly itself.'),
    line: z.int(),
  })
  .meta({ id: 'Rule' })
export type RuleView = z.infer<typeof RuleView>

export const RuleList = z
  .object({
    rules: z.array(RuleView.extend({ hits: Hits })),
    problems: z.array(DiagnosticView).describe('Of the files as they are now. With an error, those before them stay in force.'),
    files: z.array(z.string()).describe('Rule files beside those of Dayfly itself.'),
  })
  .meta({ id: 'RuleList' })
export type RuleList = z.infer<typeof RuleList>

export const ExemptionView = z
  .object({
    name: z.string(),
    from: z.enum(['admission', 'detection']).describe('What it exempts from.'),
    rules: z.array(z.string()).describe('Policies, and of these rules where it says so; or rules of detection. `*` stands for any characters.'),
    match: z.array(z.object({ field: z.string(), patterns: z.array(z.string()) })),
    owner: z.string().describe('Who answers for it.'),
    reason: z.string(),
    begins: z.number().nullable(),
    ends: z.number(),
    state: z.enum(['coming', 'in force', 'over']),
    hits: Hits,
  })
  .meta({ id: 'Exemption' })
export type ExemptionView = z.infer<typeof ExemptionView>
export const ExemptionList = z
  .object({ exemptions: z.array(ExemptionView).describe('What ends first comes first; what is over, last.') })
  .meta({ id: 'ExemptionList' })

/** Characters of what is tried out. */
export const longestTried = 65_536
const Tried = z.string().max(longestTried, `at most ${longestTried} characters`)

export const TryPolicyRequest = z
  .strictObject({
    policy: Tried.min(1).describe(
      'Documents of a policy file; or one CEL expression, which is then the only validation of a policy about everything.',
    ),
    sample: Tried.min(1).describe('Manifests, in YAML or JSON, that it is to judge.'),
    builtIn: z.boolean().default(false).describe('With the built-in policies of the preset `standard`, unless the documents say others.'),
  })
  .meta({ id: 'TryPolicyRequest' })
export type TryPolicyRequest = z.output<typeof TryPolicyRequest>

export const TriedPolicyView = z
  .object({
    faults: z.array(z.string()).describe('What is wrong with the policy or the sample. Nothing was judged then.'),
    notes: z.array(z.string()),
    results: z.array(
      z.object({
        name: z.string().describe('Of the document, e.g. `Pod/default/web`.'),
        line: z.int(),
        verdict: z.enum(['allowed', 'denied']),
        objections: z.array(
          z.object({
            action: z.enum(['deny', 'warn', 'audit']),
            policy: z.string(),
            rule: z.string(),
            message: z.string(),
            remedy: z.string().nullable(),
            field: z.string().nullable(),
            line: z.int().nullable().describe('Of the field in the sample.'),
            exemption: z.string().nullable(),
            expression: z.string().nullable(),
            seen: z
              .array(z.object({ expression: z.string(), value: z.string() }))
              .describe('Parts of the expression and what they were, at most 100.'),
          }),
        ),
      }),
    ),
    took: z.number().describe('ms of the thread that tried it.'),
  })
  .meta({ id: 'TriedPolicy' })
export type TriedPolicyView = z.infer<typeof TriedPolicyView>

export const TryRuleRequest = z
  .strictObject({
    rules: Tried.min(1).describe("A rule file, in the language of Falco's rules."),
    environment: z.string().min(1).max(256).optional().describe('Whose recorded activity it is to judge.'),
    cases: Tried.optional().describe('Or a document of kind RuleTest, whose cases are run.'),
    dayfly: z
      .boolean()
      .default(true)
      .describe("Whether Dayfly's own rules come first, so that their macros and lists are there. They say nothing themselves."),
  })
  .refine(({ environment, cases }) => (environment === undefined) !== (cases === undefined), {
    path: ['environment'],
    message: 'say what it is to judge: an environment, or cases',
  })
  .meta({ id: 'TryRuleRequest' })
export type TryRuleRequest = z.output<typeof TryRuleRequest>

export const TriedRuleView = z
  .object({
    problems: z.array(DiagnosticView).describe('With an error, nothing was judged.'),
    faults: z.array(z.string()).describe('What is wrong with the cases.'),
    rules: z.array(RuleView).describe('Those of the text.'),
    matches: z
      .array(
        z.object({
          rule: z.string(),
          priority: Priority,
          output: z.string(),
          time: z.number(),
          event: z.string(),
          process: z.string(),
          instance: z.string(),
          workload: z.string(),
        }),
      )
      .describe('The first 200.'),
    found: z.int().describe('How many there are.'),
    events: z.int().describe('That were looked at.'),
    complete: z.boolean().describe('These are all that there are: neither time nor number was the limit.'),
    cases: z.array(z.object({ name: z.string(), failures: z.array(z.string()).describe('None: it is as expected.') })),
    took: z.number(),
  })
  .meta({ id: 'TriedRule' })
export type TriedRuleView = z.infer<typeof TriedRuleView>
