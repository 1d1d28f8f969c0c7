/** The images that records speak of, those among them that were removed long ago too: what is in them, and where they ran. */
import { setImmediate as turn } from 'node:timers/promises'
import type { InventoryDetailView, InventoryImageView } from '../../../api/schemas/security.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Store } from '../../../engine/store.ts'
import { compareSeverity } from '../../../model/finding.ts'
import type { PastUse, RememberedImage, RememberedVulnerability } from '../../../model/inventory.ts'
import type { DaemonImages } from '../images.ts'
import type { Sees } from './findings.ts'
import type { KnownImages } from './known-images.ts'
import { emptyCounts } from './risk.ts'

export interface InventoryParts {
  readonly store: Pick<Store, 'inventory'>
  readonly known: KnownImages
  readonly images: Pick<DaemonImages, 'list'>
  readonly engine: Pick<Engine, 'blockedImages'>
  readonly flush: () => void
}

export interface ImageInventory {
  list(sees: Sees): Promise<InventoryImageView[]>
  /** Throws `not_found`. */
  detail(digest: string, sees: Sees): Promise<InventoryDetailView>
}

const mostUses = 500

const worstOf = ({ vulnerabilities }: InventoryImageView): number =>
  vulnerabilities.critical * 1e9 + vulnerabilities.high * 1e6 + vulnerabilities.medium * 1e3 + vulnerabilities.low

const rank = (one: RememberedVulnerability | undefined): number => (one === undefined || one.settled ? 0 : one.exploited ? 2 : 1)

/** Those with the worst vulnerabilities first. `left`, `right`: of each, the worst first. */
const byWorst = (left: readonly RememberedVulnerability[], right: readonly RememberedVulnerability[]): number => {
  const [a, b] = [left[0], right[0]]
  return rank(b) - rank(a) || (a && b ? compareSeverity(b.severity, a.severity) : 0)
}

export const createInventoryView = ({ store, known, images, engine, flush }: InventoryParts): ImageInventory => {
  const usesOf = (digest: string, sees: Sees): PastUse[] =>
    store.inventory.history(digest, mostUses).filter(({ environment }) => sees(environment.id))

  const view = (image: RememberedImage, uses: readonly PastUse[], present: ReadonlySet<string>): InventoryImageView => {
    const { digest, names, distribution, problems, scannedAt, dataFrom } = image
    const open = known.vulnerabilities(image).filter(({ settled }) => !settled)
    const vulnerabilities = emptyCounts()
    for (const { severity } of open) vulnerabilities[severity]++
    const running = uses.reduce((sum, use) => sum + use.running, 0)
    return {
      ...{ digest, names: [...names], distribution: distribution ?? null, packages: known.packages(image), vulnerabilities },
      exploited: open.filter(({ exploited }) => exploited).length,
      ...{ environments: new Set(uses.map(({ environment }) => environment.id)).size, running },
      last: running > 0 ? null : uses.reduce((latest, { until, from }) => Math.max(latest, until ?? from), 0),
      ...{ present: present.has(digest), blocked: engine.blockedImages.find(digest) !== undefined },
      ...{ problems: [...problems], scannedAt, dataFrom: dataFrom ?? null },
    }
  }

  const presentNow = async (): Promise<ReadonlySet<string>> => new Set((await images.list()).map(({ digest }) => digest))

  return {
    list: async sees => {
      flush()
      const present = await presentNow()
      const found: InventoryImageView[] = []
      for (const image of store.inventory.images()) {
        const uses = usesOf(image.digest, sees)
        if (uses.length > 0) found.push(view(image, uses, present))
        await turn()
      }
      return found.sort(
        (left, right) => Number(right.running > 0) - Number(left.running > 0) || right.exploited - left.exploited || worstOf(right) - worstOf(left),
      )
    },
    detail: async (digest, sees) => {
      flush()
      const image = store.inventory.image(digest)
      const uses = image === undefined ? [] : usesOf(digest, sees)
      if (image === undefined || uses.length === 0) {
        throw new DayflyError('not_found', `no record speaks of an image ${digest}`, {
          field: 'digest',
          remedy: 'Look at one that never ran with `dayfly image inspect`.',
        })
      }
      const flaws = Map.groupBy(known.vulnerabilities(image), one => one.package.purl)
      const contents = store.inventory
        .packages(digest)
        .map(one => ({ one, wrong: flaws.get(one.purl) ?? [] }))
        .sort((left, right) => byWorst(left.wrong, right.wrong))
      return {
        ...view(image, uses, await presentNow()),
        contents: contents.map(({ one: { type, name, version, purl }, wrong }) => ({
          ...{ type, name, version, purl },
          vulnerabilities: wrong.map(({ id, severity, fixed, exploited, settled }) => ({ id, severity, fixed: fixed ?? null, exploited, settled })),
        })),
        ran: uses.map(({ environment, workload, instances, running, from, until }) => ({
          ...{ environment, workload, instances, running, from, until: until ?? null },
        })),
      }
    },
  }
}
