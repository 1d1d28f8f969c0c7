/** containerd by its ctr command, with a containerd of its own. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { versionOf } from '../facts.ts'
import { timeProcess } from '../measure.ts'
import { helperMemory } from '../memory.ts'
import type { Absent, Subject } from '../subject.ts'
import { echo, idleCommand, makeImageArchive, must } from './bundle.ts'
import { startDaemon } from './processes.ts'

const name = 'ctr run'
const image = 'docker.io/library/bench:latest'

export const containerd = async (folder: string, rootTar: string): Promise<Subject | Absent> => {
  if (versionOf('containerd') === undefined) return { name, absent: 'not installed' }
  mkdirSync(folder, { recursive: true })
  const socket = join(folder, 'containerd.sock')
  const configuration = join(folder, 'config.toml')
  writeFileSync(
    configuration,
    [
      'version = 2',
      `root = "${join(folder, 'root')}"`,
      `state = "${join(folder, 'state')}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `  address = "${socket}"`,
      '',
    ].join('\n'),
  )
  const options = ['--address', socket, '--namespace', 'dayfly-bench']
  const call = (...args: string[]): string => must('ctr', [...options, ...args])
  const daemon = await startDaemon(['containerd', '--config', configuration], join(folder, 'containerd.log'), () => call('version'))
  try {
    call('images', 'import', '--base-name', 'docker.io/library/bench', '--snapshotter', 'overlayfs', makeImageArchive(folder, rootTar, image))
  } catch (error) {
    await daemon[Symbol.asyncDispose]()
    throw error
  }
  return {
    name,
    note: 'its defaults: no network, no seccomp; cgroup',
    once: () => timeProcess(['ctr', ...options, 'run', '--rm', image, `once-${randomUUID()}`, ...echo]),
    idle: async count => {
      const names = Array.from({ length: count }, (_, index) => `idle-${index}`)
      const helpers = await helperMemory(async () => {
        for (const container of names) call('run', '--detach', image, container, ...idleCommand)
      })
      return {
        helpers,
        [Symbol.asyncDispose]: async () => {
          for (const container of names) {
            call('tasks', 'kill', '--signal', 'SIGKILL', container)
            call('tasks', 'delete', '--force', container)
            call('containers', 'delete', container)
          }
        },
      }
    },
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  }
}
