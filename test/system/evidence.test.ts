/** One process of an instance is killed and no other; evidence is bounded, whatever the instance has made. On the real kernel. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DayflyError } from '../../src/base/errors.ts'
import type { Stage } from './linux/stage.ts'
import { lives, makeStage, signal, until } from './linux/stage.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: containers are made'

/** As the kernel told it when it began: µs since boot, as exactly as /proc says. */
const startOf = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]) * 10_000
}
const childOf = (pid: number): number => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ')[0])

describe('single processes and evidence', { skip }, () => {
  let stage: Stage
  before(async () => {
    stage = await makeStage()
  })
  after(async () => {
    await stage[Symbol.asyncDispose]()
  })
  const take = async (id: string, mostBytes = 1e8) => {
    const folder = mkdtempSync(join(stage.folder, 'evidence-'))
    return { folder, ...(await stage.backend().takeEvidence(id, { folder, mostBytes, secrets: [] }, signal())) }
  }

  test('a process is killed by who it is, only where it belongs', async () => {
    const one = await stage.start(stage.request(stage.workload('sleep 600 & echo up; wait')))
    const two = await stage.start(stage.request(stage.workload('sleep 600')))
    await until('it is up', () => stage.log(one.id) === 'up\n')
    const pid = childOf(one.pid)
    const backend = stage.backend()
    const invalid = (error: unknown): boolean => error instanceof DayflyError && error.code === 'invalid'
    assert.equal(await backend.killProcess(one.id, { pid, start: startOf(pid) - 20_000 }), false, 'another one had that pid')
    await assert.rejects(backend.killProcess(two.id, { pid, start: startOf(pid) }), invalid)
    await assert.rejects(backend.killProcess(one.id, { pid: process.pid, start: startOf(process.pid) }), invalid)
    const stranger = spawn('sleep', ['600'])
    await assert.rejects(backend.killProcess(one.id, { pid: stranger.pid ?? 0, start: startOf(stranger.pid ?? 0) }), invalid)
    stranger.kill()
    assert.ok(lives(pid))
    // Also of what stands still: it dies as soon as it goes on.
    await backend.pause(one.id)
    assert.equal(await backend.killProcess(one.id, { pid, start: startOf(pid) + 9_999 }), true)
    await backend.resume(one.id)
    assert.equal((await backend.wait(one.id, signal())).code, 0)
    await stage.remove(one, two)
  })

  test('of a tree of many files, sockets and holes there is as much as there may be, and what is missing is said', async () => {
    const script = [
      'mkdir -p /many/a/b; i=0; while [ $i -lt 3000 ]; do echo $i > /many/a/b/$i; i=$((i+1)); done',
      'dd if=/dev/zero of=/hole bs=1 count=0 seek=1G 2>/dev/null; nc -l -p 4444 & ln -s / /many/root; echo up; exec sleep 600',
    ].join('; ')
    const made = await stage.start(stage.request(stage.workload(script)))
    await until('it is up', () => stage.log(made.id).includes('up'))
    await stage.backend().pause(made.id)
    const all = await take(made.id)
    assert.deepEqual(all.files.toSorted(), ['layer.tar', 'maps.txt', 'processes.json', 'sockets.json'])
    const names = execFileSync('tar', ['-tvf', join(all.folder, 'layer.tar')], { encoding: 'utf8', maxBuffer: 1e8 })
    assert.equal(names.match(/ 0\/0 .* many\/a\/b\/\d+$/gm)?.length, 3000)
    assert.match(names, /many\/root -> \/$/m)
    assert.match(all.gaps.join(), /"hole"/)
    assert.match(readFileSync(join(all.folder, 'sockets.json'), 'utf8'), /0\.0\.0\.0:4444|\[0:0:0:0:0:0:0:0\]:4444/)
    const little = await take(made.id, 500_000)
    assert.ok(statSync(join(little.folder, 'layer.tar')).size < 600_000)
    assert.match(little.gaps.join(), /cut off|no room/)
    // What has ended has no processes, but what it wrote is there until it is removed.
    await stage.backend().signal(made.id, 'SIGKILL')
    await stage.backend().wait(made.id, signal())
    const ended = await take(made.id)
    assert.match(ended.gaps.join(), /no process was left/)
    assert.ok(ended.files.includes('layer.tar'))
    await stage.remove(made)
  })
})
