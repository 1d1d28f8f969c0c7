/** What is known of the images that records speak of, kept in memory while it is true: what a page shows every few seconds is not read out of tables each time. */
import { remember } from '../../../base/remember.ts'
import type { MisconfigurationFinding, SecretFinding } from '../../../model/finding.ts'
import type { Inventory, RememberedImage, RememberedVulnerability } from '../../../model/inventory.ts'
import type { DaemonImages } from '../images.ts'

export interface Flaws {
  readonly secrets: readonly SecretFinding[]
  readonly misconfigurations: readonly MisconfigurationFinding[]
}

export interface KnownImages {
  vulnerabilities(image: RememberedImage): readonly RememberedVulnerability[]
  packages(image: RememberedImage): number
  /** Of an image that is still in the store. undefined: it is being looked at. What is there no more has none that are known. */
  flaws(image: RememberedImage): Flaws | undefined
  /** Resolves when nothing is being looked at any more, or after `patience` ms. */
  settled(patience: number): Promise<void>
}

/** Images in memory. */
const mostKnown = 2_000
/** Of one image that nobody could look at, ms. */
const tryAgainAfter = 60_000
/** For one image, ms. */
const patience = 60_000
const none: Flaws = { secrets: [], misconfigurations: [] }

export const createKnownImages = (inventory: Pick<Inventory, 'vulnerabilities' | 'packages'>, images: Pick<DaemonImages, 'facts'>): KnownImages => {
  const vulnerabilities = new Map<string, { readonly at: number; readonly found: readonly RememberedVulnerability[] }>()
  const packages = new Map<string, { readonly at: number; readonly count: number }>()
  const flaws = new Map<string, Flaws>()
  const failed = new Map<string, number>()
  /** One after another: each may be a scan of all its layers. */
  let looking: Promise<void> = Promise.resolve()
  const waiting = new Set<string>()

  const look = async (digest: string): Promise<void> => {
    try {
      const { secrets, misconfigurations } = await images.facts(digest, AbortSignal.timeout(patience))
      remember(flaws, digest, { secrets, misconfigurations }, mostKnown)
    } catch {
      // It was removed, mostly; why it could not be scanned is in the log of whoever scans.
      remember(failed, digest, performance.now(), mostKnown)
    } finally {
      waiting.delete(digest)
    }
  }

  return {
    vulnerabilities: ({ digest, matchedAt }) => {
      const before = vulnerabilities.get(digest)
      if (before?.at === matchedAt) return before.found
      const found = inventory.vulnerabilities(digest)
      remember(vulnerabilities, digest, { at: matchedAt, found }, mostKnown)
      return found
    },
    packages: ({ digest, scannedAt }) => {
      const before = packages.get(digest)
      if (before?.at === scannedAt) return before.count
      const count = inventory.packages(digest).length
      remember(packages, digest, { at: scannedAt, count }, mostKnown)
      return count
    },
    flaws: ({ digest }) => {
      const known = flaws.get(digest)
      if (known !== undefined) return known
      if (performance.now() - (failed.get(digest) ?? Number.NEGATIVE_INFINITY) < tryAgainAfter) return none
      if (!waiting.has(digest)) {
        waiting.add(digest)
        looking = looking.then(() => look(digest))
      }
      return undefined
    },
    settled: ms => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, ms)
      void looking.finally(resolve)
      return promise.finally(() => clearTimeout(timer))
    },
  }
}
