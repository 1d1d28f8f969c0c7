/**
 * Whether the content of a secret has changed, without keeping it: a spec holds a keyed digest of each. The key is no part of the store, so whoever has the
 * store cannot try contents; environment, workload and name are digested too, so that equal contents do not look equal.
 */
import { createHmac } from 'node:crypto'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Secrets } from './engine.ts'

/** Of one content, in the place that the words name. */
export type SecretDigest = (words: readonly string[], content: Uint8Array) => string

/** `key`: 32 random bytes that outlive the engine, or else every secret looks changed to the next one. */
export const secretDigestBy =
  (key: Uint8Array): SecretDigest =>
  (words, content) =>
    createHmac('sha256', key)
      .update(`${JSON.stringify(words)}\n`)
      .update(content)
      .digest('hex')
      .slice(0, 32)

/**
 * The spec with the digests of what is given. Of workloads that are not `named`, and of all where nothing is given, they are those of the living one: nothing
 * is known to have changed.
 */
export const withDigests = (
  digest: SecretDigest,
  spec: EnvironmentSpec,
  living: EnvironmentSpec | undefined,
  named: ReadonlySet<string>,
  given: Secrets | undefined,
): EnvironmentSpec => {
  const { secretDigests: _, ...rest } = spec
  const digests = Object.keys(spec.workloads).flatMap((workload): [string, Record<string, string>][] => {
    const known = living?.secretDigests?.[workload]
    if (!given || !named.has(workload)) return known ? [[workload, known]] : []
    const own = [...(given.get(workload) ?? [])].map(([name, content]) => [name, digest([spec.name, workload, name], content)])
    return own.length === 0 ? [] : [[workload, Object.fromEntries(own)]]
  })
  return digests.length === 0 ? rest : { ...rest, secretDigests: Object.fromEntries(digests) }
}
