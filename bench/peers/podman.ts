/** Podman, with storage of its own. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { versionOf } from '../facts.ts'
import { timeProcess } from '../measure.ts'
import { helperMemory } from '../memory.ts'
import type { Absent, Subject } from '../subject.ts'
import { echo, idleCommand, must } from './bundle.ts'

const name = 'podman run'

export const podman = async (folder: string, rootTar: string): Promise<Subject | Absent> => {
  if (versionOf('podman') === undefined) return { name, absent: 'not installed' }
  mkdirSync(folder, { recursive: true })
  const options = [
    `--root=${join(folder, 'root')}`,
    `--runroot=${join(folder, 'run')}`,
    `--tmpdir=${join(folder, 'tmp')}`,
    '--cgroup-manager=cgroupfs',
    '--events-backend=file',
    '--storage-driver=overlay',
    '--runtime=crun',
  ]
  // Its defaults raise limits, which a host may refuse even to root.
  const placed = ['--cgroup-parent=/dayfly-bench/podman', '--ulimit=nofile=1024:1024', '--ulimit=nproc=4096:4096']
  const call = (...args: string[]): string => must('podman', [...options, ...args])
  call('import', '--quiet', rootTar, 'bench')
  return {
    name,
    note: 'its defaults with crun: bridge network, seccomp, cgroup',
    once: () => timeProcess(['podman', ...options, 'run', '--rm', ...placed, 'bench', ...echo]),
    idle: async count => {
      const names = Array.from({ length: count }, (_, index) => `idle-${index}`)
      const helpers = await helperMemory(async () => {
        for (const container of names) call('run', '--detach', '--name', container, ...placed, 'bench', ...idleCommand)
      })
      return { helpers, [Symbol.asyncDispose]: async () => void call('rm', '--force', '--time=0', ...names) }
    },
    [Symbol.asyncDispose]: async () => {
      call('rm', '--all', '--force', '--time=0')
      call('rmi', '--all', '--force')
    },
  }
}
