/** Its whole life, entry by entry, and whether that can be proven. */
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { Event } from '../../../../model/event.ts'
import { pathOf } from '../../api/http.ts'
import { getVerification } from '../../api/queries.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Failure, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Time } from '../../components/time.tsx'
import { preciseTime, shortDigest } from '../../format.ts'
import { useRecord, useReport } from './queries.ts'

const columns: readonly Column<Event>[] = [
  { key: 'sequence', title: '#', width: '3.5rem', numeric: true, cell: ({ sequence }) => sequence },
  { key: 'time', title: 'Time', width: '7.5rem', cell: ({ time }) => <span className="figures">{preciseTime(time)}</span> },
  { key: 'type', title: 'What', width: 'minmax(9rem, 1.2fr)', cell: ({ type }) => <code>{type}</code> },
  { key: 'reason', title: 'Why', width: 'minmax(9rem, 3fr)', cell: ({ reason }) => reason },
  { key: 'actor', title: 'Who', width: '7rem', minor: true, cell: ({ actor }) => actor.name },
]

const Proof = ({ environment }: { readonly environment: EnvironmentView }) => {
  const report = useReport(environment)
  const verify = useMutation({ mutationFn: () => getVerification(environment.id) })
  return (
    <Card
      title="Seal"
      actions={
        <>
          <button type="button" onClick={() => verify.mutate()} disabled={verify.isPending}>
            {verify.isPending ? 'Verifying…' : 'Verify'}
          </button>
          {environment.state === 'ended' ? (
            <a
              className="button"
              href={pathOf('/v1/environments/:ref/export', { ref: environment.id })}
              download={`${environment.name}-${environment.id}.dayfly`}
            >
              Export
            </a>
          ) : null}
          <a className="button" href={pathOf('/v1/environments/:ref/report/page', { ref: environment.id })} target="_blank" rel="noopener">
            Report
          </a>
          <a className="button" href={pathOf('/v1/environments/:ref/report', { ref: environment.id })} download={`${environment.name}-report.json`}>
            Report as JSON
          </a>
        </>
      }
    >
      <div className="stack">
        <Shown query={report} what="its seal">
          {({ seal }) => (
            <Facts
              facts={[
                [
                  'State',
                  seal.sealed ? (
                    <Badge key="state" word="sealed" />
                  ) : (
                    <Badge key="state" word={environment.state === 'ended' ? 'not sealed' : 'open: it lives'} tone="info" />
                  ),
                ],
                ['Entries', seal.entries],
                [
                  'Head',
                  <code key="head" title={seal.head}>
                    {shortDigest(seal.head)}
                  </code>,
                ],
                [
                  'Key',
                  seal.key === null ? undefined : (
                    <code key="key" title={seal.key}>
                      {shortDigest(seal.key)}
                    </code>
                  ),
                ],
                ['Signed', seal.signedAt === null ? undefined : <Time key="signed" at={Date.parse(seal.signedAt)} full />],
              ]}
            />
          )}
        </Shown>
        {verify.isError ? <Failure error={verify.error} what="the verification" /> : null}
        {verify.data === undefined ? null : (
          <div className="stack" role="status">
            <p className="line">
              <Badge word={verify.data.verdict} />
              {verify.data.verdict === 'whole'
                ? 'Nothing was removed or changed.'
                : verify.data.verdict === 'unproven'
                  ? 'Nothing is wrong, but nobody vouches for it yet.'
                  : 'Something is not what was written.'}
            </p>
            <ul className="proof">
              {verify.data.faults.map(({ member, message }) => (
                <li key={`${member} ${message}`} className="wrap">
                  <Badge word="broken" /> <code>{member}</code> {message}
                </li>
              ))}
              {verify.data.checked.map(({ member, what }) => (
                <li key={`${member} ${what}`} className="wrap">
                  <Badge word="whole" /> <code>{member}</code> {what}
                </li>
              ))}
              {verify.data.unchecked.map(({ member, reason }) => (
                <li key={`${member} ${reason}`} className="wrap">
                  <Badge word="unproven" /> <code>{member}</code> {reason}
                </li>
              ))}
            </ul>
          </div>
        )}
        <CliLine words={['verify', environment.id]} />
        {environment.state === 'ended' ? <CliLine words={['export', environment.id]} /> : null}
        <CliLine words={['report', environment.id]} />
      </div>
    </Card>
  )
}

export const RecordPage = ({ environment }: { readonly environment: EnvironmentView }) => {
  const [search, setSearch] = useState('')
  const [chosen, setChosen] = useState<number>()
  const wanted = search.toLowerCase()
  return (
    <div className="stack">
      <Proof environment={environment} />
      <Search main label="Search its record" value={search} onChange={setSearch} />
      <Shown query={useRecord(environment)} what="its record">
        {events => {
          const rows = events.filter(({ type, reason, actor }) => `${type} ${reason} ${actor.name}`.toLowerCase().includes(wanted))
          const entry = events.find(({ sequence }) => sequence === chosen)
          return rows.length === 0 ? (
            <Empty title="Nothing fits this search." />
          ) : (
            <div className={entry === undefined ? 'record' : 'record record-chosen'}>
              <Table
                label="Entries of the record"
                columns={columns}
                rows={rows}
                rowKey={({ sequence }) => String(sequence)}
                onRow={({ sequence }) => setChosen(sequence === chosen ? undefined : sequence)}
                current={chosen === undefined ? undefined : String(chosen)}
              />
              {entry === undefined ? null : (
                <Card title={entry.type}>
                  <pre className="entry">{JSON.stringify({ ...entry.data, hash: entry.hash }, null, 2)}</pre>
                </Card>
              )}
            </div>
          )
        }}
      </Shown>
      <CliLine words={['events', environment.id]} />
    </div>
  )
}
