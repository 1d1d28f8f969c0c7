/**
 * Keeps the inventory true: what starts found out about images is written into it, other vulnerability data is held against every image that a record speaks
 * of, and what is news to an environment that runs goes into its record. What policy wants done about that is done by `responding.ts`.
 *
 * It follows from the store and the data alone: what a daemon did not come to, the next one does. An image's news and what is remembered of it are written in
 * one transaction, so that each is told once.
 */
import type { Clock } from '../../base/clock.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Found } from '../../engine/findings.ts'
import type { Store } from '../../engine/store.ts'
import type { ImageKnowledge, RememberedVulnerability } from '../../model/inventory.ts'
import { becomesNewsTo } from '../../model/inventory.ts'
import type { Distribution, Package } from '../../model/package.ts'
import { scannerVersion } from '../../scan/facts.ts'
import type { Examined, Matched } from './evidence.ts'
import type { DatedFacts } from './scanning.ts'

/** Between two looks at whether there is other data, ms. */
const interval = 2_000
/** Between two looks at everything, ms: what was missed, and what time alone changes. */
const thorough = 60_000
/** After which an image that could not be understood whole is looked at again, ms. */
const again = 10 * 60_000
/** How long an image is remembered that no record speaks of (yet), ms. */
const unspoken = 10 * 60_000
/** Findings of one image that an environment's record gets at once; the rest is a number. */
const mostRaised = 500
const mostPending = 64
const batch = 16
const scanner = String(scannerVersion)

/** What vulnerability data can be held against. */
export interface Matchable {
  readonly digest: string
  readonly packages: readonly Package[]
  readonly distribution?: Distribution | undefined
}

export interface KeepingParts {
  readonly store: Store
  readonly engine: Pick<Engine, 'noteFindings'>
  facts(digest: string, signal: AbortSignal): Promise<DatedFacts>
  /** `names`: by which users called it, for what OpenVEX documents say of it. */
  match(image: Matchable, names: readonly string[], signal: AbortSignal): Promise<Matched>
  /** Of the vulnerability data. */
  version(): string | undefined
  /** In force; another object when they have changed. */
  policies(): unknown
  /** Does what policy wants done about what is known. Called when either has changed, and every minute. */
  respond(signal: AbortSignal): Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export interface Keeping extends AsyncDisposable {
  /** From now on it looks by itself. The engine has adopted what lives. */
  begin(): void
  /** Something was found out about an image; it is written down soon. */
  note(found: Examined): void
  /** Writes down at once what was found out. */
  flush(): void
  /** Looks soon, without being waited for. Nothing before `begin`. */
  hurry(): void
  /** One pass over all that is out of date. */
  look(): Promise<void>
}

const eventOf = (environment: string, workload: string, image: string, one: RememberedVulnerability): Found => {
  const { id, severity, package: of, fixed, exploited, fingerprint } = one
  const mended = fixed === undefined ? 'no fix is known' : `fixed in ${fixed}`
  return {
    ...{ environment, type: 'finding.raised' as const },
    reason: `${id} (${severity}${exploited ? ', exploited' : ''}) in ${of.name} ${of.version} of ${workload}: ${mended}`,
    data: {
      workload,
      image,
      id,
      severity,
      package: of.purl,
      fingerprint,
      ...(fixed === undefined ? {} : { fixed }),
      ...(exploited ? { exploited } : {}),
    },
  }
}

const rest = (environment: string, workload: string, image: string, left: number): Found => ({
  ...{ environment, type: 'finding.raised', reason: `${left} more have become known of ${workload}` },
  data: { workload, image, left },
})

export const createKeeping = (parts: KeepingParts): Keeping => {
  const { store, engine, clock, log } = parts
  const { inventory } = store
  const pending = new Map<string, { readonly knowledge: ImageKnowledge; readonly at: number }>()
  const closer = new AbortController()
  let data: string | undefined
  let lookedAt = Number.NEGATIVE_INFINITY

  /** Returns whether there was any news. `at`: wall ms when the data was held against it. */
  const remember = (knowledge: ImageKnowledge, at: number): boolean => {
    let news = 0
    engine.noteFindings(() => {
      const fresh = inventory.remember(knowledge, at, knowledge.problems.length > 0 ? at + again : undefined)
      news = fresh.length
      if (news === 0) return []
      return inventory.uses(knowledge.digest).flatMap(({ environment, workload, from }) => {
        const raised = fresh.filter(one => !one.settled && becomesNewsTo(one, from, at))
        const left = raised.length - mostRaised
        return [
          ...raised.slice(0, mostRaised).map(one => eventOf(environment, workload, knowledge.digest, one)),
          ...(left > 0 ? [rest(environment, workload, knowledge.digest, left)] : []),
        ]
      })
    })
    return news > 0
  }

  const flush = (): boolean => {
    let news = false
    for (const [digest, { knowledge, at }] of pending) {
      news = remember(knowledge, at) || news
      pending.delete(digest)
    }
    return news
  }

  /** An image that is there is looked at; of one that is gone, what is remembered has to do. */
  const examine = async (digest: string): Promise<Pick<ImageKnowledge, 'distribution' | 'packages' | 'problems' | 'scannedAt'>> => {
    try {
      const { distribution, packages, problems, scannedAt } = await parts.facts(digest, closer.signal)
      return { distribution, packages, problems, scannedAt }
    } catch (error) {
      if (!(error instanceof DayflyError) || error.code !== 'not_found') throw error
      const before = inventory.image(digest)
      if (before !== undefined) return { ...before, packages: inventory.packages(digest), problems: [] }
      return { distribution: undefined, packages: [], problems: ['the image was removed before anybody had looked at it'], scannedAt: clock.wall() }
    }
  }

  const renew = async (digest: string, version: string | undefined): Promise<boolean> => {
    const examined = await examine(digest)
    const at = clock.wall()
    const { findings, dataFrom } = await parts.match({ ...examined, digest }, inventory.image(digest)?.names ?? [], closer.signal)
    return remember({ ...examined, digest, names: [], findings, dataFrom, scanner, data: version }, at)
  }

  const renewStale = async (): Promise<void> => {
    const failed = new Set<string>()
    for (;;) {
      const version = parts.version()
      // Others in front of it must not be hidden by those that fail.
      const stale = inventory.stale(scanner, version, clock.wall(), batch + failed.size).filter(digest => !failed.has(digest))
      if (stale.length === 0) return
      for (const digest of stale) {
        if (closer.signal.aborted) return
        try {
          await renew(digest, version)
        } catch (error) {
          if (closer.signal.aborted) return
          failed.add(digest)
          log.warn('what is known of an image could not be brought up to date; it is tried again', { image: digest, error: messageOf(error) })
        }
        await new Promise(resume => setImmediate(resume))
      }
    }
  }

  let answered: unknown
  const look = async (): Promise<void> => {
    const due = clock.boot() - lookedAt >= thorough
    const version = parts.version()
    const policies = parts.policies()
    if (flush()) answered = undefined
    if (!due && version === data && policies === answered) return
    if (version !== data) log.info('there is other vulnerability data: what runs and what is recorded is held against it', { version })
    if (due || version !== data) {
      await renewStale()
      // Also without news: what was known may be exploited, mended or settled now.
      answered = undefined
    }
    data = version
    if (due) {
      lookedAt = clock.boot()
      inventory.prune(clock.wall() - unspoken)
    }
    if (!due && policies === answered) return
    answered = undefined
    await parts.respond(closer.signal)
    answered = policies
  }

  let looking = Promise.resolve()
  const inTurn = (): Promise<void> => {
    const work = looking.then(() => (closer.signal.aborted ? undefined : look()))
    looking = work.catch((error: unknown) => {
      if (!closer.signal.aborted) log.warn('the inventory could not be brought up to date; it is tried again', { error })
    })
    return work
  }
  // A look that takes longer than the interval is not followed by all that it has missed.
  let queued = false
  let timer: NodeJS.Timeout | undefined
  const tick = (): void => {
    if (queued) return
    queued = true
    inTurn()
      .catch(() => undefined) // Told above.
      .finally(() => {
        queued = false
      })
  }

  return {
    begin: () => {
      timer ??= setInterval(tick, interval).unref()
      tick()
    },
    note: ({ name, facts, matched, data: by }) => {
      const { digest, distribution, packages, problems, scannedAt } = facts
      const names = [...new Set([...(pending.get(digest)?.knowledge.names ?? []), name])]
      const [oldest] = pending.keys()
      if (pending.size >= mostPending && oldest !== undefined) pending.delete(oldest)
      pending.set(digest, {
        knowledge: {
          digest,
          names,
          distribution,
          packages,
          problems,
          scannedAt,
          findings: matched.findings,
          dataFrom: matched.dataFrom,
          scanner,
          data: by,
        },
        at: clock.wall(),
      })
    },
    flush: () => {
      if (flush()) answered = undefined
    },
    hurry: () => {
      if (timer !== undefined) tick()
    },
    look: inTurn,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      closer.abort(new DayflyError('unreachable', 'the daemon is ending'))
      await looking
      try {
        flush()
      } catch (error) {
        log.warn('what was found out about images is not written down; it will be found out again', { error })
      }
    },
  }
}
