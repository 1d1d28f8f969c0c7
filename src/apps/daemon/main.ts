/** The daemon's process. `dayfly serve` becomes it; `dayfly doctor` runs it with --check where none answers. */

import { systemClock } from '../../base/clock.ts'
import { DayflyError, exhaustionOf, messageOf } from '../../base/errors.ts'
import { stderrLog } from '../../base/log.ts'
import { parseOptions } from './options.ts'

delete process.env['NODE_COMPILE_CACHE'] // It was for this process, not for the tools that it starts.

const run = async (): Promise<void> => {
  const options = parseOptions(process.argv.slice(2))
  const clock = systemClock()
  if (options.check !== undefined) {
    const { checkHost, checkSensor, findLeaks } = await import('./check.ts')
    const report =
      options.check === 'host'
        ? { checks: [...(await checkHost(options.stateDir, AbortSignal.timeout(30_000))), checkSensor()] }
        : { leaks: (await findLeaks(options, clock)).map(({ kind, name, owner }) => ({ kind, name, owner: owner ?? null })) }
    process.stdout.write(`${JSON.stringify(report)}\n`)
    return
  }
  const stopping = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(name, () => stopping.abort(new DayflyError('unreachable', 'the daemon is stopping')))
  const { serve } = await import('./serve.ts')
  await serve(options, clock, stderrLog(options.logLevel), stopping.signal)
}

try {
  await run()
} catch (error) {
  const known = error instanceof DayflyError ? error : exhaustionOf(error)
  const remedy = known?.remedy
  if (process.stderr.isTTY) process.stderr.write(`dayfly: ${messageOf(error)}\n${remedy === undefined ? '' : `  ${remedy}\n`}`)
  else stderrLog('info').error('the daemon cannot run', { process: process.pid, error: known ?? error, remedy })
  // Crash-only: whatever is still open must not keep a daemon alive that does not work.
  process.exit(known?.exitCode ?? 125)
}
