/** An image store whose layers are scanned, in a temporary folder. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scanning } from '../../../src/apps/daemon/scanning.ts'
import { createScanning } from '../../../src/apps/daemon/scanning.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { openImageStore } from '../../../src/host/image/open.ts'
import type { ImageStore } from '../../../src/host/image/store.ts'
import type { ImageFacts } from '../../../src/scan/facts.ts'
import type { ImageSpec } from './maker.ts'
import { makeImage, writeLayout } from './maker.ts'
import type { TarEntry } from './tar.ts'
import { makeTar } from './tar.ts'
import { unpackBinary } from './unpacker.ts'

export interface ScannedPlace extends Disposable {
  readonly folder: string
  /** A store of it: several may be open at once, as of several daemons. `scanned: false`: one that does not look. */
  open(options?: {
    readonly scanned?: boolean
  }): Promise<ImageStore & { readonly scanning: Scanning /** Without the time. */; facts(reference: string): Promise<ImageFacts> }>
  /** Puts an image into a layout; its reference. */
  image(name: string, spec: ImageSpec): string
  /** A root file system as a tar. */
  tar(name: string, entries: readonly TarEntry[]): string
}

export const createScannedPlace = (): ScannedPlace => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-scanned-'))
  let stores = 0
  return {
    folder,
    open: async ({ scanned = true } = {}) => {
      const runDir = join(folder, `run-${stores++}`)
      const scanning = createScanning({ runDir, secrets: { salt: Buffer.alloc(16, 1) }, clock: systemClock(), log: silentLog() })
      const store = await openImageStore({ folder: join(folder, 'images'), unpackBinary, ...(scanned ? { watcher: scanning.watcher } : {}) })
      return { ...store, scanning, facts: async reference => ({ ...(await scanning.facts(store, reference)), scannedAt: 0 }) }
    },
    image: (name, spec) => {
      writeLayout(join(folder, name), 'latest', makeImage(spec))
      return `oci:${join(folder, name)}:latest`
    },
    tar: (name, entries) => {
      writeFileSync(join(folder, name), makeTar(entries))
      return join(folder, name)
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** What `/proc` says of the process, or undefined when it is gone. */
export const statusOf = (pid: number): string | undefined => {
  const path = `/proc/${pid}/status`
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
