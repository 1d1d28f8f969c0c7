/** Swim-lanes by environment. The lanes' names are ordinary buttons; the lives beside them are drawn, and told in the table that this can be exchanged for. */
import { useVirtualizer } from '@tanstack/react-virtual'
import type { KeyboardEvent, PointerEvent } from 'react'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Badge } from '../../components/badge.tsx'
import { Ring } from '../../components/ring.tsx'
import { useNow } from '../../components/time.tsx'
import { plural, span } from '../../format.ts'
import type { Palette, Scene } from './drawing.ts'
import { axisHeight, barAt, draw, laneHeight, paletteOf, timeAt } from './drawing.ts'
import type { Bar, Lane, View } from './lanes.ts'
import { leaseLeft, zoomed } from './lanes.ts'

interface TimelineProps {
  readonly lanes: readonly Lane[]
  readonly selected: string | undefined
  readonly onSelect: (id: string) => void
  /** ms on screen. */
  readonly length: number
  readonly onLength: (ms: number) => void
  /** Wall ms at the right edge; undefined: the present, and it moves. */
  readonly until: number | undefined
  readonly onUntil: (time: number | undefined) => void
}

/** Of what is on screen, so much is to come. */
const ahead = 0.04

const LaneName = ({ lane, selected, now, onSelect }: { lane: Lane; selected: boolean; now: number; onSelect: () => void }) => {
  const { environment } = lane
  const live = environment.instances.filter(({ state }) => state === 'running').length
  const left = environment.expiresAt === null ? undefined : Math.max(0, environment.expiresAt - now)
  const lease = environment.state === 'ended' ? `ended: ${environment.cause ?? 'no cause'}` : left === undefined ? 'ending' : `${span(left)} left`
  return (
    <button type="button" className="lane-name" aria-pressed={selected} title={`${environment.name}: ${lease}`} onClick={onSelect}>
      {environment.state === 'ended' ? (
        <span className={`dot ${environment.cause === 'failed' ? 'dot-bad' : ''}`} aria-hidden="true" />
      ) : (
        <Ring share={leaseLeft(environment, now)} />
      )}
      <span className="cut lane-title">{environment.name}</span>
      {environment.state === 'running' || environment.state === 'ended' ? (
        <span className="soft figures lane-left">{environment.state === 'ended' ? environment.cause : left === undefined ? '' : span(left)}</span>
      ) : (
        <Badge word={environment.state} />
      )}
      <span className="hidden">
        , {environment.state}, {plural(live, 'running instance')}, {lease}
      </span>
    </button>
  )
}

const barText = (lane: Lane, bar: Bar, now: number): string => {
  const words = { waiting: 'being made', running: 'running', done: 'ended', failed: 'failed' }[bar.kind]
  return `${lane.environment.name} · ${bar.workload} · ${words} · ${span((bar.end ?? now) - (bar.start ?? bar.begin))}`
}

export const Timeline = ({ lanes, selected, onSelect, length, onLength, until, onUntil }: TimelineProps) => {
  const scroll = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const size = useRef({ width: 0, height: 0, left: 220 })
  const palette = useRef<Palette>(undefined)
  const drag = useRef<{ x: number; until: number; moved: boolean }>(undefined)
  const [hint, setHint] = useState<{ text: string; left: number; top: number }>()
  const now = useNow()
  const virtual = useVirtualizer({ count: lanes.length, getScrollElement: () => scroll.current, estimateSize: () => laneHeight, overscan: 6 })

  const viewAt = useCallback(
    (present: number): View =>
      until === undefined ? { from: present - length * (1 - ahead), to: present + length * ahead } : { from: until - length, to: until },
    [until, length],
  )

  const sceneAt = useCallback(
    (present: number): Scene | undefined =>
      palette.current === undefined
        ? undefined
        : {
            lanes,
            view: viewAt(present),
            now: present,
            ...size.current,
            scrollTop: scroll.current?.scrollTop ?? 0,
            selected,
            palette: palette.current,
          },
    [lanes, viewAt, selected],
  )

  const paint = useCallback((): void => {
    const context = canvas.current?.getContext('2d')
    const scene = sceneAt(Date.now())
    if (context !== null && context !== undefined && scene !== undefined) draw(context, scene)
  }, [sceneAt])

  // Whatever has changed: the canvas is as large as its place, in pixels of the screen.
  useLayoutEffect(() => {
    const box = scroll.current
    const element = canvas.current
    if (box === null || element === null) return
    const measure = (): void => {
      const ratio = devicePixelRatio
      const width = box.clientWidth
      const height = box.clientHeight
      size.current = { width, height, left: width < 620 ? 132 : 236 }
      element.width = Math.round(width * ratio)
      element.height = Math.round(height * ratio)
      element.style.width = `${width}px`
      element.style.height = `${height}px`
      element.style.marginBottom = `-${height}px`
      element.getContext('2d')?.setTransform(ratio, 0, 0, ratio, 0, 0)
      palette.current = paletteOf(box)
      paint()
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(box)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', measure)
    return () => {
      observer.disconnect()
      scheme.removeEventListener('change', measure)
    }
  }, [paint])

  // While the present is on screen it moves, but no oftener than by half a pixel.
  useEffect(() => {
    if (until !== undefined && until < Date.now()) return
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches
    let frame = 0
    let painted = 0
    const step = (): void => {
      const present = Date.now()
      if (present - painted >= Math.max(calm ? 1000 : 0, length / Math.max(1, size.current.width) / 2)) {
        painted = present
        paint()
      }
      frame = requestAnimationFrame(step)
    }
    frame = requestAnimationFrame(step)
    return () => cancelAnimationFrame(frame)
  }, [paint, until, length])

  const show = (view: View): void => {
    onLength(view.to - view.from)
    // Close enough to the present is the present.
    onUntil(view.to >= Date.now() ? undefined : view.to)
  }

  const wheel = useRef<(event: WheelEvent) => void>(() => {})
  wheel.current = event => {
    const scene = sceneAt(Date.now())
    if (scene === undefined) return
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault()
      show(zoomed(scene.view, event.deltaY > 0 ? 1.25 : 0.8, until === undefined ? Date.now() : timeAt(scene, event.offsetX)))
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault()
      const by = (event.deltaX / Math.max(1, size.current.width - size.current.left)) * length
      show({ from: scene.view.from + by, to: scene.view.to + by })
    }
  }
  // React listens to wheels in a way that cannot keep the browser from zooming.
  useEffect(() => {
    const box = scroll.current
    const listener = (event: WheelEvent): void => wheel.current(event)
    box?.addEventListener('wheel', listener, { passive: false })
    return () => box?.removeEventListener('wheel', listener)
  }, [])

  const keys = (event: KeyboardEvent): void => {
    const view = viewAt(Date.now())
    const middle = until === undefined ? Date.now() : (view.from + view.to) / 2
    const by = event.key === 'ArrowLeft' ? -length / 5 : length / 5
    if (event.key === '+' || event.key === '=') show(zoomed(view, 0.5, middle))
    else if (event.key === '-') show(zoomed(view, 2, middle))
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') show({ from: view.from + by, to: view.to + by })
    else if (event.key === 'Home' || event.key === 'l') onUntil(undefined)
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const focused =
        lanes[Number(document.activeElement?.closest('[data-index]')?.getAttribute('data-index') ?? Number.NaN)]?.environment.id ?? selected
      const index = lanes.findIndex(({ environment }) => environment.id === focused)
      const next = Math.min(lanes.length - 1, Math.max(0, index + (event.key === 'ArrowDown' ? 1 : -1)))
      virtual.scrollToIndex(next)
      requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-index="${next}"] button`)?.focus())
    } else return
    event.preventDefault()
  }

  const at = (event: PointerEvent): { x: number; y: number } => {
    const box = scroll.current?.getBoundingClientRect()
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) }
  }

  const move = (event: PointerEvent): void => {
    const { x, y } = at(event)
    const dragged = drag.current
    if (dragged !== undefined) {
      if (Math.abs(x - dragged.x) > 3) dragged.moved = true
      if (!dragged.moved) return
      const to = dragged.until - ((x - dragged.x) / Math.max(1, size.current.width - size.current.left)) * length
      show({ from: to - length, to })
      return
    }
    const scene = sceneAt(Date.now())
    const found = scene === undefined ? undefined : barAt(scene, x, y)
    setHint(
      found === undefined
        ? undefined
        : { text: barText(found.lane, found.bar, Date.now()), left: Math.min(x + 14, size.current.width - 260), top: y + 16 },
    )
  }

  const release = (event: PointerEvent): void => {
    const dragged = drag.current
    drag.current = undefined
    if (dragged === undefined || dragged.moved) return
    const { y } = at(event)
    const lane = lanes[Math.floor((y - axisHeight + (scroll.current?.scrollTop ?? 0)) / laneHeight)]
    if (lane !== undefined && y > axisHeight) onSelect(lane.environment.id)
  }

  return (
    <div className="timeline">
      <section
        ref={scroll}
        className="timeline-scroll"
        aria-label="Timeline of environments. Plus and minus zoom, left and right move, Home follows the present."
        // What scrolls must be reachable by the keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys of its own
        tabIndex={0}
        onScroll={paint}
        onKeyDown={keys}
      >
        <canvas
          ref={canvas}
          onPointerDown={event => {
            if (event.button !== 0) return
            event.currentTarget.setPointerCapture(event.pointerId)
            drag.current = { x: at(event).x, until: viewAt(Date.now()).to, moved: false }
            setHint(undefined)
          }}
          onPointerMove={move}
          onPointerUp={release}
          onPointerCancel={() => {
            drag.current = undefined
          }}
          onPointerLeave={() => setHint(undefined)}
        />
        <ul className="lane-names" style={{ height: virtual.getTotalSize() + axisHeight }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const lane = lanes[index]
            if (lane === undefined) return null
            const { id } = lane.environment
            return (
              <li key={id} data-index={index} style={{ transform: `translateY(${start + axisHeight}px)` }}>
                <LaneName lane={lane} selected={selected === id} now={now} onSelect={() => onSelect(id)} />
              </li>
            )
          })}
        </ul>
      </section>
      {hint === undefined ? null : (
        <div className="timeline-hint" style={{ left: hint.left, top: hint.top }} aria-hidden="true">
          {hint.text}
        </div>
      )}
    </div>
  )
}
