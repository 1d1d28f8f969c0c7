/** Everything that is alive, and what has just ended. */
import { useDeferredValue, useMemo, useState } from 'react'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { useEnvironments } from '../../api/live.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Page } from '../../components/page.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { plural, span } from '../../format.ts'
import { Link, setParameter, useAddress } from '../../router.tsx'
import { FirstSteps } from '../start/first-steps.tsx'
import { EnvironmentTable } from './environment-table.tsx'
import type { Standing } from './lanes.ts'
import { filtered, laneOf, standings } from './lanes.ts'
import './now.css'
import { Selection } from './selection.tsx'
import { Timeline } from './timeline.tsx'

const lengths = [10_000, 60_000, 10 * 60_000, 3_600_000, 6 * 3_600_000] as const

const standingOf = (text: string | null): Standing => standings.find(each => each === text) ?? 'all'
const standingWords: Readonly<Record<Standing, string>> = { living: 'Alive', all: 'All', ended: 'Ended' }

const Lanes = ({ environments }: { readonly environments: readonly EnvironmentView[] }) => {
  const { query } = useAddress()
  const [length, setLength] = useState<number>(10 * 60_000)
  const [until, setUntil] = useState<number>()
  const search = useDeferredValue(query.get('search') ?? '')
  const standing = standingOf(query.get('show'))
  const table = query.get('view') === 'table'
  const selected = query.get('selected') ?? undefined

  const lanes = useMemo(() => environments.map(laneOf), [environments])
  const shown = useMemo(() => filtered(lanes, search, standing), [lanes, search, standing])
  const chosen = environments.find(({ id }) => id === selected)
  const alive = environments.filter(({ state }) => state !== 'ended')
  const running = alive.reduce((sum, { instances }) => sum + instances.filter(({ state }) => state === 'running').length, 0)
  const select = (id: string): void => setParameter('selected', id === selected ? undefined : id)

  return (
    <>
      <p className="sub now-sum">
        {plural(alive.length, 'environment')} alive, {plural(running, 'running instance')}
      </p>
      <div className="bar">
        <Search
          main
          label="Search environments"
          placeholder="Name, owner, image, label=value"
          value={query.get('search') ?? ''}
          onChange={value => setParameter('search', value)}
        />
        <div className="group">
          {standings.map(each => (
            <button key={each} type="button" aria-pressed={standing === each} onClick={() => setParameter('show', each === 'all' ? undefined : each)}>
              {standingWords[each]}
            </button>
          ))}
        </div>
        <div className="group">
          <button type="button" aria-pressed={!table} onClick={() => setParameter('view', undefined)}>
            Timeline
          </button>
          <button type="button" aria-pressed={table} onClick={() => setParameter('view', 'table')}>
            Table
          </button>
        </div>
        {table ? null : (
          <div className="line now-zoom">
            <div className="group">
              {lengths.map(each => (
                <button key={each} type="button" aria-pressed={length === each} onClick={() => setLength(each)}>
                  {span(each)}
                </button>
              ))}
            </div>
            <button type="button" aria-pressed={until === undefined} onClick={() => setUntil(until === undefined ? Date.now() : undefined)}>
              <span className={`dot ${until === undefined ? 'dot-good' : ''}`} aria-hidden="true" />
              Live
            </button>
          </div>
        )}
      </div>
      <div className={`now${chosen === undefined ? '' : ' now-chosen'}`}>
        {shown.length === 0 ? (
          <div className="card">
            <Empty title={search === '' ? 'Nothing of this kind.' : 'Nothing fits this search.'}>
              <button
                type="button"
                onClick={() => {
                  setParameter('search', undefined)
                  setParameter('show', undefined)
                }}
              >
                Show everything
              </button>
            </Empty>
          </div>
        ) : table ? (
          <EnvironmentTable environments={shown.map(({ environment }) => environment)} selected={selected} onSelect={select} />
        ) : (
          <Timeline lanes={shown} selected={selected} onSelect={select} length={length} onLength={setLength} until={until} onUntil={setUntil} />
        )}
        {chosen === undefined ? null : <Selection key={chosen.id} environment={chosen} onClose={() => setParameter('selected', undefined)} />}
      </div>
      <div className="spread">
        <ul className="legend" aria-label="Colours">
          <li>
            <span className="swatch swatch-waiting" /> being made
          </li>
          <li>
            <span className="swatch swatch-running" /> running
          </li>
          <li>
            <span className="swatch swatch-done" /> ended
          </li>
          <li>
            <span className="swatch swatch-failed" /> failed
          </li>
        </ul>
        <CliLine words={standing === 'living' ? ['ps'] : ['ps', '--all']} />
      </div>
    </>
  )
}

export const Now = () => {
  const environments = useEnvironments()
  return (
    <Page title="Now" actions={<Link to="/environments">All environments, also past ones</Link>}>
      <Shown query={environments} what="what lives">
        {list => (list.length === 0 ? <FirstSteps /> : <Lanes environments={list} />)}
      </Shown>
    </Page>
  )
}
