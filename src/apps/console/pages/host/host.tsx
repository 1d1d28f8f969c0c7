/** The machine: what it has and what is promised of it, what is on it, and whether it is sound. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { HostView } from '../../../../api/schemas/host.ts'
import { get, pathOf } from '../../api/http.ts'
import { useMay } from '../../api/session.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Page } from '../../components/page.tsx'
import { Empty, NoPermission, Shown } from '../../components/states.tsx'
import { Tabs } from '../../components/tabs.tsx'
import { Link } from '../../router.tsx'
import { Capacity } from './capacity.tsx'
import { Checks } from './checks.tsx'
import './host.css'
import { Inventory } from './inventory.tsx'
import { Patches } from './patches.tsx'

const Body = ({ tab, host }: { readonly tab: string; readonly host: HostView }) => {
  if (tab === 'overview') return <Capacity host={host} />
  if (tab === 'patches') return <Patches patches={host.patches} />
  if (tab === 'inventory') return <Inventory inventory={host.inventory} />
  return (
    <Empty title="There is no such part of this page.">
      <Link to="/host">See the overview</Link>
    </Empty>
  )
}

const Looked = ({ tab }: { readonly tab: string }) => {
  const client = useQueryClient()
  const host = useQuery({
    queryKey: ['host'],
    queryFn: ({ signal }) => get(HostView, pathOf('/v1/host'), signal),
    // While patches are being found out it asks again at once: the daemon waits for them a little.
    refetchInterval: ({ state }) => (state.data?.patches === null ? 1_000 : 10_000),
  })
  const again = async (): Promise<void> => {
    client.setQueryData(['host'], await get(HostView, pathOf('/v1/host', {}, { fresh: true })))
  }
  return (
    <>
      <Shown query={host} what="the host">
        {found => <Body tab={tab} host={found} />}
      </Shown>
      <div className="spread">
        <CliLine words={tab === 'overview' ? ['host'] : ['host', `--${tab}`]} />
        {tab === 'overview' ? null : (
          <button type="button" onClick={() => void again().catch(() => client.invalidateQueries({ queryKey: ['host'] }))}>
            Look again
          </button>
        )}
      </div>
    </>
  )
}

export const Host = ({ tab = 'overview' }: { readonly tab?: string | undefined }) => {
  const may = useMay()
  return (
    <Page title="Host" sub="The machine that everything here runs on.">
      <Tabs
        label="Host"
        current={tab}
        tabs={[
          { key: 'overview', title: 'Capacity', to: '/host' },
          { key: 'checks', title: 'Sensor and checks', to: '/host/checks' },
          { key: 'patches', title: 'Patches', to: '/host/patches' },
          { key: 'inventory', title: 'Inventory', to: '/host/inventory' },
        ]}
      />
      {may('GET /v1/host') ? tab === 'checks' ? <Checks /> : <Looked tab={tab} /> : <NoPermission what="the host" />}
    </Page>
  )
}
