/** Docker, by a dockerd of its own on a socket of its own; its bridge and rules are in the network namespace that the benchmark made. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { versionOf } from '../facts.ts'
import { timeProcess } from '../measure.ts'
import { helperMemory } from '../memory.ts'
import type { Absent, Subject } from '../subject.ts'
import { echo, idleCommand, must } from './bundle.ts'
import { startDaemon } from './processes.ts'

const name = 'docker run'

export const docker = async (folder: string, rootTar: string): Promise<Subject | Absent> => {
  if (versionOf('dockerd') === undefined) return { name, absent: 'not installed' }
  mkdirSync(folder, { recursive: true })
  const socket = join(folder, 'docker.sock')
  const client = ['/usr/bin/docker', '--host', `unix://${socket}`]
  const [program = '', ...options] = client
  const call = (...args: string[]): string => must(program, [...options, ...args])
  const daemon = await startDaemon(
    [
      'dockerd',
      `--data-root=${join(folder, 'data')}`,
      `--exec-root=${join(folder, 'exec')}`,
      `--pidfile=${join(folder, 'docker.pid')}`,
      `--host=unix://${socket}`,
      '--cgroup-parent=/dayfly-bench/docker',
    ],
    join(folder, 'dockerd.log'),
    () => call('version'),
  )
  try {
    call('import', rootTar, 'bench')
  } catch (error) {
    await daemon[Symbol.asyncDispose]()
    throw error
  }
  return {
    name,
    note: 'the docker command, its defaults: bridge network, seccomp, cgroup',
    once: () => timeProcess([...client, 'run', '--rm', 'bench', ...echo]),
    idle: async count => {
      const names = Array.from({ length: count }, (_, index) => `idle-${index}`)
      const helpers = await helperMemory(async () => {
        for (const container of names) call('run', '--detach', '--name', container, 'bench', ...idleCommand)
      })
      return { helpers, [Symbol.asyncDispose]: async () => void call('rm', '--force', ...names) }
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  }
}
