/** A policy against a sample: the verdict, and what each clause saw. */
import { useState } from 'react'
import type { TriedPolicyView } from '../../../../api/schemas/rules.ts'
import { TriedPolicyView as TriedPolicy } from '../../../../api/schemas/rules.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { Editor, Faults, useTried } from './trying.tsx'

type Result = TriedPolicyView['results'][number]

const policies = {
  'An expression': `object.spec.containers.all(c,
  has(c.resources) && has(c.resources.limits)
    && 'memory' in c.resources.limits)`,
  'A policy with a message': `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: own-registry
spec:
  matchConstraints:
    resourceRules:
    - apiGroups: ['']
      apiVersions: ['v1']
      operations: ['CREATE']
      resources: ['pods']
  variables:
  - name: images
    expression: object.spec.containers.map(c, c.image)
  validations:
  - expression: variables.images.all(i, i.startsWith('registry.example/'))
    messageExpression: "'only images of registry.example, not ' + variables.images.join(', ')"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: own-registry }
spec: { policyName: own-registry, validationActions: [Deny] }`,
  'The strict preset': `apiVersion: dayfly.dev/v1
kind: AdmissionSettings
metadata: { name: settings }
spec: { preset: restricted }`,
} as const

const samples = {
  'A pod without limits': `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
  - name: main
    image: nginx:1.27
    securityContext:
      runAsNonRoot: true`,
  'A privileged pod': `apiVersion: v1
kind: Pod
metadata:
  name: node-agent
  namespace: kube-system
spec:
  hostPID: true
  containers:
  - name: agent
    image: registry.example/agent:4
    securityContext:
      privileged: true
    resources:
      limits: { memory: 128Mi }`,
} as const

const Chooser = <K extends string>({
  label,
  of,
  onChoose,
}: {
  readonly label: string
  readonly of: Readonly<Record<K, string>>
  readonly onChoose: (text: string) => void
}) => (
  <label className="check">
    <span className="soft">{label}</span>
    <select
      value=""
      onChange={event => {
        const found = Object.entries<string>(of).find(([name]) => name === event.target.value)
        if (found !== undefined) onChoose(found[1])
      }}
    >
      <option value="">Begin with…</option>
      {Object.keys(of).map(name => (
        <option key={name}>{name}</option>
      ))}
    </select>
  </label>
)

const Verdict = ({ result: { name, verdict, objections } }: { readonly result: Result }) => (
  <div className="stack">
    <div className="line">
      <Badge word={verdict} />
      <strong className="wrap">{name}</strong>
    </div>
    {objections.length === 0 ? <p className="soft">Nothing has anything against it.</p> : null}
    {objections.map(({ action, policy, rule, message, remedy, field, line, exemption, expression, seen }) => (
      <div key={`${policy} ${rule} ${field} ${message}`} className="objection">
        <div className="line">
          <Badge word={action} tone={exemption !== null ? 'quiet' : action === 'deny' ? 'bad' : 'warn'} />
          <code>{`${policy}/${rule}`}</code>
          {exemption === null ? null : <span className="soft">exempted by {exemption}</span>}
        </div>
        <p className="wrap">{message}</p>
        {field === null ? null : (
          <p className="soft wrap">
            at <code>{field}</code>
            {line === null ? '' : `, line ${line} of the sample`}
          </p>
        )}
        {remedy === null ? null : <p className="soft wrap">{remedy}</p>}
        {expression === null || seen.length === 0 ? null : (
          <details>
            <summary>What it saw</summary>
            <dl className="seen">
              {seen.map(part => (
                <div key={part.expression}>
                  <dt>
                    <code>{part.expression.replaceAll(/\s+/g, ' ')}</code>
                  </dt>
                  <dd>
                    <code>{part.value}</code>
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </div>
    ))}
  </div>
)

export const TryPolicy = () => {
  const [policy, setPolicy] = useState<string>(policies['An expression'])
  const [sample, setSample] = useState<string>(samples['A pod without limits'])
  const [builtIn, setBuiltIn] = useState(false)
  const isWhole = policy.trim() !== '' && sample.trim() !== ''
  const tried = useTried(TriedPolicy, '/v1/playground/policy', isWhole ? { policy, sample, builtIn } : undefined)
  return (
    <div className="columns">
      <div className="stack">
        <Card title="Policy" actions={<Chooser label="Policy" of={policies} onChoose={setPolicy} />}>
          <div className="stack">
            <Editor label="A CEL expression, or documents of a policy file" value={policy} rows={12} onChange={setPolicy} />
            <label className="check">
              <input type="checkbox" checked={builtIn} onChange={event => setBuiltIn(event.target.checked)} />
              With the built-in policies
            </label>
          </div>
        </Card>
        <Card title="Sample" actions={<Chooser label="Sample" of={samples} onChoose={setSample} />}>
          <Editor label="Manifests, in YAML or JSON" value={sample} rows={12} onChange={setSample} />
        </Card>
      </div>
      <div className="stack">
        <Card title="Verdict">
          <div aria-live="polite">
            {isWhole ? (
              <Shown query={tried} what="the verdict">
                {({ faults, notes, results, took }) => (
                  <div className={`stack${tried.isPlaceholderData ? ' stale' : ''}`}>
                    <Faults faults={faults} />
                    {results.map(result => (
                      <Verdict key={`${result.name} ${result.line}`} result={result} />
                    ))}
                    {notes.map(note => (
                      <p key={note} className="soft wrap">
                        {note}
                      </p>
                    ))}
                    <p className="soft figures">judged in {took.toFixed(1)} ms</p>
                  </div>
                )}
              </Shown>
            ) : (
              <Empty title="Write a policy and a sample." />
            )}
          </div>
        </Card>
        <CliLine words={['policy', 'explain', '--policy', 'policy.yaml', 'sample.yaml']} />
      </div>
    </div>
  )
}
