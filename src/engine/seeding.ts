/**
 * Filling volumes from outside. A volume that a change brings is filled before the change is written; a daemon that is killed in between leaves one that
 * belongs to nobody and is not clean. So what is to be filled is written down before, and what was never claimed by a change is emptied, or filled anew,
 * by the next one.
 */
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import type { Backend } from './backend.ts'
import type { Seeds } from './engine.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Store } from './store.ts'

const seedingType = 'environment.seeding'
const updatedType = 'environment.updated'

/** Each replaces all that was in its volume before. */
export const seedVolumes = async (backend: Backend, environment: Environment, seeds: Seeds, signal: AbortSignal): Promise<void> => {
  for (const [volume, tar] of seeds) await backend.seedVolume(environment.id, volume, tar, signal)
}

/** The event that the next change of its specification makes void. */
export const noteSeeding = (lifecycle: Lifecycle, { id }: Environment, volumes: readonly string[], actor: Actor): void => {
  const data = { volumes: [...new Set(volumes)] }
  lifecycle.note({ environment: id, instance: undefined, type: seedingType, actor, reason: 'asked for', data })
}

/** Volumes that were to be filled by a change that never came about. */
export const unclaimedVolumes = (store: Store, { id, spec }: Environment): string[] => {
  const last = store.events({ environment: id, types: [seedingType, updatedType] }).at(-1)
  const volumes = last?.type === seedingType ? last.data['volumes'] : undefined
  if (!Array.isArray(volumes)) return []
  return volumes.filter(volume => typeof volume === 'string').filter(volume => spec.volumes?.includes(volume) !== true)
}

/** An archive without entries. */
async function* nothing(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1024)
}

/** Those of them that are there. */
export const emptyVolumes = async (backend: Backend, { id }: Environment, volumes: readonly string[], signal: AbortSignal): Promise<void> => {
  for (const volume of volumes) {
    await backend.seedVolume(id, volume, nothing(), signal).catch((error: unknown) => {
      if (!(error instanceof DayflyError && error.code === 'not_found')) throw error
    })
  }
}
