/** The daemon's life: opens its parts, adopts what lives, listens, and at its end leaves what runs alone. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createApi } from '../../api/server.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { finishRestore } from './backup/restore.ts'
import { serveConsole } from './console/pages.ts'
import { makeFolders } from './folders.ts'
import { listen } from './listen.ts'
import { lockFolder } from './lock.ts'
import type { DaemonOptions } from './options.ts'
import { openParts } from './parts.ts'
import { createPeers } from './peers.ts'
import { createServices } from './services.ts'
import { createSupervision } from './supervision.ts'
import { observe } from './telemetry/observe.ts'

/** Resolves when the daemon has stopped, because `stopping` was aborted. Throws what keeps it from coming up. */
export const serve = async (options: DaemonOptions, clock: Clock, log: Log, stopping: AbortSignal): Promise<void> => {
  const { stateDir, runDir } = options
  if (options.backend === 'linux' && process.getuid?.() !== 0) {
    throw new DayflyError('host', 'the daemon needs root: it makes namespaces, mounts and cgroups', {
      remedy: 'Run it with sudo, or use a daemon that runs already: --run-dir names its folder.',
    })
  }
  makeFolders(stateDir, runDir)
  using _state = lockFolder(stateDir, '--state-dir')
  using _run = lockFolder(runDir, '--run-dir')
  finishRestore(stateDir)
  await using parts = await openParts(options, clock, log)
  using supervision = createSupervision({ variables: process.env, send: parts.sendDatagram, log })

  parts.doors.recall()
  const adoption = await parts.engine.adopt(stopping)
  const { adopted, finished, undone, lost } = adoption
  log.info('took stock of what a daemon before has left', {
    adopted: adopted.length,
    finished: finished.length,
    undone: undone.length,
    lost: lost.length,
  })

  parts.keeping.begin()
  parts.sealing.begin()
  parts.sensing?.begin()

  const socket = join(runDir, 'dayfly.sock')
  const services = createServices(options, parts, clock)
  const peer = createPeers({ uidOf: parts.peerUid, owner: services.owner, log })
  const api = { services, replies: parts.store.replies, log, stopping }
  const app = createApi({ ...api, peer, onCall: parts.access.onCall })
  observe(app, parts.telemetry)
  try {
    await listen(app, socket, options.group)
    await parts.access.begin(api, app => {
      observe(app, parts.telemetry)
      serveConsole(app)
    })
    supervision.ready()
    parts.telemetry.log.info('listening', { socket, backend: parts.backend.name, stateDir, process: process.pid })
    await new Promise<void>(resolve => {
      if (stopping.aborted) resolve()
      else stopping.addEventListener('abort', () => resolve(), { once: true })
    })
  } finally {
    supervision.stopping()
    await app.close()
    rmSync(socket, { force: true })
  }
  const living = parts.store.environments({ ended: false })
  log.info(living.length === 0 ? 'stopped; nothing lives' : 'stopped; what lives goes on, and the next daemon adopts it', { living: living.length })
}
