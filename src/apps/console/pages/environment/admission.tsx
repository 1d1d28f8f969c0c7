/** Each decision of admission, explained: who asked, what it was made on, what was objected. */
import { z } from 'zod'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { Event } from '../../../../model/event.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { plural, shortDigest, span } from '../../format.ts'
import { useRecord } from './queries.ts'

const Objection = z.looseObject({
  policy: z.string(),
  rule: z.string(),
  message: z.string(),
  field: z.string().nullish(),
  remedy: z.string().nullish(),
  exemption: z.string().nullish(),
})
const Objections = z.array(Objection).catch([])

/** What the record has of a decision (model/event.ts). */
const Decision = z.looseObject({
  workload: z.string().catch(''),
  policies: z.unknown(),
  inputs: z.unknown(),
  cached: z.boolean().catch(false),
  took: z.number().optional().catch(undefined),
  denials: Objections,
  warnings: Objections,
  audits: Objections,
  left: z.number().optional().catch(undefined),
})

const texts = (value: unknown): string[] =>
  typeof value === 'string'
    ? [shortDigest(value)]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, each]) => `${/^\d+$/.test(name) ? '' : `${name} `}${shortDigest(String(each))}`)
      : []

const List = ({
  title,
  tone,
  objections,
}: {
  readonly title: string
  readonly tone: 'bad' | 'warn' | 'quiet'
  readonly objections: z.infer<typeof Objections>
}) =>
  objections.length === 0 ? null : (
    <ul className="objections">
      {objections.map(({ policy, rule, message, field, remedy, exemption }) => (
        <li key={`${policy} ${rule} ${message}`}>
          <Badge word={title} tone={tone} /> <strong>{policy === rule ? policy : `${policy} / ${rule}`}</strong>
          <p className="wrap">{message}</p>
          {field == null ? null : (
            <p className="soft">
              Field <code>{field}</code>
            </p>
          )}
          {exemption == null ? null : <p className="soft">Exempted by {exemption}</p>}
          {remedy == null ? null : <p>{remedy}</p>}
        </li>
      ))}
    </ul>
  )

const Verdict = ({ event }: { readonly event: Event }) => {
  const decision = Decision.parse(event.data)
  const allowed = event.type === 'admission.allowed'
  const objections = decision.denials.length + decision.warnings.length + decision.audits.length
  return (
    <Card title={decision.workload === '' ? 'Decision' : decision.workload} actions={<Badge word={allowed ? 'allowed' : 'denied'} />}>
      <div className="stack">
        <p className="wrap">{event.reason}</p>
        <List title="denied" tone="bad" objections={decision.denials} />
        <List title="warning" tone="warn" objections={decision.warnings} />
        <List title="audit" tone="quiet" objections={decision.audits} />
        {objections === 0 ? <p className="soft">No policy objected.</p> : null}
        {decision.left === undefined || decision.left === 0 ? null : <p className="soft">And {plural(decision.left, 'objection')} more.</p>}
        <Facts
          facts={[
            ['When', <Time key="when" at={event.time} />],
            ['Asked by', event.actor.name],
            ['Took', decision.took === undefined ? undefined : `${span(decision.took)}${decision.cached ? ', from what was decided before' : ''}`],
            ['Policies', <code key="policies">{texts(decision.policies).join(', ')}</code>],
            ['Made on', texts(decision.inputs).length === 0 ? undefined : <code key="inputs">{texts(decision.inputs).join(', ')}</code>],
          ]}
        />
      </div>
    </Card>
  )
}

export const Admission = ({ environment }: { readonly environment: EnvironmentView }) => (
  <div className="stack">
    <Shown query={useRecord(environment)} what="its admission">
      {events => {
        const decisions = events.filter(({ type }) => type.startsWith('admission.'))
        return decisions.length === 0 ? (
          <Empty title="No decision is in its record." />
        ) : (
          <div className="columns">
            {decisions.map(event => (
              <Verdict key={event.sequence} event={event} />
            ))}
          </div>
        )
      }}
    </Shown>
    <CliLine words={['events', environment.id, '--type', 'admission']} />
  </div>
)
