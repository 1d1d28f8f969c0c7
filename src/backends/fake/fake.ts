/**
 * A backend whose kernel is in memory, for tests. The kernel outlives the backend that drives it, as the real one does: `crash` a backend and make
 * another on the same kernel. What was created and not started is bound to the backend that made it, and goes with it.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { abortable, throwIfAborted } from '../../base/abort.ts'
import type { Agenda } from '../../base/agenda.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Backend, NetworkName } from '../../engine/backend.ts'
import type { OwnedObject } from '../../model/owned.ts'
import type { Session } from '../../model/session.ts'
import { createFakeFiles } from './files.ts'
import type { Machine } from './machine.ts'
import { createMachine } from './machine.ts'

export interface FakeKernel {
  readonly clock: Clock
  /** What its processes sleep by. */
  agenda: Agenda
  readonly machines: Map<string, Machine>
  /** Environments that have a network. */
  readonly networks: Set<string>
  /** What names stand for, by environment: instance ids. */
  readonly names: Map<string, readonly NetworkName[]>
  readonly volumes: Map<string, Map<string, Buffer>>
  readonly paused: Set<string>
  /** Instances that are killed at their deadline without a stop signal. */
  readonly abrupt: Set<string>
  /** Environments that nothing gets out of. */
  readonly isolated: Set<string>
  /** Processes that were started, by instance, over the life of the kernel: to see that nothing is started twice. */
  readonly starts: Map<string, number>
  nextPid(): number
  /** Everything is gone; the next boot has another agenda. */
  reboot(agenda: Agenda): void
}

export const createFakeKernel = (clock: Clock, agenda: Agenda): FakeKernel => {
  let pid = 100
  const kernel: FakeKernel = {
    clock,
    agenda,
    machines: new Map(),
    networks: new Set(),
    names: new Map(),
    volumes: new Map(),
    paused: new Set(),
    abrupt: new Set(),
    isolated: new Set(),
    starts: new Map(),
    nextPid: () => ++pid,
    reboot: next => {
      for (const machine of kernel.machines.values()) machine.destroy()
      kernel.machines.clear()
      kernel.networks.clear()
      kernel.names.clear()
      kernel.volumes.clear()
      kernel.paused.clear()
      kernel.abrupt.clear()
      kernel.isolated.clear()
      kernel.agenda[Symbol.dispose]()
      kernel.agenda = next
    },
  }
  return kernel
}

export type Operation =
  | 'prepareEnvironment'
  | 'seedVolume'
  | 'setNames'
  | 'pause'
  | 'resume'
  | 'killProcess'
  | 'takeEvidence'
  | 'usage'
  | 'disk'
  | 'denied'
  | 'isolate'
  | 'create'
  | 'start'
  | 'wait'
  | 'signal'
  | 'setDeadline'
  | 'exec'
  | 'attach'
  | 'files'
  | 'remove'
  | 'removeEnvironment'
  | 'observe'
  | 'owned'

/** `fail`: before it has done anything. `late`: after it has. `hang`: never, until its signal aborts. `freeze`: never, whatever the signal. */
export type Fault = 'fail' | 'late' | 'hang' | 'freeze'

export interface FakeOptions {
  /** Asked at every call, with the number of the call (from 1). */
  readonly fault?: (operation: Operation, subject: string, call: number) => Fault | undefined
  /** Is told of every call. */
  readonly onCall?: (operation: Operation, subject: string) => void
}

export interface FakeBackend extends Backend {
  /** kill -9 of the daemon: no call of it ever settles again. */
  crash(): void
}

const never = <T>(): Promise<T> => new Promise<T>(() => {})

export const createFakeBackend = (kernel: FakeKernel, options: FakeOptions = {}): FakeBackend => {
  const bound = new Set<string>()
  const execs = new Set<Session>()
  let dead = false
  let calls = 0

  const disconnect = (): void => {
    dead = true
    for (const session of execs) void session[Symbol.asyncDispose]()
    for (const id of bound) {
      const machine = kernel.machines.get(id)
      if (machine?.state !== 'created') continue
      machine.destroy()
      kernel.machines.delete(id)
    }
  }

  /** What every call goes through: faults, the caller's signal, and the silence after a crash. */
  const call = async <T>(operation: Operation, subject: string, signal: AbortSignal | undefined, work: () => T | Promise<T>): Promise<T> => {
    const fault = options.fault?.(operation, subject, ++calls)
    options.onCall?.(operation, subject)
    await Promise.resolve()
    if (dead) return never()
    if (signal) throwIfAborted(signal)
    if (fault === 'freeze') return never()
    if (fault === 'hang') return signal ? abortable(never<T>(), signal) : never()
    const failure = new DayflyError('host', `the fake kernel was told to fail ${operation} of ${subject}`)
    if (fault === 'fail') throw failure
    const result = await work()
    if (dead) return never()
    if (fault === 'late') throw failure
    return result
  }

  const machineOf = (id: string): Machine => {
    const found = kernel.machines.get(id)
    if (!found) throw new DayflyError('not_found', `there is no instance ${id}`)
    return found
  }
  const living = (id: string): Machine => {
    const machine = machineOf(id)
    if (machine.state !== 'running') throw new DayflyError('wrong_state', `the instance ${id} is ${machine.state}`)
    return machine
  }

  return {
    name: 'fake',

    prepareEnvironment: ({ id, volumes }, signal) =>
      call('prepareEnvironment', id, signal, () => {
        kernel.networks.add(id)
        const known = kernel.volumes.get(id) ?? new Map<string, Buffer>()
        kernel.volumes.set(id, known)
        for (const volume of volumes) known.set(volume, known.get(volume) ?? Buffer.alloc(0))
      }),
    seedVolume: (id, volume, tar, signal) =>
      call('seedVolume', id, signal, async () => {
        if (kernel.volumes.get(id)?.has(volume) !== true)
          throw new DayflyError('not_found', `the environment has no volume ${volume}`, { field: 'volume' })
        const pieces: Uint8Array[] = []
        for await (const piece of tar) pieces.push(piece)
        kernel.volumes.get(id)?.set(volume, Buffer.concat(pieces))
      }),
    setNames: (id, names) =>
      call('setNames', id, undefined, () => {
        kernel.names.set(id, names)
      }),

    create: (request, secrets, signal) =>
      call('create', request.id, signal, () => {
        if (kernel.machines.has(request.id)) throw new DayflyError('conflict', `there is an instance ${request.id} already`)
        const machine = createMachine(kernel.clock, kernel.agenda, request, secrets, kernel.nextPid())
        kernel.machines.set(request.id, machine)
        kernel.networks.add(request.environment)
        bound.add(request.id)
        return { pid: machine.pid, start: 'cold' as const, address: `192.0.2.${(machine.pid % 250) + 1}` }
      }),
    start: (id, signal) =>
      call('start', id, signal, () => {
        machineOf(id).start()
        kernel.starts.set(id, (kernel.starts.get(id) ?? 0) + 1)
      }),
    wait: (id, signal) =>
      call('wait', id, signal, async () => {
        const status = await abortable(machineOf(id).ended, signal)
        if (!status) throw new DayflyError('wrong_state', `the monitor of ${id} is gone`)
        return status
      }),
    signal: (id, name) => call('signal', id, undefined, () => kernel.machines.get(id)?.signal(name)),
    setDeadline: (id, deadline, abrupt = false) =>
      call('setDeadline', id, undefined, () => {
        machineOf(id).setDeadline(deadline, abrupt)
        if (abrupt) kernel.abrupt.add(id)
        else kernel.abrupt.delete(id)
      }),
    exec: (id, request, signal) =>
      call('exec', id, signal, () => {
        const session = living(id).exec(request)
        execs.add(session)
        session.exit.finally(() => execs.delete(session)).catch(() => {})
        return session
      }),
    pause: id =>
      call('pause', id, undefined, () => {
        living(id)
        kernel.paused.add(id)
      }),
    resume: id =>
      call('resume', id, undefined, () => {
        kernel.paused.delete(id)
      }),
    // Its processes are the first one and no other.
    killProcess: (id, { pid }) =>
      call('killProcess', id, undefined, () => {
        const machine = machineOf(id)
        if (machine.pid !== pid || machine.state !== 'running') return false
        machine.signal('SIGKILL')
        return true
      }),
    takeEvidence: (id, { folder, secrets }, signal) =>
      call('takeEvidence', id, signal, () => {
        const { state, pid } = machineOf(id)
        writeFileSync(join(folder, 'processes.json'), JSON.stringify({ id, state, pid, frozen: kernel.paused.has(id), secrets: secrets.length }))
        return { files: ['processes.json'], gaps: [] }
      }),
    usage: () => call('usage', 'all', undefined, () => new Map([...kernel.machines.keys()].map(id => [id, { cpu: 0, memory: 0 }]))),
    disk: (environments, signal) =>
      call('disk', 'all', undefined, () => {
        const sizeOf = (id: string): number => [...(kernel.volumes.get(id)?.values() ?? [])].reduce((sum, { length }) => sum + length, 0)
        return new Map(signal.aborted ? [] : environments.map(id => [id, sizeOf(id)]))
      }),
    denied: id => call('denied', id, undefined, () => []),
    isolate: id => call('isolate', id, undefined, () => void kernel.isolated.add(id)),
    attach: (id, signal) => call('attach', id, signal, () => living(id).attach()),
    files: (id, _user, signal) => call('files', id, signal, () => createFakeFiles(living(id).files, kernel.clock.wall, signal)),
    remove: (id, signal) =>
      call('remove', id, signal, () => {
        kernel.machines.get(id)?.destroy()
        kernel.machines.delete(id)
        kernel.paused.delete(id)
        kernel.abrupt.delete(id)
      }),
    removeEnvironment: (environment, signal) =>
      call('removeEnvironment', environment, signal, () => {
        const left = [...kernel.machines.values()].find(machine => machine.environment === environment)
        if (left) throw new DayflyError('wrong_state', `the environment ${environment} still has the instance ${left.id}`)
        kernel.networks.delete(environment)
        kernel.names.delete(environment)
        kernel.volumes.delete(environment)
        kernel.isolated.delete(environment)
      }),

    observe: () =>
      call('observe', 'all', undefined, () =>
        [...kernel.machines.values()].map(({ id, environment, state, pid, exit }) => ({
          ...{ id, environment, state, exit },
          pid: state === 'created' || state === 'running' ? pid : undefined,
        })),
      ),
    owned: () =>
      call('owned', 'all', undefined, (): OwnedObject[] => [
        ...[...kernel.machines.values()].flatMap(({ id, state }): OwnedObject[] => [
          { kind: 'directory', name: `instances/${id}`, owner: id },
          ...(state === 'created' || state === 'running' ? [{ kind: 'process' as const, name: id, owner: id }] : []),
        ]),
        ...[...kernel.networks].map((environment): OwnedObject => ({ kind: 'interface', name: `fake-${environment}`, owner: environment })),
      ]),

    crash: disconnect,
    [Symbol.asyncDispose]: async () => disconnect(),
  }
}
