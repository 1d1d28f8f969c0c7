/** What no container can be faster than here. */
import { timeProcess } from './measure.ts'
import type { Subject } from './subject.ts'
import { greeting } from './subject.ts'

const nothing = async (): Promise<void> => {}

export const floors = (): Subject[] => [
  {
    name: 'floor: a process',
    note: 'Node spawns echo; no isolation',
    once: () => timeProcess(['/bin/echo', greeting]),
    [Symbol.asyncDispose]: nothing,
  },
  {
    name: 'floor: unshare',
    note: 'six empty namespaces, no root file system, network, limits or seccomp',
    once: () => timeProcess(['unshare', '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--fork', '/bin/echo', greeting]),
    [Symbol.asyncDispose]: nothing,
  },
]
