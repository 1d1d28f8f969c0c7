import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseHierarchy, requireLimits } from './hierarchy.ts'

const none = (): never => assert.fail('no v2 mount was to be read')

const v1 = `tmpfs /sys/fs/cgroup tmpfs ro,mode=755 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
cgroup /elsewhere/blkio cgroup rw,blkio 0 0
`

describe('the hierarchy of cgroups', () => {
  it('v2: one folder for all that the root hands out', () => {
    const found = parseHierarchy('cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n', '/sys/fs/cgroup', mount => {
      assert.equal(mount, '/sys/fs/cgroup')
      return 'cpuset cpu io memory hugetlb pids rdma misc\n'
    })
    assert.equal(found.mode, 'v2')
    assert.deepEqual([...found.mounts.keys()].sort(), ['blkio', 'cpu', 'cpuacct', 'freezer', 'memory', 'pids'])
    assert.deepEqual([...new Set(found.mounts.values())], ['/sys/fs/cgroup'])
    requireLimits(found)
  })

  it('v1: a folder for each, also where two share one; others’ mounts and named hierarchies are left alone', () => {
    const found = parseHierarchy(v1, '/sys/fs/cgroup', none)
    assert.equal(found.mode, 'v1')
    assert.deepEqual(Object.fromEntries(found.mounts), {
      cpu: '/sys/fs/cgroup/cpu,cpuacct',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
      memory: '/sys/fs/cgroup/memory',
      pids: '/sys/fs/cgroup/pids',
    })
    requireLimits(found)
  })

  it('hybrid: v1 with an empty v2 beside it, which is not joined', () => {
    const found = parseHierarchy(`${v1}cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n`, '/sys/fs/cgroup', none)
    assert.equal(found.mode, 'hybrid')
    assert.ok(![...found.mounts.values()].includes('/sys/fs/cgroup/unified'))
  })

  it('reads mount points with blanks', () => {
    const found = parseHierarchy('x /a\\040b cgroup2 rw 0 0\n', '/a b', () => 'cpu')
    assert.equal(found.mounts.get('cpu'), '/a b')
  })

  it('says what to do when there are none, or not enough', () => {
    assert.throws(() => parseHierarchy('proc /proc proc rw 0 0\n', '/sys/fs/cgroup', none), { code: 'host', remedy: /mount -t cgroup2/ })
    const poor = parseHierarchy('c /sys/fs/cgroup cgroup2 rw 0 0\n', '/sys/fs/cgroup', () => 'cpu\n')
    assert.throws(() => requireLimits(poor), { code: 'host', message: /memory, pids/, remedy: /subtree_control/ })
  })
})
