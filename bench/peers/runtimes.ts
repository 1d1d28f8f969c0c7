/** The OCI runtimes alone: no image, no network, no log, nobody who waits for the end. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { versionOf } from '../facts.ts'
import { timeProcess } from '../measure.ts'
import type { Absent, Subject } from '../subject.ts'
import { echo, makeBundle } from './bundle.ts'

const runtime = (name: string, note: string, folder: string, rootTar: string, options: readonly string[]): Subject | Absent => {
  if (versionOf(name) === undefined) return { name: `${name} run`, absent: 'not installed' }
  const bundle = makeBundle(join(folder, name), rootTar, echo)
  const state = join(folder, `${name}-state`)
  return {
    name: `${name} run`,
    note,
    once: () => timeProcess([name, ...options, '--root', state, 'run', '--bundle', bundle, `dayfly-bench-${randomUUID()}`]),
    [Symbol.asyncDispose]: async () => {},
  }
}

export const runtimes = (folder: string, rootTar: string): (Subject | Absent)[] => [
  runtime('crun', 'bare: five namespaces; no network, seccomp, cgroup', folder, rootTar, ['--cgroup-manager=disabled']),
  runtime('runsc', 'bare gVisor; no network, no cgroup', folder, rootTar, ['--network=none', '--ignore-cgroups']),
]
