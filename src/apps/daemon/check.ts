/** What `dayfly doctor` asks for, with and without a running daemon. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Check } from '../../host/inspection/check.ts'
import { inspectHost } from '../../host/inspection/inspect.ts'
import { spawnHelper } from '../../host/native/helper.ts'
import type { OwnedObject } from '../../model/owned.ts'
import { makeFolders } from './folders.ts'
import { lockFolder } from './lock.ts'
import type { DaemonOptions } from './options.ts'
import { nativeDir, openParts } from './parts.ts'

/** Throws when the program is missing or cannot be loaded. Without its arguments it does nothing else. */
const loads = (program: string): Promise<void> =>
  new Promise((resolve, reject) => {
    execFile(join(nativeDir, program), [], { timeout: 5_000 }, (error, _stdout, stderr) => {
      const lacking = /error while loading shared libraries: .*/.exec(stderr)?.[0]
      if (error?.code === 'ENOENT') reject(new DayflyError('host', `${join(nativeDir, program)} is not built`))
      else if (lacking !== undefined) reject(new DayflyError('host', `${program}: ${lacking}`))
      else resolve()
    }).stdin?.end()
  })

const greetNative = async (): Promise<string> => {
  await Promise.all(['dayfly-monitor', 'dayfly-unpack'].map(loads))
  await using helper = await spawnHelper({ binary: join(nativeDir, 'dayfly-helper') })
  return helper.libraries.length === 0 ? 'built' : `built, with ${helper.libraries.join(', ')}`
}

export const checkHost = (stateDir: string, signal: AbortSignal): Promise<Check[]> => inspectHost({ stateDir, greetNative, signal })

/**
 * Leaks where no daemon runs. The backend is opened as the next daemon would open it, but nothing is adopted: what neither it cleared away
 * nor an environment in the store explains is a leak. Throws `conflict` where a daemon runs that does not answer.
 */
export const findLeaks = async (options: DaemonOptions, clock: Clock, log: Log): Promise<readonly OwnedObject[]> => {
  if (!existsSync(options.stateDir)) return []
  makeFolders(options.stateDir, options.runDir)
  using _state = lockFolder(options.stateDir, '--state-dir')
  using _run = lockFolder(options.runDir, '--run-dir')
  await using parts = await openParts(options, clock, log)
  const living = parts.store.environments({ ended: false }).map(({ id }) => id)
  const explained = new Set([...living, ...living.flatMap(id => parts.store.instances(id).map(instance => instance.id))])
  return (await parts.backend.owned()).filter(({ owner }) => owner === undefined || !explained.has(owner))
}
