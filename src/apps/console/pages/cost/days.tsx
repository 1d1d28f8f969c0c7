/** Bars, one a day: what was spent, and of it what was idle. */
import { useState } from 'react'
import type { CostView } from '../../../../api/schemas/records.ts'
import { money } from './money.ts'

const day = 86_400_000
const [width, height, floor] = [920, 180, 24]
/** Days without any use are days too; of more than a year, the last. */
const mostDays = 366

type Row = CostView['total']

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

const filled = (rows: readonly Row[]): { day: string; row: Row | undefined }[] => {
  const known = new Map(rows.map(row => [row.key, row]))
  const first = Date.parse(rows[0]?.key ?? '')
  const last = Math.max(Date.parse(rows.at(-1)?.key ?? ''), Date.parse(dayOf(Date.now())))
  if (Number.isNaN(first) || Number.isNaN(last)) return []
  // A single bar says little: a week gives it a measure.
  const from = Math.min(Math.max(first, last - mostDays * day), last - 6 * day)
  return Array.from({ length: Math.round((last - from) / day) + 1 }, (_, index) => dayOf(from + index * day)).map(key => ({
    day: key,
    row: known.get(key),
  }))
}

export const Days = ({ view: { rows, prices } }: { readonly view: CostView }) => {
  const days = filled(rows)
  const [pointed, setPointed] = useState<string>()
  const most = Math.max(...days.map(({ row }) => row?.cost.total ?? 0), Number.MIN_VALUE)
  const step = width / days.length
  const bar = Math.min(48, step * 0.72)
  const scale = (value: number): number => (value / most) * (height - floor - 16)
  const price = (value: number): string => money(value, prices.currency)
  const shown = days.find(one => one.day === pointed) ?? days.at(-1)
  const every = Math.ceil(days.length / 8)
  return (
    <figure className="days">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Cost by day, at most ${price(most)}; the table below has the numbers`}
        onPointerLeave={() => setPointed(undefined)}
      >
        {[0.5, 1].map(part => (
          <line
            key={part}
            className="days-line"
            x1={0}
            x2={width}
            y1={height - floor - scale(most * part)}
            y2={height - floor - scale(most * part)}
          />
        ))}
        <line className="days-floor" x1={0} x2={width} y1={height - floor} y2={height - floor} />
        {days.map(({ day: key, row }, index) => {
          const middle = (index + 0.5) * step
          const [all, idle] = [scale(row?.cost.total ?? 0), scale(row?.cost.idle ?? 0)]
          return (
            <g key={key} className={key === pointed ? 'days-pointed' : undefined} onPointerEnter={() => setPointed(key)}>
              <rect className="days-area" x={index * step} y={0} width={step} height={height} />
              {row === undefined ? null : (
                <>
                  <rect
                    className="days-used"
                    x={middle - bar / 2}
                    y={height - floor - Math.max(all, 2)}
                    width={bar}
                    height={Math.max(all, 2)}
                    rx={2}
                  />
                  <rect className="days-idle" x={middle - bar / 2} y={height - floor - idle} width={bar} height={idle} rx={2} />
                </>
              )}
              {index % every === (days.length - 1) % every ? (
                <text className="days-text" x={middle} y={height - 7} textAnchor="middle">
                  {key.slice(5)}
                </text>
              ) : null}
            </g>
          )
        })}
      </svg>
      <figcaption className="line">
        <span className="line">
          <span className="days-key days-key-used" aria-hidden="true" /> spent
        </span>
        <span className="line">
          <span className="days-key days-key-idle" aria-hidden="true" /> of it idle
        </span>
        <span className="soft figures">
          {shown === undefined
            ? ''
            : `${shown.day}: ${price(shown.row?.cost.total ?? 0)}, ${price(shown.row?.cost.idle ?? 0)} idle, ${price(shown.row?.cost.saved ?? 0)} saved`}
        </span>
      </figcaption>
      <div className="hidden">
        <table>
          <caption>Cost by day</caption>
          <tbody>
            {rows.map(({ key, cost }) => (
              <tr key={key}>
                <th scope="row">{key}</th>
                <td>{price(cost.total)}</td>
                <td>{`${price(cost.idle)} idle`}</td>
                <td>{`${price(cost.saved)} saved`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  )
}
