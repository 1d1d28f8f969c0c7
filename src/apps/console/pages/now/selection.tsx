/** The environment that was chosen, beside the timeline. */
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { Badge } from '../../components/badge.tsx'
import { CliLine } from '../../components/cli-line.tsx'
import { EnvironmentActions, useWorkloads } from '../../components/environment-actions.tsx'
import { Icon } from '../../components/icon.tsx'
import { Facts } from '../../components/page.tsx'
import { Ago, Left } from '../../components/time.tsx'
import { imageName } from '../../format.ts'
import { Link } from '../../router.tsx'

const Workloads = ({ environment }: { readonly environment: EnvironmentView }) => {
  const workloads = useWorkloads(environment)
  if (environment.state === 'ended' || workloads.data === undefined) {
    return (
      <ul className="plain-list">
        {Object.entries(environment.workloads).map(([name, workload]) => (
          <li key={name} className="spread">
            <span className="cut">{name}</span>
            <code className="cut soft">{imageName(workload.imageName)}</code>
          </li>
        ))}
      </ul>
    )
  }
  return (
    <ul className="plain-list">
      {workloads.data.map(({ name, state, ready, wanted, reason }) => (
        <li key={name} className="spread" title={reason}>
          <span className="cut">{name}</span>
          <span className="line">
            <span className="soft figures">
              {ready}/{wanted}
            </span>
            <Badge word={state} />
          </span>
        </li>
      ))}
    </ul>
  )
}

export const Selection = ({ environment, onClose }: { readonly environment: EnvironmentView; readonly onClose: () => void }) => (
  <aside className="card selection stack" aria-label={`About ${environment.name}`}>
    <header className="spread">
      <h2 className="wrap">{environment.name}</h2>
      <button type="button" className="quiet icon-button" aria-label="Close" onClick={onClose}>
        <Icon name="close" />
      </button>
    </header>
    <div className="line">
      <Badge word={environment.state} />
      {Object.entries(environment.labels).map(([name, value]) => (
        <span key={name} className="badge cut">
          {name}={value}
        </span>
      ))}
    </div>
    <p className="soft wrap">{environment.reason}</p>
    <Facts
      facts={[
        ['Owner', environment.owner],
        ['Made', <Ago key="made" at={environment.createdAt} />],
        ['Lease', environment.expiresAt === null ? undefined : <Left key="left" until={environment.expiresAt} />],
        ['Ended', environment.endedAt === null ? undefined : <Ago key="ended" at={environment.endedAt} />],
      ]}
    />
    <Workloads environment={environment} />
    <EnvironmentActions environment={environment} />
    <Link to={`/environments/${environment.id}`} className="button">
      Open
      <Icon name="open" />
    </Link>
    <CliLine words={['inspect', environment.state === 'ended' ? environment.id : environment.name]} />
  </aside>
)
