import { execFile } from 'node:child_process'
import type { HostCheck, LeakView } from '../../../api/schemas/system.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Command, Context } from '../command.ts'
import { daemonArguments, daemonCache, failureIn, isUnreachable } from '../daemon.ts'
import type { Paint } from '../output.ts'
import { painter, printable, table } from '../output.ts'

interface Report {
  readonly checks?: HostCheck[]
  readonly leaks?: LeakView[]
}

/** Without a daemon its program is run just for this: it alone knows the host. */
const byChild = (context: Context, leaks: boolean): Promise<Report> =>
  new Promise((resolve, reject) => {
    const args = [...daemonArguments(context), '--check', leaks ? 'leaks' : 'host']
    const child = execFile(
      process.execPath,
      args,
      { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, ...daemonCache } },
      (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout))
        else reject(failureIn(stderr, child.pid) ?? new DayflyError('host', `this host could not be checked: ${error.message}`, { cause: error }))
      },
    )
  })

const report = async (context: Context, leaks: boolean): Promise<Report> => {
  try {
    return leaks ? { leaks: await context.client.leaks() } : { checks: await context.client.doctor() }
  } catch (error) {
    // Another host is not this one.
    if (!isUnreachable(error) || (context.env['DAYFLY_HOST'] ?? '') !== '') throw error
    return await byChild(context, leaks)
  }
}

const checkText = (checks: readonly HostCheck[], paint: Paint): string => {
  const style = { ok: 'green', warn: 'yellow', fail: 'red' } as const
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2
  return checks
    .map(
      ({ name, state, found, remedy }) =>
        `${paint(style[state], state.padEnd(4))}  ${name.padEnd(width)}${printable(found)}\n${remedy === null ? '' : `${' '.repeat(6 + width)}→ ${printable(remedy)}\n`}`,
    )
    .join('')
}

export const command: Command = {
  name: 'doctor',
  takes: [],
  summary: 'Check whether this host has what Dayfly needs; with --leaks, find what was left behind.',
  details: ['Works with and without a daemon. The exit code is 1 when a check fails or there is a leak.'],
  options: [{ name: 'leaks', help: 'List every kernel object and folder that Dayfly owns and no living instance explains.' }],
  examples: [
    ['dayfly doctor', 'what is missing and how to get it'],
    ['dayfly doctor --leaks', 'nothing, one hopes'],
  ],
  run: async (context, args) => {
    const { checks, leaks } = await report(context, args.flag('leaks'))
    const paint = painter(context.colour)
    if (context.json) context.write(`${JSON.stringify(leaks === undefined ? { checks } : { leaks })}\n`)
    else if (checks !== undefined) context.write(checkText(checks, paint))
    else if (leaks !== undefined && leaks.length > 0)
      context.write(
        table(
          ['KIND', 'NAME', 'OWNER'],
          leaks.map(({ kind, name, owner }) => [kind, printable(name), owner ?? '-']),
          paint,
        ),
      )
    else context.write('no leaks\n')
    return (checks ?? []).some(({ state }) => state === 'fail') || (leaks ?? []).length > 0 ? 1 : 0
  },
}
