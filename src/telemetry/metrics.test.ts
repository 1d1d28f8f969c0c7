import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { catalog } from './catalog.ts'
import { createMetrics } from './metrics.ts'

const root = join(import.meta.dirname, '../..')

/** A strict reader of Prometheus' text format: throws for what its rules forbid. By family: type, and by series its value. */
const readText = (text: string): Map<string, { type: string; help: string; series: Map<string, number> }> => {
  assert.ok(text.endsWith('\n'), 'the last line has no end')
  const families = new Map<string, { type: string; help: string; series: Map<string, number> }>()
  let help: [name: string, text: string] | undefined
  let current: string | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, helped, helpText = ''] = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? []
    if (helped !== undefined) {
      help = [helped, helpText]
      continue
    }
    const [, typed, type = ''] = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$/.exec(line) ?? []
    if (typed !== undefined) {
      assert.equal(help?.[0], typed, `${typed} has a type and no help before it`)
      assert.ok(!families.has(typed), `${typed} is there twice`)
      families.set(typed, { type, help: help[1], series: new Map() })
      current = typed
      continue
    }
    const [, name = '', labels = '', value = ''] =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? ([+-]?(?:[0-9.]+(?:e[+-]?\d+)?|Inf|NaN))$/.exec(
        line,
      ) ?? []
    assert.notEqual(name, '', `no sample: ${line}`)
    const family = families.get(current ?? '')
    assert.ok(family && current !== undefined, `a sample before its type: ${line}`)
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    assert.ok(
      suffixes.some(suffix => name === current + suffix),
      `${name} stands below ${current}`,
    )
    assert.ok(!family.series.has(name + labels), `${name}${labels} is there twice`)
    family.series.set(name + labels, Number(value.replace('Inf', 'Infinity')))
  }
  return families
}

/** Something in each metric. */
const filled = () => {
  const metrics = createMetrics(() => {})
  for (const { name, type, labels } of catalog) {
    const given = Object.fromEntries(labels.map(label => [label, 'a "quoted"\\\nlabel']))
    if (type === 'counter') metrics.count(name, given, 2)
    else if (type === 'gauge') metrics.set(name, given, -0.5)
    else metrics.observe(name, given, 0.3)
  }
  return metrics
}

test('what is exposed is valid, and the whole catalog', async () => {
  const families = readText(await filled().text())
  assert.deepEqual(
    [...families.keys()],
    catalog.map(({ name }) => name),
  )
  for (const { name, type, help, labels } of catalog) {
    const family = families.get(name)
    assert.equal(family?.type, type)
    assert.equal(family?.help, help)
    assert.ok(family.series.size > 0, name)
    for (const series of family.series.keys()) {
      const found = [...series.matchAll(/([a-zA-Z_]+)="/g)].map(([, label]) => label).filter(label => label !== 'le')
      assert.deepEqual(found, labels, series)
    }
  }
})

test('names say what they are', () => {
  for (const { name, type, labels } of catalog) {
    assert.equal(name.endsWith('_total'), type === 'counter', name)
    assert.ok(!labels.some(label => ['le', 'quantile', 'job', 'instance'].includes(label)), name)
  }
})

test('every metric is documented, and every documented one is there', () => {
  const rows = [...readFileSync(join(root, 'docs/telemetry.md'), 'utf8').matchAll(/^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\|/gm)]
  const documented = rows.map(([, name, type, labels = '']) => ({ name, type, labels: [...labels.matchAll(/`([^`]+)`/g)].map(([, label]) => label) }))
  assert.deepEqual(
    documented,
    catalog.map(({ name, type, labels }) => ({ name, type, labels: [...labels] })),
  )
})

const Dashboard = z.object({
  title: z.string(),
  uid: z.string().max(40),
  schemaVersion: z.int().min(36),
  panels: z.array(
    z.object({
      id: z.int(),
      type: z.enum(['row', 'timeseries', 'stat', 'gauge', 'table', 'heatmap']),
      title: z.string(),
      gridPos: z.object({ x: z.int().min(0).max(23), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(1) }),
      targets: z.array(z.object({ refId: z.string(), expr: z.string().min(1) })).optional(),
    }),
  ),
})

test('the dashboard asks only for what there is', () => {
  const { panels } = Dashboard.parse(JSON.parse(readFileSync(join(root, 'packaging/grafana/dayfly.json'), 'utf8')))
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  const exposed = new Map<string, readonly string[]>()
  for (const { name, type, labels } of catalog) {
    if (type !== 'histogram') exposed.set(name, labels)
    else for (const suffix of ['_bucket', '_sum', '_count']) exposed.set(name + suffix, [...labels, 'le'])
  }
  const asked = new Set<string>()
  for (const { title, gridPos, targets = [] } of panels) {
    assert.ok(gridPos.x + gridPos.w <= 24, title)
    for (const { expr } of targets) {
      const bare = expr.replaceAll(/\[[^\]]*\]/g, '')
      for (const [, name = ''] of bare.matchAll(/\b((?:dayfly|process)_[a-z_]+)/g)) {
        assert.ok(exposed.has(name), `${title}: there is no ${name}`)
        asked.add(name)
        for (const [, labels = ''] of bare.matchAll(/by ?\(([^)]*)\)/g)) {
          for (const label of labels.split(',')) assert.ok(exposed.get(name)?.includes(label.trim()), `${title}: ${name} has no label ${label}`)
        }
      }
    }
  }
  assert.ok(asked.size >= 20)
})

test('a total that somebody else counts follows it, and begins anew when that does', async () => {
  const metrics = createMetrics(() => {})
  const read = async () =>
    readText(await metrics.text())
      .get('process_cpu_seconds_total')
      ?.series.get('process_cpu_seconds_total')
  metrics.total('process_cpu_seconds_total', {}, 5)
  metrics.total('process_cpu_seconds_total', {}, 7)
  assert.equal(await read(), 7)
  metrics.total('process_cpu_seconds_total', {}, 2)
  assert.equal(await read(), 9)
})

test('a gauge that says nothing any more is not there', async () => {
  const metrics = filled()
  metrics.clear('dayfly_lease_remaining_seconds')
  assert.equal(readText(await metrics.text()).get('dayfly_lease_remaining_seconds')?.series.size, 0)
})
