/** One environment: how it stands, what it does, and, once it is gone, what it was. */
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { lazy, Suspense } from 'react'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { getEnvironment, queryKeys } from '../../api/queries.ts'
import { useMay } from '../../api/session.ts'
import { Badge } from '../../components/badge.tsx'
import { EnvironmentActions } from '../../components/environment-actions.tsx'
import { Page } from '../../components/page.tsx'
import { Ring } from '../../components/ring.tsx'
import { Loading, Shown } from '../../components/states.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { Left, Time, useNow } from '../../components/time.tsx'
import { span } from '../../format.ts'
import { insisting } from '../../insisting.ts'
import { Link } from '../../router.tsx'
import { leaseLeft } from '../now/lanes.ts'
import { Admission } from './admission.tsx'
import './environment.css'
import { Findings } from './findings.tsx'
import { Logs } from './logs.tsx'
import { Network } from './network.tsx'
import { Overview } from './overview.tsx'
import { Processes } from './processes.tsx'
import { RecordPage } from './record.tsx'

// Both bring a library that no other page needs.
const Metrics = lazy(async () => ({ default: (await insisting(() => import('./metrics.tsx'))).Metrics }))
const TerminalPage = lazy(async () => ({ default: (await insisting(() => import('./terminal.tsx'))).TerminalPage }))

const parts: Readonly<Record<string, { readonly title: string; readonly page: (environment: EnvironmentView) => ReactNode }>> = {
  overview: { title: 'Overview', page: environment => <Overview environment={environment} /> },
  logs: { title: 'Logs', page: environment => <Logs environment={environment} /> },
  metrics: { title: 'Metrics', page: environment => <Metrics environment={environment} /> },
  terminal: { title: 'Terminal', page: environment => <TerminalPage environment={environment} /> },
  processes: { title: 'Processes', page: environment => <Processes environment={environment} /> },
  network: { title: 'Network', page: environment => <Network environment={environment} /> },
  findings: { title: 'Findings', page: environment => <Findings environment={environment} /> },
  admission: { title: 'Admission', page: environment => <Admission environment={environment} /> },
  record: { title: 'Record', page: environment => <RecordPage environment={environment} /> },
}

const Life = ({ environment }: { readonly environment: EnvironmentView }) => {
  const now = useNow()
  const { createdAt, endedAt, expiresAt, expiresBy } = environment
  return (
    <div className="line">
      <Badge word={environment.state} />
      {environment.cause === null ? null : <Badge word={environment.cause} />}
      <span className="wrap">{environment.reason}</span>
      <span aria-hidden="true">·</span>
      <span>
        by {environment.owner}, <Time at={createdAt} />
        {endedAt === null ? null : `, lived ${span(endedAt - createdAt)}`}
      </span>
      {expiresAt === null ? null : (
        <span className="line">
          <Ring share={leaseLeft(environment, now)} />
          <Left until={expiresAt} /> left{expiresBy === 'idle' ? ' if nobody uses it' : ''}
        </span>
      )}
    </div>
  )
}

const Shell = ({ environment, tab }: { readonly environment: EnvironmentView; readonly tab: string }) => {
  const may = useMay()
  const gone = environment.state === 'ended'
  const hasTerminal = !gone && may('POST /v1/instances/:ref/exec')
  const current = parts[tab] === undefined || (tab === 'terminal' && !hasTerminal) ? 'overview' : tab
  const tabs = Object.entries(parts)
    .filter(([key]) => key !== 'terminal' || hasTerminal)
    .map(([key, { title }]) => ({ key, title, to: `/environments/${environment.id}${key === 'overview' ? '' : `/${key}`}` }))
  return (
    <Page
      title={environment.name}
      name={`${environment.name}: ${parts[current]?.title ?? ''}`}
      sub={<Life environment={environment} />}
      actions={<EnvironmentActions environment={environment} />}
    >
      <Tabs label={`Parts of ${environment.name}`} tabs={tabs} current={current} />
      <Suspense fallback={<Loading what="this part" />}>{parts[current]?.page(environment)}</Suspense>
    </Page>
  )
}

export const Environment = ({ reference, tab }: { readonly reference: string; readonly tab: string }) => {
  const query = useQuery({
    queryKey: queryKeys.environment(reference),
    queryFn: ({ signal }) => getEnvironment(reference, signal),
    refetchInterval: ({ state }) => (state.data?.state === 'ended' ? false : 10_000),
  })
  return (
    <>
      <Link to="/environments" className="back">
        Environments
      </Link>
      <Shown query={query} what="this environment">
        {environment => <Shell environment={environment} tab={tab} />}
      </Shown>
    </>
  )
}
