/** Hosts as their files in /proc and /sys show them, recorded. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { checkCgroups, checkDevices, checkIo, checkSwap } from './cgroups.ts'

const ext4 = 0xef53
const disk = { device: { major: 8, minor: 0 }, fileSystem: ext4 }

const host = (files: Readonly<Record<string, string>>): { readonly root: string } & Disposable => {
  const root = mkdtempSync('/tmp/dayfly-inspection-')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

const swaps = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
const someSwap = `${swaps}/dev/sda2                               partition\t1048576\t\t0\t\t-2\n`
const child = 'sys/fs/cgroup/system.slice'

/** Where each controller was handed down to the children. */
const unified = {
  'proc/self/mountinfo':
    '28 24 0:25 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n',
  'proc/cgroups': '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t60\t1\nblkio\t0\t60\t1\nmemory\t0\t60\t1\n',
  'proc/swaps': someSwap,
  'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
  'sys/fs/cgroup/cgroup.subtree_control': 'cpu io memory pids\n',
  [`${child}/cpu.max`]: 'max 100000\n',
  [`${child}/io.max`]: '',
  [`${child}/memory.swap.max`]: 'max\n',
}

const controllers = ['cpu', 'memory', 'pids', 'blkio', 'devices'] as const
/** systemd with the legacy or hybrid hierarchy. */
const split = (without: readonly string[] = [], cgroup2 = true): Record<string, string> => ({
  'proc/self/mountinfo': [
    ...(cgroup2 ? ['29 28 0:25 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:5 - cgroup2 cgroup2 rw'] : []),
    ...controllers
      .filter(name => !without.includes(name))
      .map((name, index) => `${30 + index} 28 0:${26 + index} / /sys/fs/cgroup/${name} rw,nosuid shared:${6 + index} - cgroup cgroup rw,${name}`),
  ].join('\n'),
  'proc/cgroups': `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${controllers.map((name, index) => `${name}\t${index + 1}\t3\t1`).join('\n')}\n`,
  'proc/swaps': swaps,
  'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
  'sys/fs/cgroup/blkio/blkio.throttle.read_bps_device': '',
})

test('one hierarchy with everything: every limit holds', () => {
  using made = host(unified)
  assert.deepEqual(checkCgroups(made.root), { name: 'cgroups', state: 'ok', found: 'v2', remedy: null })
  assert.deepEqual(checkIo(disk, made.root), { name: 'io limit', state: 'ok', found: 'disk 8:0', remedy: null })
  assert.equal(checkSwap(made.root).found, '1 GiB of swap, counted with memory')
  assert.equal(checkDevices(made.root).state, 'ok')
})

test('what systemd has not handed down is not missing', () => {
  // Debian 12 after its boot, with Linux 6.1 and systemd 252: no unit has asked for io.
  const { [`${child}/io.max`]: _, ...booted } = { ...unified, 'sys/fs/cgroup/cgroup.subtree_control': 'cpu memory pids\n' }
  {
    using made = host(booted)
    assert.equal(checkIo(disk, made.root).state, 'ok')
    assert.equal(checkCgroups(made.root).state, 'ok')
  }
  {
    using made = host({ ...booted, 'sys/fs/cgroup/cgroup.subtree_control': '\n' })
    assert.deepEqual([checkIo(disk, made.root).state, checkCgroups(made.root).state], ['ok', 'ok'])
  }
})

test('a limit that cannot be enforced is named, with what would help', () => {
  const without = (name: keyof typeof unified): Record<string, string> =>
    Object.fromEntries(Object.entries(unified).filter(([path]) => path !== name))
  {
    using made = host({ ...unified, 'sys/fs/cgroup/cgroup.controllers': 'cpu memory pids\n' })
    const { state, found, remedy } = checkIo(disk, made.root)
    assert.deepEqual([state, found, remedy], ['warn', 'no controller io (cgroup v2): --io is not enforced', 'Use a kernel with CONFIG_BLK_CGROUP.'])
  }
  {
    using made = host({ ...without(`${child}/io.max`), [`${child}/pids.max`]: 'max' })
    assert.match(checkIo(disk, made.root).remedy ?? '', /CONFIG_BLK_DEV_THROTTLING/)
  }
  {
    using made = host(unified)
    const { state, found } = checkIo({ device: '/run/x is on tmpfs without a disk of its own', fileSystem: 0x01021994 }, made.root)
    assert.deepEqual([state, found], ['warn', '/run/x is on tmpfs without a disk of its own: --io is not enforced'])
    assert.match(
      checkIo({ device: disk.device, fileSystem: 0x2fc12fc1 }, made.root).found,
      /^disk 8:0; on its file system it holds for reads and direct/,
    )
  }
  {
    using made = host(without(`${child}/memory.swap.max`))
    assert.equal(checkSwap(made.root).found, '1 GiB of swap is not counted: an instance may use it beyond its --memory')
  }
  {
    using made = host({ ...unified, 'sys/fs/cgroup/cgroup.controllers': 'cpu io pids\n' })
    assert.deepEqual(checkCgroups(made.root), {
      name: 'cgroups',
      state: 'fail',
      found: 'v2, without memory: no instance can be limited',
      remedy: 'Boot with cgroup_enable=memory swapaccount=1.',
    })
  }
})

test('separate hierarchies: what they cannot do is said', () => {
  using hybrid = host(split())
  assert.equal(checkCgroups(hybrid.root).found, 'hybrid')
  assert.match(checkIo(disk, hybrid.root).found, /^disk 8:0; with cgroup hybrid it holds for reads and direct writes/)
  assert.equal(checkDevices(hybrid.root).state, 'ok')
  assert.equal(checkSwap(hybrid.root).found, 'there is no swap')

  using poor = host({ ...split(['blkio', 'devices', 'memory'], false), 'proc/swaps': someSwap })
  assert.match(checkCgroups(poor.root).found, /^v1, without memory:/)
  assert.equal(checkIo(disk, poor.root).found, 'no controller blkio (cgroup v1): --io is not enforced')
  assert.match(checkDevices(poor.root).found, /^no controller devices \(cgroup v1\)/)
  assert.equal(checkSwap(poor.root).state, 'warn')
})

test('no cgroups at all', () => {
  using none = host({ 'proc/self/mountinfo': '', 'proc/swaps': swaps })
  assert.equal(checkCgroups(none.root).state, 'fail')
  assert.equal(checkIo(disk, none.root).state, 'warn')
})
