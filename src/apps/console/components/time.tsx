/** Moments and spans. One clock for the whole page: what counts down does so together, once a second. */
import { useSyncExternalStore } from 'react'
import { clockTime, dateTime, span } from '../format.ts'

const listeners = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of listeners) each()
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Wall ms, anew each second. */
export const useNow = (): number =>
  useSyncExternalStore(subscribe, () => {
    if (timer === undefined) now = Math.max(now, Date.now() - 1000)
    return now
  })

/** `14:03:27`, with the date where it is another day's; the whole of it on hover. */
export const Time = ({ at, full = false }: { readonly at: number; readonly full?: boolean }) => (
  <time dateTime={new Date(at).toISOString()} title={dateTime(at)} className="figures">
    {full || new Date(at).toDateString() !== new Date().toDateString() ? dateTime(at) : clockTime(at)}
  </time>
)

/** `3m12s ago`. */
export const Ago = ({ at }: { readonly at: number }) => {
  const passed = Math.max(0, useNow() - at)
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)} className="figures">
      {passed < 2000 ? 'now' : `${span(passed)} ago`}
    </time>
  )
}

/** What is left until then: `12m30s`, or `over`. */
export const Left = ({ until }: { readonly until: number }) => {
  const left = until - useNow()
  return (
    <span className="figures" title={dateTime(until)}>
      {left <= 0 ? 'over' : span(left)}
    </span>
  )
}
