import { setTimeout as sleep } from 'node:timers/promises'

/** Polls until the probe gives something other than undefined or false. Throws, naming `what`, when it never does. */
export const until = async <T>(what: string, probe: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> => {
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(5)) {
    const result = await probe()
    if (result !== undefined && result !== false) return result
  }
  throw new Error(`waited in vain: ${what}`)
}
