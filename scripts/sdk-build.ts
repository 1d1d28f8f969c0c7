/** Builds sdk/dist: the code by esbuild, which brings along what it shares with the command line, and the types by tsc. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'sdk')

/** What of other people is in the bundle, with their licenses. */
const notices = (inputs: readonly string[]): string => {
  const packages = new Set(inputs.flatMap(input => /^(?:\.\.\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []))
  return [...packages]
    .sort()
    .map(name => {
      const at = join(root, 'node_modules', name)
      const { version }: { version: string } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
      const [license] = globSync('{LICENSE,LICENCE,license}*', { cwd: at })
      if (license === undefined) throw new Error(`${name} has no license that could go along`)
      return `${name} ${version}\n\n${readFileSync(join(at, license), 'utf8').trim()}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

/** Those that the entries lead to. */
const declarations = (at: string, entries: readonly string[]): ReadonlySet<string> => {
  const found = new Set(entries)
  // What is added on the way is visited, too.
  for (const name of found) {
    const text = readFileSync(join(at, `${name}.d.ts`), 'utf8')
    for (const [, next = ''] of text.matchAll(/(?:from |import\()'\.\/([^']+)\.ts'/g)) found.add(next)
  }
  return found
}

/** The schema of compose files is a file of a package, which the package of the SDK does not depend on. */
const bringSchema: Plugin = {
  name: 'bring-schema',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/\\]src[/\\]compose[/\\]schema\.ts$/ }, ({ path }) => {
      const wanted = "require(join(dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json'))"
      const text = readFileSync(path, 'utf8')
      if (!text.includes(wanted)) throw new Error(`${path} reads the schema in another way by now: look at scripts/sdk-build.ts`)
      const schema = JSON.stringify(join(root, 'node_modules/dclint/schemas/compose.schema.json'))
      return { contents: `import publishedComposeSchema from ${schema}\n${text.replace(wanted, 'publishedComposeSchema')}`, loader: 'ts' }
    })
  },
}

export const buildSdk = async (to: string): Promise<void> => {
  rmSync(to, { recursive: true, force: true })
  mkdirSync(to, { recursive: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['sdk/src/index.ts', 'sdk/src/vitest.ts'],
    outdir: to,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: ['vitest', 'vitest/*'],
    // What a dependency of the bundle that is CommonJS calls.
    banner: { js: "import { createRequire as createRequireForBundle } from 'node:module'; const require = createRequireForBundle(import.meta.url);" },
    legalComments: 'none',
    metafile: true,
    plugins: [bringSchema],
    logLevel: 'warning',
  })
  writeFileSync(join(to, 'THIRD-PARTY-LICENSES.txt'), notices(Object.keys(metafile.inputs)))
  const types = join(to, 'types')
  const tsc = [join(root, 'node_modules/@typescript/native/bin/tsc'), '-p', join(folder, 'tsconfig.json'), '--outDir', types]
  const made = spawnSync(process.execPath, tsc, { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`tsc: ${made.stdout}${made.stderr}`)
  for (const name of declarations(join(types, 'sdk/src'), ['index', 'vitest'])) {
    const text = readFileSync(join(types, `sdk/src/${name}.d.ts`), 'utf8')
    const stray = /from '(\.\.\/[^']+)'/.exec(text)?.[1]
    if (stray !== undefined) throw new Error(`${name}.d.ts speaks of ${stray}, which the package does not have: is something @internal?`)
    writeFileSync(join(to, `${name}.d.ts`), text.replaceAll(/(from |import\()'(\.\/[^']+)\.ts'/g, "$1'$2.js'"))
  }
  rmSync(types, { recursive: true, force: true })
  copyFileSync(join(root, 'LICENSE'), join(to, 'LICENSE'))
}

if (process.argv[1] === import.meta.filename) await buildSdk(process.argv[2] ?? join(folder, 'dist'))
