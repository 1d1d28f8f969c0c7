/** Findings by risk. What narrows them is in the address, so that a view can be sent to somebody. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { FindingGroupView } from '../../../../api/schemas/security.ts'
import { FindingList, findingKinds } from '../../../../api/schemas/security.ts'
import { get, pathOf } from '../../api/http.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Failure, Loading } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Ago } from '../../components/time.tsx'
import { plural } from '../../format.ts'
import { navigate, setParameter, useAddress } from '../../router.tsx'
import { FindingDialog } from './finding-dialog.tsx'
import { SeverityBar } from './severities.tsx'

const refetchEvery = 15_000
const pageSize = 200
/** The greatest risk that there can be: critical, exploited, running. */
const mostRisk = 800

const Risk = ({ risk }: { readonly risk: number }) => (
  <span className="risk">
    <span className="risk-track" aria-hidden="true">
      {/* By its square root: most risks are small ones. */}
      <span style={{ width: `${Math.max(2, Math.sqrt(risk / mostRisk) * 100)}%` }} />
    </span>
    <span className="figures">{Math.round(risk)}</span>
  </span>
)

export const ranWhere = ({ running, environments }: Pick<FindingGroupView, 'running' | 'environments'>): string =>
  running > 0 ? `${running} running${environments > running ? `, ${environments - running} ended` : ''}` : plural(environments, 'ended', 'ended')

const columns: readonly Column<FindingGroupView>[] = [
  { key: 'risk', title: 'Risk', width: '6.5rem', cell: ({ risk }) => <Risk risk={risk} />, sort: ({ risk }) => -risk },
  { key: 'severity', title: 'Severity', width: '6rem', minor: true, cell: ({ severity }) => <Badge word={severity} /> },
  {
    ...{ key: 'finding', title: 'Finding', width: 'minmax(10rem, 3fr)', sort: ({ id }: FindingGroupView) => id },
    cell: ({ id, title, severity, exploited, epss, kind, settled }) => (
      <span className="finding-name">
        <span className="line">
          <strong className="wrap">{id}</strong>
          <span className="only-narrow">
            <Badge word={severity} />
          </span>
          {exploited ? <Badge word="exploited" tone="bad" /> : null}
          {epss !== null && epss >= 0.1 ? <Badge word={`EPSS ${Math.round(epss * 100)}%`} tone="warn" /> : null}
          {settled ? <Badge word="settled" tone="quiet" /> : null}
          {kind === 'vulnerability' ? null : <Badge word={kind} tone="quiet" />}
        </span>
        <span className="soft clamp" title={title}>
          {title}
        </span>
      </span>
    ),
  },
  {
    ...{ key: 'package', title: 'Package', width: 'minmax(8rem, 1.4fr)', minor: true, sort: (one: FindingGroupView) => one.package?.name ?? '' },
    cell: ({ package: of, fixed }) =>
      of === null ? (
        <span className="soft">–</span>
      ) : (
        <span className="finding-name">
          <code>{of.name}</code>
          <span className="soft">
            {fixed === null ? (
              'no fix yet'
            ) : (
              <>
                fixed in <code>{fixed}</code>
              </>
            )}
          </span>
        </span>
      ),
  },
  {
    key: 'where',
    title: 'Environments',
    width: '9.5rem',
    minor: true,
    cell: one => <span className={one.running > 0 ? 'running-now' : 'soft'}>{ranWhere(one)}</span>,
    sort: ({ running }) => -running,
  },
  { key: 'since', title: 'Since', width: '7rem', minor: true, cell: ({ since }) => <Ago at={since} />, sort: ({ since }) => since },
]

const flags = [
  ['running', 'Running now'],
  ['exploited', 'Exploited'],
  ['fixable', 'Has a fix'],
  ['settled', 'Settled too'],
] as const

export const Findings = () => {
  const { query } = useAddress()
  const [text, setText] = useState(query.get('text') ?? '')
  const [chosen, setChosen] = useState<FindingGroupView>()
  const narrowed = {
    text: query.get('text') ?? undefined,
    severity: query.get('severity') ?? undefined,
    kind: query.get('kind') ?? undefined,
    image: query.get('image') ?? undefined,
    environment: query.get('environment') ?? undefined,
    ...Object.fromEntries(flags.map(([name]) => [name, query.get(name) === 'true' ? 'true' : undefined])),
  }
  const found = useInfiniteQuery({
    queryKey: ['findings', narrowed],
    queryFn: ({ signal, pageParam }) => get(FindingList, pathOf('/v1/findings', {}, { ...narrowed, limit: pageSize, after: pageParam }), signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: refetchEvery,
  })
  if (found.data === undefined) {
    return found.isError ? <Failure error={found.error} what="the findings" onRetry={() => void found.refetch()} /> : <Loading what="the findings" />
  }
  const [first] = found.data.pages
  const rows = found.data.pages.flatMap(({ findings }) => findings)
  const words = Object.entries(narrowed).flatMap(([name, value]) =>
    value === undefined ? [] : value === 'true' ? [`--${name}`] : [`--${name}`, value],
  )
  const isNarrowed = words.length > 0
  return (
    <div className="stack">
      {first === undefined ? null : (
        <SeverityBar counts={first.severities} chosen={narrowed.severity} onChoose={severity => setParameter('severity', severity)} />
      )}
      <div className="spread">
        <Search
          main
          label="Search findings"
          placeholder="CVE, package, title"
          value={text}
          onChange={value => {
            setText(value)
            setParameter('text', value.trim())
          }}
        />
        <div className="line">
          <label className="check">
            <span>Kind</span>
            <select value={narrowed.kind ?? ''} onChange={event => setParameter('kind', event.target.value)}>
              <option value="">all</option>
              {findingKinds.map(kind => (
                <option key={kind}>{kind}</option>
              ))}
            </select>
          </label>
          {flags.map(([name, title]) => (
            <label key={name} className="check">
              <input
                type="checkbox"
                checked={query.get(name) === 'true'}
                onChange={event => setParameter(name, event.target.checked ? 'true' : undefined)}
              />
              {title}
            </label>
          ))}
        </div>
      </div>
      <div className="spread soft" role="status">
        <span>
          {first === undefined ? '' : `${plural(first.total, 'finding')}, ${first.running} of them in something that runs`}
          {first !== undefined && first.pending > 0 ? `; ${plural(first.pending, 'image')} still being looked into` : ''}
        </span>
        <span>
          {first?.dataFrom ? (
            <>
              vulnerability data of <Ago at={first.dataFrom} />
            </>
          ) : (
            'there is no vulnerability data: dayfly vulndb update'
          )}
        </span>
      </div>
      {rows.length === 0 ? (
        <Empty title={isNarrowed ? 'Nothing fits.' : 'Nothing is known to be wrong.'}>
          {isNarrowed ? (
            <button
              type="button"
              onClick={() => {
                setText('')
                navigate('/security', { replace: true })
              }}
            >
              Show all findings
            </button>
          ) : (
            <p>Images are looked at when they are started. What is found then, and what becomes known later, comes here.</p>
          )}
        </Empty>
      ) : (
        <Table
          label="Findings, the greatest risk first"
          columns={columns}
          rows={rows}
          rowKey={({ key }) => key}
          onRow={setChosen}
          current={chosen?.key}
          rowHeight={54}
          maxHeight={640}
        />
      )}
      {found.hasNextPage ? (
        <button type="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {found.isFetchingNextPage ? 'Loading…' : `Show more (${rows.length} of ${first?.total ?? rows.length})`}
        </button>
      ) : null}
      <CliLine words={['findings', ...words]} />
      {chosen === undefined ? null : <FindingDialog finding={chosen} onClose={() => setChosen(undefined)} />}
    </div>
  )
}
