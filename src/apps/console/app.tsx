/** The frame around every page: where to go, whether what is shown is live, and who looks. */

import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Component, lazy, Suspense, useEffect, useRef } from 'react'
import { isMissing, isSignedOut } from './api/errors.ts'
import { useConnection, useLive } from './api/live.ts'
import { useSignOut, useWhoami } from './api/session.ts'
import type { IconName } from './components/icon.tsx'
import { Icon } from './components/icon.tsx'
import { Page } from './components/page.tsx'
import { Empty, Failure, Loading } from './components/states.tsx'
import icon from './icon.svg'
import { insisting } from './insisting.ts'
import { Environment } from './pages/environment/environment.tsx'
import { Environments } from './pages/environment/list.tsx'
import { Now } from './pages/now/now.tsx'
import { SignIn } from './pages/sign-in/sign-in.tsx'
import { Start } from './pages/start/start.tsx'
import { Link, matched, useAddress } from './router.tsx'

const Security = lazy(async () => ({ default: (await insisting(() => import('./pages/security/security.tsx'))).Security }))
const Host = lazy(async () => ({ default: (await insisting(() => import('./pages/host/host.tsx'))).Host }))
const Cost = lazy(async () => ({ default: (await insisting(() => import('./pages/cost/cost.tsx'))).Cost }))

interface Place {
  readonly pattern: readonly string[]
  readonly page: (parameters: Record<string, string>) => ReactNode
}

/** The first that fits. */
const places: readonly Place[] = [
  { pattern: [], page: () => <Now /> },
  { pattern: ['environments'], page: () => <Environments /> },
  {
    pattern: ['environments', ':ref', ':tab?'],
    page: ({ ref = '', tab }) => <Environment key={ref} reference={ref} tab={tab ?? 'overview'} />,
  },
  { pattern: ['start'], page: () => <Start /> },
  { pattern: ['security', ':tab?', ':item?'], page: ({ tab, item }) => <Security tab={tab} item={item} /> },
  { pattern: ['host', ':tab?'], page: ({ tab }) => <Host tab={tab} /> },
  { pattern: ['cost'], page: () => <Cost /> },
]

const doors: readonly { readonly to: string; readonly title: string; readonly icon: IconName }[] = [
  { to: '/', title: 'Now', icon: 'now' },
  { to: '/environments', title: 'Environments', icon: 'menu' },
  { to: '/security', title: 'Security', icon: 'shield' },
  { to: '/host', title: 'Host', icon: 'host' },
  { to: '/cost', title: 'Cost', icon: 'cost' },
]

const connectionWords = { live: ['good', 'Live'], connecting: ['warn', 'Connecting…'], broken: ['bad', 'Not connected'] } as const

const Side = ({ path }: { readonly path: string }) => {
  const [tone, word] = connectionWords[useConnection()]
  const who = useWhoami().data
  const signOut = useMutation({ mutationFn: useSignOut() })
  return (
    <div className="side">
      <Link to="/" className="brand">
        <img src={icon} alt="" />
        Dayfly
      </Link>
      <nav aria-label="Pages">
        <ul>
          {doors.map(({ to, title, icon: name }) => (
            <li key={to}>
              <Link to={to} aria-current={to === '/' ? (path === '/' ? 'page' : undefined) : path.startsWith(to) ? 'page' : undefined}>
                <Icon name={name} />
                {title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="side-foot">
        <span className="connection" role="status">
          <span className={`dot dot-${tone}`} aria-hidden="true" />
          {word}
        </span>
        {who === undefined ? null : (
          <span className="cut version" title={`${who.name}, ${who.role}`}>
            {who.name} · {who.role}
          </span>
        )}
        <Link to="/start" className="version">
          First steps
        </Link>
        <button type="button" className="quiet sign-out" onClick={() => signOut.mutate()} disabled={signOut.isPending}>
          {signOut.isError ? 'Not signed out: try again' : 'Sign out'}
        </button>
      </div>
    </div>
  )
}

/** A page that throws must not take the others with it. */
class Guard extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined }

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error }
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children
    return <Failure error={this.state.error} what="this page" onRetry={() => this.setState({ error: undefined })} />
  }
}

const Nowhere = () => (
  <Page title="There is no such page">
    <Empty title="Nothing is at this address.">
      <Link to="/">See what lives now</Link>
    </Empty>
  </Page>
)

const Frame = () => {
  useLive()
  const { path } = useAddress()
  const main = useRef<HTMLElement>(null)
  const shown = path.split('/').slice(0, 3).join('/')
  const before = useRef(shown)
  // Who hears the page, or uses the keyboard, is to be at its beginning when it is another one.
  useEffect(() => {
    if (before.current === shown) return
    before.current = shown
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [shown])

  const place = places.map(({ pattern, page }) => ({ page, parameters: matched(path, pattern) })).find(({ parameters }) => parameters !== undefined)
  return (
    <>
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <div className="frame">
        <Side path={path} />
        <main id="main" ref={main} tabIndex={-1}>
          <Guard key={shown}>
            <Suspense fallback={<Loading what="the page" />}>{place?.parameters === undefined ? <Nowhere /> : place.page(place.parameters)}</Suspense>
          </Guard>
        </main>
      </div>
    </>
  )
}

export const App = () => {
  const whoami = useWhoami()
  if (whoami.data !== undefined) return isSignedOut(whoami.error) ? <SignIn /> : <Frame />
  if (isSignedOut(whoami.error)) return <SignIn />
  if (whoami.isError) {
    return (
      <main>
        <Failure
          error={whoami.error}
          what={isMissing(whoami.error) ? 'the daemon: it is older than this page' : 'the daemon'}
          onRetry={() => void whoami.refetch()}
        />
      </main>
    )
  }
  return (
    <main>
      <Loading what="the console" />
    </main>
  )
}
