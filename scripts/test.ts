/**
 * Runs stages of the tests in the order given, all of them even when one fails, and ends with one line `N passed, N failed, N skipped`.
 *
 *     node scripts/test.ts [lint] [unit] [console] [system] [leaks] [-- FILE...]     FILE: only these, of any stage
 *
 * A skipped test that does not say why is a failure. Exit 0 when nothing failed and something passed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'

const Counts = z.object({ passed: z.int(), failed: z.int(), skipped: z.array(z.object({ name: z.string(), reason: z.string() })) })
type Counts = z.infer<typeof Counts>

const root = resolve(import.meta.dirname, '..')
const minutes = 60_000

interface Suite {
  readonly files: string
  readonly concurrency: number
  /** Of one file and of one test, ms. */
  readonly timeout: number
}

const suites: Readonly<Record<string, Suite>> = {
  unit: { files: '{src,sdk,scripts,test/house,test/pipelines}/**/*.test.ts', concurrency: 2, timeout: 3 * minutes },
  // A browser each, and one of them on the real kernel.
  console: { files: 'test/console/**/*.test.ts', concurrency: 1, timeout: 3 * minutes },
  // One at a time: they share the kernel, and some of them measure it.
  system: { files: 'test/system/**/*.test.ts', concurrency: 1, timeout: 8 * minutes },
  leaks: { files: 'test/leaks/**/*.test.ts', concurrency: 1, timeout: 3 * minutes },
}

const heading = (text: string): void => console.log(`\n── ${text} ${'─'.repeat(Math.max(0, 100 - text.length))}\n`)

const lint = (): Counts => {
  heading('lint')
  const { status } = spawnSync('make', ['--no-print-directory', 'lint'], { stdio: 'inherit', cwd: root })
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: [] }
}

const runSuite = (name: string, suite: Suite, only: readonly string[], environment: NodeJS.ProcessEnv): Counts => {
  const files = globSync(suite.files, { cwd: root })
    .filter(file => only.length === 0 || only.includes(file))
    .sort()
  if (files.length === 0) return { passed: 0, failed: 0, skipped: [] }
  heading(name)
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-counts-'))
  try {
    const counts = join(folder, 'counts.json')
    const { status } = spawnSync(
      process.execPath,
      [
        '--test',
        // What a failed test has left open must not keep the others waiting.
        '--test-force-exit',
        `--test-concurrency=${suite.concurrency}`,
        `--test-timeout=${suite.timeout}`,
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${join(root, 'scripts/count-reporter.ts')}`,
        `--test-reporter-destination=${counts}`,
        ...files,
      ],
      { stdio: ['ignore', 'inherit', 'inherit'], cwd: root, env: environment },
    )
    const told = existsSync(counts) ? readFileSync(counts, 'utf8').trim() : ''
    if (told === '') return { passed: 0, failed: 1, skipped: [] }
    const result = Counts.parse(JSON.parse(told))
    const unexplained = result.skipped.filter(test => test.reason === '')
    for (const test of unexplained) console.log(`✖ skipped without a reason: ${test.name}`)
    const failed = result.failed + unexplained.length
    return { ...result, failed: status !== 0 && failed === 0 ? 1 : failed, skipped: result.skipped.filter(test => test.reason !== '') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const separator = process.argv.indexOf('--')
const stages = process.argv.slice(2, separator === -1 ? undefined : separator)
const only = separator === -1 ? [] : process.argv.slice(separator + 1)
const unknown = stages.filter(stage => stage !== 'lint' && suites[stage] === undefined)
if (stages.length === 0 || unknown.length > 0) {
  console.error(
    `test: name the stages to run, of lint, ${Object.keys(suites).join(', ')}${unknown.map(stage => `; there is no "${stage}"`).join('')}`,
  )
  process.exit(2)
}

// What is on this machine before is not blamed on the tests.
const baseline = mkdtempSync(join(tmpdir(), 'dayfly-baseline-'))
const environment = { ...process.env, DAYFLY_LEAK_BASELINE: join(baseline, 'leaks') }
if (stages.includes('leaks')) spawnSync('bash', ['-c', 'scripts/leaks > "$DAYFLY_LEAK_BASELINE"'], { stdio: 'inherit', cwd: root, env: environment })

const total: Counts = { passed: 0, failed: 0, skipped: [] }
for (const stage of stages) {
  const suite = suites[stage]
  const result = suite === undefined ? lint() : runSuite(stage, suite, only, environment)
  total.passed += result.passed
  total.failed += result.failed
  total.skipped.push(...result.skipped)
}
rmSync(baseline, { recursive: true, force: true })

if (total.skipped.length > 0) heading('skipped')
for (const { name, reason } of total.skipped) console.log(`${name}: ${reason}`)
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
