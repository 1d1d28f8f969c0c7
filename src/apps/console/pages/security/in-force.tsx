/** What stands against what is wrong: policies that decide about starts, and rules that watch what runs. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { PolicyList, RuleList } from '../../../../api/schemas/rules.ts'
import { priorities } from '../../../../model/detection.ts'
import { get, pathOf } from '../../api/http.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Card, Facts } from '../../components/page.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Ago } from '../../components/time.tsx'
import { plural } from '../../format.ts'
import { Link } from '../../router.tsx'

type Policy = PolicyList['policies'][number]
type Rule = RuleList['rules'][number]

const Hits = ({ hits: { count, last } }: { readonly hits: Policy['hits'] }) =>
  last === null ? (
    <span className="soft">not lately</span>
  ) : (
    <span>
      {count} ×{' '}
      <span className="soft">
        <Ago at={last} />
      </span>
    </span>
  )

const actionsOf = ({ rules }: Policy): string[] => [...new Set(rules.flatMap(({ actions }) => actions))].sort()

const Actions = ({ actions }: { readonly actions: readonly string[] }) => (
  <span className="line">
    {actions.map(action => (
      <Badge key={action} word={action} tone={action === 'deny' ? 'bad' : action === 'warn' ? 'warn' : 'quiet'} />
    ))}
  </span>
)

const policyColumns: readonly Column<Policy>[] = [
  {
    ...{ key: 'name', title: 'Policy', width: 'minmax(9rem, 2fr)', sort: ({ name }: Policy) => name },
    cell: ({ name, source, file, line }) => (
      <span className="finding-name">
        <strong className="wrap">{name}</strong>
        <span className="soft wrap">{source === 'built in' ? 'built in' : `${file}:${line}`}</span>
      </span>
    ),
  },
  { key: 'actions', title: 'Action', width: 'minmax(5rem, 12rem)', cell: policy => <Actions actions={actionsOf(policy)} /> },
  { key: 'rules', title: 'Rules', width: '4rem', numeric: true, minor: true, cell: ({ rules }) => rules.length, sort: ({ rules }) => rules.length },
  { key: 'denied', title: 'Denied', width: '5rem', numeric: true, minor: true, cell: ({ denied }) => denied, sort: ({ denied }) => denied },
  { key: 'hits', title: 'Spoke', width: '9rem', minor: true, cell: ({ hits }) => <Hits hits={hits} />, sort: ({ hits }) => hits.last ?? 0 },
]

const PolicyDialog = ({ policy, onClose }: { readonly policy: Policy; readonly onClose: () => void }) => (
  <Dialog title={policy.name} onClose={onClose}>
    <ul className="places">
      {policy.rules.map(({ rule, summary, actions }) => (
        <li key={rule}>
          <strong className="wrap">{rule}</strong>
          <Actions actions={actions} />
          <span className="soft wrap">{summary}</span>
        </li>
      ))}
    </ul>
  </Dialog>
)

const Policies = () => {
  const [chosen, setChosen] = useState<Policy>()
  const policies = useQuery({ queryKey: ['policies'], queryFn: ({ signal }) => get(PolicyList, '/v1/policies', signal), refetchInterval: 30_000 })
  return (
    <Card title="Policies: who may start">
      <Shown query={policies} what="the policies">
        {({ policies: all, fault, notes, folder }) => (
          <div className="stack">
            {fault === null ? null : (
              <p className="notice notice-bad wrap" role="alert">
                The files as they are now are not in force, those before them are: {fault}
              </p>
            )}
            {notes.map(note => (
              <p key={note} className="notice wrap">
                {note}
              </p>
            ))}
            <Table
              label="Policies in force"
              columns={policyColumns}
              rows={all}
              rowKey={({ name }) => name}
              onRow={setChosen}
              rowHeight={54}
              maxHeight={360}
            />
            <p className="soft wrap">
              Files of <code>{folder}</code> are in force some seconds after they are written. <Link to="/security/playground">Try one first</Link>
            </p>
            <CliLine words={['policy', 'ls', '--policy', folder]} />
            {chosen === undefined ? null : <PolicyDialog policy={chosen} onClose={() => setChosen(undefined)} />}
          </div>
        )}
      </Shown>
    </Card>
  )
}

const stateOf = ({ enabled, inert }: Rule): string => (inert ? 'never matches' : enabled ? 'on' : 'off')

const ruleColumns: readonly Column<Rule>[] = [
  {
    ...{ key: 'name', title: 'Rule', width: 'minmax(10rem, 2.4fr)', sort: ({ name }: Rule) => name },
    cell: ({ name, file, line, kind }) => (
      <span className="finding-name">
        <strong className="wrap">{name}</strong>
        <span className="soft wrap">{`${kind === 'rule' ? '' : `${kind}, `}${file}:${line}`}</span>
      </span>
    ),
  },
  {
    key: 'priority',
    title: 'Priority',
    width: '7.5rem',
    cell: ({ priority }) => <Badge word={priority} />,
    sort: ({ priority }) => priorities.indexOf(priority),
  },
  {
    key: 'state',
    title: 'State',
    width: '7rem',
    minor: true,
    cell: rule => <Badge word={stateOf(rule)} tone={stateOf(rule) === 'on' ? 'good' : 'quiet'} />,
    sort: stateOf,
  },
  {
    key: 'tags',
    title: 'Tags',
    width: 'minmax(7rem, 1.2fr)',
    minor: true,
    cell: ({ tags }) => <span className="soft wrap">{tags.join(' ')}</span>,
    sort: ({ tags }) => tags.join(' '),
  },
  { key: 'hits', title: 'Hits', width: '8.5rem', minor: true, cell: ({ hits }) => <Hits hits={hits} />, sort: ({ hits }) => -hits.count },
]

const RuleDialog = ({ rule, onClose }: { readonly rule: Rule; readonly onClose: () => void }) => (
  <Dialog title={rule.name} onClose={onClose}>
    <div className="stack">
      <p className="wrap">{rule.description}</p>
      <Facts
        facts={[
          ['Priority', <Badge key="priority" word={rule.priority} />],
          ['State', stateOf(rule)],
          ['Written in', <code key="file">{`${rule.file}:${rule.line}`}</code>],
          ['Asked about', rule.events.join(' ')],
          ['Lacks', rule.lacking.join(', ')],
          ['Tags', rule.tags.join(' ')],
          ['Hits', <Hits key="hits" hits={rule.hits} />],
        ]}
      />
      <Link to={`/security/detections?rule=${encodeURIComponent(rule.name)}`}>What it has detected</Link>
    </div>
  </Dialog>
)

const Rules = () => {
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState<Rule>()
  const rules = useQuery({ queryKey: ['rules'], queryFn: ({ signal }) => get(RuleList, pathOf('/v1/rules'), signal), refetchInterval: 30_000 })
  return (
    <Card title="Rules: what running things may do">
      <Shown query={rules} what="the rules">
        {({ rules: all, problems, files }) => {
          const rows = all.filter(({ name, tags, description }) =>
            `${name} ${tags.join(' ')} ${description}`.toLowerCase().includes(text.toLowerCase()),
          )
          return (
            <div className="stack">
              {problems.slice(0, 5).map(({ severity, file, line, column, message }) => (
                <p key={`${file}:${line}:${column}:${message}`} className={`notice wrap${severity === 'error' ? ' notice-bad' : ''}`}>
                  <code>{`${file}:${line}:${column}`}</code> {message}
                </p>
              ))}
              <div className="spread">
                <Search main label="Search rules" placeholder="Name, tag, technique" value={text} onChange={setText} />
                <span className="soft">{`${plural(all.length, 'rule')}, ${plural(files.length, 'file')} beside Dayfly’s own`}</span>
              </div>
              {rows.length === 0 ? (
                <Empty title="Nothing fits." />
              ) : (
                <Table
                  label="Rules in force"
                  columns={ruleColumns}
                  rows={rows}
                  rowKey={({ name }) => name}
                  onRow={setChosen}
                  rowHeight={54}
                  maxHeight={520}
                />
              )}
              <CliLine words={['rules', 'ls', ...files]} />
              {chosen === undefined ? null : <RuleDialog rule={chosen} onClose={() => setChosen(undefined)} />}
            </div>
          )
        }}
      </Shown>
    </Card>
  )
}

export const InForce = () => (
  <div className="stack">
    <Policies />
    <Rules />
  </div>
)
