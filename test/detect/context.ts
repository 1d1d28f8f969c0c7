/** Events, processes and whose they are, as tests of rules need them: what matters is given, the rest is some ordinary container. */
import type { Subject } from '../../src/detect/detector.ts'
import type { EventContext } from '../../src/detect/fields/context.ts'
import type { Process } from '../../src/detect/process.ts'
import type { KernelEvent } from '../../src/model/kernel-event.ts'

/** Wall ms of the events. */
export const noon = Date.UTC(2026, 5, 1, 12)

export const subject: Subject = {
  environment: 'e1',
  environmentName: 'shop',
  instance: 'i1',
  workload: 'web',
  kind: 'service',
  image: `sha256:${'ab'.repeat(32)}`,
  imageName: 'registry.example:5000/team/web:1.2',
  owner: 'ann',
  labels: { team: 'red' },
  startedAt: noon - 60_000,
  privileged: false,
  egress: [],
}

export const processOf = (given: Partial<Process> = {}): Process => ({
  ...{ pid: 4242, vpid: 7, start: 1_000_000, startedAt: noon - 1000, execAt: noon - 1000, parent: undefined, parentPid: 4200, origin: 'workload' },
  ...{ name: 'sh', exe: 'sh', exePath: '/bin/busybox', args: [], argsTruncated: false, cwd: '/srv', uid: 1000, euid: 1000, gid: 1000, tty: 0 },
  ...{ session: 1, group: 7, isUpper: false, isMemfd: false, sha256: undefined, inode: undefined, capabilities: undefined },
  ...{ isExecd: true, isInit: false, children: 0, exitedAt: undefined },
  ...given,
})

export const eventOf = (given: Partial<KernelEvent> & Pick<KernelEvent, 'type'>): KernelEvent => ({
  ...{ time: noon, environment: 'e1', instance: 'i1', pid: 4242, tid: 4242, vpid: 7, start: 1_000_000, parentPid: 4200, parentStart: 900_000 },
  ...{ uid: 1000, euid: 1000, gid: 1000, name: 'sh', parentName: 'init', result: 0 },
  ...given,
})

export const contextOf = (
  event: Partial<KernelEvent> & Pick<KernelEvent, 'type'>,
  process: Partial<Process> = {},
  more: Partial<Subject> = {},
): EventContext => ({
  event: eventOf(event),
  process: processOf(process),
  subject: { ...subject, ...more },
  number: 1,
})
