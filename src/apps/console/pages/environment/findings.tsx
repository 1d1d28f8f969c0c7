/** What is wrong with it: vulnerabilities, detections, what followed, what policy said. */
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { Report } from '../../../../model/report.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { useReport } from './queries.ts'

type Finding = Report['findings']['items'][number]

const columns: readonly Column<Finding>[] = [
  {
    key: 'severity',
    title: 'Severity',
    width: '7.5rem',
    cell: ({ severity }) => <Badge word={severity.toLowerCase()} />,
    sort: ({ severity }) => severity,
  },
  { key: 'kind', title: 'Kind', width: '7rem', cell: ({ kind }) => kind, sort: ({ kind }) => kind },
  { key: 'id', title: 'Which', width: 'minmax(8rem, 1.5fr)', cell: ({ id }) => <strong className="wrap">{id}</strong>, sort: ({ id }) => id },
  { key: 'service', title: 'Service', width: '7rem', minor: true, cell: ({ workload }) => workload ?? '', sort: ({ workload }) => workload ?? '' },
  {
    ...{ key: 'message', title: 'What', width: 'minmax(10rem, 4fr)', minor: true },
    cell: ({ message, tags }) => (
      <>
        {message} {tags.length === 0 ? null : <span className="soft">{tags.join(', ')}</span>}
      </>
    ),
  },
  { key: 'time', title: 'Since', width: '7.5rem', cell: ({ time }) => <Time at={time} />, sort: ({ time }) => time },
]

export const Findings = ({ environment }: { readonly environment: EnvironmentView }) => {
  const report = useReport(environment)
  return (
    <div className="stack">
      <Shown query={report} what="its findings">
        {({ findings }) =>
          findings.items.length === 0 ? (
            <Empty title="Nothing is known to be wrong with it." />
          ) : (
            <>
              <Table
                label="Findings"
                columns={columns}
                rows={findings.items}
                rowKey={({ time, id, kind, instance, message }) => `${time} ${kind} ${id} ${instance} ${message}`}
                maxHeight={640}
              />
              {findings.more === 0 ? null : <p className="soft">And {findings.more} more, in the record.</p>}
            </>
          )
        }
      </Shown>
      <CliLine words={['events', environment.id, '--type', 'detection', '--type', 'finding']} />
    </div>
  )
}
