/** Opens what the daemon is made of, in order, and closes it in reverse. */
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Backend } from '../../engine/backend.ts'
import { createEngine } from '../../engine/create.ts'
import type { DiskMeter } from '../../engine/disk.ts'
import { createDiskMeter } from '../../engine/disk.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Quotas } from '../../engine/quotas.ts'
import { createQuotas, noQuotas } from '../../engine/quotas.ts'
import { secretDigestBy } from '../../engine/secret-digests.ts'
import type { Store } from '../../engine/store.ts'
import { noWitness } from '../../engine/witness.ts'
import type { EnvironmentSpec } from '../../model/environment.ts'
import type { OnStep } from '../../model/start.ts'
import type { SendContext } from '../../notify/send.ts'
import { openStore } from '../../store/sqlite.ts'
import type { Access } from './access/open.ts'
import { openAccess } from './access/open.ts'
import { createActivityArchive } from './activity-archive.ts'
import type { ActivitySearch } from './activity-search.ts'
import { createActivitySearch } from './activity-search.ts'
import type { OpenDoors } from './doors.ts'
import { createDoors } from './doors.ts'
import type { FieldSearch } from './given.ts'
import { openHeadKey } from './head-key.ts'
import type { DaemonImages } from './images.ts'
import { createImages } from './images.ts'
import type { Judging } from './judging.ts'
import { openJudging } from './judging.ts'
import type { Keeping } from './keeping.ts'
import { createKeeping } from './keeping.ts'
import { nativeDir } from './native.ts'
import type { Notifying } from './notifying.ts'
import { openNotifying } from './notifying.ts'
import type { DaemonOptions } from './options.ts'
import type { PeerUid } from './peers.ts'
import type { Playground } from './playground/playground.ts'
import { createPlayground } from './playground/playground.ts'
import { hasDiskQuota, hostRoom } from './quotas.ts'
import { openRecordKey } from './record-key.ts'
import type { RecordSources } from './record-members.ts'
import { recordWitness } from './record-witness.ts'
import { createResponding } from './responding.ts'
import type { Sealing } from './sealing.ts'
import { createSealing } from './sealing.ts'
import { secretKey } from './secret-key.ts'
import { readSecretRules } from './secret-rules.ts'
import { createSecretKeeper } from './secrets.ts'
import type { Sensing } from './sensing/create.ts'
import type { AttachedSensing } from './sensing/open.ts'
import { attachSensing, openSensing } from './sensing/open.ts'
import type { Sources } from './telemetry/gauges.ts'
import type { Telemetry } from './telemetry/open.ts'
import { nextExpiry, openTelemetry } from './telemetry/open.ts'

export interface Parts extends AsyncDisposable {
  /** Who comes in over the network. */
  readonly access: Access
  readonly store: Store
  readonly backend: Backend
  readonly images: DaemonImages
  /** Undefined where nobody can tell who has connected. */
  readonly peerUid: PeerUid | undefined
  readonly engine: Engine
  readonly judging: Judging
  /** Undefined where instances are not real. */
  readonly sensing: AttachedSensing | undefined
  /** Tells others of detections. */
  readonly notifying: Notifying
  /** Keeps true what is remembered of images. */
  readonly keeping: Keeping
  /** Where environments are reached from outside. */
  readonly doors: OpenDoors
  readonly activitySearch: ActivitySearch
  /** Where policies and rules are tried out. */
  readonly playground: Playground
  /** Where what is kept of environments lies. */
  readonly sources: RecordSources
  /** Signs their records. */
  readonly sealing: Sealing
  /** Counts and traces what all of them do. */
  readonly telemetry: Telemetry
  readonly copyStore: (path: string) => Promise<void>
  /** To a unix socket of datagrams; undefined where nobody can. */
  readonly sendDatagram: SendDatagram
}

interface OpenBackend {
  readonly backend: Backend
  readonly images: DaemonImages
  readonly peerUid: PeerUid | undefined
  readonly sendDatagram: SendDatagram
  readonly search: FieldSearch
  readonly pool: Sources['pool']
}

/** The first user id of the host that no slot has (host/network/slots.ts): what a build runs as. */
const idsBeyondSlices = 0x60000000

/** Undefined where nobody can send one to a unix socket. */
type SendDatagram = SendContext['sendDatagram']

const imagesOf = ({ workloads }: EnvironmentSpec): string[] => Object.values(workloads).map(({ image }) => image)

/**
 * Digests of the images that environments need which have not ended, those of instances that an update has not replaced yet among them, and those that are asked
 * for, and wait in line.
 */
export const imagesInUse = (store: Store, asked: readonly EnvironmentSpec[]): ReadonlySet<string> =>
  new Set([
    ...asked.flatMap(imagesOf),
    ...store
      .environments({ ended: false })
      .flatMap(({ id, spec }) => [
        ...imagesOf(spec),
        ...store.presentInstances(id).flatMap(({ state, origin }) => (state === 'removed' || !origin ? [] : [origin.image])),
      ]),
  ])

const openBackend = async (
  options: DaemonOptions,
  store: Store,
  clock: Clock,
  log: Log,
  asked: () => readonly EnvironmentSpec[],
  sensing: Sensing | undefined,
  onStep: OnStep,
  stack: AsyncDisposableStack,
): Promise<OpenBackend> => {
  const salt = createHmac('sha256', secretKey(options.stateDir)).update('hashes of secrets found in images').digest()
  const secrets = { salt, gitleaks: readSecretRules(join(options.stateDir, 'secret-rules')) }
  if (options.backend === 'fake') {
    const [{ openFakeBackend, openFakeImages }, { openSecretSearch }] = await Promise.all([
      import('./fake.ts'),
      import('../../scan/secret-search.ts'),
    ])
    const { inFields: search } = openSecretSearch(secrets)
    const nobody = { peerUid: undefined, sendDatagram: undefined, pool: () => undefined }
    return { backend: stack.use(openFakeBackend(clock)), images: openFakeImages(clock), search, ...nobody }
  }
  const [{ openImageStore }, { openBuilder }, { openBuildLimits }, { openLinuxBackend }, { createScanning }] = await Promise.all([
    import('../../host/image/open.ts'),
    import('../../host/image/build.ts'),
    import('./builds.ts'),
    import('../../backends/linux/backend.ts'),
    import('./scanning.ts'),
  ])
  const scanning = createScanning({ runDir: options.runDir, secrets, clock, log })
  const storeOptions = { folder: join(options.stateDir, 'images'), unpackBinary: join(nativeDir, 'dayfly-unpack'), watcher: scanning.watcher }
  const imageStore = stack.use(await openImageStore(storeOptions))
  const limits = await openBuildLimits(options.builds, options.stateDir)
  const builder = await openBuilder({ folder: join(options.stateDir, 'images', 'builds'), firstId: idsBeyondSlices, store: imageStore, limits })
  const backend = stack.use(
    await openLinuxBackend({
      ...{ stateDir: options.stateDir, runDir: options.runDir, nativeDir, images: imageStore, clock, log, onStep },
      ...(sensing === undefined ? {} : { sensor: sensing.sensor }),
      onBroken: reason => {
        // Crash-only: what runs goes on without us, and the next daemon adopts it.
        log.error('dayfly-helper has died, so this daemon ends; start it again', { reason })
        process.exit(1)
      },
    }),
  )
  const facts = (reference: string, signal: AbortSignal) => scanning.facts(imageStore, reference, signal)
  const inUse = (): ReadonlySet<string> => imagesInUse(store, asked())
  const images = createImages({ store: imageStore, builder, facts, again: scanning.again, inUse, forget: backend.forgetImage })
  return { backend, images, peerUid: backend.peerUid, sendDatagram: backend.sendDatagram, search: scanning.inFields, pool: backend.pool }
}

const openQuotas = (
  { quotas: rules, stateDir, runDir }: DaemonOptions,
  backend: Backend,
  store: Store,
  clock: Clock,
  log: Log,
  stack: AsyncDisposableStack,
): { quotas: Quotas; disk: DiskMeter } => {
  const disk = stack.use(createDiskMeter({ backend, store, clock, log, counts: owner => rules !== undefined && hasDiskQuota(rules, owner) }))
  const quotas = rules ? createQuotas(rules, { store, clock, host: hostRoom([stateDir, runDir]), diskOf: disk.of }) : noQuotas
  return { quotas, disk }
}

/** The engine has adopted nothing yet. On failure everything is closed again. */
export const openParts = async (options: DaemonOptions, clock: Clock, given: Log): Promise<Parts> => {
  await using stack = new AsyncDisposableStack()
  const telemetry = stack.use(openTelemetry(process.env, given))
  const { log, starts } = telemetry
  /** As soon as there is somebody to tell. */
  let notices: Notifying | undefined
  const headKey = openHeadKey(options.stateDir)
  const books = stack.use(openStore({ path: join(options.stateDir, 'dayfly.sqlite'), clock, headKey }))
  const store = telemetry.store(books, event => notices?.onEvent(event, () => store.environment(event.environment)?.spec.name))
  headKey.keep()
  const sensing = options.backend === 'fake' ? undefined : stack.use(openSensing(options, store, log))
  const asked = (): readonly EnvironmentSpec[] => engine.asked()
  const opened = await openBackend(options, store, clock, log, asked, sensing, starts.onStep, stack)
  const { images, peerUid, sendDatagram, search, pool } = opened
  const backend = starts.backend(opened.backend)
  const recordsFolder = join(options.stateDir, 'records')
  const doors = stack.use(
    createDoors({ gateway: options.gateway, clock, log, store, engine: () => engine, usage: backend.usage, onReport: telemetry.traffic }),
  )
  const keeper = createSecretKeeper(options.runDir, log)
  const secretDigest = secretDigestBy(secretKey(options.stateDir))
  const judging = await openJudging(options, images, search, clock, log, found => keeping.note(found), stack)
  const { quotas, disk } = openQuotas(options, backend, store, clock, log, stack)
  const engine: Engine = stack.use(
    createEngine({
      backend,
      store,
      clock,
      admission: starts.admission(judging.admission),
      recordsFolder,
      headKey: headKey.key,
      log,
      keeper,
      secretDigest,
      quotas,
      disk,
      audience: doors.audience,
      search: (filter, signal) => activitySearch.search(filter, signal),
      witness: recordWitness(sensing?.witness ?? noWitness, { store, onSealed: () => sealing.hurry() }),
    }),
  )
  const { logPath, accessLogPath, evidencePath } = engine
  const sources: RecordSources = {
    store,
    logPath,
    accessLogPath,
    evidencePath,
    archive: stack.use(createActivityArchive({ stateDir: options.stateDir, log })),
    search: (filter, signal) => activitySearch.search(filter, signal),
    prunedEvidence: engine.prunedEvidence,
  }
  const activitySearch = stack.use(createActivitySearch({ stateDir: options.stateDir, log }))
  const key = openRecordKey(options.stateDir, store.signatures, clock.wall())
  const sealing: Sealing = stack.use(createSealing({ ...sources, key, clock, log, cut: sensing?.cut ?? (async () => undefined) }))
  const { policies, vulnerabilities, match } = judging
  const notifying = stack.use(openNotifying({ stateDir: options.stateDir, policies, clock, log, sendDatagram }))
  notices = notifying
  const attached = sensing && stack.use(await attachSensing(sensing, { options, engine, policies, clock, log, onRaised: notifying.onRaised }))
  const keeping: Keeping = stack.use(
    createKeeping({
      ...{ store, engine, match, clock, log, facts: images.facts, policies: policies.current },
      version: () => vulnerabilities.version,
      respond: createResponding({ store, engine, policies, clock, log }),
    }),
  )
  telemetry.begin(store, {
    ...{ backend: backend.name, pool, sensor: () => sensing?.health(), notify: notifying.state },
    nextExpiry: () => nextExpiry(engine, clock.boot()),
    leaks: async () => (await engine.leaks()).length,
  })
  const playground = stack.use(createPlayground({ activityPath: join(options.stateDir, 'activity.sqlite') }))
  const access = stack.use(openAccess({ stateDir: options.stateDir, books, clock, log, listen: options.listen, tls: options.tls }))
  const all = stack.move()
  return {
    access,
    store,
    backend,
    images,
    peerUid,
    engine,
    judging,
    sensing: attached,
    notifying,
    keeping,
    doors,
    activitySearch,
    playground,
    sources,
    sealing,
    telemetry,
    copyStore: books.copyTo,
    sendDatagram,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
