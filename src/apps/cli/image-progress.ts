/** Progress of several images at once on a terminal: one line each, drawn over themselves. */
import type { PullProgress } from '../../api/schemas/images.ts'
import { formatBytes } from '../../base/bytes.ts'
import { printable } from './output.ts'

export interface ImagesProgress {
  readonly show: (image: string, progress: PullProgress) => void
  clear(): void
}

const lineOf = (image: string, layers: ReadonlyMap<string, PullProgress>): string => {
  const all = [...layers.values()].filter(({ layer }) => layer !== '')
  const done = all.filter(({ phase }) => phase === 'done').length
  const bytes = all.reduce((sum, progress) => sum + progress.bytes, 0)
  return all.length === 0 ? `  ${image}  looking it up` : `  ${image}  ${done} of ${all.length} layers, ${formatBytes(bytes)}`
}

/** Drawn at most every 80 ms. Images that were there already are not shown. */
export const createImagesProgress = (to: NodeJS.WriteStream = process.stderr): ImagesProgress => {
  const images = new Map<string, Map<string, PullProgress>>()
  let drawn = 0
  let last = 0
  const clear = (): void => {
    if (drawn > 0) to.write(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }
  return {
    clear,
    show: (image, progress) => {
      const layers = images.get(image) ?? new Map<string, PullProgress>()
      images.set(image, layers.set(progress.layer, progress))
      const now = Date.now()
      if (now - last < 80) return
      last = now
      clear()
      const width = Math.max(20, (to.columns ?? 80) - 1)
      const lines = [...images].map(([name, each]) => lineOf(printable(name), each).slice(0, width))
      to.write(`${lines.join('\n')}\n`)
      drawn = lines.length
    },
  }
}
