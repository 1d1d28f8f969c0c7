import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { KernelEvent } from '../../model/kernel-event.ts'
import type { Process } from '../process.ts'
import { createProcessTable } from './table.ts'

const first = Date.parse('2026-01-01T00:00:00Z')

type More = { [K in keyof KernelEvent]?: KernelEvent[K] | undefined }

/** A short way to write events: process 10 is the first one of the instance, each number its own pid and start. */
const event = (type: KernelEvent['type'], pid: number, more: More = {}): KernelEvent =>
  KernelEvent.parse({
    type,
    time: first,
    environment: 'e',
    instance: 'i',
    pid,
    tid: pid,
    vpid: pid - 9,
    start: pid * 1000,
    parentPid: pid === 10 ? 2 : 10,
    parentStart: pid === 10 ? 5 : 10_000,
    parentVpid: pid === 10 ? 0 : 1,
    uid: 0,
    euid: 0,
    gid: 0,
    name: `p${pid}`,
    parentName: 'p10',
    result: 0,
    ...more,
  })
const exec = (pid: number, args: string[], more: More = {}): KernelEvent => event('exec', pid, { exe: `/bin/${args[0]}`, args, ...more })
const fork = (pid: number, child: number, more: More = {}): KernelEvent =>
  event('fork', pid, { child, childVpid: child - 9, childStart: child * 1000, ...more })

const ancestry = (process: Process): (string | undefined)[] => {
  const names = []
  for (let each: Process | undefined = process; each !== undefined; each = each.parent) names.push(each.exe)
  return names
}

describe('the process table', () => {
  it('knows who made whom, and what a fork passes on', () => {
    const table = createProcessTable()
    const init = table.apply(exec(10, ['init', '-x'], { cwd: '/srv', capabilities: 'ff', inode: 7, sha256: 'aa' }))
    assert.deepEqual(
      [init.isInit, init.isExecd, init.exe, init.exePath, init.args, init.origin],
      [true, true, 'init', '/bin/init', ['-x'], 'workload'],
    )
    table.apply(fork(10, 11))
    assert.equal(init.children, 1)
    const child = table.apply(event('open', 11, { path: '/x' }))
    assert.deepEqual([child.isInit, child.isExecd, child.exePath, child.cwd, child.capabilities], [false, false, '/bin/init', '/srv', 'ff'])
    assert.equal(child.parent, init)
    table.apply(exec(11, ['sh', '-c', 'x']))
    assert.deepEqual([child.isExecd, child.exePath, child.args], [true, '/bin/sh', ['-c', 'x']])
    assert.equal(init.exePath, '/bin/init')
  })

  it('keeps what has ended for as long as a child needs it, and the maker though a reaper takes over', () => {
    const table = createProcessTable()
    for (const each of [
      exec(10, ['init']),
      fork(10, 11),
      exec(11, ['web']),
      fork(11, 12, { parentPid: 10 }),
      exec(12, ['sh'], { parentPid: 11, parentStart: 11_000 }),
    ])
      table.apply(each)
    table.apply(event('exit', 11, { time: first + 1 }))
    const late = table.apply(event('unlink', 11, { time: first + 1000 }))
    assert.deepEqual([late.exe, late.exitedAt], ['web', first + 1])
    const shell = table.apply(event('open', 12, { time: first + 60_000 }))
    assert.deepEqual(ancestry(shell), ['sh', 'web', 'init'])
    assert.equal(table.size, 3)
    table.apply(event('exit', 12, { time: first + 60_001 }))
    table.apply(event('open', 10, { time: first + 70_000 }))
    assert.equal(table.size, 1)
  })

  it('tells what was put in from outside, and what that makes', () => {
    const table = createProcessTable()
    table.apply(exec(10, ['init']))
    const entered = table.apply(exec(12, ['sh'], { parentPid: 3, parentStart: 4, parentVpid: 0, parentName: 'p10' }))
    assert.deepEqual([entered.origin, entered.parent, entered.isInit], ['outside', undefined, false])
    table.apply(fork(12, 13))
    assert.equal(table.apply(exec(13, ['ls'])).origin, 'outside')
    table.apply(fork(10, 14))
    assert.equal(table.apply(exec(14, ['ls'])).origin, 'workload')
  })

  it('where the kernel has no word on parents, takes nobody for an operator: what is outside is judged by nothing', () => {
    const facts = { parentVpid: undefined }
    const whole = createProcessTable()
    whole.apply(exec(10, ['init'], facts))
    assert.equal(whole.apply(exec(12, ['sh'], { ...facts, parentPid: 3, parentStart: 4 })).origin, 'workload')
    assert.equal(whole.apply(exec(13, ['sh'], facts)).origin, 'workload')
    assert.equal(whole.apply(exec(14, ['sh'], { parentPid: 3, parentStart: 4, parentVpid: 0 })).origin, 'outside')
  })

  it('makes what was there before the sensor of what events say, ancestors too', () => {
    const table = createProcessTable()
    const shell = table.apply(exec(20, ['sh'], { parentPid: 15, parentStart: 15_000, parentVpid: 6, parentName: 'web' }))
    assert.deepEqual([shell.parent?.name, shell.parent?.pid, shell.parent?.exePath, shell.parent?.isInit], ['web', 15, undefined, false])
    assert.equal(table.apply(event('open', 10)).isInit, true)
    assert.equal(table.apply(event('open', 20, { vpid: 1, start: 99, parentVpid: 11 })).isInit, false, 'the first one of a namespace within')
  })

  it('tells processes with one pid apart, and closes the one whose end was lost', () => {
    const table = createProcessTable()
    table.apply(exec(10, ['init']))
    table.apply(fork(10, 11))
    const one = table.apply(exec(11, ['one']))
    const two = table.apply(exec(11, ['two'], { start: 50_000, time: first + 5 }))
    assert.notEqual(one, two)
    assert.equal(one.exitedAt, first + 5)
    assert.equal(table.apply(event('open', 11, { time: first + 6 })).exe, 'one', 'a late event of the one before')
  })

  it('remembers the hash of a file of the image, and never of one that may have been changed', () => {
    const table = createProcessTable()
    table.apply(exec(10, ['a'], { inode: 1, sha256: 'aa' }))
    assert.equal(table.apply(exec(11, ['a'], { inode: 1 })).sha256, 'aa')
    assert.equal(table.apply(exec(12, ['a'], { inode: 1, flags: ['upper'] })).sha256, undefined)
    assert.equal(table.apply(exec(13, ['b'], { inode: 1 })).sha256, undefined)
  })

  it('is bounded under a fork bomb, whose processes live, end, or each make the next', () => {
    for (const kind of ['live', 'end', 'chain'] as const) {
      const table = createProcessTable({ processes: 100, weight: 1 << 20, grace: 2000 })
      const init = table.apply(exec(10, ['init']))
      for (let pid = 11; pid < 5000; pid++) {
        const maker = kind === 'chain' && pid > 11 ? pid - 1 : 10
        table.apply(fork(maker, pid, { time: first + pid }))
        if (kind === 'end' || (kind === 'chain' && maker !== 10)) table.apply(event('exit', kind === 'end' ? pid : maker, { time: first + pid }))
        assert.ok(table.size <= 101)
        const process = table.apply(event('open', pid, { time: first + pid, parentPid: maker, parentStart: maker * 1000, parentVpid: maker - 9 }))
        assert.ok(ancestry(process).length <= 102)
      }
      assert.equal(table.apply(event('open', 10, { time: first + 5000 })), init, 'the first process stays')
    }
  })

  it('is bounded by the weight of arguments', () => {
    const table = createProcessTable({ processes: 10_000, weight: 1 << 20, grace: 2000 })
    table.apply(exec(10, ['init']))
    for (let pid = 11; pid < 2000; pid++) {
      const shown = table.apply(exec(pid, ['x', 'y'.repeat(4000)]))
      assert.equal(shown.args[0]?.length, 4000, 'what is judged is whole')
      assert.ok(table.weight <= (1 << 20) + 10_000)
    }
    assert.ok(table.size > 50)
  })

  it('whatever it is told: no cycle, no count below zero, within its bounds', () => {
    const pid = fc.integer({ min: 0, max: 12 })
    const facts = fc.record({
      type: fc.constantFrom<KernelEvent['type']>('exec', 'fork', 'exit', 'open', 'capset'),
      pid,
      start: pid,
      vpid: fc.integer({ min: 0, max: 3 }),
      parentPid: pid,
      parentStart: pid,
      parentVpid: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      child: fc.option(pid, { nil: undefined }),
      childStart: fc.option(pid, { nil: undefined }),
      args: fc.option(fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 3 }), { nil: undefined }),
      name: fc.string({ unit: 'binary', maxLength: 15 }),
      step: fc.integer({ min: 0, max: 3000 }),
    })
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 200 }), list => {
        const table = createProcessTable({ processes: 20, weight: 12_000, grace: 2000 })
        let time = first
        for (const { step, ...each } of list) {
          time += step
          const process = table.apply(event(each.type, each.pid, { ...each, time }))
          const seen = new Set<Process>()
          for (let at: Process | undefined = process; at !== undefined; at = at.parent) {
            assert.ok(!seen.has(at))
            assert.ok(at.children >= 0)
            seen.add(at)
          }
          assert.ok(table.size <= 23 && table.size >= 0)
          assert.ok(table.weight >= 0)
        }
      }),
    )
  })
})
