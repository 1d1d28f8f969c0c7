/** Environments as a table: what the timeline draws, in words. */
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { Badge } from '../../components/badge.tsx'
import { Ring } from '../../components/ring.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Ago, Left, Time, useNow } from '../../components/time.tsx'
import { imageName, span } from '../../format.ts'
import { leaseLeft } from './lanes.ts'

const Lease = ({ environment }: { readonly environment: EnvironmentView }) => {
  const now = useNow()
  if (environment.expiresAt === null) return environment.endedAt === null ? 'ending' : <Time at={environment.endedAt} />
  return (
    <span className="line">
      <Ring share={leaseLeft(environment, now)} />
      <Left until={environment.expiresAt} />
    </span>
  )
}

const columns: readonly Column<EnvironmentView>[] = [
  {
    ...{ key: 'name', title: 'Environment', width: 'minmax(8rem, 2fr)' },
    cell: ({ name }) => <strong className="wrap">{name}</strong>,
    sort: ({ name }) => name,
  },
  {
    ...{ key: 'state', title: 'State', width: '7rem' },
    cell: ({ state, cause }) => <Badge word={state === 'ended' ? (cause ?? 'ended') : state} />,
    sort: ({ state, cause }) => `${state} ${cause}`,
  },
  {
    ...{ key: 'images', title: 'Images', width: 'minmax(8rem, 2fr)', minor: true },
    cell: ({ workloads }) => <code>{[...new Set(Object.values(workloads).map(workload => imageName(workload.imageName)))].join(', ')}</code>,
  },
  {
    ...{ key: 'instances', title: 'Instances', width: '6rem', numeric: true, minor: true },
    cell: ({ instances }) => `${instances.filter(({ state }) => state === 'running').length} / ${instances.length}`,
    sort: ({ instances }) => instances.length,
  },
  {
    key: 'owner',
    title: 'Owner',
    width: 'minmax(5rem, 1fr)',
    minor: true,
    cell: ({ owner }) => <span className="wrap">{owner}</span>,
    sort: ({ owner }) => owner,
  },
  {
    ...{ key: 'made', title: 'Made', width: '7.5rem', minor: true },
    cell: ({ createdAt }) => <Ago at={createdAt} />,
    sort: ({ createdAt }) => -createdAt,
  },
  {
    ...{ key: 'life', title: 'Life', width: '6rem', numeric: true, minor: true },
    cell: ({ createdAt, endedAt }) => (endedAt === null ? '' : span(endedAt - createdAt)),
    sort: ({ createdAt, endedAt }) => (endedAt === null ? Number.POSITIVE_INFINITY : endedAt - createdAt),
  },
  {
    ...{ key: 'lease', title: 'Lease, or end', width: '8.5rem' },
    cell: environment => <Lease environment={environment} />,
    sort: ({ expiresAt, endedAt }) => expiresAt ?? -(endedAt ?? 0),
  },
]

interface EnvironmentTableProps {
  readonly environments: readonly EnvironmentView[]
  readonly selected?: string | undefined
  readonly onSelect: (id: string) => void
}

export const EnvironmentTable = ({ environments, selected, onSelect }: EnvironmentTableProps) => (
  <Table
    label="Environments"
    columns={columns}
    rows={environments}
    rowKey={({ id }) => id}
    onRow={({ id }) => onSelect(id)}
    current={selected}
    maxHeight={640}
  />
)
