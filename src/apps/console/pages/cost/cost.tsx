/** What was used and what that cost: by whom or what, by day; what was held idle, and what leases saved. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { CostView } from '../../../../api/schemas/records.ts'
import { get, pathOf } from '../../api/http.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Card, Page } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { bytes, imageName, number, plural, shortDigest, span } from '../../format.ts'
import { setParameter, useAddress } from '../../router.tsx'
import './cost.css'
import { Days } from './days.tsx'
import { money } from './money.ts'

type Row = CostView['total']

const day = 86_400_000
const spans = { '1d': 'A day', '7d': '7 days', '30d': '30 days', all: 'All that is recorded' } as const
type Span = keyof typeof spans
const isSpan = (text: string | null): text is Span => text !== null && Object.hasOwn(spans, text)

const groups = { owner: 'Owner', image: 'Image', environment: 'Environment', label: 'Label' } as const
type Group = keyof typeof groups
const isGroup = (text: string | null): text is Group => text !== null && Object.hasOwn(groups, text)

/** Whole minutes, so that the same question is asked for a while. */
const sinceOf = (chosen: Span): number | undefined =>
  chosen === 'all' ? undefined : Math.floor((Date.now() - Number.parseInt(chosen, 10) * day) / 60_000) * 60_000

const nameOf = (by: CostView['by'], { key, name }: Row): string => {
  if (by === 'image') return name === '' ? shortDigest(key) : imageName(name)
  if (by === 'environment') return name === '' ? key : name
  return key === '' ? 'without one' : key
}

const columnsOf = (view: CostView): readonly Column<Row>[] => {
  const { by, prices, total } = view
  const price = (value: number): string => money(value, prices.currency)
  return [
    {
      ...{ key: 'name', title: by === 'label' ? (view.label ?? 'Label') : groups[by === 'day' ? 'owner' : by], width: 'minmax(8rem, 2fr)' },
      cell: row => (
        <span className="cost-name">
          <strong className="wrap">{nameOf(by, row)}</strong>
          <span className="cost-share" aria-hidden="true">
            <span style={{ width: `${total.cost.total === 0 ? 0 : Math.max(1, (row.cost.total / total.cost.total) * 100)}%` }} />
          </span>
        </span>
      ),
      sort: row => nameOf(by, row),
    },
    { key: 'cost', title: 'Cost', width: '7rem', numeric: true, cell: ({ cost }) => price(cost.total), sort: ({ cost }) => cost.total },
    {
      key: 'idle',
      title: 'Of it idle',
      width: '7rem',
      numeric: true,
      minor: true,
      cell: ({ cost }) => price(cost.idle),
      sort: ({ cost }) => cost.idle,
    },
    {
      key: 'saved',
      title: 'Saved',
      width: '7rem',
      numeric: true,
      minor: true,
      cell: ({ cost }) => price(cost.saved),
      sort: ({ cost }) => cost.saved,
    },
    {
      key: 'instances',
      title: 'Instances',
      width: '6rem',
      numeric: true,
      minor: true,
      cell: ({ instances }) => number(instances),
      sort: ({ instances }) => instances,
    },
    {
      key: 'cpu',
      title: 'Processor',
      width: '6.5rem',
      numeric: true,
      minor: true,
      cell: ({ cpuSeconds }) => span(cpuSeconds * 1000),
      sort: ({ cpuSeconds }) => cpuSeconds,
    },
    {
      key: 'memory',
      title: 'GiB × hours',
      width: '7rem',
      numeric: true,
      minor: true,
      cell: ({ memoryGiBSeconds }) => (memoryGiBSeconds / 3600).toFixed(3),
      sort: ({ memoryGiBSeconds }) => memoryGiBSeconds,
    },
    { key: 'sent', title: 'Sent', width: '6rem', numeric: true, minor: true, cell: ({ sent }) => bytes(sent), sort: ({ sent }) => sent },
  ]
}

const Figure = ({ title, value, note }: { readonly title: string; readonly value: string; readonly note: string }) => (
  <Card>
    <p className="soft">{title}</p>
    <p className="cost-figure figures">{value}</p>
    <p className="soft">{note}</p>
  </Card>
)

const share = (part: number, whole: number): string => (whole === 0 ? '0%' : `${Math.round((part / whole) * 100)}%`)

const Sums = ({ view: { total, prices } }: { readonly view: CostView }) => {
  const { cost, lifetime, idle, instances, environments } = total
  return (
    <div className="cost-figures">
      <Figure
        title="Spent"
        value={money(cost.total, prices.currency)}
        note={`by ${plural(instances, 'instance')} in ${plural(environments, 'environment')}, that ran ${span(lifetime)} together`}
      />
      <Figure
        title="Of it idle"
        value={money(cost.idle, prices.currency)}
        note={`memory held while nothing happened; ${share(idle, lifetime)} of the time`}
      />
      <Figure
        title="Saved by leases"
        value={money(cost.saved, prices.currency)}
        note={`against running on for ${span(prices.forgottenFor)} after the last activity`}
      />
    </div>
  )
}

export const Cost = () => {
  const { query } = useAddress()
  const wantedSpan = query.get('since')
  const chosen: Span = isSpan(wantedSpan) ? wantedSpan : '30d'
  const wantedGroup = query.get('by')
  const group: Group = isGroup(wantedGroup) ? wantedGroup : 'owner'
  const label = query.get('label') ?? ''
  const [typed, setTyped] = useState(label)
  const since = sinceOf(chosen)
  const isAsked = group !== 'label' || /^[A-Za-z0-9]([A-Za-z0-9_./-]{0,126}[A-Za-z0-9])?$/.test(label)
  const costs = useQuery({
    queryKey: ['cost', group, label, since],
    queryFn: ({ signal }) => get(CostView, pathOf('/v1/cost', {}, { by: group, label: group === 'label' ? label : undefined, since }), signal),
    enabled: isAsked,
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
  const days = useQuery({
    queryKey: ['cost', 'day', since],
    queryFn: ({ signal }) => get(CostView, pathOf('/v1/cost', {}, { by: 'day', since }), signal),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
  const by = group === 'label' ? `label:${label === '' ? 'NAME' : label}` : group
  return (
    <Page
      title="Cost"
      sub="Of instances that have ended, as long as their record is kept."
      actions={
        <label className="check">
          <span>Since</span>
          <select value={chosen} onChange={event => setParameter('since', event.target.value)}>
            {Object.entries(spans).map(([key, title]) => (
              <option key={key} value={key}>
                {title}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <Shown query={days} what="the cost">
        {view =>
          view.total.instances === 0 ? (
            <Empty title="Nothing was used in that time.">
              <p>What an instance uses is counted when it ends. Choose a longer time, or end something.</p>
            </Empty>
          ) : (
            <>
              <Sums view={view} />
              <Card title="By day">
                <Days view={view} />
              </Card>
            </>
          )
        }
      </Shown>
      <Card
        title="By whom and what"
        actions={
          <>
            <fieldset className="group">
              <legend className="hidden">Sum up by</legend>
              {Object.entries(groups).map(([key, title]) => (
                <button key={key} type="button" aria-pressed={group === key} onClick={() => setParameter('by', key)}>
                  {title}
                </button>
              ))}
            </fieldset>
            {group === 'label' ? (
              <form
                className="line"
                onSubmit={event => {
                  event.preventDefault()
                  setParameter('label', typed.trim())
                }}
              >
                <label className="check">
                  <span>Its name</span>
                  <input value={typed} placeholder="team" onChange={event => setTyped(event.target.value)} />
                </label>
                <button type="submit">Sum up</button>
              </form>
            ) : null}
          </>
        }
      >
        {isAsked ? (
          <Shown query={costs} what="the sums">
            {view =>
              view.rows.length === 0 ? (
                <Empty title="Nothing was used in that time." />
              ) : (
                <Table label={`Cost by ${view.by}`} columns={columnsOf(view)} rows={view.rows} rowKey={({ key }) => key} rowHeight={44} />
              )
            }
          </Shown>
        ) : (
          <Empty title="Name a label.">
            <p>Sums are then by its values: team, for example.</p>
          </Empty>
        )}
      </Card>
      <CliLine words={['cost', '--by', by, ...(chosen === 'all' ? [] : ['--since', chosen])]} />
    </Page>
  )
}
