/** Everything that Dayfly needs of a host, in the order in which one would put it right. */
import { messageOf } from '../../base/errors.ts'
import type { ScratchDisk } from './cgroups.ts'
import { checkCgroups, checkDevices, checkIo, checkSwap } from './cgroups.ts'
import type { Check } from './check.ts'
import { fail, ok } from './check.ts'
import { checkDisk } from './disk.ts'
import type { ForwardSources } from './forward.ts'
import { checkForward } from './forward.ts'
import { checkKernel, checkOverlay, checkRoot, checkSeccomp, checkUserNamespaces } from './kernel.ts'
import { checkTools } from './tools.ts'

export interface InspectOptions {
  readonly stateDir: string
  /** Starts each native program and asks for its protocol version; throws when one is missing or of another version. */
  readonly greetNative: () => Promise<string>
  /** The disk of the state folder, as the io controller sees it. */
  readonly scratchDisk: () => ScratchDisk
  readonly firewalls: ForwardSources
  readonly signal: AbortSignal
}

const checkNative = async (greet: InspectOptions['greetNative']): Promise<Check> => {
  try {
    return ok('native programs', await greet())
  } catch (error) {
    return fail('native programs', messageOf(error), 'Run `make setup` once more: it installs their libraries and builds them.')
  }
}

export const inspectHost = async ({ stateDir, greetNative, scratchDisk, firewalls, signal }: InspectOptions): Promise<Check[]> => [
  checkRoot(),
  checkKernel(),
  checkCgroups(),
  checkIo(scratchDisk()),
  checkSwap(),
  checkDevices(),
  checkUserNamespaces(),
  checkSeccomp(),
  checkOverlay(),
  checkDisk(stateDir),
  ...(await checkTools(signal)),
  await checkNative(greetNative),
  await checkForward(firewalls),
]
