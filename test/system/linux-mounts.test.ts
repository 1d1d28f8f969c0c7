/** Volumes, folders of the host, memory file systems and configurations in instances, on the real kernel: also with an image and a volume that mean harm. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { newEnvironmentId } from '../../src/base/ids.ts'
import type { EnvironmentRequest } from '../../src/engine/backend.ts'
import type { Mount } from '../../src/model/mount.ts'
import type { WorkloadSpec } from '../../src/model/workload.ts'
import type { Stage } from './linux/stage.ts'
import { makeStage, signal } from './linux/stage.ts'

let stage: Stage
let folder: string
const made: string[] = []
before(async () => {
  stage = await makeStage({ preparedMemory: 0 })
  folder = mkdtempSync('/tmp/dayfly-mounts-')
})
after(async () => {
  // A test that failed has left some.
  for (const id of made)
    await stage
      .backend()
      .removeEnvironment(id, signal())
      .catch(() => {})
  await stage[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const environment = async (change: Partial<EnvironmentRequest> = {}): Promise<string> => {
  const id = newEnvironmentId()
  made.push(id)
  await stage.backend().prepareEnvironment({ id, networks: {}, volumes: [], configs: new Map(), ...change }, signal())
  return id
}

const run = async (of: string, script: string, mounts: readonly Mount[], change: Partial<WorkloadSpec> = {}): Promise<string> => {
  const request = stage.request(stage.workload(`exec 2>&1\n${script}`, { mounts: [...mounts], ...change }), { environment: of })
  await stage.start(request)
  await stage.backend().wait(request.id, signal())
  const log = stage.log(request.id)
  await stage.backend().remove(request.id, signal())
  return log
}

const end = async (id: string): Promise<void> => {
  await stage.backend().removeEnvironment(id, signal())
  assert.deepEqual(
    (await stage.backend().owned()).filter(({ owner }) => owner === undefined || owner === id),
    [],
  )
}

const volume = (name: string, target: string, change: Partial<Extract<Mount, { type: 'volume' }>> = {}): Mount => ({
  ...{ type: 'volume', volume: name, target, readOnly: false, copy: false },
  ...change,
})

test('a volume is shared, survives its instances and a new daemon, and ends with the environment', async () => {
  const id = await environment({ volumes: ['data'] })
  assert.equal(
    await run(id, 'id -u; echo one > /data/file; chown 70:70 /data/file; ls -ldn /data | cut -c1-10', [volume('data', '/data')]),
    '0\ndrwxr-xr-x\n',
  )
  const reader = stage.request(
    stage.workload('while ! grep -q two /data/file; do sleep 0.01; done; cat /data/file', { mounts: [volume('data', '/data')] }),
    {
      environment: id,
    },
  )
  await stage.start(reader)
  await run(id, 'echo two >> /data/file', [volume('data', '/data')])
  await stage.backend().wait(reader.id, signal())
  assert.equal(stage.log(reader.id), 'one\ntwo\n')
  await stage.backend().remove(reader.id, signal())

  await stage.reopen()
  await stage.backend().prepareEnvironment({ id, networks: {}, volumes: ['data', 'more'], configs: new Map() }, signal())
  const seen = await run(id, 'stat -c "%u:%g" /data/file; cat /data/file; echo x > /data/new; echo $?; ls /more', [
    volume('data', '/data', { readOnly: true }),
    volume('more', '/more'),
  ])
  assert.match(seen, /^70:70\none\ntwo\n.*Read-only file system\n+1\n$/s)
  assert.ok(existsSync(join(stage.stateDir, 'environments', id)))
  await end(id)
  assert.ok(!existsSync(join(stage.stateDir, 'environments', id)))
})

test('an empty volume gets what the image has, owners, modes and links included; one that is not empty does not', async () => {
  const id = await environment({ volumes: ['etc'] })
  const look = 'ls -lan /etc | sed 1d | tr -s " " | cut -d" " -f1,3,4,9-'
  const image = await run(id, look, [{ type: 'tmpfs', target: '/unrelated', size: 4096, mode: 0o700 }])
  const mount = volume('etc', '/etc', { copy: true })
  const ours = /hosts|hostname|resolv\.conf|\.\.$/
  const without = (text: string): string[] => text.split('\n').filter(line => !ours.test(line))
  assert.deepEqual(without(await run(id, look, [mount])), without(image))
  assert.match(await run(id, 'rm -r /etc/passwd; touch /etc/mine; ls /etc', [mount]), /mine/)
  const again = await run(id, 'ls /etc', [mount])
  assert.match(again, /^mine$/m)
  assert.doesNotMatch(again, /^passwd$/m)
  await end(id)
})

test('many at once see a copied volume whole', async () => {
  const id = await environment({ volumes: ['bin'] })
  const [count, ...others] = await Promise.all(
    Array.from({ length: 5 }, () => run(id, 'ls /usr/bin | wc -l', [volume('bin', '/usr/bin', { copy: true })])),
  )
  assert.ok(Number(count) > 100)
  for (const other of others) assert.equal(other, count)
  await end(id)
})

test('a folder in a volume, and none that leads out of it', async () => {
  const id = await environment({ volumes: ['data'] })
  await run(id, 'mkdir -p /data/a/b; echo deep > /data/a/b/file; ln -s a/b /data/inner; ln -s / /data/root; ln -s ../../.. /data/up', [
    volume('data', '/data'),
  ])
  assert.equal(await run(id, 'cat /mnt/file', [volume('data', '/mnt', { subpath: 'a/b' })]), 'deep\n')
  assert.equal(await run(id, 'cat /mnt/file', [volume('data', '/mnt', { subpath: 'inner' })]), 'deep\n')
  for (const subpath of ['root', 'root/etc', 'up', 'a/none']) {
    await assert.rejects(run(id, 'true', [volume('data', '/mnt', { subpath })]), { code: 'invalid', field: 'mounts' }, subpath)
  }
  await end(id)
})

test('outer mounts come first, and a link where a mount is to be leads nowhere but inside', async () => {
  const id = await environment({ volumes: ['data', 'inner'] })
  await run(id, 'ln -s /etc /data/link; ln -s ../../../../../../../etc /data/up', [volume('data', '/data')])
  for (const runtime of ['crun', 'runsc'] as const) {
    const both = [volume('inner', '/v/inner'), volume('data', '/v')]
    assert.match(await run(id, 'echo hello > /v/inner/x; cat /v/inner/x; ls /v', both, { runtime }), /^hello\ninner\n/)
    for (const link of ['link', 'up']) {
      const target = `/v/${link}/dayfly-${process.pid}`
      const seen = await run(id, `cat ${target}/x /etc/dayfly-${process.pid}/x`, [volume('inner', target), volume('data', '/v')], { runtime })
      assert.equal(seen, 'hello\nhello\n')
      assert.ok(!existsSync(`/etc/dayfly-${process.pid}`), 'the host has it too')
    }
  }
  await end(id)
})

test('a folder of the host: numbers stay, nothing in it gives rights, and the writer is its owner', async () => {
  const source = join(folder, 'project')
  mkdirSync(source)
  chownSync(source, 1234, 1235)
  writeFileSync(join(source, 'file'), 'text')
  chownSync(join(source, 'file'), 1234, 1235)
  writeFileSync(join(source, 'other'), 'other')
  chownSync(join(source, 'other'), 999, 998)
  execFileSync('cp', ['/bin/busybox', join(source, 'suid')])
  chmodSync(join(source, 'suid'), 0o4755)
  const bind = (readOnly: boolean): Mount => ({ type: 'bind', source, target: '/project', readOnly })
  const id = newEnvironmentId()
  const look = 'stat -c "%u:%g %n" /project/file /project/other /project/suid; touch /project/new && echo written; '
  const mounted = 'grep " /project " /proc/self/mountinfo | grep -o "nosuid,nodev"'
  const reading = await run(id, look + mounted, [bind(true)])
  assert.match(reading, /^1234:1235 \/project\/file\n999:998 \/project\/other\n0:0 \/project\/suid\n/)
  assert.match(reading, /Read-only file system\nnosuid,nodev\n$/)
  const writing = await run(id, `${look}mkdir /project/made; cp /bin/busybox /project/evil; chmod 4755 /project/evil`, [bind(false)])
  assert.match(writing, /^0:0 \/project\/file\n999:998 \/project\/other\n65534:65534 \/project\/suid\nwritten\n/)
  for (const name of ['new', 'made', 'evil']) assert.equal(statSync(join(source, name)).uid, 1234, `${name} is the owner's, not root's`)
  await run(id, 'touch /project/by-user', [bind(false)], { user: '501:502' })
  assert.deepEqual([statSync(join(source, 'by-user')).uid, statSync(join(source, 'by-user')).gid], [1234, 1235])
  assert.equal(readFileSync(join(source, 'file'), 'utf8'), 'text')
  const file: Mount = { type: 'bind', source: join(source, 'file'), target: '/etc/one-file', readOnly: true }
  assert.equal(await run(id, 'cat /etc/one-file', [file]), 'text\n')
  symlinkSync('/etc', join(folder, 'link'))
  for (const bad of [join(folder, 'link'), join(folder, 'link/passwd'), join(folder, 'none'), '/dev/null']) {
    const mounts: Mount[] = [{ type: 'bind', source: bad, target: '/x', readOnly: true }]
    await assert.rejects(run(id, 'true', mounts), { code: 'invalid', field: 'mounts' }, bad)
  }
  await end(id)
})

test('configurations have their owner and mode; new contents are seen by new instances', async () => {
  const configs = new Map([['app', Buffer.from('first')]])
  const id = await environment({ configs })
  const mount: Mount = { type: 'config', config: 'app', target: '/etc/app/config', uid: 33, gid: 34, mode: 0o540 }
  const look = 'stat -c "%u:%g %a" /etc/app/config; cat /etc/app/config; echo; echo x > /etc/app/config'
  assert.match(await run(id, look, [mount]), /^33:34 540\nfirst\n.*Read-only/s)
  await stage.backend().prepareEnvironment({ id, networks: {}, volumes: [], configs: new Map([['app', Buffer.from('second')]]) }, signal())
  assert.match(await run(id, look, [mount]), /\nsecond\n/)
  await assert.rejects(run(id, 'true', [{ ...mount, config: 'none' }]), { code: 'invalid', field: 'mounts' })
  await assert.rejects(run(id, 'true', [volume('none', '/x')]), { code: 'invalid', field: 'mounts' })
  await end(id)
})

test('memory file systems, places that are the kernel’s, and two at one place', async () => {
  const id = newEnvironmentId()
  const tmpfs = (target: string): Mount => ({ type: 'tmpfs', target, size: 65_536, mode: 0o1750 })
  const seen = await run(
    id,
    'stat -c %a /scratch; head -c 100000 /dev/zero > /scratch/x; stat -c %a /tmp; df -k /dev/shm | tail -1',
    [tmpfs('/scratch'), tmpfs('/tmp')],
    {
      shmSize: 1024 * 1024,
    },
  )
  assert.match(seen, /^1750\n.*(No space left on device|I\/O error)\n1750\n.* 1024 /s)
  for (const target of ['/proc', '/proc/sys', '/sys/fs', '/dev', '/dev/pts', '//proc/./x']) {
    await assert.rejects(run(id, 'true', [tmpfs(target)]), { code: 'invalid', field: 'mounts' }, target)
  }
  await assert.rejects(run(id, 'true', [tmpfs('/a'), tmpfs('//a/.')]), { code: 'invalid', field: 'mounts' })
  await end(id)
})

test('a volume is filled from an archive, with its numbers; a hostile one leaves it as it was', async () => {
  const id = await environment({ volumes: ['data'] })
  const source = join(folder, 'seed')
  mkdirSync(join(source, 'sub'), { recursive: true })
  writeFileSync(join(source, 'sub/file'), 'seeded')
  chownSync(join(source, 'sub/file'), 70, 71)
  chmodSync(join(source, 'sub/file'), 0o640)
  const tar = (...args: string[]): Buffer => execFileSync('tar', ['-C', source, ...args], { maxBuffer: 2 ** 26 })
  const seed = (bytes: Buffer): Promise<void> =>
    stage.backend().seedVolume(
      id,
      'data',
      (async function* () {
        for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
      })(),
      signal(),
    )
  const look = 'stat -c "%u:%g %a %n" /data/sub/file; cat /data/sub/file'
  for (const bytes of [tar('-cf', '-', '.'), tar('-czf', '-', '.'), tar('--zstd', '-cf', '-', '.')]) {
    await seed(bytes)
    assert.equal(await run(id, look, [volume('data', '/data')]), '70:71 640 /data/sub/file\nseeded\n')
  }
  for (const bad of [tar('-cPf', '-', '--transform', 's,file,../../escaped,', 'sub/file'), tar('-cf', '-', '.').subarray(0, 700)]) {
    await assert.rejects(seed(bad), { code: 'invalid', field: 'volume' })
  }
  assert.equal(await run(id, look, [volume('data', '/data')]), '70:71 640 /data/sub/file\nseeded\n')
  const user = stage.request(stage.workload('sleep 60', { mounts: [volume('data', '/data')] }), { environment: id })
  await stage.start(user)
  await assert.rejects(seed(tar('-cf', '-', '.')), { code: 'wrong_state', field: 'volume' })
  await stage.backend().prepareEnvironment({ id, networks: {}, volumes: ['data', 'new'], configs: new Map() }, signal())
  await stage.backend().seedVolume(
    id,
    'new',
    (async function* () {
      yield tar('-cf', '-', '.')
    })(),
    signal(),
  )
  assert.equal(await run(id, 'cat /new/sub/file', [volume('new', '/new')]), 'seeded\n')
  await stage.backend().remove(user.id, signal())
  await assert.rejects(stage.backend().seedVolume(id, 'none', (async function* () {})(), signal()), { code: 'not_found' })
  await end(id)
})

test('sysctls, limits of resources, a small init, groups and further names', async () => {
  const id = newEnvironmentId()
  const seen = await run(
    id,
    'cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmax; ulimit -n; ulimit -Hn; ulimit -c; cat /proc/1/comm; id -G; grep registry /etc/hosts; (sleep 0.05 & ) ; sleep 0.2; ls /proc | grep -c "^[0-9]"',
    [],
    {
      sysctls: { 'net.core.somaxconn': '333', 'kernel.shmmax': '1048576' },
      ulimits: { nofile: { soft: 100, hard: 200 }, core: { soft: 0, hard: 0 } },
      init: true,
      groups: ['4000', '4001'],
      hosts: { registry: '192.0.2.7' },
    },
  )
  assert.match(seen, /^333\n1048576\n100\n200\n0\n(tini|catatonit|init).*\n0 4000 4001\n192\.0\.2\.7\tregistry\n\d\n$/s)
  const refused = (change: Partial<WorkloadSpec>, field: string) => assert.rejects(run(id, 'true', [], change), { field })
  await refused({ sysctls: { 'net.core.nothing': '1' } }, 'sysctls.net.core.nothing')
  await refused({ sysctls: { 'net.//.kernel.hostname': 'x' } }, 'sysctls.net.//.kernel.hostname')
  await refused({ sysctls: { 'net.ipv6.conf.all.forwarding': '1' } }, 'sysctls.net.ipv6.conf.all.forwarding')
  await refused({ ulimits: { nofile: { soft: 9, hard: 8 } } }, 'ulimits.nofile')
  await refused({ ulimits: { none: { soft: 1, hard: 1 } } }, 'ulimits.none')
  await refused({ groups: ['nobody-knows'] }, 'groups')
  await end(id)
})

test('a command that is executed later has the limits and mounts of its instance', async () => {
  const id = newEnvironmentId()
  const change: Partial<WorkloadSpec> = {
    ulimits: { nofile: { soft: 100, hard: 200 }, core: { soft: -1, hard: -1 } },
    mounts: [{ type: 'tmpfs', target: '/scratch', size: 4096, mode: 0o700 }],
  }
  const infinite = /^Max core file size\s+\S+\s+unlimited/m.test(readFileSync('/proc/self/limits', 'utf8'))
  const request = stage.request(stage.workload('sleep 60', infinite ? change : { ...change, ulimits: { nofile: { soft: 100, hard: 200 } } }), {
    environment: id,
  })
  await stage.start(request)
  const command = ['/bin/sh', '-c', 'ulimit -n; ulimit -Hn; grep -q " /scratch " /proc/self/mountinfo && echo mounted']
  const session = await stage
    .backend()
    .exec(request.id, { command, env: {}, user: undefined, workdir: undefined, tty: false, rows: 24, columns: 80 }, signal())
  let said = ''
  for await (const { data } of session.output) said += Buffer.from(data).toString('utf8')
  assert.equal(said, '100\n200\nmounted\n')
  await stage.backend().remove(request.id, signal())
  await end(id)
})

test('a limit above the host’s own is given, or refused by name', async () => {
  const id = newEnvironmentId()
  const hard = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
  const mayRaise = (BigInt(`0x${/^CapEff:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`) & (1n << 24n)) !== 0n
  const asked = run(id, 'ulimit -Hn', [], { ulimits: { nofile: { soft: 10, hard: hard + 1000 } } })
  if (mayRaise) assert.equal(await asked, `${hard + 1000}\n`)
  else await assert.rejects(asked, { code: 'denied', field: 'ulimits.nofile' })
  await end(id)
})

test('nothing of what is mounted is in the host’s own namespace', async () => {
  const id = await environment({ volumes: ['data'] })
  const request = stage.request(stage.workload('sleep 60', { mounts: [volume('data', '/data')] }), { environment: id })
  await stage.start(request)
  assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(stage.stateDir))
  assert.ok(lstatSync(join(stage.stateDir, 'environments', id)).isDirectory())
  await stage.backend().remove(request.id, signal())
  await end(id)
})

test('what an environment occupies on disk is what its instances wrote and its volumes; a hole is nothing, and what is gone is nothing', async () => {
  const mebibyte = 1024 ** 2
  const id = await environment({ volumes: ['data'] })
  const bytes = async (): Promise<number> => (await stage.backend().disk([id], signal())).get(id) ?? Number.NaN
  const empty = await bytes()
  const writer = stage.request(
    stage.workload(
      'head -c 4194304 /dev/urandom > /data/file; head -c 8388608 /dev/urandom > /file; truncate -s 1G /hole; sync; echo done; sleep 600',
      {
        mounts: [volume('data', '/data')],
      },
    ),
    { environment: id },
  )
  await stage.start(writer)
  while (!stage.log(writer.id).includes('done')) await new Promise(resolve => setTimeout(resolve, 10))
  const written = (await bytes()) - empty
  assert.ok(written >= 12 * mebibyte && written < 14 * mebibyte, `${written}`)
  await stage.reopen()
  assert.ok((await bytes()) - empty >= 12 * mebibyte, 'the next daemon counts the same')
  await stage.backend().remove(writer.id, signal())
  const left = (await bytes()) - empty
  assert.ok(left >= 4 * mebibyte && left < 6 * mebibyte, `the volume stays: ${left}`)
  await end(id)
  assert.equal(await bytes(), 0)
})
