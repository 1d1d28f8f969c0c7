/** What a monitor mounts, copies and sets before its container is created, asked by hand: images and requests that mean harm. */
import assert from 'node:assert/strict'
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { firstId, makeGround, makeInstance } from './monitor/instance.ts'

const skip = process.getuid?.() !== 0 && 'needs root'
const ground = skip === false ? makeGround() : undefined
after(() => ground?.[Symbol.dispose]())

const instance = () => {
  assert.ok(ground)
  return makeInstance(ground, { command: ['/bin/busybox', 'true'] })
}
const made = (name: string): string => {
  const folder = join(ground?.folder ?? '', name)
  mkdirSync(folder)
  return folder
}
const ids = { first: firstId, count: 65_536 }

test('a copy follows links of the image inside the image only, and copies links as links', { skip }, async () => {
  const base = join(ground?.layers ?? '', 'base')
  symlinkSync('/etc', join(base, 'absolute'))
  symlinkSync('../../../../../../../../etc', join(base, 'up'))
  mkdirSync(join(base, 'data'))
  writeFileSync(join(base, 'data/file'), 'x')
  chownSync(join(base, 'data/file'), 33, 34)
  symlinkSync('/etc/passwd', join(base, 'data/link'))
  symlinkSync('/proc/self/root', join(base, 'data/root'))
  await using one = await instance()
  for (const target of ['/absolute', '/up']) {
    const volume = made(`volume-${target.slice(1)}`)
    await one.connection.copy({ volume, target, when: 'empty', ...ids })
    assert.deepEqual(readdirSync(volume), ['owned-by-root'], 'the image’s /etc, and not the host’s')
  }
  const volume = made('volume')
  await one.connection.copy({ volume, target: '/data', when: 'empty', ...ids })
  assert.deepEqual([statSync(join(volume, 'file')).uid, statSync(join(volume, 'file')).gid], [33, 34], 'on disk, the container’s own numbers')
  for (const link of ['link', 'root']) assert.ok(lstatSync(join(volume, link)).isSymbolicLink())
  // Again, with a link where a file is to be written: the copier is nobody on this host, and replaces what it cannot write through.
  const victim = join(ground?.folder ?? '', 'victim')
  writeFileSync(victim, 'untouched', { mode: 0o600 })
  const trapped = made('trapped')
  symlinkSync(victim, join(trapped, 'file'))
  await one.connection.copy({ volume: trapped, target: '/data', when: 'again', ...ids }).catch(() => {})
  assert.equal(readFileSync(victim, 'utf8'), 'untouched')
  for (const target of ['/none', '/data/file']) await one.connection.copy({ volume: made(`no${target.length}`), target, when: 'empty', ...ids })
  symlinkSync(volume, join(ground?.folder ?? '', 'linked'))
  const linked = { volume: join(ground?.folder ?? '', 'linked'), target: '/data', when: 'empty', ...ids } as const
  await assert.rejects(one.connection.copy(linked), { errno: 'ELOOP' })
})

test('what cannot be mounted or set is refused, and nothing of it is left', { skip }, async () => {
  await using one = await instance()
  const source = made('source')
  const mount = { number: 0, source, subpath: '', access: 'ro', ids: undefined } as const
  await assert.rejects(one.connection.mount({ ...mount, number: 1000 }), { errno: 'EINVAL' })
  await assert.rejects(one.connection.mount({ ...mount, source: 'source' }), { errno: 'EINVAL' })
  await assert.rejects(one.connection.mount({ ...mount, source: '/dev/null' }), { errno: 'EINVAL' })
  await assert.rejects(one.connection.mount({ ...mount, subpath: '..' }), { errno: 'EXDEV' })
  await assert.rejects(one.connection.mount({ ...mount, subpath: '/etc' }), { errno: 'EXDEV' })
  assert.ok(!existsSync(join(one.folder, 'mounts/0')))
  await one.connection.mount(mount)
  await assert.rejects(one.connection.mount(mount), { errno: 'EEXIST' })
  for (const name of ['../kernel/hostname', '/kernel/hostname', 'core/nothing', 'core']) await assert.rejects(one.connection.sysctl(name, 'x'), name)
  await one.connection.sysctl('core/somaxconn', '77')
  assert.notEqual(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'), '77\n', 'of its own network namespace only')
  await assert.rejects(one.connection.rlimit('nothing', 1), { errno: 'EINVAL' })
  await one.connection.rlimit('nofile', 1)
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${one.monitorPid}/limits`, 'utf8'))?.[1]
  assert.ok(Number(hard) > 1, 'it is never lowered')
})
