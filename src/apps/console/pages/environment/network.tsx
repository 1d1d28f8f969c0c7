/** Who it spoke with, who spoke with it, and what its closed network refused. */
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { ReportPeer } from '../../../../model/report.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { number } from '../../format.ts'
import { useReport } from './queries.ts'

const words: Readonly<Record<ReportPeer['kind'], string>> = {
  out: 'went out',
  in: 'came in',
  name: 'asked for',
  denied: 'denied',
  gateway: 'gateway',
}

const columns = (workloadOf: ReadonlyMap<string, string>): readonly Column<ReportPeer>[] => [
  {
    ...{ key: 'kind', title: 'What', width: '6.5rem' },
    cell: ({ kind }) => <Badge word={words[kind]} tone={kind === 'denied' ? 'bad' : kind === 'gateway' ? 'info' : 'quiet'} />,
    sort: ({ kind }) => kind,
  },
  { key: 'service', title: 'Service', width: 'minmax(6rem, 1fr)', cell: ({ workload }) => workload ?? '', sort: ({ workload }) => workload ?? '' },
  {
    ...{ key: 'peer', title: 'With', width: 'minmax(9rem, 3fr)' },
    cell: ({ peer, port, peerInstance }) => (
      <>
        <code>
          {peer}
          {port === null ? '' : `:${port}`}
        </code>{' '}
        {peerInstance === null ? null : <span className="soft">{workloadOf.get(peerInstance) ?? peerInstance}</span>}
      </>
    ),
    sort: ({ peer }) => peer,
  },
  { key: 'protocol', title: 'Protocol', width: '5.5rem', minor: true, cell: ({ protocol }) => protocol },
  { key: 'count', title: 'Times', width: '5rem', numeric: true, cell: ({ count }) => number(count), sort: ({ count }) => count },
  {
    key: 'failed',
    title: 'Failed',
    width: '5rem',
    numeric: true,
    minor: true,
    cell: ({ failed }) => (failed === 0 ? '' : number(failed)),
    sort: ({ failed }) => failed,
  },
  { key: 'last', title: 'Last', width: '7.5rem', cell: ({ last }) => <Time at={last} />, sort: ({ last }) => last },
]

export const Network = ({ environment }: { readonly environment: EnvironmentView }) => {
  const report = useReport(environment)
  const workloadOf = new Map(environment.instances.map(({ id, workload }) => [id, workload]))
  return (
    <Shown query={report} what="its network">
      {({ network, activity }) => {
        const denied = network.items.filter(({ kind }) => kind === 'denied')
        const others = network.items.filter(({ kind }) => kind !== 'denied')
        return (
          <div className="stack">
            <Card title="Denied">
              {denied.length === 0 ? (
                <p className="soft">It has tried nothing that is closed to it.</p>
              ) : (
                <Table label="Denied connections" columns={columns(workloadOf)} rows={denied} rowKey={peer => JSON.stringify(peer)} maxHeight={280} />
              )}
            </Card>
            <Card title="Connections">
              {others.length === 0 ? (
                <Empty title={activity.kept ? 'It has spoken with nobody.' : 'Nobody watched its connections.'} />
              ) : (
                <Table label="Connections" columns={columns(workloadOf)} rows={others} rowKey={peer => JSON.stringify(peer)} />
              )}
              {network.more === 0 ? null : <p className="soft">And {network.more} more, in the record.</p>}
            </Card>
            <CliLine words={['events', environment.id, '--activity', '--type', 'connect']} />
          </div>
        )
      }}
    </Shown>
  )
}
