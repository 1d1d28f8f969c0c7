import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { HostInventoryView } from '../../../api/schemas/host.ts'
import { inventoryOf } from './create.ts'
import { tablesFromOsquery } from './osquery.ts'
import { updatesOf } from './patches.ts'
import { countPackages, disksOf, reachOf, socketsOf, tablesFromFiles, usersOf } from './tables.ts'

test('listeners are those of /proc/net, IPv6 too', () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1`
  assert.deepEqual(socketsOf(tcp, 'tcp'), [
    { protocol: 'tcp', address: '127.0.0.1', port: 8080, inode: '4711' },
    { protocol: 'tcp', address: '::1', port: 80, inode: '4713' },
  ])
  assert.deepEqual(['127.0.0.53', '::1', '0.0.0.0', '::', '10.1.2.3'].map(reachOf), ['loopback', 'loopback', 'network', 'network', 'network'])
})

test('users who can log in are told from those who cannot; lines that are none are passed over', () => {
  const users = usersOf('root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n\n+::::::\nbroken\n')
  assert.deepEqual(
    users.map(({ name, uid, login }) => [name, uid, login]),
    [
      ['root', 0, true],
      ['www-data', 33, false],
    ],
  )
})

test('what is on an encrypted disk is encrypted', () => {
  const disks = disksOf(
    JSON.stringify({
      blockdevices: [
        { name: 'loop0', type: 'loop', size: 1, fstype: null, mountpoint: null },
        {
          ...{ name: 'sda', type: 'disk', size: 100, fstype: null, mountpoint: null },
          children: [
            { name: 'sda1', type: 'part', size: '10', fstype: 'ext4', mountpoint: '/boot' },
            {
              name: 'sda2',
              type: 'part',
              size: 90,
              fstype: 'crypto_LUKS',
              mountpoint: null,
              children: [{ name: 'root', type: 'crypt', size: 89, fstype: 'ext4', mountpoint: '/' }],
            },
          ],
        },
      ],
    }),
  )
  assert.deepEqual(
    disks.map(({ name, size, mount, encrypted }) => [name, size, mount, encrypted]),
    [
      ['sda', 100, null, false],
      ['sda1', 10, '/boot', false],
      ['sda2', 90, null, true],
      ['root', 89, '/', true],
    ],
  )
})

test('updates are what apt would install; new packages are none', () => {
  const text = `Reading package lists...
Inst libc6 [2.36-9+deb12u4] (2.36-9+deb12u9 Debian-Security:12/stable-security [amd64]) []
Inst zip [3.0-12] (3.0-13 Debian:12.9/stable [amd64])
Inst linux-image-new (6.1.1 Debian:12.9/stable [amd64])
Conf zip (3.0-13 Debian:12.9/stable [amd64])`
  assert.deepEqual(updatesOf(text), [
    { name: 'libc6', installed: '2.36-9+deb12u4', candidate: '2.36-9+deb12u9', security: true },
    { name: 'zip', installed: '3.0-12', candidate: '3.0-13', security: false },
  ])
  assert.equal(
    countPackages(
      'Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: deinstall ok config-files\n\nPackage: c\nStatus: install ok unpacked\n',
    ),
    2,
  )
})

test('this host is told as the schema says, and by whom', async () => {
  const inventory = await inventoryOf({ wall: () => 1 })
  assert.deepEqual(HostInventoryView.parse(inventory), inventory)
  assert.ok(inventory.users.some(({ name, uid }) => name === 'root' && uid === 0))
  assert.ok(inventory.bootedAt > 0 && hostname() !== '')
})

const program = resolve(import.meta.dirname, '../../../../node_modules/@cdxgen/cdxgen-plugins-bin-linux-amd64/plugins/osquery/osqueryi-linux-amd64')
test('osquery and files tell the same of what both know', {
  skip: existsSync(program) ? false : 'there is no osqueryi for this architecture',
}, async () => {
  const problems: string[] = []
  const files = await tablesFromFiles(problem => problems.push(problem))
  const osquery = await tablesFromOsquery(program)
  assert.deepEqual(HostInventoryView.parse({ source: 'osquery', takenAt: 1, problems: [], ...osquery }).users, osquery.users)
  const byUid = (users: typeof files.users) =>
    users.map(({ name, uid, gid, login }) => [name, uid, gid, login]).sort((left, right) => Number(left[1]) - Number(right[1]))
  assert.deepEqual(byUid(osquery.users), byUid(files.users))
  assert.equal(osquery.kernel.release, files.kernel.release)
  assert.equal(osquery.packages, files.packages)
})
