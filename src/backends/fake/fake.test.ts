import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAgenda } from '../../base/agenda.ts'
import { systemClock } from '../../base/clock.ts'
import type { BackendFixture } from '../../engine/backend.suite.ts'
import { backendSuite } from '../../engine/backend.suite.ts'
import { createFakeBackend, createFakeKernel } from './fake.ts'
import { commandOf } from './process.ts'
import { fakeWorkload } from './workload.ts'

const open = async (): Promise<BackendFixture> => {
  const clock = systemClock()
  const agenda = createAgenda(clock)
  const kernel = createFakeKernel(clock, agenda)
  const folder = await mkdtemp(join(tmpdir(), 'dayfly-fake-'))
  let backend = createFakeBackend(kernel)
  return {
    backend,
    clock,
    folder,
    workload: fakeWorkload,
    command: commandOf,
    reopen: async () => {
      backend.crash()
      backend = createFakeBackend(kernel)
      return backend
    },
    [Symbol.asyncDispose]: async () => {
      await backend[Symbol.asyncDispose]()
      agenda[Symbol.dispose]()
      await rm(folder, { recursive: true })
    },
  }
}

backendSuite('fake', open, { oom: true })
