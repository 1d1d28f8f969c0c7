/**
 * The daemon dies by SIGKILL at random points while instances start, run, exec and end. Nothing may be lost, left over or late.
 * DAYFLY_CHURN_SEED repeats a run's choices, DAYFLY_CHURN_KILLS sets how often the daemon is killed in the first test.
 */

import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeFolder, root } from '../daemon.ts'
import { makeJumpingClock, makeSmallDisk } from './churn/disturbances.ts'
import { churn } from './churn/kills.ts'
import { seeded } from './churn/random.ts'

const seed = Number(process.env['DAYFLY_CHURN_SEED'] ?? randomInt(2 ** 31))
const kills = Number(process.env['DAYFLY_CHURN_KILLS'] ?? 200)
const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it makes real instances'

let folder = ''
let rootTar = ''
before(() => {
  folder = makeFolder('/tmp/dayfly-churn-')
  rootTar = spawnSync(join(root, 'scripts/make-image'), [folder], { encoding: 'utf8' }).stdout.trim()
})
after(() => rmSync(folder, { recursive: true, force: true }))

test(`${kills} kills under load`, { skip: needsRoot }, async t => {
  t.diagnostic(`seed ${seed}`)
  await churn(t, { daemon: { folder: join(folder, 'plain') }, rootTar, kills, workers: 4, random: seeded(seed) })
})

test('30 kills while the disk of the store fills up', { skip: needsRoot }, async t => {
  t.diagnostic(`seed ${seed}`)
  const own = join(folder, 'full')
  await using disk = await makeSmallDisk(own, 96)
  const { wrapper, disturb } = disk
  await churn(t, { daemon: { folder: own, wrapper }, rootTar, kills: 30, workers: 4, random: seeded(seed + 1), tolerated: ['host'], disturb })
})

test('30 kills while the wall clock jumps forward and back', { skip: needsRoot }, async t => {
  t.diagnostic(`seed ${seed}`)
  using clock = makeJumpingClock(folder)
  if (clock === undefined) return t.skip('libfaketime is not installed')
  const { env, disturb } = clock
  await churn(t, { daemon: { folder: join(folder, 'clock'), env }, rootTar, kills: 30, workers: 4, random: seeded(seed + 2), disturb })
})
