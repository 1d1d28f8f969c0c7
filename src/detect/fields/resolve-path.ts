import type { EventContext } from './context.ts'

/** Absolute and without `.`, `..` and double slashes. What is relative is so to the directory that the event names, or else to the process's own. */
export const resolvePath = ({ event, process }: EventContext, path: string | undefined): string | undefined => {
  if (path === undefined) return undefined
  const base = path.startsWith('/') ? undefined : (event.directory ?? event.cwd ?? process.cwd)
  if (base === undefined && !path.startsWith('/')) return path
  if (!/\/\.{0,2}(?:\/|$)/.test(path) && path.startsWith('/')) return path
  const names: string[] = []
  for (const name of `${base ?? ''}/${path}`.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return `/${names.join('/')}`
}
