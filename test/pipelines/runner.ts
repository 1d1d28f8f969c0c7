/** What runs pipeline files elsewhere, as far as those of this repository need it: GitHub's composite actions, GitLab's jobs, pre-commit's hooks. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

export const repository = resolve(import.meta.dirname, '../..')

export interface Ran {
  readonly status: number | null
  /** Standard output and error, as a log has them. */
  readonly log: string
}

const run = (program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Ran => {
  const home = join(cwd, '..')
  const { status, stdout, stderr } = spawnSync(program, [...args], {
    cwd,
    // A runner gives a job its own environment: nothing of whoever runs the tests.
    env: { PATH: process.env['PATH'], HOME: home, DAYFLY_RUN_DIR: join(home, 'run'), DAYFLY_STATE_DIR: join(home, 'state'), ...env },
    encoding: 'utf8',
  })
  return { status, log: `${stdout}${stderr}` }
}

const Action = z.strictObject({
  ...{ name: z.string(), description: z.string().max(200), author: z.string(), branding: z.object({ icon: z.string(), color: z.string() }) },
  inputs: z.record(z.string().regex(/^[a-z-]+$/), z.strictObject({ description: z.string(), default: z.string() })),
  outputs: z.record(z.string(), z.strictObject({ description: z.string(), value: z.string() })),
  runs: z.strictObject({
    using: z.literal('composite'),
    steps: z.array(
      z.strictObject({
        name: z.string(),
        id: z.string().optional(),
        shell: z.literal('bash'),
        env: z.record(z.string(), z.string()).default({}),
        // A value that GitHub puts into a script is code.
        run: z.string().refine(text => !text.includes('${{'), 'an expression in a script'),
      }),
    ),
  }),
})

/** `${{ inputs.scan }}`, `${{ steps.x.outputs.y }}`. */
const evaluate = (text: string, values: ReadonlyMap<string, string>): string =>
  text.replaceAll(/\$\{\{ ([\w.-]+) \}\}/g, (_, name: string) => {
    const value = values.get(name)
    if (value === undefined && name.startsWith('inputs.')) throw new Error(`there is no ${name}`)
    return value ?? ''
  })

/** `NAME=VALUE` lines of GITHUB_OUTPUT. */
const outputsIn = (path: string): [string, string][] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])

export interface ActionRan extends Ran {
  readonly outputs: Readonly<Record<string, string>>
  readonly summary: string
}

/** Runs action.yml in `workspace` as `uses: ./` with `with:` would. */
export const runAction = (workspace: string, inputs: Readonly<Record<string, string>>): ActionRan => {
  const action = Action.parse(parse(readFileSync(join(repository, 'action.yml'), 'utf8')))
  const unknown = Object.keys(inputs).find(name => !Object.hasOwn(action.inputs, name))
  if (unknown !== undefined) throw new Error(`there is no input ${unknown}`)
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-action-'))
  try {
    const values = new Map(Object.entries(action.inputs).map(([name, { default: usual }]) => [`inputs.${name}`, inputs[name] ?? usual]))
    const summary = join(folder, 'summary')
    writeFileSync(summary, '')
    let [status, log]: [number | null, string] = [0, '']
    for (const [index, step] of action.runs.steps.entries()) {
      if (status !== 0) break
      const [script, output] = [join(folder, `${index}.sh`), join(folder, `${index}.output`)]
      writeFileSync(script, step.run)
      writeFileSync(output, '')
      const own = Object.fromEntries(Object.entries(step.env).map(([name, text]) => [name, evaluate(text, values)]))
      const ran = run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], workspace, {
        ...{ CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: workspace, GITHUB_ACTION_PATH: repository },
        ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary, ...own },
      })
      status = ran.status
      log += ran.log
      for (const [name, value] of outputsIn(output)) values.set(`steps.${step.id ?? index}.outputs.${name}`, value)
    }
    const outputs = Object.fromEntries(Object.entries(action.outputs).map(([name, { value }]) => [name, evaluate(value, values)]))
    return { status, log, outputs, summary: readFileSync(summary, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const Job = z.object({
  extends: z.string().optional(),
  before_script: z.array(z.string()).optional(),
  script: z.array(z.string()).optional(),
  artifacts: z.object({ paths: z.array(z.string()), reports: z.record(z.string(), z.string()) }).optional(),
})
const Pipeline = z.looseObject({ variables: z.record(z.string(), z.string()) })

/** Variables may name others. */
const expand = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? '')

export interface JobRan extends Ran {
  /** What the job's artifacts name. */
  readonly artifacts: readonly string[]
}

/** Runs a job of ci/gitlab.yml in `project`. */
export const runJob = (project: string, name: string, variables: Readonly<Record<string, string>>): JobRan => {
  const pipeline = Pipeline.parse(parse(readFileSync(join(repository, 'ci/gitlab.yml'), 'utf8')))
  const own = Job.parse(pipeline[name])
  const job = { ...(own.extends === undefined ? {} : Job.parse(pipeline[own.extends])), ...own }
  const given = { CI_PROJECT_DIR: project, ...pipeline.variables, ...variables }
  const env = Object.fromEntries(Object.entries(given).map(([key, text]) => [key, expand(text, given)]))
  // GitLab's runner puts the lines of both into one script that ends with the first failure.
  const script = ['set -eo pipefail', ...(job.before_script ?? []), ...(job.script ?? [])].join('\n')
  const ran = run('bash', ['-c', script], project, env)
  return { ...ran, artifacts: [...(job.artifacts?.paths ?? []), ...Object.values(job.artifacts?.reports ?? {})] }
}

const Hooks = z.array(
  z.strictObject({
    ...{ id: z.string(), name: z.string(), description: z.string(), entry: z.string(), language: z.literal('script') },
    files: z.string().default(''),
    types: z.array(z.literal('file')).default(['file']),
    args: z.array(z.string()).default([]),
    pass_filenames: z.boolean().default(true),
    require_serial: z.boolean().default(false),
  }),
)

/** Runs a hook of .pre-commit-hooks.yaml over all files of `project`, as `pre-commit run --all-files HOOK` does; undefined when no file is its. */
export const runHook = (project: string, id: string, args?: readonly string[]): Ran | undefined => {
  const hooks = Hooks.parse(parse(readFileSync(join(repository, '.pre-commit-hooks.yaml'), 'utf8')))
  const hook = hooks.find(each => each.id === id)
  if (hook === undefined) throw new Error(`there is no hook ${id}`)
  const files = readdirSync(project, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(project.length + 1))
    .filter(path => !path.startsWith('.git/') && new RegExp(hook.files).test(path))
    .sort()
  if (files.length === 0) return undefined
  const [program = '', ...words] = hook.entry.split(' ')
  return run(join(repository, program), [...words, ...(args ?? hook.args), ...(hook.pass_filenames ? files : [])], project, {})
}
