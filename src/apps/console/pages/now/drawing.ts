/** The timeline on a canvas: only the lanes on screen, each life at least a few pixels wide, so that one of 5 ms is seen. */
import { clockTime, preciseTime } from '../../format.ts'
import type { Bar, BarKind, Lane, View } from './lanes.ts'
import { ticks } from './lanes.ts'

export const laneHeight = 36
export const axisHeight = 24
/** px of the shortest life. */
const leastWidth = 3

export interface Palette {
  readonly ground: string
  readonly line: string
  readonly soft: string
  readonly accent: string
  readonly current: string
  readonly kinds: Readonly<Record<BarKind, string>>
}

/** The colours of the scheme that is in use. */
export const paletteOf = (element: Element): Palette => {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(name).trim()
  return {
    ground: colour('--card'),
    line: colour('--line'),
    soft: colour('--soft'),
    accent: colour('--accent'),
    current: colour('--accent-ground'),
    kinds: { waiting: colour('--wait-fill'), running: colour('--good-fill'), done: colour('--strong-line'), failed: colour('--bad-fill') },
  }
}

export interface Scene {
  readonly lanes: readonly Lane[]
  readonly view: View
  readonly now: number
  /** px */
  readonly width: number
  readonly height: number
  readonly left: number
  readonly scrollTop: number
  readonly selected: string | undefined
  readonly palette: Palette
}

const barPlace = (bar: Bar, lane: Lane, x: (time: number) => number, now: number) => {
  const height = Math.min(14, Math.max(2, (laneHeight - 12) / lane.tracks - 1))
  const used = Math.min(laneHeight - 8, lane.tracks * (height + 1))
  const pitch = used / lane.tracks
  const from = x(bar.begin)
  return { from, to: Math.max(from + leastWidth, x(bar.end ?? now)), top: (laneHeight - used) / 2 + bar.track * pitch, height }
}

/** Which life is at a point of the canvas. */
export const barAt = (scene: Scene, left: number, top: number): { lane: Lane; bar: Bar } | undefined => {
  const row = top - axisHeight + scene.scrollTop
  const index = Math.floor(row / laneHeight)
  const lane = scene.lanes[index]
  if (lane === undefined || top < axisHeight || left < scene.left) return undefined
  const x = placeOf(scene)
  const within = lane.bars
    .map(bar => ({ bar, place: barPlace(bar, lane, x, scene.now) }))
    .filter(({ place }) => left >= place.from - 2 && left <= place.to + 2)
  const exact = within.find(({ place }) => row - index * laneHeight >= place.top - 1 && row - index * laneHeight <= place.top + place.height + 1)
  const found = exact ?? within[0]
  return found === undefined ? undefined : { lane, bar: found.bar }
}

const placeOf =
  ({ view, left, width }: Pick<Scene, 'view' | 'left' | 'width'>) =>
  (time: number): number =>
    left + ((time - view.from) / (view.to - view.from)) * (width - left)

export const timeAt = ({ view, left, width }: Pick<Scene, 'view' | 'left' | 'width'>, x: number): number =>
  view.from + ((x - left) / Math.max(1, width - left)) * (view.to - view.from)

export const draw = (context: CanvasRenderingContext2D, scene: Scene): void => {
  const { lanes, view, now, width, height, left, scrollTop, selected, palette } = scene
  const x = placeOf(scene)
  context.fillStyle = palette.ground
  context.fillRect(0, 0, width, height)

  const first = Math.max(0, Math.floor(scrollTop / laneHeight))
  const last = Math.min(lanes.length, Math.ceil((scrollTop + height - axisHeight) / laneHeight))
  context.save()
  context.beginPath()
  context.rect(0, axisHeight, width, height - axisHeight)
  context.clip()
  for (let index = first; index < last; index++) {
    if (lanes[index]?.environment.id !== selected) continue
    context.fillStyle = palette.current
    context.fillRect(0, axisHeight + index * laneHeight - scrollTop, width, laneHeight)
  }

  const { step, times } = ticks(view, Math.max(2, Math.floor((width - left) / 110)))
  context.fillStyle = palette.line
  for (const time of times) context.fillRect(Math.round(x(time)), axisHeight, 1, height)
  for (let index = first; index <= last; index++) context.fillRect(0, axisHeight + index * laneHeight - scrollTop - 1, width, 1)

  context.beginPath()
  context.rect(left, axisHeight, width - left, height - axisHeight)
  context.clip()
  for (let index = first; index < last; index++) {
    const lane = lanes[index]
    if (lane === undefined) continue
    const top = axisHeight + index * laneHeight - scrollTop
    const { createdAt, endedAt } = lane.environment
    const begin = x(createdAt)
    const end = x(endedAt ?? now)
    if (end >= left && begin <= width) {
      context.fillStyle = palette.line
      context.fillRect(begin, top + laneHeight / 2 - 1, Math.max(1, end - begin), 2)
    }
    for (const bar of lane.bars) {
      const place = barPlace(bar, lane, x, now)
      if (place.to < left || place.from > width) continue
      const started = bar.start === undefined ? place.to : Math.min(place.to, Math.max(place.from, x(bar.start)))
      context.fillStyle = palette.kinds.waiting
      if (started - place.from >= 1) context.fillRect(place.from, top + place.top, started - place.from, place.height)
      context.fillStyle = palette.kinds[bar.kind]
      const seen = Math.min(started, place.to - leastWidth)
      context.fillRect(seen, top + place.top, place.to - seen, place.height)
    }
  }
  context.restore()

  const present = x(now)
  if (present >= left && present <= width) {
    context.fillStyle = palette.accent
    context.fillRect(Math.round(present), axisHeight - 6, 1, height)
  }
  context.fillStyle = palette.ground
  context.fillRect(0, 0, width, axisHeight - 6)
  context.fillStyle = palette.line
  context.fillRect(0, axisHeight - 1, width, 1)
  context.fillStyle = palette.soft
  context.font = '11.5px system-ui, "DejaVu Sans", sans-serif'
  context.textBaseline = 'middle'
  for (const time of times) {
    const text = step < 1000 ? preciseTime(time) : clockTime(time).slice(0, step < 60_000 ? 8 : 5)
    const at = x(time)
    if (at >= left + 4 && at + 60 <= width) context.fillText(text, at + 4, axisHeight / 2)
  }
}
