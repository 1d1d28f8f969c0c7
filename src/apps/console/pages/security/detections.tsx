/** What rules have detected, the newest first. New ones come by themselves. */
import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import type { DetectionView } from '../../../../api/schemas/security.ts'
import { DetectionList } from '../../../../api/schemas/security.ts'
import { priorities } from '../../../../model/detection.ts'
import type { Event } from '../../../../model/event.ts'
import { get, pathOf } from '../../api/http.ts'
import { useEvents } from '../../api/live.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Empty, Failure, Loading } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { navigate, setParameter, useAddress } from '../../router.tsx'

const pageSize = 200

const columns: readonly Column<DetectionView>[] = [
  { key: 'time', title: 'When', width: 'minmax(5rem, 9.5rem)', cell: ({ time }) => <Time at={time} />, sort: ({ time }) => -time },
  {
    key: 'priority',
    title: 'Priority',
    width: '7.5rem',
    minor: true,
    cell: ({ priority }) => <Badge word={priority} />,
    sort: ({ priority }) => priorities.indexOf(priority),
  },
  {
    ...{ key: 'rule', title: 'Rule', width: 'minmax(9rem, 3fr)', sort: ({ rule }: DetectionView) => rule },
    cell: ({ rule, output, priority, measures, audit, exemption }) => (
      <span className="finding-name">
        <span className="line">
          <strong>{rule}</strong>
          <span className="only-narrow">
            <Badge word={priority} />
          </span>
          {exemption === null ? null : <Badge word={`exempted by ${exemption}`} tone="quiet" />}
          {measures.map(measure => (
            <Badge key={measure} word={audit ? `would ${measure}` : measure} tone={audit ? 'warn' : 'bad'} />
          ))}
        </span>
        <span className="soft clamp" title={output}>
          {output}
        </span>
      </span>
    ),
  },
  {
    ...{ key: 'process', title: 'Process', width: 'minmax(6rem, 1fr)', minor: true, sort: ({ process }: DetectionView) => process.name },
    cell: ({ process }) => <code>{`${process.exe ?? process.name}[${process.vpid}]`}</code>,
  },
  {
    ...{
      key: 'environment',
      title: 'Environment',
      width: 'minmax(7rem, 1fr)',
      minor: true,
      sort: ({ environment }: DetectionView) => environment.name,
    },
    cell: ({ environment, workload }) => (
      <span className="finding-name">
        <span className="wrap">{environment.name}</span>
        <span className="soft">
          {workload ?? ''} {environment.state === 'running' ? 'running' : environment.state}
        </span>
      </span>
    ),
  },
]

export const Detections = () => {
  const { query } = useAddress()
  const narrowed = {
    rule: query.get('rule') ?? undefined,
    priority: query.get('priority') ?? undefined,
    environment: query.get('environment') ?? undefined,
  }
  const client = useQueryClient()
  useEvents(
    useCallback(
      (event: Event) => {
        if (event.type === 'detection.raised') void client.invalidateQueries({ queryKey: ['detections'] })
      },
      [client],
    ),
  )
  const found = useInfiniteQuery({
    queryKey: ['detections', narrowed],
    queryFn: ({ signal, pageParam }) => get(DetectionList, pathOf('/v1/detections', {}, { ...narrowed, limit: pageSize, before: pageParam }), signal),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData,
  })
  if (found.data === undefined) {
    return found.isError ? (
      <Failure error={found.error} what="the detections" onRetry={() => void found.refetch()} />
    ) : (
      <Loading what="the detections" />
    )
  }
  const rows = found.data.pages.flatMap(({ detections }) => detections)
  const words = Object.entries(narrowed).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]))
  return (
    <div className="stack">
      <div className="line">
        <label className="check">
          <span>At least</span>
          <select value={narrowed.priority ?? ''} onChange={event => setParameter('priority', event.target.value)}>
            <option value="">any priority</option>
            {priorities.map(priority => (
              <option key={priority}>{priority}</option>
            ))}
          </select>
        </label>
        {(['rule', 'environment'] as const).map(name =>
          narrowed[name] === undefined ? null : (
            <button key={name} type="button" onClick={() => setParameter(name, undefined)} aria-label={`Not only this ${name}: ${narrowed[name]}`}>
              {name}: {narrowed[name]} ×
            </button>
          ),
        )}
      </div>
      {rows.length === 0 ? (
        <Empty title={words.length > 0 ? 'Nothing fits.' : 'Nothing has been detected.'}>
          <p>
            {words.length > 0
              ? 'Choose a milder priority, or leave out what narrows them.'
              : 'What the kernel sensor sees is judged by the rules in force as it happens. doctor says whether it sees.'}
          </p>
        </Empty>
      ) : (
        <Table
          label="Detections, the newest first"
          columns={columns}
          rows={rows}
          rowKey={({ id }) => String(id)}
          onRow={({ id }) => navigate(`/security/detections/${id}`)}
          rowHeight={54}
          maxHeight={660}
        />
      )}
      {found.hasNextPage ? (
        <button type="button" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {found.isFetchingNextPage ? 'Loading…' : 'Show older ones'}
        </button>
      ) : null}
      <CliLine words={['detections', ...words]} />
    </div>
  )
}
