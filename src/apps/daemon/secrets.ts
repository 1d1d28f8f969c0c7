/** The contents of secrets for instances that come later: files in memory (a tmpfs), which outlive the daemon and not the host. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { errnoOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Secrets } from '../../engine/engine.ts'
import type { SecretKeeper } from '../../engine/secrets.ts'
import { forgetfulKeeper } from '../../engine/secrets.ts'

/** Magic numbers of tmpfs and ramfs, linux/magic.h. */
const inMemory = new Set([0x01021994, 0x858458f6])

const Kept = z.record(z.string(), z.record(z.string(), z.base64()))

/**
 * In `<run-dir>/secrets`, mode 0700, a file for each environment. Where the run folder is on a disk nothing is written: there, secrets are
 * forgotten with the daemon, and an instance that needs one cannot be started again until the environment is brought up again.
 */
export const createSecretKeeper = (runDir: string, log: Log): SecretKeeper => {
  const folder = join(runDir, 'secrets')
  if (!inMemory.has(statfsSync(runDir).type)) {
    log.debug('the run folder is not in memory: secrets do not outlive this daemon', { runDir })
    return forgetfulKeeper()
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  for (const half of readdirSync(folder)) if (half.endsWith('.new')) rmSync(join(folder, half), { force: true })
  const fileOf = (environment: string): string => join(folder, environment)

  return {
    keep: (environment, secrets) => {
      if (secrets.size === 0) {
        rmSync(fileOf(environment), { force: true })
        return
      }
      const content = Object.fromEntries(
        [...secrets].map(([workload, given]) => [
          workload,
          Object.fromEntries([...given].map(([name, value]) => [name, Buffer.from(value).toString('base64')])),
        ]),
      )
      const written = `${fileOf(environment)}.new`
      writeFileSync(written, JSON.stringify(content), { mode: 0o600 })
      renameSync(written, fileOf(environment))
    },
    find: (environment): Secrets => {
      try {
        const kept = Kept.parse(JSON.parse(readFileSync(fileOf(environment), 'utf8')))
        return new Map(
          Object.entries(kept).map(([workload, given]) => [
            workload,
            new Map(Object.entries(given).map(([name, value]) => [name, new Uint8Array(Buffer.from(value, 'base64'))])),
          ]),
        )
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return new Map()
        throw error
      }
    },
    forget: environment => rmSync(fileOf(environment), { force: true }),
  }
}
