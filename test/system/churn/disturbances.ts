/** A disk that fills up and a wall clock that jumps. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, globSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf } from '../../../src/base/errors.ts'
import type { Random } from './random.ts'

const must = (program: string, ...args: string[]): void => {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

export interface SmallDisk extends AsyncDisposable {
  /** Enters the mount namespace that has the disk, and execs. */
  readonly wrapper: readonly string[]
  /** Fills it to the last byte and frees it again, over and over, until the signal. */
  readonly disturb: (random: Random, signal: AbortSignal) => Promise<void>
}

/** An ext4 of `megabytes` on `folder`/state, in a mount namespace of its own. Throws where loop devices cannot be had. */
export const makeSmallDisk = async (folder: string, megabytes: number): Promise<SmallDisk> => {
  const state = join(folder, 'state')
  const disk = join(folder, 'disk')
  mkdirSync(state, { recursive: true })
  must('truncate', '--size', `${megabytes}M`, disk)
  must('mkfs.ext4', '-q', '-m', '0', '-F', disk)
  const holder = spawn('unshare', ['--mount', 'sh', '-c', `mount -o loop ${disk} ${state} && echo mounted && exec sleep infinity`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(holder, 'exit')
  const told = await Promise.race([once(holder.stdout, 'data'), ended.then(() => undefined)])
  if (told === undefined) throw new Error('the small disk could not be mounted')
  const filler = `/proc/${holder.pid}/root${state}/filler`
  return {
    wrapper: ['nsenter', `--mount=/proc/${holder.pid}/ns/mnt`, '--'],
    disturb: async (random, signal) => {
      while (!signal.aborted) {
        await sleep(random.between(200, 1200))
        fill(filler)
        await sleep(random.between(50, 800))
        rmSync(filler, { force: true })
      }
    },
    [Symbol.asyncDispose]: async () => {
      holder.kill('SIGKILL')
      await ended
      rmSync(disk, { force: true })
    },
  }
}

const fill = (path: string): void => {
  const file = openSync(path, 'w')
  try {
    for (let size = 1024 * 1024; size >= 512; ) {
      try {
        writeSync(file, Buffer.alloc(size))
      } catch (error) {
        if (errnoOf(error) !== 'ENOSPC') throw error
        size /= 2
      }
    }
  } finally {
    closeSync(file)
  }
}

export interface JumpingClock extends Disposable {
  readonly env: NodeJS.ProcessEnv
  readonly disturb: (random: Random, signal: AbortSignal) => Promise<void>
}

/** A wall clock for the daemon that jumps by up to a day, forward and back. undefined where libfaketime is not installed. */
export const makeJumpingClock = (folder: string): JumpingClock | undefined => {
  const library = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0]
  if (library === undefined || !existsSync(library)) return undefined
  // Its library shares memory between processes, and what a killed one leaves of that nobody takes away.
  const shared = (): string[] => globSync('/dev/shm/{,sem.}faketime_*')
  const before = new Set(shared())
  const offset = join(folder, 'clock-offset')
  writeFileSync(offset, '+0')
  return {
    env: {
      ...process.env,
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    disturb: async (random, signal) => {
      while (!signal.aborted) {
        await sleep(random.between(50, 500))
        const seconds = random.between(-86_400, 86_400)
        writeFileSync(offset, `${seconds < 0 ? '' : '+'}${seconds}`)
      }
      writeFileSync(offset, '+0')
    },
    [Symbol.dispose]: () => {
      for (const left of shared()) if (!before.has(left)) rmSync(left, { force: true })
    },
  }
}
