/** How this daemon looks at images: each layer by a process of its own, in the pass that unpacks it; what is known of an image by merging its layers'. */
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { remember } from '../../base/remember.ts'
import type { ImageStore } from '../../host/image/store.ts'
import type { LayerWatcher } from '../../host/image/watch.ts'
import { layerView } from '../../scan/covering.ts'
import type { ImageFacts } from '../../scan/facts.ts'
import { LayerFacts, scannerVersion } from '../../scan/facts.ts'
import { imageFacts } from '../../scan/merge.ts'
import { isFailed, startScan } from '../../scan/process/start.ts'
import type { SecretSearch, SecretSettings } from '../../scan/secret-search.ts'
import { keywordList, openSecretSearch, writeSettings } from '../../scan/secret-search.ts'

/** From when all of a layer is there, ms. */
const deadline = 120_000
/** After which a layer whose scan failed is looked at again, ms: what failed for want of memory or time may work now. */
const tryAgainAfter = 10 * 60_000
/** Layers that are to be tried at once. */
const mostRetried = 10_000
/** Facts of images in memory. */
const mostKnown = 64

/** Kept beside the layer. `at`: wall ms. */
const Note = z.object({ at: z.number(), facts: LayerFacts })

export interface ScanningOptions {
  /** The run folder: the file of keywords is there. */
  readonly runDir: string
  readonly secrets: SecretSettings
  readonly clock: Clock
  readonly log: Log
}

export interface DatedFacts extends ImageFacts {
  /** Wall ms when the first of its layers was looked at. */
  readonly scannedAt: number
  /** Nothing is known of a layer at all, and `problems` says why: what is known of the others is not what is known of the image. */
  readonly failed: boolean
}

export interface Scanning {
  /** For the image store. */
  readonly watcher: LayerWatcher
  /** Looks for secrets in what is no file, by the path of its field. */
  readonly inFields: SecretSearch['inFields']
  /** Layers whose scan has failed are looked at again when somebody asks, without waiting. */
  again(diffIds: readonly string[]): void
  /** What is known of an image, by name or digest. Layers that were there before, or were looked at by other rules, are looked at now. */
  facts(store: ImageStore, reference: string, signal?: AbortSignal): Promise<DatedFacts>
}

/** The file that the unpacker reads; its name is its content's. */
const writeKeywords = (runDir: string, keywords: readonly string[]): string => {
  const text = keywordList(keywords)
  const folder = join(runDir, 'scan')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `keywords-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`)
  writeFileSync(`${path}.${process.pid}`, text, { mode: 0o600 })
  renameSync(`${path}.${process.pid}`, path)
  return path
}

export const createScanning = ({ runDir, secrets, clock, log }: ScanningOptions): Scanning => {
  const search = openSecretSearch(secrets)
  const secretRules = search.version
  const options = writeSettings(secrets)
  const start = (folder: string, mode: 'records' | 'walk') => startScan({ folder, mode, options, secretRules, deadline })
  const noteOf = (facts: LayerFacts): z.infer<typeof Note> => {
    if (isFailed(facts)) log.warn('a layer could not be scanned', { layer: facts.diffId, problem: facts.problems[0] ?? '' })
    return { at: clock.wall(), facts }
  }

  /** By diff id: failures from before this are tried again, wall ms. */
  const retried = new Map<string, number>()

  const watcher: LayerWatcher = {
    keywords: writeKeywords(runDir, search.keywords),
    watch: folder => {
      const scan = start(folder, 'records')
      return {
        records: scan.records,
        finish: async (diffId, signal) => noteOf(await scan.finish(diffId, signal)),
        [Symbol.asyncDispose]: () => scan[Symbol.asyncDispose](),
      }
    },
    look: async (folder, diffId, signal) => {
      await using scan = start(folder, 'walk')
      return noteOf(await scan.finish(diffId, signal))
    },
    isCurrent: value => {
      const note = Note.safeParse(value)
      if (!note.success) return false
      const { at, facts } = note.data
      if (facts.scannerVersion !== scannerVersion || facts.secretRules !== secretRules) return false
      if (!isFailed(facts)) return true
      const age = clock.wall() - at
      return age >= 0 && age < tryAgainAfter && at >= (retried.get(facts.diffId) ?? 0)
    },
  }

  /** By digest, the one used last at the end. Incomplete ones are looked up each time: another try may know more. */
  const known = new Map<string, DatedFacts>()
  return {
    watcher,
    inFields: search.inFields,
    again: diffIds => {
      for (const diffId of diffIds) remember(retried, diffId, clock.wall(), mostRetried)
    },
    facts: async (store, reference, signal) => {
      const { image, history } = await store.inspect(reference)
      const before = known.get(image.digest)
      if (before !== undefined) {
        remember(known, image.digest, before, mostKnown)
        return before
      }
      const layers = (await store.noted(image.digest, signal)).map(layer => ({
        ...Note.parse(layer.note),
        view: layerView(layer.diffId, layer.path, layer.opaque),
      }))
      const scannedAt = layers.reduce((first, { at }) => Math.min(first, at), clock.wall())
      const facts = {
        ...(await imageFacts({ digest: image.digest, config: image.config, history }, layers, secretRules, search.inFields)),
        ...{ scannedAt, failed: layers.some(layer => isFailed(layer.facts)) },
      }
      if (facts.failed) return facts
      remember(known, image.digest, facts, mostKnown)
      return facts
    },
  }
}
