/** The programs that Dayfly calls. */
import { execFile } from 'node:child_process'
import type { Check } from './check.ts'
import { fail, ok, warn } from './check.ts'
import { isAtLeast, versionIn } from './versions.ts'

interface Tool {
  readonly program: string
  /** Not all tools know --version. */
  readonly argument: string
  readonly least: string | undefined
  readonly what: string
  readonly install: string
  readonly optional?: boolean
}

const tools: readonly Tool[] = [
  { program: 'crun', argument: '--version', least: '1.8', what: 'runs containers', install: 'apt-get install crun' },
  { program: 'skopeo', argument: '--version', least: '1.9', what: 'fetches images', install: 'apt-get install skopeo' },
  { program: 'flock', argument: '--version', least: undefined, what: 'locks folders', install: 'apt-get install util-linux' },
  {
    program: 'dnsmasq',
    argument: '--version',
    least: '2.87',
    what: 'serves the names of environments of several instances, and egress by name',
    install: 'apt-get install dnsmasq-base',
    optional: true,
  },
  {
    program: 'tini-static',
    argument: '--version',
    least: undefined,
    what: 'is needed for workloads with `init` only',
    install: 'apt-get install tini',
    optional: true,
  },
  {
    program: 'runsc',
    argument: '--version',
    least: undefined,
    what: 'is needed for --runtime runsc only',
    install: 'Install gVisor (apt-get install runsc, or gvisor.dev/docs/user_guide/install) to run code you do not trust.',
    optional: true,
  },
]

/** How long a tool may take to say its version (ms). */
const patience = 5_000

/** What the program prints, or undefined when there is no such program. */
const output = (program: string, argument: string, signal: AbortSignal): Promise<string | undefined> =>
  new Promise(resolve => {
    execFile(program, [argument], { timeout: patience, signal }, (error, stdout, stderr) => {
      resolve(error !== null && error.code === 'ENOENT' ? undefined : `${stdout}${stderr}`)
    })
  })

const checkTool = async ({ program, argument, least, what, install, optional }: Tool, signal: AbortSignal): Promise<Check> => {
  const printed = await output(program, argument, signal)
  if (printed === undefined)
    return optional === true ? warn(program, `not installed; it ${what}`, install) : fail(program, `not installed; it ${what}`, install)
  const version = /version:? (\S+)/i.exec(printed)?.[1] ?? versionIn(printed) ?? 'of unknown version'
  if (least !== undefined && !isAtLeast(versionIn(version) ?? '0', least))
    return fail(program, `${version} is older than ${least}`, `Install ${program} ${least} or newer.`)
  return ok(program, version)
}

export const checkTools = (signal: AbortSignal): Promise<Check[]> => Promise.all(tools.map(tool => checkTool(tool, signal)))
