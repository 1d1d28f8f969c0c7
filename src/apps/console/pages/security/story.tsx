/** One detection, and the story before its trigger: what the instance did in the minute before, and what was done about it. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { StoryView } from '../../../../api/schemas/security.ts'
import { StoryView as StorySchema } from '../../../../api/schemas/security.ts'
import { get, pathOf } from '../../api/http.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { Time } from '../../components/time.tsx'
import { imageName, span } from '../../format.ts'
import { Link } from '../../router.tsx'
import { whatWasDone, whoDid } from './activity-words.ts'

/** `−12.3 s`. */
const before = (time: number, trigger: number): string =>
  Math.abs(trigger - time) < 0.5 ? 'trigger' : `${time < trigger ? '−' : '+'}${span(Math.abs(trigger - time))}`

const Activity = ({ story: { activity, detection, more } }: { readonly story: StoryView }) => {
  const [samples, setSamples] = useState(false)
  const shown = activity.filter(({ activity: one }) => samples || one.type !== 'sample')
  if (activity.length === 0) {
    return (
      <Empty title="Nothing is kept of what it did.">
        <p>Its activity was removed with its retention, or nobody saw it.</p>
      </Empty>
    )
  }
  return (
    <div className="stack">
      <div className="spread">
        <span className="soft">{more ? `The last ${activity.length} entries; there was more.` : `${shown.length} entries`}</span>
        <label className="check">
          <input type="checkbox" checked={samples} onChange={event => setSamples(event.target.checked)} />
          Samples of resources
        </label>
      </div>
      {/* It scrolls, so the keyboard must get there. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <section className="story-scroll" aria-label="What happened, the oldest first" tabIndex={0}>
        <ol className="story">
          {shown.map(({ position, activity: one }) => {
            const isTrigger = one.type === detection.event && Math.abs(one.time - detection.time) < 0.5
            return (
              <li key={position} className={isTrigger ? 'story-trigger' : undefined}>
                <span className="figures soft story-when">{before(one.time, detection.time)}</span>
                <span className="story-type">{one.type}</span>
                <span className="story-what">
                  <code className="soft">{whoDid(one)}</code> <code>{whatWasDone(one)}</code>
                </span>
              </li>
            )
          })}
        </ol>
      </section>
    </div>
  )
}

const told = /^(detection|response|instance|environment|forensics|exec|attach)\./

const Record = ({ story: { record, detection } }: { readonly story: StoryView }) => {
  const entries = record.filter(({ type }) => told.test(type))
  if (entries.length === 0) return <Empty title="The record says nothing more of that minute." />
  return (
    <ol className="story story-record">
      {entries.map(({ cursor, time, type, reason, actor }) => (
        <li key={cursor} className={cursor === detection.id ? 'story-trigger' : undefined}>
          <span className="figures soft story-when">{before(time, detection.time)}</span>
          <span className="story-type">{type}</span>
          <span className="story-what wrap">
            {reason} <span className="soft">{actor.kind === 'user' ? `by ${actor.name}` : ''}</span>
          </span>
        </li>
      ))}
    </ol>
  )
}

const Fields = ({ fields }: { readonly fields: StoryView['detection']['fields'] }) => (
  <Facts
    facts={Object.entries(fields).map(([name, value]) => [
      name,
      <code key={name} className="wrap">
        {value === null ? '–' : String(value)}
      </code>,
    ])}
  />
)

const Told = ({ story }: { readonly story: StoryView }) => {
  const { detection } = story
  const { id, rule, priority, output, tags, time, environment, workload, image, instance, process, measures, audit, exemption } = detection
  return (
    <div className="stack">
      <div>
        <Link to="/security/detections">← All detections</Link>
      </div>
      <Card>
        <div className="stack">
          <div className="line">
            <Badge word={priority} />
            <h2>{rule}</h2>
          </div>
          <p className="wrap">{output}</p>
          <Facts
            facts={[
              ['When', <Time key="when" at={time} full />],
              [
                'Environment',
                <Link key="environment" to={`/environments/${environment.id}`}>
                  {environment.name}
                </Link>,
              ],
              ['Workload', [workload, image === null ? null : imageName(image)].filter(Boolean).join(' · ')],
              ['Process', <code key="process">{`${process.exe ?? process.name}[${process.vpid}]`}</code>],
              ['What follows', measures.length === 0 ? 'it is told' : `${audit ? 'would ' : ''}${measures.join(', ')}`],
              ['Exempted by', exemption],
              ['Tags', tags.join(' ')],
            ]}
          />
        </div>
      </Card>
      <div className="columns">
        <Card title="The minute before">
          <Activity story={story} />
        </Card>
        <div className="stack">
          <Card title="In the record">
            <Record story={story} />
          </Card>
          <Card title="Fields">
            <Fields fields={detection.fields} />
          </Card>
        </div>
      </div>
      <CliLine words={['detections', '--story', String(id)]} />
      {instance === null ? null : <CliLine words={['events', environment.name, '--activity', '--instance', instance]} label="All that it did" />}
    </div>
  )
}

export const Story = ({ id }: { readonly id: string }) => {
  const story = useQuery({
    queryKey: ['detection', id],
    queryFn: ({ signal }) => get(StorySchema, pathOf('/v1/detections/:id', { id }), signal),
    refetchInterval: 10_000,
  })
  return (
    <Shown query={story} what="the detection">
      {found => <Told story={found} />}
    </Shown>
  )
}
