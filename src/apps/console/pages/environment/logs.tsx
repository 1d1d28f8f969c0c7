/** Output: of one instance or all, as it comes; searched, and of any length. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { LogEntry } from '../../../../api/schemas/environments.ts'
import { pathOf } from '../../api/http.ts'
import { documents } from '../../api/streams.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Search } from '../../components/search.tsx'
import { Empty, Failure, Loading } from '../../components/states.tsx'
import { plural, preciseTime } from '../../format.ts'
import { setParameter, useAddress } from '../../router.tsx'
import type { LogLine } from './log-lines.ts'
import { createLines } from './log-lines.ts'

/** Lines that are kept on this page, and lines of each instance to begin with. */
const most = 50_000
const beginning = 5_000
/** Instances that are read at once; a browser has so many connections. */
const sources = 8
/** ms between two drawings of what comes. */
const gathering = 100

interface LogState {
  readonly lines: readonly LogLine[]
  readonly dropped: number
  readonly ready: boolean
  readonly error: unknown
}
const nothing: LogState = { lines: [], dropped: 0, ready: false, error: undefined }

/** `instances` as `id workload` texts, so that the same ones are the same. */
const useLines = (instances: string, live: boolean): LogState => {
  const [state, setState] = useState<LogState>(nothing)
  useEffect(() => {
    const over = new AbortController()
    const pending: LogLine[] = []
    let key = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    setState(nothing)
    const flush = (): void => {
      timer = undefined
      const come = pending.splice(0)
      setState(before => {
        const all = [...before.lines, ...come]
        // Instances are read side by side: what is older may come later.
        const last = before.lines.at(-1)
        if (last !== undefined && come.some(({ time }) => time < last.time)) all.sort((left, right) => left.time - right.time || left.key - right.key)
        else if (before.lines.length === 0) all.sort((left, right) => left.time - right.time || left.key - right.key)
        return { ...before, lines: all.slice(-most), dropped: before.dropped + Math.max(0, all.length - most), ready: true }
      })
    }
    const soon = (): void => {
      timer ??= setTimeout(flush, gathering)
    }
    const read = async (id: string, source: string): Promise<void> => {
      const buffer = createLines(source, () => ++key)
      for await (const entry of documents(LogEntry, pathOf('/v1/instances/:ref/logs', { ref: id }, { follow: live, tail: beginning }), over.signal)) {
        pending.push(...buffer.push(entry))
        soon()
      }
      pending.push(...buffer.rest())
      soon()
    }
    const failed = (error: unknown): void => {
      if (!over.signal.aborted) setState(before => ({ ...before, ready: true, error }))
    }
    for (const each of instances.split('\n').filter(text => text !== '')) {
      const [id = '', ...source] = each.split(' ')
      read(id, source.join(' ')).catch(failed)
    }
    // Nothing may come for long: that is no reason to wait.
    const patience = setTimeout(() => setState(before => ({ ...before, ready: true })), 600)
    return () => {
      over.abort()
      clearTimeout(timer)
      clearTimeout(patience)
    }
  }, [instances, live])
  return state
}

const Lines = ({
  lines,
  follow,
  onFollow,
  sourced,
}: {
  lines: readonly LogLine[]
  follow: boolean
  onFollow: (on: boolean) => void
  sourced: boolean
}) => {
  const scroll = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    ...{ count: lines.length, getScrollElement: () => scroll.current, estimateSize: () => 20, overscan: 20 },
    getItemKey: index => lines[index]?.key ?? index,
  })
  useEffect(() => {
    if (follow && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [follow, lines.length, virtual])
  const scrolled = (): void => {
    const box = scroll.current
    if (box === null) return
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40
    if (atEnd !== follow && (atEnd || !virtual.isScrolling || virtual.scrollDirection === 'backward')) onFollow(atEnd)
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <div className="log" ref={scroll} role="log" aria-label="Output" aria-live="off" tabIndex={0} onScroll={scrolled}>
      <div className="log-body" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start, key }) => {
          const line = lines[index]
          return line === undefined ? null : (
            <div
              key={String(key)}
              ref={virtual.measureElement}
              data-index={index}
              className={`log-line log-${line.stream}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              <span className="log-time figures">{preciseTime(line.time)}</span>
              {sourced ? <span className="log-source cut">{line.source}</span> : null}
              <span className="log-text">{line.text}</span>
            </div>
          )
        })}
      </div>
    </div>
  )
}

export const Logs = ({ environment }: { readonly environment: EnvironmentView }) => {
  const { query } = useAddress()
  const wanted = query.get('instance') ?? ''
  const [search, setSearch] = useState('')
  const [follow, setFollow] = useState(true)
  const [errorsOnly, setErrorsOnly] = useState(false)
  const recent = environment.instances.toReversed()
  const chosen = wanted === '' ? recent.slice(0, sources) : recent.filter(({ id }) => id === wanted)
  const named = chosen
    .map(({ id, workload, replica }) => `${id} ${workload} ${replica}`)
    .sort()
    .join('\n')
  const { lines, dropped, ready, error } = useLines(named, environment.state !== 'ended')
  const shown = useMemo(() => {
    const text = search.toLowerCase()
    return lines.filter(line => (text === '' || line.text.toLowerCase().includes(text)) && (!errorsOnly || line.stream === 'stderr'))
  }, [lines, search, errorsOnly])
  const name = environment.state === 'ended' ? environment.id : environment.name
  return (
    <div className="stack">
      <div className="bar">
        <Search main label="Search the output" value={search} onChange={setSearch} />
        <label className="line">
          <span className="soft">Of</span>
          <select value={wanted} onChange={event => setParameter('instance', event.target.value)}>
            <option value="">{recent.length > sources ? `the last ${sources} instances` : 'all instances'}</option>
            {recent.map(({ id, workload, replica, state }) => (
              <option key={id} value={id}>
                {workload} {replica} · {id} · {state}
              </option>
            ))}
          </select>
        </label>
        <label className="check">
          <input type="checkbox" checked={errorsOnly} onChange={event => setErrorsOnly(event.target.checked)} />
          Only stderr
        </label>
        <button type="button" aria-pressed={follow} onClick={() => setFollow(!follow)}>
          Follow
        </button>
        <span className="soft figures" role="status">
          {shown.length === lines.length ? plural(lines.length, 'line') : `${shown.length} of ${plural(lines.length, 'line')}`}
          {dropped === 0 ? '' : `, ${dropped} older ones left out`}
        </span>
      </div>
      {error === undefined ? null : <Failure error={error} what="its output" />}
      {shown.length > 0 ? (
        <Lines lines={shown} follow={follow} onFollow={setFollow} sourced={chosen.length > 1} />
      ) : !ready ? (
        <Loading what="its output" />
      ) : (
        <Empty
          title={search !== '' || errorsOnly ? 'No line fits.' : environment.state === 'ended' ? 'It has said nothing.' : 'It has said nothing yet.'}
        />
      )}
      <CliLine words={environment.state === 'ended' ? ['logs', name] : ['logs', '-f', name]} />
    </div>
  )
}
