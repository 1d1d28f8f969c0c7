/** What `dayfly doctor` says: of the sensor first, then of the rest, and of what was left behind. */
import { useQuery } from '@tanstack/react-query'
import type { HostCheck } from '../../../../api/schemas/system.ts'
import { DoctorReport, LeakReport } from '../../../../api/schemas/system.ts'
import { get } from '../../api/http.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { Table } from '../../components/table.tsx'

const order = { fail: 0, warn: 1, ok: 2 } as const

const List = ({ checks }: { readonly checks: readonly HostCheck[] }) => (
  <ul className="checks">
    {checks
      .toSorted((left, right) => order[left.state] - order[right.state])
      .map(({ name, state, found, remedy }) => (
        <li key={`${name} ${found}`}>
          <Badge word={state} tone={state === 'ok' ? 'good' : state === 'warn' ? 'warn' : 'bad'} />
          <div>
            <strong>{name}</strong>
            <p className="wrap soft">{found}</p>
            {remedy === null ? null : <p className="wrap">{remedy}</p>}
          </div>
        </li>
      ))}
  </ul>
)

const isOfSensor = ({ name }: HostCheck): boolean => /sens|activity|record|rule/i.test(name)

const Leaks = () => {
  // It walks over all that the kernel has: it is asked when somebody looks, not again and again.
  const leaks = useQuery({ queryKey: ['leaks'], queryFn: ({ signal }) => get(LeakReport, '/v1/doctor/leaks', signal), staleTime: 60_000 })
  return (
    <Card
      title="Left behind"
      actions={
        <button type="button" disabled={leaks.isFetching} onClick={() => void leaks.refetch()}>
          {leaks.isFetching ? 'Counting…' : 'Count again'}
        </button>
      }
    >
      <div className="stack">
        <Shown query={leaks} what="what was left behind">
          {({ leaks: all }) =>
            all.length === 0 ? (
              <Empty title="Nothing.">
                <p>Every process, mount, interface, cgroup, rule and folder that Dayfly owns belongs to something that lives.</p>
              </Empty>
            ) : (
              <Table
                label="Leaks"
                rows={all}
                rowKey={({ kind, name }) => `${kind} ${name}`}
                columns={[
                  { key: 'kind', title: 'Kind', width: '7rem', cell: ({ kind }) => kind },
                  { key: 'name', title: 'Name', width: 'minmax(9rem, 3fr)', cell: ({ name }) => <code>{name}</code> },
                  { key: 'owner', title: 'Owner', cell: ({ owner }) => owner ?? '–' },
                ]}
              />
            )
          }
        </Shown>
        <CliLine words={['doctor', '--leaks']} />
      </div>
    </Card>
  )
}

export const Checks = () => {
  const doctor = useQuery({ queryKey: ['doctor'], queryFn: ({ signal }) => get(DoctorReport, '/v1/doctor', signal), refetchInterval: 15_000 })
  return (
    <div className="columns">
      <Shown query={doctor} what="the checks">
        {({ checks }) => (
          <>
            <div className="stack">
              <Card title="Sensor: health and what it dropped">
                <List checks={checks.filter(isOfSensor)} />
              </Card>
              <Leaks />
            </div>
            <Card title="What Dayfly needs of this host">
              <div className="stack">
                <List checks={checks.filter(check => !isOfSensor(check))} />
                <CliLine words={['doctor']} />
              </div>
            </Card>
          </>
        )}
      </Shown>
    </div>
  )
}
