/** What `dayfly doctor` asks for, with and without a running daemon. */
import { execFile } from 'node:child_process'
import { closeSync, existsSync, openSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { disposable } from '../../base/dispose.ts'
import { DayflyError } from '../../base/errors.ts'
import { blockDeviceOf } from '../../host/cgroup/device.ts'
import type { Check } from '../../host/inspection/check.ts'
import { inspectHost } from '../../host/inspection/inspect.ts'
import { spawnHelper } from '../../host/native/helper.ts'
import { sensorSupport } from '../../host/sensor/support.ts'
import type { OwnedObject } from '../../model/owned.ts'
import { openStore } from '../../store/sqlite.ts'
import { firewallSources } from './firewalls.ts'
import { makeFolders } from './folders.ts'
import { lockFolder } from './lock.ts'
import { nativeDir } from './native.ts'
import type { DaemonOptions } from './options.ts'
import { checkSupport } from './sensing/check.ts'

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
  await Promise.all(['dayfly-monitor', 'dayfly-unpack', 'dayfly-files'].map(loads))
  await using helper = await spawnHelper({ binary: join(nativeDir, 'dayfly-helper') })
  return helper.libraries.length === 0 ? 'built' : `built, with ${helper.libraries.join(', ')}`
}

const nft = async (command: string): Promise<string> => {
  const silence = openSync('/dev/null', 'w') // nft warns of tables that iptables manages.
  using _ = disposable(() => closeSync(silence))
  await using helper = await spawnHelper({ binary: join(nativeDir, 'dayfly-helper'), stderr: silence })
  return await helper.nft(command, 'json')
}

/** The folder, or the nearest one above it that exists. */
const nearest = (path: string): string => (existsSync(path) || path === '/' ? path : nearest(dirname(path)))

export const checkHost = (stateDir: string, signal: AbortSignal): Promise<Check[]> => {
  const folder = nearest(stateDir)
  const scratchDisk = () => ({ device: blockDeviceOf(folder), fileSystem: statfsSync(folder).type })
  return inspectHost({ stateDir, greetNative, scratchDisk, firewalls: firewallSources(nft, signal), signal })
}

/** Whether a daemon would have one. */
export const checkSensor = (): Check => checkSupport(sensorSupport(join(nativeDir, 'dayfly-sensor')))

/**
 * Leaks where no daemon runs: what is there and no environment in the store explains. Changes nothing. Throws `conflict` where a daemon runs
 * that does not answer.
 */
export const findLeaks = async (options: DaemonOptions, clock: Clock): Promise<readonly OwnedObject[]> => {
  if (!existsSync(options.stateDir) || options.backend === 'fake') return []
  makeFolders(options.stateDir, options.runDir)
  using _state = lockFolder(options.stateDir, '--state-dir')
  using _run = lockFolder(options.runDir, '--run-dir')
  using store = openStore({ path: join(options.stateDir, 'dayfly.sqlite'), clock })
  const living = store.environments({ ended: false }).map(({ id }) => id)
  const explained = new Set([...living, ...living.flatMap(id => store.instances(id).map(instance => instance.id))])
  const { inspectOwned } = await import('../../backends/linux/inspect.ts')
  const owned = await inspectOwned({ stateDir: options.stateDir, runDir: options.runDir, nativeDir })
  return owned.filter(({ owner }) => owner === undefined || !explained.has(owner))
}
