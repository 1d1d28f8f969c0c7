/** ms before it is tried again. */
const waits = [200, 600, 1500] as const

/**
 * Loads a part of the console, again where that fails. A browser on the host itself breaks off what it is loading whenever a network interface comes or goes
 * (ERR_NETWORK_CHANGED), and here they come and go with environments.
 */
export const insisting = async <T>(load: () => Promise<T>): Promise<T> => {
  for (const wait of waits) {
    try {
      return await load()
    } catch {
      await new Promise(resolve => setTimeout(resolve, wait))
    }
  }
  return await load()
}
