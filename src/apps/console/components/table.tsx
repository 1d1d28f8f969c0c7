/** A table of any length: only the rows on screen exist. Rows say which of how many they are, for who hears the page. */
import { useVirtualizer } from '@tanstack/react-virtual'
import type { CSSProperties, KeyboardEvent, ReactNode } from 'react'
import { useRef, useState } from 'react'

export interface Column<Row> {
  readonly key: string
  readonly title: string
  readonly cell: (row: Row) => ReactNode
  /** A track of a CSS grid: `8rem`, `minmax(10rem, 2fr)`. Left out: `minmax(6rem, 1fr)`. */
  readonly width?: string
  readonly numeric?: boolean
  /** Left out on narrow screens. */
  readonly minor?: boolean
  /** What it is sorted by when its title is chosen. */
  readonly sort?: (row: Row) => string | number
}

interface TableProps<Row> {
  /** For who hears the page; say what one row is. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** Chosen by a click or Enter. */
  readonly onRow?: (row: Row) => void
  /** Of the row that is chosen. */
  readonly current?: string | undefined
  /** px of a row before it is measured. */
  readonly rowHeight?: number
  /** px; more rows are scrolled to. */
  readonly maxHeight?: number
}

const compare = (left: string | number, right: string | number): number =>
  typeof left === 'number' && typeof right === 'number' ? left - right : String(left).localeCompare(String(right))

export const Table = <Row,>({ label, columns, rows, rowKey, onRow, current, rowHeight = 36, maxHeight = 560 }: TableProps<Row>) => {
  const scroll = useRef<HTMLDivElement>(null)
  const [order, setOrder] = useState<{ key: string; down: boolean }>()
  const by = columns.find(({ key }) => key === order?.key)?.sort
  const sorted = by === undefined ? rows : rows.toSorted((left, right) => compare(by(left), by(right)) * (order?.down ? -1 : 1))
  const virtual = useVirtualizer({ count: sorted.length, getScrollElement: () => scroll.current, estimateSize: () => rowHeight, overscan: 12 })
  const tracks = (shown: readonly Column<Row>[]): string => shown.map(({ width = 'minmax(6rem, 1fr)' }) => width).join(' ')
  const cellClass = ({ numeric, minor }: Column<Row>): string => `cell${numeric ? ' figures numeric' : ''}${minor ? ' minor' : ''}`
  const template: CSSProperties & Record<`--${string}`, string> = {
    '--tracks': tracks(columns),
    '--tracks-compact': tracks(columns.filter(({ minor }) => !minor)),
  }

  const keys = (event: KeyboardEvent<HTMLElement>, index: number): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const row = sorted[index]
    if (event.key === 'Enter' && row !== undefined && event.target === event.currentTarget) {
      // Or the same key would press what the row has opened and given the focus to.
      event.preventDefault()
      onRow?.(row)
    }
    if (step === 0) return
    event.preventDefault()
    virtual.scrollToIndex(Math.min(Math.max(index + step, 0), sorted.length - 1))
    requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[aria-rowindex="${index + step + 2}"]`)?.focus())
  }

  return (
    <div className="table" style={template}>
      <div
        className="table-scroll"
        ref={scroll}
        style={{ maxHeight }}
        role="table"
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        // What scrolls must be reachable by the keyboard.
        tabIndex={onRow === undefined ? 0 : undefined}
      >
        <div role="rowgroup" className="table-head">
          <div role="row" tabIndex={-1} aria-rowindex={1} className="row">
            {columns.map(column => (
              <div
                key={column.key}
                role="columnheader"
                tabIndex={-1}
                className={cellClass(column)}
                aria-sort={order?.key === column.key ? (order.down ? 'descending' : 'ascending') : undefined}
              >
                {column.sort === undefined ? (
                  column.title
                ) : (
                  <button
                    type="button"
                    className="sort"
                    onClick={() => setOrder({ key: column.key, down: order?.key === column.key ? !order.down : column.numeric === true })}
                  >
                    {column.title}
                    <span aria-hidden="true">{order?.key === column.key ? (order.down ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                )}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="table-body" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = sorted[index]
            if (row === undefined) return null
            const key = rowKey(row)
            return (
              <div
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                role="row"
                aria-rowindex={index + 2}
                aria-current={current === key ? 'true' : undefined}
                tabIndex={onRow === undefined ? -1 : 0}
                className={`row${onRow === undefined ? '' : ' choosable'}${current === key ? ' current' : ''}`}
                style={{ transform: `translateY(${start}px)` }}
                onClick={onRow === undefined ? undefined : () => onRow(row)}
                onKeyDown={event => keys(event, index)}
              >
                {columns.map(column => (
                  <div key={column.key} role="cell" className={cellClass(column)}>
                    {column.cell(row)}
                  </div>
                ))}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}
