import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cgroup, Cgroups } from '../../src/host/cgroup/cgroups.ts'
import { openCgroups, openCgroupsIn } from '../../src/host/cgroup/cgroups.ts'
import { blockDeviceOf, deviceNumber } from '../../src/host/cgroup/device.ts'
import { parseHierarchy } from '../../src/host/cgroup/hierarchy.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const limits = { cpus: 0.5, memory: 32 * 1024 * 1024, pids: 20, io: 5_000_000 }
const device = blockDeviceOf('/var/tmp')
const mountOfV2 = readFileSync('/proc/mounts', 'utf8')
  .split('\n')
  .map(line => line.split(' '))
  .find(([, , type]) => type === 'cgroup2')?.[1]

/** Starts a shell command in the group: it waits for a line, which comes when it has joined. */
const runIn = (t: TestContext, group: Cgroup, script: string): ChildProcess => {
  const child = spawn('sh', ['-c', `read -r _; ${script}`], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  t.after(() => child.exitCode === null && child.signalCode === null && child.kill('SIGKILL'))
  for (const folder of group.folders) writeFileSync(join(folder, 'cgroup.procs'), String(child.pid))
  child.stdin?.end('\n')
  return child
}

const until = async (condition: () => boolean, what: string): Promise<void> => {
  for (let i = 0; i < 1000; i++) {
    if (condition()) return
    await sleep(5)
  }
  assert.fail(`${what} did not happen`)
}

const stateOf = (pid: number): string => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''

/** Also when a test failed in the middle. */
const leaveNothing = async (cgroups: Cgroups): Promise<void> => {
  const left = cgroups.list()
  for (const name of left) {
    await cgroups.open(name).killAll()
    await cgroups.open(name).remove()
  }
  cgroups.close()
  assert.deepEqual(left, [])
}

/** What holds in every mode, with or without controllers. */
const behavesAsGroups = (cgroups: Cgroups): void => {
  it('makes groups, knows them by name, and removes them', async () => {
    const group = cgroups.create('one', limits)
    assert.ok(cgroups.list().includes('one'))
    assert.throws(() => cgroups.create('one', limits), { code: 'conflict', message: /one exists/ })
    assert.deepEqual(cgroups.open('one').folders, group.folders)
    await group.remove()
    await group.remove()
    assert.ok(!cgroups.list().includes('one'))
    assert.deepEqual([group.processes(), group.oomKills(), group.memoryUsage(), group.cpuUsage()], [[], 0, 0, 0])
    await group.killAll()
    await group.freeze()
    assert.throws(() => cgroups.create('../escape', limits), { code: 'invalid', field: 'name' })
    const plain = cgroups.plain('plain')
    assert.deepEqual(cgroups.plain('plain'), plain)
    await cgroups.open('plain').remove()
  })

  it('freezes and thaws', async t => {
    const group = cgroups.create('frozen', limits)
    const child = runIn(t, group, 'while :; do :; done')
    const pid = child.pid ?? 0
    await until(() => stateOf(pid) === 'R', 'its running')
    assert.equal(group.frozen(), false)
    await group.freeze()
    assert.equal(group.frozen(), true)
    const before = readFileSync(`/proc/${pid}/stat`, 'utf8')
    await sleep(50)
    assert.equal(readFileSync(`/proc/${pid}/stat`, 'utf8'), before)
    group.thaw()
    assert.equal(group.frozen(), false)
    await until(() => readFileSync(`/proc/${pid}/stat`, 'utf8') !== before, 'its going on')
    await group.killAll()
    await group.remove()
  })

  it('kills all, also what forks all the time, what is frozen, and what is in groups below', async t => {
    const group = cgroups.create('killed', limits)
    const exits = [
      runIn(t, group, 'while :; do sh -c "sleep 0.01" & sleep 0.001; done'),
      runIn(t, group, 'trap "" TERM INT HUP; sleep 1000 & sleep 1000'),
    ].map(child => once(child, 'exit'))
    const below = group.folders.map(folder => join(folder, 'below', 'deeper'))
    for (const folder of below) mkdirSync(folder, { recursive: true })
    const deep = runIn(t, { ...group, folders: below }, 'sleep 1000 & wait')
    exits.push(once(deep, 'exit'))
    await until(() => group.processes().length >= 5, 'their forking')
    assert.ok(group.processes().includes(deep.pid ?? 0))
    await group.freeze()
    await group.killAll()
    assert.deepEqual(group.processes(), [])
    await Promise.all(exits)
    await group.remove()
    assert.ok(!cgroups.list().includes('killed'))
  })
}

describe('cgroups as this host has them', { skip }, () => {
  if (skip !== false) return
  const cgroups = openCgroups({ parent: `dayfly-test-${process.pid}`, device })
  after(() => leaveNothing(cgroups))
  const v2 = cgroups.mode === 'v2'
  const read = (group: Cgroup, file: string): string | undefined => {
    for (const folder of group.folders) {
      try {
        return readFileSync(join(folder, file), 'utf8').trim()
      } catch {} // in another hierarchy
    }
    return undefined
  }

  behavesAsGroups(cgroups)

  it('writes limits that the kernel takes, and raises and lowers them', async () => {
    const group = cgroups.create('limited', limits)
    const check = ({ cpus, memory, pids, io }: typeof limits): void => {
      assert.equal(read(group, 'pids.max'), String(pids))
      assert.equal(read(group, v2 ? 'memory.max' : 'memory.limit_in_bytes'), String(memory))
      if (v2) assert.equal(read(group, 'cpu.max'), `${cpus * 100_000} 100000`)
      else assert.equal(read(group, 'cpu.cfs_quota_us'), String(cpus * 100_000))
      const swap = read(group, v2 ? 'memory.swap.max' : 'memory.memsw.limit_in_bytes')
      assert.ok(swap === undefined || swap === (v2 ? '0' : String(memory)))
      if (typeof device === 'string') return
      if (v2) assert.match(read(group, 'io.max') ?? '', new RegExp(`${deviceNumber(device)} rbps=${io} wbps=${io}`))
      else assert.equal(read(group, 'blkio.throttle.write_bps_device'), `${deviceNumber(device)} ${io}`)
    }
    check(limits)
    const more = { cpus: 2, memory: 256 * 1024 * 1024, pids: 100, io: 9_000_000 }
    group.setLimits(more)
    check(more)
    group.setLimits(limits)
    check(limits)
    await group.remove()
    assert.throws(() => group.setLimits({ ...limits, pids: 7 }), { code: 'host', message: /writing "7" to .*pids\.max/ })
  })

  it('says which value the kernel refuses, and leaves nothing of a group that cannot have its limits', () => {
    assert.throws(() => cgroups.create('refused', { ...limits, pids: -5 }), { code: 'host', message: /"-5".*pids\.max.*EINVAL/, remedy: /limit/ })
    assert.ok(!cgroups.list().includes('refused'))
  })

  it('holds processes to their number', async t => {
    const group = cgroups.create('pids', { ...limits, pids: 5 })
    const child = runIn(t, group, 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done')
    const [code] = await once(child, 'exit')
    assert.notEqual(code, 0) // the shell gave up: it cannot fork
    assert.equal(group.processes().length, 4)
    await group.killAll()
    await group.remove()
  })

  it('ends what takes too much memory, and counts it', async t => {
    const group = cgroups.create('memory', { ...limits, memory: 16 * 1024 * 1024 })
    assert.equal(group.oomKills(), 0)
    const child = runIn(t, group, `exec ${process.execPath} -e 'Buffer.alloc(200_000_000, 1)'`)
    await once(child, 'exit')
    assert.equal(child.signalCode, 'SIGKILL')
    assert.ok(group.oomKills() >= 1)
    await group.remove()
  })

  it('tells memory and CPU in use', async t => {
    const group = cgroups.create('usage', { ...limits, memory: 64 * 1024 * 1024 })
    const child = runIn(t, group, 'x=$(head -c 8000000 /dev/zero | tr "\\0" x); while :; do :; done')
    await until(() => group.memoryUsage() > 8_000_000, 'memory in use')
    const used = group.cpuUsage()
    await until(() => group.cpuUsage() > used, 'CPU in use')
    const exit = once(child, 'exit')
    await group.killAll()
    await exit
    await group.remove()
  })

  it('holds back what takes more CPU than its share', async t => {
    const group = cgroups.create('cpu', { ...limits, cpus: 0.05 })
    runIn(t, group, 'while :; do :; done')
    await until(() => Number(/^nr_throttled (\d+)$/m.exec(read(group, 'cpu.stat') ?? '')?.[1] ?? 0) >= 3, 'three pauses')
    await group.killAll()
    await group.remove()
  })

  it('holds back what writes more than its share', { skip: typeof device === 'string' ? device : false }, async t => {
    const folder = mkdtempSync('/var/tmp/dayfly-io-')
    t.after(() => rmSync(folder, { recursive: true }))
    const [megabytes, perSecond] = [4, 2_000_000]
    const group = cgroups.create('io', { ...limits, io: perSecond })
    const begin = performance.now()
    const child = runIn(t, group, `exec dd if=/dev/zero of=${folder}/file bs=1M count=${megabytes} oflag=direct`)
    const [code] = await once(child, 'exit')
    assert.equal(code, 0)
    // No upper bound: the limit is what is tested, not the disk. The kernel lets the first slice of time pass.
    assert.ok(performance.now() - begin >= ((megabytes * 1024 * 1024) / perSecond) * 1000 * 0.8)
    await group.remove()
  })

  it('lets only the few devices be used', { skip: v2 ? 'cgroup v2 has no such files: user namespaces keep devices out' : false }, async () => {
    const group = cgroups.create('devices', limits)
    const allowed = read(group, 'devices.list')?.split('\n').sort()
    assert.deepEqual(allowed, ['c 136:* rwm', 'c 1:3 rwm', 'c 1:5 rwm', 'c 1:7 rwm', 'c 1:8 rwm', 'c 1:9 rwm', 'c 5:0 rwm', 'c 5:2 rwm'])
    await group.remove()
  })

  it('finds the parent of a daemon that died, with its groups', async () => {
    const group = cgroups.create('left', limits)
    const next = openCgroups({ parent: `dayfly-test-${process.pid}`, device })
    assert.deepEqual(next.list(), ['left'])
    await next.open('left').remove()
    assert.deepEqual(group.processes(), [])
  })
})

const noV2 =
  mountOfV2 === undefined ? 'this host has no cgroup v2 hierarchy' : mountOfV2 === '/sys/fs/cgroup' ? 'tested above: it is this host’s own' : false

describe('cgroups on a v2 hierarchy without controllers', { skip: skip || noV2 }, () => {
  if (skip !== false || noV2 !== false || mountOfV2 === undefined) return
  const hierarchy = parseHierarchy(`none ${mountOfV2} cgroup2 rw 0 0\n`, mountOfV2, mount => readFileSync(join(mount, 'cgroup.controllers'), 'utf8'))
  const cgroups = openCgroupsIn(hierarchy, { parent: `dayfly-test2-${process.pid}`, device })
  after(() => leaveNothing(cgroups))

  it('is v2, and says what it cannot limit', () => {
    assert.equal(cgroups.mode, 'v2')
    assert.ok(cgroups.missing.some(({ limit }) => limit === 'io'))
  })
  behavesAsGroups(cgroups)
})
