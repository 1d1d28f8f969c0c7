/** Everything that Dayfly needs of a host, in the order in which one would put it right. */
import { messageOf } from '../../base/errors.ts'
import type { Check } from './check.ts'
import { fail, ok } from './check.ts'
import { checkDisk } from './disk.ts'
import { checkCgroups, checkKernel, checkOverlay, checkRoot, checkSeccomp, checkUserNamespaces } from './kernel.ts'
import { checkTools } from './tools.ts'

export interface InspectOptions {
  readonly stateDir: string
  /** Starts each native program and asks for its protocol version; throws when one is missing or of another version. */
  readonly greetNative: () => Promise<string>
  readonly signal: AbortSignal
}

const checkNative = async (greet: InspectOptions['greetNative']): Promise<Check> => {
  try {
    return ok('native programs', await greet())
  } catch (error) {
    return fail('native programs', messageOf(error), 'Run `make setup` once more: it installs their libraries and builds them.')
  }
}

export const inspectHost = async ({ stateDir, greetNative, signal }: InspectOptions): Promise<Check[]> => [
  checkRoot(),
  checkKernel(),
  checkCgroups(),
  checkUserNamespaces(),
  checkSeccomp(),
  checkOverlay(),
  checkDisk(stateDir),
  ...(await checkTools(signal)),
  await checkNative(greetNative),
]
