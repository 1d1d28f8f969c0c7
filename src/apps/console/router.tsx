/** Which page the address names. Paths only: what is in the fragment is never sent, and holds a one-time code at most. */
import type { AnchorHTMLAttributes, MouseEvent, ReactNode } from 'react'
import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
const told = (): void => {
  for (const listener of listeners) listener()
}

export const navigate = (to: string, { replace = false }: { replace?: boolean } = {}): void => {
  if (to === location.pathname + location.search) return
  if (replace) history.replaceState(null, '', to)
  else history.pushState(null, '', to)
  told()
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  addEventListener('popstate', listener)
  return () => {
    listeners.delete(listener)
    removeEventListener('popstate', listener)
  }
}

/** Path and query as they are now. */
export const useAddress = (): { path: string; query: URLSearchParams } => {
  const text = useSyncExternalStore(subscribe, () => location.pathname + location.search)
  const url = new URL(text, location.origin)
  return { path: url.pathname, query: url.searchParams }
}

/** `['environments', ':ref', ':tab?']` → what stands there, decoded; undefined when the path is another. */
export const matched = (path: string, pattern: readonly string[]): Record<string, string> | undefined => {
  const parts = path.split('/').filter(part => part !== '')
  if (parts.length > pattern.length) return undefined
  const found: Record<string, string> = {}
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index]
    if (part === undefined) {
      if (!expected.endsWith('?')) return undefined
      continue
    }
    if (!expected.startsWith(':')) {
      if (part !== expected) return undefined
      continue
    }
    try {
      found[expected.slice(1).replace('?', '')] = decodeURIComponent(part)
    } catch {
      return undefined
    }
  }
  return found
}

/** Sets one parameter of the query, without a new entry in the history: filters, an open tab of a panel. */
export const setParameter = (name: string, value: string | undefined): void => {
  const query = new URLSearchParams(location.search)
  if (value === undefined || value === '') query.delete(name)
  else query.set(name, value)
  const text = query.toString()
  navigate(`${location.pathname}${text === '' ? '' : `?${text}`}`, { replace: true })
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  readonly to: string
  readonly children: ReactNode
}

/** A link within the console. Modified clicks are the browser's. */
export const Link = ({ to, children, ...rest }: LinkProps) => {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    navigate(to)
  }
  return (
    <a href={to} {...rest} onClick={follow}>
      {children}
    </a>
  )
}
