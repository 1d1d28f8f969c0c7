/** What every page begins with. */
import type { ReactNode } from 'react'
import { useEffect } from 'react'

interface PageProps {
  readonly title: string
  /** In the window's title, where that is another. */
  readonly name?: string
  /** At the right of the title. */
  readonly actions?: ReactNode
  readonly sub?: ReactNode
  readonly children: ReactNode
}

export const Page = ({ title, name = title, actions, sub, children }: PageProps) => {
  useEffect(() => {
    document.title = `${name} · Dayfly`
  }, [name])
  return (
    <>
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {sub === undefined ? null : <div className="sub">{sub}</div>}
        </div>
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </header>
      {children}
    </>
  )
}

/** A part of a page with a heading of its own. */
export const Card = ({ title, actions, children }: { readonly title?: string; readonly actions?: ReactNode; readonly children: ReactNode }) => (
  <section className="card">
    {title === undefined && actions === undefined ? null : (
      <header className="card-head">
        {title === undefined ? null : <h2>{title}</h2>}
        {actions === undefined ? null : <div className="actions">{actions}</div>}
      </header>
    )}
    {children}
  </section>
)

/** Names and values. Those without a value are left out. */
export const Facts = ({ facts }: { readonly facts: readonly (readonly [string, ReactNode])[] }) => (
  <dl className="facts">
    {facts
      .filter(([, value]) => value !== undefined && value !== null && value !== '')
      .map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
  </dl>
)
