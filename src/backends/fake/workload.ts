import type { Script } from '../../engine/backend.suite.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import { defaultLimits } from '../../model/workload.ts'
import { commandOf } from './process.ts'

/** A job of the fake kernel that runs the script. */
export const fakeWorkload = (script: Script, change: Partial<WorkloadSpec> = {}): WorkloadSpec => ({
  ...{ kind: 'job', image: `sha256:${'0'.repeat(64)}`, imageName: 'fake', command: commandOf(script), env: { PATH: '/bin' }, user: '', workdir: '/' },
  ...{ readOnly: false, capabilities: [], limits: defaultLimits, egress: [], runtime: 'crun', tty: false, stdin: true },
  ...{ stopSignal: 'SIGTERM', grace: 1_000, logLimit: 16 * 1024 * 1024, secrets: [] },
  ...change,
})
