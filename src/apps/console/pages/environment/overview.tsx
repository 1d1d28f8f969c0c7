/** How an environment stands: its services, who speaks with whom, where it is reached. */
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { WorkloadView } from '../../../../api/schemas/workloads.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { useWorkloads } from '../../components/environment-actions.tsx'
import { Card, Facts } from '../../components/page.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { bytes, imageName, shortDigest, span } from '../../format.ts'
import { useReport } from './queries.ts'
import { ServiceMap } from './service-map.tsx'

type Instance = EnvironmentView['instances'][number]

const lifeOf = ({ startedAt, exit }: Instance): string => (startedAt === null ? '' : exit === null ? '' : span(exit.endedAt - startedAt))
const exitOf = ({ exit }: Instance): string =>
  exit === null ? '' : exit.oom ? 'out of memory' : exit.signal === null ? `exit ${exit.code}` : `signal ${exit.signal}`

const columns: readonly Column<Instance>[] = [
  {
    key: 'workload',
    title: 'Service',
    width: 'minmax(6rem, 1fr)',
    cell: ({ workload, replica }) => `${workload} ${replica}`,
    sort: ({ workload }) => workload,
  },
  { key: 'state', title: 'State', width: '6.5rem', cell: ({ state }) => <Badge word={state} />, sort: ({ state }) => state },
  { key: 'id', title: 'Instance', width: '8.5rem', minor: true, cell: ({ id }) => <code>{id}</code> },
  { key: 'reason', title: 'Why', width: 'minmax(8rem, 2fr)', minor: true, cell: ({ reason }) => reason },
  { key: 'address', title: 'Address', width: '8rem', minor: true, cell: ({ address }) => <code>{address}</code> },
  {
    key: 'started',
    title: 'Started',
    width: '10.5rem',
    cell: ({ startedAt, start }) =>
      startedAt === null ? (
        ''
      ) : (
        <span title={start ?? undefined}>
          <Time at={startedAt} />
        </span>
      ),
    sort: ({ startedAt }) => startedAt ?? 0,
  },
  { key: 'life', title: 'Life', width: '5.5rem', numeric: true, minor: true, cell: lifeOf },
  { key: 'exit', title: 'End', width: '7rem', cell: instance => exitOf(instance) },
]

const Ways = ({ workloads }: { readonly workloads: readonly WorkloadView[] }) => {
  const ways = workloads.flatMap(({ name, exposed }) => exposed.map(each => ({ name, ...each })))
  if (ways.length === 0) return <span className="soft">Nothing leads into it.</span>
  return (
    <ul className="ways">
      {ways.map(({ name, port, protocol, url }) => (
        <li key={`${name} ${port} ${protocol}`}>
          {name}:{' '}
          {url?.startsWith('http://') ? (
            <a href={url} target="_blank" rel="noreferrer">
              {url}
            </a>
          ) : (
            <code>{url ?? 'not yet'}</code>
          )}{' '}
          <span className="soft">→ {port}</span>
        </li>
      ))}
    </ul>
  )
}

export const Overview = ({ environment }: { readonly environment: EnvironmentView }) => {
  const workloads = useWorkloads(environment)
  const report = useReport(environment)
  const standing = environment.state === 'ended' ? undefined : workloads.data
  const entries = Object.entries(environment.workloads)
  return (
    <div className="stack">
      <Card title="Services">
        <ServiceMap environment={environment} workloads={standing} report={report.data} at={report.dataUpdatedAt} />
      </Card>
      <Table label="Instances" columns={columns} rows={environment.instances.toReversed()} rowKey={({ id }) => id} maxHeight={420} />
      <Card title="About it">
        <Facts
          facts={[
            ['Id', <code key="id">{environment.id}</code>],
            ['Made', <Time key="made" at={environment.createdAt} full />],
            ['Ended', environment.endedAt === null ? undefined : <Time key="ended" at={environment.endedAt} full />],
            ['Age at most', span(environment.lease.ttl)],
            ['Without use', `${span(environment.lease.idle)}, then it ${environment.lease.onIdle === 'pause' ? 'pauses' : 'ends'}`],
            ['Record kept for', span(environment.lease.retention)],
            ['Reached at', standing === undefined ? undefined : <Ways key="ways" workloads={standing} />],
            ...Object.entries(environment.labels).map(([name, value]) => [`Label ${name}`, value] as const),
          ]}
        />
      </Card>
      <div className="columns">
        {entries.map(([name, workload]) => (
          <Card key={name} title={name}>
            <Facts
              facts={[
                [
                  'Image',
                  <span key="image" title={workload.image}>
                    {imageName(workload.imageName)} <code className="soft">{shortDigest(workload.image)}</code>
                  </span>,
                ],
                [
                  'Command',
                  <code key="command" className="wrap">
                    {workload.command.join(' ')}
                  </code>,
                ],
                ['User', workload.user === '' ? 'root of its own users' : workload.user],
                ['CPU, memory', `${workload.limits.cpus} · ${bytes(workload.limits.memory)}`],
                [
                  'Way out',
                  workload.egress.length === 0 && (workload.egressDomains ?? []).length === 0
                    ? 'closed'
                    : [
                        ...workload.egress.map(({ cidr, port }) => (port === undefined ? cidr : `${cidr}:${port}`)),
                        ...(workload.egressDomains ?? []).map(({ domain }) => domain),
                      ].join(', '),
                ],
                ['Runtime', workload.runtime],
              ]}
            />
          </Card>
        ))}
      </div>
      <CliLine words={['inspect', environment.state === 'ended' ? environment.id : environment.name]} />
    </div>
  )
}
