/** The process tree: every program that was started, also by what is long gone. */
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { ReportProcess } from '../../../../model/report.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { shellLine, span } from '../../format.ts'
import { useReport } from './queries.ts'

interface Row {
  readonly process: ReportProcess
  readonly index: number
  readonly depth: number
}

/** Parents before their children, which are in the order of their beginnings. */
export const treeOf = (processes: readonly ReportProcess[]): Row[] => {
  const children = new Map<number | null, number[]>()
  for (const [index, { parent }] of processes.entries()) children.set(parent, [...(children.get(parent) ?? []), index])
  const rows: Row[] = []
  const walk = (parent: number | null, depth: number): void => {
    for (const index of children.get(parent) ?? []) {
      const process = processes[index]
      if (process === undefined) continue
      rows.push({ process, index, depth })
      if (depth < 64) walk(index, depth + 1)
    }
  }
  walk(null, 0)
  return rows
}

const flagWords: Readonly<Record<string, string>> = {
  upper: 'not of the image',
  memfd: 'in no file system',
  denied: 'denied',
  would_deny: 'would be denied',
}

const columns = (workloadOf: ReadonlyMap<string, string>): readonly Column<Row>[] => [
  {
    ...{ key: 'program', title: 'Program', width: 'minmax(14rem, 4fr)' },
    cell: ({ process, depth }) => (
      <span className="process" style={{ paddingInlineStart: Math.min(depth, 12) * 16 }}>
        <strong>{process.name}</strong> <code className="soft wrap">{process.args.length > 0 ? shellLine(process.args) : (process.exe ?? '')}</code>
        {process.flags.map(flag => (
          <Badge key={flag} word={flagWords[flag] ?? flag} tone="warn" />
        ))}
      </span>
    ),
  },
  { key: 'service', title: 'Service', width: '7rem', minor: true, cell: ({ process }) => workloadOf.get(process.instance) ?? process.instance },
  { key: 'pid', title: 'Pid', width: '4rem', numeric: true, cell: ({ process }) => process.pid },
  { key: 'uid', title: 'User', width: '4rem', numeric: true, minor: true, cell: ({ process }) => process.uid },
  { key: 'started', title: 'Started', width: '7.5rem', minor: true, cell: ({ process }) => <Time at={process.startedAt} /> },
  {
    ...{ key: 'life', title: 'Life', width: '6rem', numeric: true },
    cell: ({ process }) => (process.endedAt === null ? <Badge word="running" /> : span(process.endedAt - process.startedAt)),
  },
]

export const Processes = ({ environment }: { readonly environment: EnvironmentView }) => {
  const report = useReport(environment)
  const workloadOf = new Map(environment.instances.map(({ id, workload }) => [id, workload]))
  return (
    <div className="stack">
      <Shown query={report} what="its processes">
        {({ processes, activity }) =>
          processes.items.length === 0 ? (
            <Empty title={activity.kept ? 'No program has been started yet.' : 'Nobody watched what it did.'}>
              {activity.kept ? null : <p>The sensor sees processes where it is built and the kernel has what it needs: dayfly doctor says.</p>}
            </Empty>
          ) : (
            <>
              <Table
                label="Processes"
                columns={columns(workloadOf)}
                rows={treeOf(processes.items)}
                rowKey={({ index }) => String(index)}
                maxHeight={640}
              />
              {processes.more === 0 ? null : <p className="soft">And {processes.more} more, in the record.</p>}
            </>
          )
        }
      </Shown>
      <CliLine words={['events', environment.id, '--activity', '--type', 'exec']} />
    </div>
  )
}
