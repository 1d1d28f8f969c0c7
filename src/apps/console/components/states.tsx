/** What stands where there is nothing to show: not yet, not at all, not for you, or because something failed. */
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiError, isForbidden, isUnreachable } from '../api/errors.ts'
import type { IconName } from './icon.tsx'
import { Icon } from './icon.tsx'

interface StateProps {
  readonly icon: IconName
  readonly title: string
  readonly children?: ReactNode
  readonly tone?: 'quiet' | 'bad'
}

const State = ({ icon, title, children, tone = 'quiet' }: StateProps) => (
  <div className={`state state-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
    <Icon name={icon} />
    <div>
      <p className="state-title">{title}</p>
      {children}
    </div>
  </div>
)

/** There is nothing; `children` say how there could be something. */
export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <State icon="now" title={title}>
    {children}
  </State>
)

export const Loading = ({ what }: { readonly what: string }) => (
  <div className="state" role="status" aria-live="polite">
    <span className="spinner" aria-hidden="true" />
    <p className="state-title">Loading {what}…</p>
  </div>
)

/** The caller's role does not reach this. */
export const NoPermission = ({ what }: { readonly what: string }) => (
  <State icon="lock" title={`Your role does not let you see ${what}.`}>
    <p>Whoever gave you your token can give you one with another role: dayfly token create.</p>
  </State>
)

/** A failure with its remedy, and again where that may help. */
export const Failure = ({
  error,
  what,
  onRetry,
}: {
  readonly error: unknown
  readonly what: string
  readonly onRetry?: (() => void) | undefined
}) => {
  if (isForbidden(error)) return <NoPermission what={what} />
  const message = error instanceof Error ? error.message : String(error)
  const remedy = error instanceof ApiError ? error.remedy : undefined
  return (
    <State icon="alert" tone="bad" title={isUnreachable(error) ? 'The daemon does not answer.' : `There is a problem with ${what}.`}>
      {isUnreachable(error) ? null : <p className="wrap">{message}</p>}
      {remedy === undefined ? null : <p className="wrap">{remedy}</p>}
      {onRetry === undefined ? null : (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </State>
  )
}

interface ShownProps<T> {
  readonly query: UseQueryResult<T>
  /** `the findings`, as in “Loading the findings…”. */
  readonly what: string
  readonly children: (data: T) => ReactNode
}

/** A query's data once it is there, and what stands in its place until then. What is there already stays while it is asked for anew. */
export const Shown = <T,>({ query, what, children }: ShownProps<T>) => {
  if (query.data !== undefined) return <>{children(query.data)}</>
  if (query.isError) return <Failure error={query.error} what={what} onRetry={() => void query.refetch()} />
  return <Loading what={what} />
}
