/** Progress bars of an image on a terminal, on standard error: one line a layer, drawn over themselves. */
import type { PullProgress } from '../../api/schemas/images.ts'
import { formatBytes } from '../../base/bytes.ts'

export interface Progress {
  readonly show: (progress: PullProgress) => void
  /** Takes the bars away. */
  clear(): void
}

const barWidth = 24

const bar = ({ bytes, total }: PullProgress): string => {
  if (total === null || total === 0) return formatBytes(bytes)
  const full = Math.min(barWidth, Math.floor((bytes / total) * barWidth))
  return `[${'='.repeat(full)}${' '.repeat(barWidth - full)}] ${formatBytes(bytes)} of ${formatBytes(total)}`
}

const lineOf = (progress: PullProgress): string => {
  const name = progress.layer === '' ? 'image' : progress.layer.replace('sha256:', '').slice(0, 12)
  return `  ${name.padEnd(12)}  ${progress.phase.padEnd(8)}  ${progress.phase === 'done' ? '' : bar(progress)}`
}

/** Drawn at most every 80 ms; a screen of lines at most. */
export const createProgress = (image: string, to: NodeJS.WriteStream = process.stderr): Progress => {
  const layers = new Map<string, PullProgress>()
  let drawn = 0
  let last = 0

  const erase = (): void => {
    if (drawn > 0) to.write(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }
  const draw = (): void => {
    erase()
    const room = Math.max(1, (to.rows ?? 24) - 2)
    const width = Math.max(20, (to.columns ?? 80) - 1)
    const lines = [`pulling ${image}`, ...[...layers.values()].slice(-room).map(lineOf)].map(line => line.slice(0, width))
    to.write(`${lines.join('\n')}\n`)
    drawn = lines.length
  }
  return {
    show: progress => {
      if (progress.phase !== 'resolve' && (progress.layer !== '' || progress.phase !== 'done')) layers.set(progress.layer, progress)
      const now = Date.now()
      if (now - last < 80 && progress.phase !== 'done') return
      last = now
      draw()
    },
    clear: erase,
  }
}
