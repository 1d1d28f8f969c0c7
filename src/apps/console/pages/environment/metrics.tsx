/** What instances use: processor, memory, network, disk. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { getActivity, queryKeys } from '../../api/queries.ts'
import { CliLine } from '../../components/cli-line.tsx'
import { Card } from '../../components/page.tsx'
import { Empty, Shown } from '../../components/states.tsx'
import { bytes, number, span } from '../../format.ts'
import type { Metric, Series } from './samples.ts'
import { samplesOf, seriesOf } from './samples.ts'

const metrics: readonly { readonly metric: Metric; readonly title: string; readonly text: (value: number) => string }[] = [
  { metric: 'cpu', title: 'Processor, cores', text: number },
  { metric: 'memory', title: 'Memory', text: bytes },
  { metric: 'received', title: 'Network, received per second', text: bytes },
  { metric: 'sent', title: 'Network, sent per second', text: bytes },
  { metric: 'disk', title: 'Disk, read and written per second', text: bytes },
]

const windows = [5 * 60_000, 60 * 60_000, 6 * 3_600_000] as const
/** Lines that can be told from each other. */
const mostLines = 8
const colours = ['--accent', '--good-fill', '--warn-fill', '--bad-fill', '--strong-line', '--good', '--warn', '--bad'] as const
const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]] as const

/** Steps of an axis: of bytes powers of two, so that they are round in KiB and MiB. */
const increments = (text: (value: number) => string): readonly number[] =>
  text === bytes ? Array.from({ length: 50 }, (_, power) => 2 ** power) : [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]

/** `shown` in their order. */
const dataOf = (series: Series, shown: readonly string[]): uPlot.AlignedData => [series.times, ...shown.map(name => series.lines.get(name) ?? [])]

const Chart = ({ title, series, text }: { readonly title: string; readonly series: Series; readonly text: (value: number) => string }) => {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const names = [...series.lines.keys()].slice(0, mostLines)
  const known = names.join('\n')
  const newest = useRef(series)
  newest.current = series

  useEffect(() => {
    const box = place.current
    if (box === null) return
    const make = (): void => {
      plot.current?.destroy()
      const style = getComputedStyle(box)
      const colour = (name: string): string => style.getPropertyValue(name).trim()
      const shown = known.split('\n')
      const axis = {
        stroke: colour('--soft'),
        grid: { stroke: colour('--line'), width: 1 },
        ticks: { show: false },
        font: '11.5px system-ui, "DejaVu Sans", sans-serif',
      }
      plot.current = new uPlot(
        {
          ...{ width: box.clientWidth, height: 180 },
          legend: { show: false },
          cursor: { points: { size: 5 }, drag: { x: false, y: false } },
          axes: [
            { ...axis, values: (_plot, times) => times.map(time => new Date(time * 1000).toTimeString().slice(0, 8)), space: 64, size: 26 },
            { ...axis, values: (_plot, values) => values.map(text), size: 74, incrs: [...increments(text)] },
          ],
          scales: { y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
          series: [
            {},
            ...shown.map((label, index) => ({
              ...{ label, width: 1.5, stroke: colour(colours[index % colours.length] ?? '--ink'), dash: [...(dashes[index % dashes.length] ?? [])] },
              points: { show: false },
            })),
          ],
        },
        dataOf(newest.current, shown),
        box,
      )
    }
    make()
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: 180 }))
    observer.observe(box)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', make)
    return () => {
      observer.disconnect()
      scheme.removeEventListener('change', make)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [known, text])

  useEffect(() => {
    plot.current?.setData(dataOf(series, known.split('\n')))
  }, [series, known])

  const last = (name: string): number | null | undefined => series.lines.get(name)?.findLast(value => value !== null)
  return (
    <Card title={title}>
      <div ref={place} className="chart" aria-hidden="true" />
      <ul className="legend" aria-label={`${title}, now`}>
        {names.map((name, index) => (
          <li key={name} className="line">
            <span className={`chart-mark chart-mark-${index}`} aria-hidden="true" />
            {name} <strong className="figures">{text(last(name) ?? 0)}</strong>
          </li>
        ))}
        {series.lines.size > mostLines ? <li>and {series.lines.size - mostLines} more</li> : null}
      </ul>
    </Card>
  )
}

export const Metrics = ({ environment }: { readonly environment: EnvironmentView }) => {
  const [window, setWindow] = useState<number>(windows[0])
  const ended = environment.endedAt
  const query = useQuery({
    queryKey: queryKeys.activity(environment.id, `samples ${window}`),
    queryFn: ({ signal }) =>
      getActivity(
        { environment: environment.id, type: 'sample', since: Math.max(environment.createdAt, (ended ?? Date.now()) - window), limit: 10_000 },
        signal,
      ),
    refetchInterval: ended === null ? 2_000 : false,
    placeholderData: before => before,
  })
  const samples = useMemo(() => samplesOf(query.data?.found ?? []), [query.data])
  const names = useMemo(() => {
    const found = new Map(environment.instances.map(({ id, workload, replica }) => [id, `${workload} ${replica}`]))
    return (instance: string): string => found.get(instance) ?? instance
  }, [environment.instances])
  return (
    <div className="stack">
      <div className="group">
        {windows.map(each => (
          <button key={each} type="button" aria-pressed={window === each} onClick={() => setWindow(each)}>
            Last {span(each)}
          </button>
        ))}
      </div>
      <Shown query={query} what="its metrics">
        {() =>
          samples.length === 0 ? (
            <Empty title="There is no sample of what it used in this time." />
          ) : (
            <div className="columns">
              {metrics.map(({ metric, title, text }) => {
                const series = seriesOf(samples, metric, names)
                return series.times.length === 0 ? null : <Chart key={metric} title={title} series={series} text={text} />
              })}
            </div>
          )
        }
      </Shown>
      <CliLine words={['events', environment.id, '--activity', '--type', 'sample']} />
    </div>
  )
}
