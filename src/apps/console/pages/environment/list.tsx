/** All environments that a record speaks of, the living and the dead. */
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { getAllEnvironments } from '../../api/queries.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Page } from '../../components/page.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { plural } from '../../format.ts'
import { Link, navigate, setParameter, useAddress } from '../../router.tsx'
import { EnvironmentTable } from '../now/environment-table.tsx'
import { filtered, laneOf } from '../now/lanes.ts'

/** More of them are for a search on the command line. */
const most = 10_000

export const Environments = () => {
  const search = useAddress().query.get('search') ?? ''
  const query = useQuery({ queryKey: ['environments', 'all'], queryFn: ({ signal }) => getAllEnvironments(most, signal), staleTime: 10_000 })
  const lanes = useMemo(() => (query.data ?? []).map(laneOf), [query.data])
  const shown = filtered(lanes, search, 'all').map(({ environment }) => environment)
  return (
    <Page title="Environments" sub="All whose record is kept, newest first.">
      <Search
        main
        label="Search environments"
        placeholder="Name, owner, image, label=value"
        value={search}
        onChange={value => setParameter('search', value)}
      />
      <Shown query={query} what="environments">
        {all =>
          all.length === 0 ? (
            <Empty title="There was none yet.">
              <Link to="/start">First steps</Link>
            </Empty>
          ) : shown.length === 0 ? (
            <Empty title="Nothing fits this search." />
          ) : (
            <>
              <p className="soft">
                {shown.length === all.length ? plural(all.length, 'environment') : `${shown.length} of ${plural(all.length, 'environment')}`}
                {all.length >= most ? ': the newest; there are more' : ''}
              </p>
              <EnvironmentTable environments={shown} onSelect={id => navigate(`/environments/${id}`)} />
            </>
          )
        }
      </Shown>
      <CliLine words={['ps', '--all']} />
    </Page>
  )
}
