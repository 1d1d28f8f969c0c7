/**
 * What many instances do, made up with a seed: shops, builds, jobs, databases. 60 environments live at any time, some for tens of thousands of events, most for dozens; processes come from a pool
 * of programs, files and addresses partly from pools and partly new each time, as in life.
 */
import { createHash } from 'node:crypto'
import type { Activity, ActivityOrigin } from '../../src/model/activity.ts'
import type { KernelEvent } from '../../src/model/kernel-event.ts'

const programs = [
  ...['/bin/busybox', '/bin/sh', '/usr/bin/curl', '/usr/bin/python3.11', '/usr/local/bin/node', '/usr/sbin/nginx', '/usr/bin/git', '/usr/bin/make'],
  ...['/usr/lib/gcc/x86_64-linux-gnu/12/cc1', '/usr/bin/ls', '/usr/bin/grep', '/usr/bin/sed', '/usr/lib/postgresql/15/bin/postgres', '/usr/bin/tar'],
  ...['/usr/bin/apt-get', '/usr/bin/dpkg', '/opt/app/bin/server', '/usr/bin/find', '/usr/bin/ssh', '/usr/bin/redis-server'],
]
const workloads = ['web', 'api', 'worker', 'database', 'cache', 'build', 'test', 'job']
const owners = ['alice', 'bob', 'carol', 'dave', 'erin', 'ci', 'agents', 'nightly']
const domains = ['api.example.com', 'registry.npmjs.org', 'deb.debian.org', 'pypi.org', 'github.com', 'metrics.internal', 'db.internal']
const folders = ['/var/lib/app/data', '/tmp', '/usr/share/doc', '/srv/www/static', '/root/.cache/pip', '/var/log']
const ports = [443, 443, 443, 80, 5432, 6379, 53, 8080]

/** What occurs once in so many events, for the searches that find few. */
const rarities = 250_000

/** Of the 60 that live at a time; the others are jobs of some dozens of events. */
const longLives = 40

interface Life {
  readonly origins: readonly ActivityOrigin[]
  left: number
}

export interface World {
  /** The next ones, of a second. */
  batch(count: number): { readonly introduced: readonly ActivityOrigin[]; readonly entries: readonly Activity[] }
  /** Wall clock, ms. */
  readonly now: number
  readonly origins: readonly ActivityOrigin[]
}

/** `perSecond` says how fast its clock goes. */
export const createWorld = (seed: number, begin: number, perSecond: number): World => {
  let state = seed >>> 0
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pick = <T>(values: readonly T[], otherwise: T): T => values[random(values.length)] ?? otherwise
  const digests = new Map(programs.map(program => [program, createHash('sha256').update(program).digest('hex')]))
  let time = begin
  let made = 0
  let count = 0
  const all: ActivityOrigin[] = []

  const newLife = (introduced: ActivityOrigin[], short: boolean): Life => {
    const environment = `e${(++made).toString(36).padStart(11, '0')}`
    const owner = pick(owners, 'ci')
    const origins = Array.from({ length: 1 + random(4) }, (_, index): ActivityOrigin => {
      const workload = pick(workloads, 'web')
      const image = createHash('sha256')
        .update(`${workload}${made % 50}`)
        .digest('hex')
      return {
        ...{ environment, instance: `i${((made * 8 + index) >>> 0).toString(36).padStart(11, '0')}`, workload, owner },
        ...{ image: `sha256:${image}`, imageName: `registry.internal/${workload}:${made % 50}` },
      }
    })
    introduced.push(...origins)
    if (all.length < 100_000) all.push(...origins)
    return { origins, left: short ? 5 + random(60) : 200 + random(60) ** 3 }
  }

  const event = (origin: ActivityOrigin): Activity => {
    time += 1000 / perSecond
    count++
    const { environment, instance } = origin
    if (random(50) === 0) {
      return {
        type: 'sample',
        time,
        environment,
        instance,
        cpu: random(1e7),
        memory: random(1e9),
        processes: random(40),
        read: random(1e8),
        received: random(1e8),
      }
    }
    const exe = pick(programs, '/bin/sh')
    const base: Omit<KernelEvent, 'type'> = {
      ...{ time, environment, instance, pid: 1000 + random(60_000), tid: 1000 + random(60_000), vpid: 1 + random(400), start: 1e9 + count * 45 },
      ...{
        parentPid: 1000 + random(60_000),
        parentStart: 1e9 + count * 40,
        uid: random(3) * 33,
        euid: 0,
        gid: 0,
        name: exe.split('/').at(-1)?.slice(0, 15) ?? '',
      },
      ...{ parentName: 'sh', result: 0, exe },
    }
    const rare = count % rarities === 0
    const kind = random(100)
    if (rare || kind < 20) {
      const args = [
        exe.split('/').at(-1) ?? '',
        '-c',
        `run --id ${random(5_000)} --file ${pick(folders, '/tmp')}/${random(50_000)}.${rare ? 'needle' : 'txt'}`,
      ]
      return {
        ...{
          ...base,
          type: 'exec',
          path: exe,
          args,
          argsLength: 60,
          argsCount: 3,
          cwd: '/srv/app',
          tty: 0,
          session: 1,
          group: 1,
          inode: random(1e6),
        },
        ...{ sha256: digests.get(exe) ?? '' },
      }
    }
    if (kind < 38) return { ...base, type: 'fork', child: random(60_000), childVpid: random(400), childStart: 1e9 + count * 45 }
    if (kind < 56) return { ...base, type: 'exit', result: random(20) === 0 ? 256 : 0 }
    if (kind < 80) {
      const path = random(2000) === 0 ? '/etc/shadow' : `${pick(folders, '/tmp')}/${random(200)}/${random(20_000)}.dat`
      return { ...base, type: 'open', syscall: 'openat', path, openFlags: 577, fd: 3 + random(30), mode: 420, flags: ['write'] }
    }
    if (kind < 92) {
      const remoteAddress = random(4) === 0 ? `203.0.${random(113)}.${random(250)}` : `10.208.${random(16)}.${random(60)}`
      const socket = { family: 'inet' as const, protocol: 6, localAddress: `10.208.1.${random(60)}`, localPort: 30_000 + random(30_000) }
      return { ...base, type: 'connect', syscall: 'connect', fd: 5 + random(20), socket: { ...socket, remoteAddress, remotePort: pick(ports, 443) } }
    }
    if (kind < 96) return { ...base, type: 'dns', path: pick(domains, 'pypi.org'), detail: `203.0.${random(113)}.${random(250)}` }
    return { ...base, type: 'unlink', syscall: 'unlinkat', path: `/tmp/${random(100_000)}`, directory: '/tmp', flags: ['user'] }
  }

  const lives: Life[] = []
  return {
    batch: wanted => {
      const introduced: ActivityOrigin[] = []
      while (lives.length < 60) lives.push(newLife(introduced, lives.length >= longLives))
      const entries = Array.from({ length: wanted }, () => {
        // Some are busy, most are not.
        const at = Math.min(random(lives.length), random(lives.length))
        let life = lives[at]
        if (!life || life.left-- <= 0) {
          life = newLife(introduced, at >= longLives)
          lives[at] = life
        }
        return event(pick(life.origins, life.origins[0] ?? { environment: '', instance: '', workload: '', image: '', imageName: '', owner: '' }))
      })
      return { introduced, entries }
    },
    get now() {
      return time
    },
    get origins() {
      return all
    },
  }
}
