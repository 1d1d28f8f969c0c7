/** Parts of a page that have addresses of their own: links, for whoever opens one in another window or comes back to it. */
import { useEffect, useRef } from 'react'
import { Link } from '../router.tsx'

export interface Tab {
  readonly key: string
  readonly title: string
  readonly to: string
  /** Beside the title, where it is worth a look. */
  readonly count?: number | undefined
}

export const Tabs = ({ label, tabs, current }: { readonly label: string; readonly tabs: readonly Tab[]; readonly current: string }) => {
  const chosen = useRef<HTMLLIElement>(null)
  // On a phone the row is longer than the screen.
  useEffect(() => {
    if (current !== '') chosen.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [current])
  return (
    <nav className="tabs" aria-label={label}>
      <ul>
        {tabs.map(({ key, title, to, count }) => (
          <li key={key} ref={key === current ? chosen : null}>
            <Link to={to} aria-current={key === current ? 'page' : undefined}>
              {title}
              {count === undefined || count === 0 ? null : <span className="count">{count}</span>}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
