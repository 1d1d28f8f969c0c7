/** What is let through: by whom, why and until when. What ends soon comes first. */
import { useQuery } from '@tanstack/react-query'
import type { ExemptionView } from '../../../../api/schemas/rules.ts'
import { ExemptionList } from '../../../../api/schemas/rules.ts'
import { get } from '../../api/http.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import type { Column } from '../../components/table.tsx'
import { Table } from '../../components/table.tsx'
import { Ago, Time, useNow } from '../../components/time.tsx'
import { plural } from '../../format.ts'

const day = 86_400_000
const soon = 14 * day

const Ends = ({ exemption: { ends, begins, state } }: { readonly exemption: ExemptionView }) => {
  const left = ends - useNow()
  if (state === 'over') return <Badge word="over" tone="quiet" />
  if (state === 'coming')
    return (
      <span>
        from <Time at={begins ?? 0} full />
      </span>
    )
  const days = Math.floor(left / day)
  return (
    <span className="finding-name">
      <span>
        {left < soon ? (
          <Badge word={days < 1 ? 'ends today' : `${plural(days, 'day')} left`} tone={left < 3 * day ? 'bad' : 'warn'} />
        ) : (
          plural(days, 'day')
        )}
      </span>
      <span className="soft">{new Date(ends - 1).toLocaleDateString('en-CA', { timeZone: 'UTC' })}</span>
    </span>
  )
}

const columns: readonly Column<ExemptionView>[] = [
  { key: 'ends', title: 'Ends', width: '7.5rem', cell: exemption => <Ends exemption={exemption} />, sort: ({ ends }) => ends },
  {
    ...{ key: 'name', title: 'Exemption', width: 'minmax(9rem, 2fr)', sort: ({ name }: ExemptionView) => name },
    cell: ({ name, reason, from }) => (
      <span className="finding-name">
        <span className="line">
          <strong className="wrap">{name}</strong>
          <Badge word={from} tone="quiet" />
        </span>
        <span className="soft wrap">{reason}</span>
      </span>
    ),
  },
  {
    ...{ key: 'what', title: 'Lets through', width: 'minmax(8rem, 1.6fr)', minor: true },
    cell: ({ rules, match }) => (
      <span className="finding-name">
        <code>{rules.join(', ')}</code>
        <span className="soft wrap">{match.map(({ field, patterns }) => `${field} ${patterns.join(' | ')}`).join('; ') || 'everything'}</span>
      </span>
    ),
  },
  {
    key: 'owner',
    title: 'Owner',
    width: 'minmax(7rem, 1fr)',
    minor: true,
    cell: ({ owner }) => <span className="wrap">{owner}</span>,
    sort: ({ owner }) => owner,
  },
  {
    ...{ key: 'hits', title: 'Used', width: '8rem', minor: true, sort: ({ hits }: ExemptionView) => -hits.count },
    cell: ({ hits }) =>
      hits.last === null ? (
        <span className="soft">not lately</span>
      ) : (
        <span>
          {hits.count} ×{' '}
          <span className="soft">
            <Ago at={hits.last} />
          </span>
        </span>
      ),
  },
]

export const Exemptions = () => {
  const now = useNow()
  const exemptions = useQuery({
    queryKey: ['exemptions'],
    queryFn: ({ signal }) => get(ExemptionList, '/v1/exemptions', signal),
    refetchInterval: 30_000,
  })
  return (
    <Shown query={exemptions} what="the exemptions">
      {({ exemptions: all }) => {
        const ending = all.filter(({ state, ends }) => state === 'in force' && ends - now < soon)
        return (
          <div className="stack">
            {all.length === 0 ? (
              <Empty title="Nothing is exempted.">
                <p>
                  An exemption names who answers for it, why, and until when: a document of kind Exemption, or DetectionExemption, in the folder of
                  policies.
                </p>
              </Empty>
            ) : (
              <>
                <p className="soft">
                  {ending.length === 0
                    ? 'None ends within two weeks.'
                    : `${plural(ending.length, 'ends', 'end')} within two weeks: what they let through is denied, or told, from then on.`}
                </p>
                <Table
                  label="Exemptions, what ends first comes first"
                  columns={columns}
                  rows={all}
                  rowKey={({ from, name }) => `${from} ${name}`}
                  rowHeight={58}
                />
              </>
            )}
            <CliLine words={['policy', 'ls', '--policy', 'FOLDER']} />
          </div>
        )
      }}
    </Shown>
  )
}
