/** Plants one breach of every import rule in a tree of its own and sees it refused, by the tool and the configuration that `make lint` uses. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'

const root = resolve(import.meta.dirname, '../..')
const configuration = join(root, '.dependency-cruiser.mjs')

const Report = z.object({
  modules: z.array(z.object({ source: z.string() })),
  summary: z.object({ violations: z.array(z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) })) }),
})

const Configuration = z.object({ default: z.object({ forbidden: z.array(z.object({ name: z.string(), severity: z.literal('error') })) }) })

/** Writes `files` (path → source) into a new tree with this repository's packages and checks it. */
const check = (files: Readonly<Record<string, string>>): z.infer<typeof Report> => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-import-rules-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    symlinkSync(join(root, 'package.json'), join(folder, 'package.json'))
    symlinkSync(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'))
    for (const [path, source] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), source)
    }
    const cruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
    const { stdout, stderr } = spawnSync(process.execPath, [cruise, '--config', configuration, '--output-type', 'json', 'src'], {
      cwd: folder,
      encoding: 'utf8',
    })
    assert.equal(stderr, '')
    return Report.parse(JSON.parse(stdout))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const imports = (specifier: string): string => `import type { T } from '${specifier}'\nexport type U = T\n`
const target = 'export type T = 1\n'

/** By rule: the file with the breach, what it imports, and what else must exist. */
const breaches: Readonly<Record<string, { from: string; source: string; files?: Record<string, string> }>> = {
  'base-imports-only-its-layer': { from: 'src/base/a.ts', source: imports('../model/t.ts'), files: { 'src/model/t.ts': target } },
  'model-imports-only-its-layer': { from: 'src/model/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'host-imports-only-its-layer': { from: 'src/host/nft/a.ts', source: imports('../../model/t.ts'), files: { 'src/model/t.ts': target } },
  'engine-imports-only-its-layer': { from: 'src/engine/a.ts', source: imports('../store/t.ts'), files: { 'src/store/t.ts': target } },
  'store-imports-only-its-layer': { from: 'src/store/a.ts', source: imports('../engine/lifecycle.ts'), files: { 'src/engine/lifecycle.ts': target } },
  'backends-imports-only-its-layer': {
    from: 'src/backends/linux/a.ts',
    source: imports('../../engine/lifecycle.ts'),
    files: { 'src/engine/lifecycle.ts': target },
  },
  'gateway-imports-only-its-layer': { from: 'src/gateway/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'compose-imports-only-its-layer': { from: 'src/compose/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'detect-imports-only-its-layer': { from: 'src/detect/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'notify-imports-only-its-layer': { from: 'src/notify/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'telemetry-imports-only-its-layer': { from: 'src/telemetry/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'seal-imports-only-its-layer': { from: 'src/seal/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'report-imports-only-its-layer': { from: 'src/report/a.ts', source: imports('../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'scan-imports-only-its-layer': { from: 'src/scan/a.ts', source: imports('../host/image/t.ts'), files: { 'src/host/image/t.ts': target } },
  'policy-imports-only-its-layer': { from: 'src/policy/a.ts', source: imports('../scan/t.ts'), files: { 'src/scan/t.ts': target } },
  'api-imports-only-its-layer': { from: 'src/api/a.ts', source: imports('../store/t.ts'), files: { 'src/store/t.ts': target } },
  'apps/cli-imports-only-its-layer': { from: 'src/apps/cli/a.ts', source: imports('../../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'apps/watch-imports-only-its-layer': { from: 'src/apps/watch/a.ts', source: imports('../../engine/t.ts'), files: { 'src/engine/t.ts': target } },
  'apps/console-imports-only-its-layer': {
    from: 'src/apps/console/a.tsx',
    source: imports('../../api/server.ts'),
    files: { 'src/api/server.ts': target },
  },
  'console-is-for-browsers': {
    from: 'src/apps/console/a.ts',
    source: "import { join } from 'node:path'\nexport const j = join\n",
    // tsconfig.json leaves the console out, and must have something left.
    files: { 'src/base/t.ts': target },
  },
  'only-the-linux-backend-knows-the-host': {
    from: 'src/backends/fake/a.ts',
    source: imports('../../host/nft/t.ts'),
    files: { 'src/host/nft/t.ts': target },
  },
  'host-parts-do-not-know-each-other': { from: 'src/host/nft/a.ts', source: imports('../cgroup/t.ts'), files: { 'src/host/cgroup/t.ts': target } },
  'backends-do-not-know-each-other': {
    from: 'src/backends/fake/a.ts',
    source: imports('../linux/t.ts'),
    files: { 'src/backends/linux/t.ts': target },
  },
  'model-is-pure': { from: 'src/model/a.ts', source: "import { readFileSync } from 'node:fs'\nexport const read = readFileSync\n" },
  'only-the-store-knows-sqlite': { from: 'src/engine/a.ts', source: "import { DatabaseSync } from 'node:sqlite'\nexport const D = DatabaseSync\n" },
  'only-the-api-knows-fastify': { from: 'src/engine/a.ts', source: "import { fastify } from 'fastify'\nexport const f = fastify\n" },
  'product-does-not-import-tests': { from: 'src/engine/a.ts', source: imports('./t.test.ts'), files: { 'src/engine/t.test.ts': target } },
  'product-does-not-import-development-packages': { from: 'src/engine/a.ts', source: "import fc from 'fast-check'\nexport const f = fc\n" },
  'no-cycles': { from: 'src/engine/a.ts', source: imports('./t.ts'), files: { 'src/engine/t.ts': `${imports('./a.ts')}${target}` } },
  'every-import-resolves': { from: 'src/engine/a.ts', source: imports('./nowhere.ts') },
}

test('every rule has a planted breach, and every breach a rule', async () => {
  const { default: rules } = Configuration.parse(await import(configuration))
  assert.deepEqual(rules.forbidden.map(rule => rule.name).sort(), Object.keys(breaches).sort())
})

for (const [name, { from, source, files }] of Object.entries(breaches)) {
  test(`${name}: ${from} is refused`, () => {
    const { summary } = check({ ...files, [from]: source })
    assert.ok(
      summary.violations.some(violation => violation.rule.name === name && violation.from === from),
      `no such violation in ${JSON.stringify(summary.violations)}`,
    )
  })
}

test('a breach is seen through type imports, dynamic imports, re-exports, import types and beside new syntax', () => {
  const files = { 'src/store/a.ts': target, 'src/store/b.ts': target, 'src/store/c.ts': target, 'src/store/d.ts': `${target}export const t = 1\n` }
  const source = `import { type T } from '../store/a.ts'
export * from '../store/b.ts'
export type C = import('../store/c.ts').T
export const run = async (value: unknown): Promise<T> => {
  await using held = { [Symbol.asyncDispose]: async () => {} }
  const { t } = await import('../store/d.ts')
  return [held, value satisfies unknown] && t
}
`
  const { summary } = check({ ...files, 'src/engine/a.ts': source })
  assert.deepEqual(summary.violations.map(violation => violation.to).sort(), Object.keys(files))
})

test('what the house allows passes', () => {
  const { summary, modules } = check({
    'src/base/t.ts': target,
    'src/model/t.ts': `${imports('../base/t.ts')}${target}`,
    'src/host/nft/t.ts': `import 'node:fs'\n${imports('../../base/t.ts')}${target}`,
    'src/engine/backend.ts': `${imports('../model/t.ts')}${target}`,
    'src/engine/lifecycle.ts': `${imports('./backend.ts')}${target}`,
    'src/engine/lifecycle.test.ts': `import 'fast-check'\n${imports('../backends/fake/fake.ts')}${imports('./lifecycle.ts').replaceAll(/\b[TU]\b/g, '$&2')}`,
    'src/store/sqlite.ts': "import 'node:sqlite'\nimport '../engine/backend.ts'\n",
    'src/backends/fake/fake.ts': `${imports('../../engine/backend.ts')}${target}`,
    'src/backends/linux/linux.ts': `import '../../engine/backend.ts'\n${imports('../../host/nft/t.ts')}${target}`,
    'src/gateway/create.ts': `${imports('../model/t.ts')}${target}`,
    'src/api/client.ts': `import 'fastify'\n${imports('../model/t.ts')}${target}`,
    'src/compose/draft.ts': `${imports('../model/t.ts')}${target}`,
    'src/apps/cli/main.ts': `import '../../compose/draft.ts'\n${imports('../../api/client.ts')}`,
    'src/apps/daemon/main.ts':
      "import 'fastify'\nimport '../../backends/linux/linux.ts'\nimport '../../engine/lifecycle.ts'\nimport '../../store/sqlite.ts'\n",
  })
  assert.deepEqual(summary.violations, [])
  assert.equal(modules.filter(module => module.source.startsWith('src/')).length, 14)
})
