/** For tests with Vitest: an environment, or a sandbox, for each test file. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { UpOptions } from './environment.ts'
import { Environment } from './environment.ts'
import { failure } from './errors.ts'
import type { SandboxOptions } from './sandbox.ts'
import { Sandbox } from './sandbox.ts'

export interface UseEnvironmentOptions extends UpOptions {
  /** Where the report of a file that failed is kept. Default: `.dayfly` in the working folder. */
  readonly reports?: string | undefined
}

/** Longest time that an end may take, ms: every service may need its grace. */
const endPatience = 120_000
const startPatience = 330_000

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, '')

/** Of the test file that is being read. */
const testFile = (): string => {
  const { testPath } = expect.getState()
  if (testPath === undefined) throw failure('wrong_state', 'there is no test file: call it at the top of one')
  return testPath
}

/** What belongs to this run and to this file only, so that files may run at once. */
const nameFor = (file: string): string =>
  `${slug(basename(file).replace(/\.[^.]+$/, '')) || 'test'}-${process.pid.toString(36)}${Date.now().toString(36)}`

/** Whether a test of the file has failed: as it was at its last try. */
const failures = (): (() => boolean) => {
  const last = new Map<string, boolean>()
  afterEach(({ task }) => void last.set(task.id, task.result?.state === 'fail'))
  return () => [...last.values()].includes(true)
}

const proxied = <T extends object>(current: () => T | undefined, what: string): T =>
  new Proxy<T>(Object.create(null), {
    get: (_, property) => {
      const value = current()
      if (value === undefined) throw failure('wrong_state', `${what} is not there yet: use it in a test or a hook`)
      const found: unknown = Reflect.get(value, property)
      return typeof found === 'function' ? found.bind(value) : found
    },
  })

/**
 * Brings up an environment before the tests of this file, and ends it after them. Paths are relative to the test file. When a test has failed, its report is kept, and
 * said where.
 */
export const useEnvironment = (compose: string | object, options: UseEnvironmentOptions = {}): Environment => {
  const file = testFile()
  const { reports = '.dayfly', ...up } = options
  let current: Environment | undefined
  const hasFailed = failures()
  beforeAll(async () => {
    current = await Environment.up(compose, { projectDirectory: dirname(file), name: nameFor(file), ...up })
  }, startPatience)
  afterAll(async () => {
    const environment = current
    if (environment === undefined) return
    await environment.down()
    if (!hasFailed()) return
    const path = resolve(reports, `${slug(basename(file))}.json`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify(await environment.report(), null, 2)}\n`)
    process.stderr.write(`dayfly: the report of ${environment.name} is kept in ${path}\n`)
  }, endPatience)
  return proxied(() => current, 'the environment')
}

/** The same with a sandbox. */
export const useSandbox = (options: SandboxOptions): Sandbox => {
  const file = testFile()
  let current: Sandbox | undefined
  beforeAll(async () => {
    current = await Sandbox.create({ name: nameFor(file), ...options })
  }, startPatience)
  afterAll(async () => void (await current?.kill()), endPatience)
  return proxied(() => current, 'the sandbox')
}
