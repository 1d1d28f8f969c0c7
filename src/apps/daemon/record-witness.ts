/** What is said at the end of an environment, completed: what its lease had to do with it, and that its record is sealed now. */
import type { Store } from '../../engine/store.ts'
import type { Testimony, Witness } from '../../engine/witness.ts'
import { InstanceUsage, instanceUsedType } from '../../model/usage.ts'

const GiB = 1024 ** 3

interface RecordWitnessParts {
  readonly store: Pick<Store, 'environment' | 'instance' | 'events'>
  /** A record has been sealed. */
  readonly onSealed: () => void
}

/** Of instances that ran until the lease of their environment ended them: what they held on average, and since when nobody used them. */
const withLease = (store: RecordWitnessParts['store'], id: string, testimony: Testimony): Testimony => {
  const environment = store.environment(id)
  const { instance } = testimony
  if (testimony.type !== instanceUsedType || instance === undefined || environment === undefined) return testimony
  if (environment.cause !== 'ttl' && environment.cause !== 'idle') return testimony
  const [ending] = store.events({ environment: id, types: ['environment.ending'], limit: 1 })
  const endedAt = store.instance(instance)?.exit?.endedAt
  const used = InstanceUsage.safeParse(testimony.data)
  if (ending === undefined || endedAt === undefined || endedAt < ending.time || !used.success || used.data.lifetime === 0) return testimony
  const held = Math.round((used.data.memoryGiBSeconds * GiB) / (used.data.lifetime / 1000))
  const lastActivity = environment.createdAt + environment.lastActivity - environment.createdBoot
  return { ...testimony, data: { ...testimony.data, held, lastActivity } }
}

export const recordWitness = (inner: Witness, { store, onSealed }: RecordWitnessParts): Witness => ({
  ...inner,
  settle: async environment => (await inner.settle(environment)).map(testimony => withLease(store, environment, testimony)),
  sealed: environment => {
    inner.sealed(environment)
    onSealed()
  },
})
