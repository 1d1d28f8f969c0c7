/** Execs and attaches: written into the record when they begin and end, and counted as activity. */
import { settledWithin } from '../base/abort.ts'
import { DayflyError, messageOf } from '../base/errors.ts'
import { newExecId } from '../base/ids.ts'
import type { Actor, NewEvent } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { ExecRequest, Session } from '../model/session.ts'
import type { Backend } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface Sessions {
  exec(instance: Instance, request: ExecRequest, actor: Actor, signal: AbortSignal): Promise<Session>
  attach(instance: Instance, actor: Actor, signal: AbortSignal): Promise<Session>
  openExecs(environment: string): number
  /** Closes what is open and writes its end: before the record is sealed. */
  finish(environment: string): Promise<void>
}

/** How long a session of an ended instance may take to notice (ms). */
const closePatience = 2_000

interface Open {
  readonly exec: boolean
  readonly session: Session
  readonly end: (reason: string, data: NewEvent['data']) => void
}

export const createSessions = (backend: Backend, lifecycle: Lifecycle, onIdle: (environment: string) => void): Sessions => {
  const open = new Map<string, Set<Open>>()

  const begin = (instance: Instance, session: Session, exec: boolean, ended: Omit<NewEvent, 'reason'>): Session => {
    const { environment } = instance
    const those = open.get(environment) ?? new Set()
    open.set(environment, those)
    const entry: Open = {
      exec,
      session,
      end: (reason, data) => {
        if (!those.delete(entry)) return
        if (those.size === 0 && open.get(environment) === those) open.delete(environment)
        lifecycle.touch(environment)
        lifecycle.noteEventually({ ...ended, reason, data: { ...ended.data, ...data } })
        onIdle(environment)
      },
    }
    those.add(entry)
    session.exit.then(
      code => entry.end(`exit code ${code}`, { code }),
      (error: unknown) => entry.end(messageOf(error), {}),
    )
    const touched = (): void => lifecycle.touch(environment)
    return {
      write: stdin => {
        touched()
        session.write(stdin)
      },
      drained: () => session.drained(),
      resize: (rows, columns) => session.resize(rows, columns),
      signal: name => {
        touched()
        session.signal(name)
      },
      output: session.output,
      exit: session.exit,
      [Symbol.asyncDispose]: async () => {
        await session[Symbol.asyncDispose]()
        if (!exec) entry.end('detached', {})
      },
    }
  }

  return {
    exec: async (instance, request, actor, signal) => {
      const { environment, id } = instance
      if (request.command.length === 0 || request.command[0] === '') {
        throw new DayflyError('invalid', 'exec: there is no command', { field: 'command', remedy: 'Write it after --: dayfly exec NAME -- ls' })
      }
      const data = { exec: newExecId(), tty: request.tty }
      const begun = { ...data, command: [...request.command], ...(request.user === undefined ? {} : { user: request.user }) }
      lifecycle.note({ environment, instance: id, type: 'exec.started', actor, reason: 'asked for', data: begun })
      lifecycle.touch(environment)
      const ended = { environment, instance: id, type: 'exec.ended', actor, data }
      try {
        return begin(instance, await backend.exec(id, request, signal), true, ended)
      } catch (error) {
        lifecycle.noteEventually({ ...ended, reason: `it did not start: ${messageOf(error)}` })
        throw error
      }
    },

    attach: async (instance, actor, signal) => {
      const { environment, id } = instance
      lifecycle.note({ environment, instance: id, type: 'attach.started', actor, reason: 'asked for', data: {} })
      lifecycle.touch(environment)
      const ended = { environment, instance: id, type: 'attach.ended', actor, data: {} }
      try {
        return begin(instance, await backend.attach(id, signal), false, ended)
      } catch (error) {
        lifecycle.noteEventually({ ...ended, reason: `it did not start: ${messageOf(error)}` })
        throw error
      }
    },

    openExecs: environment => [...(open.get(environment) ?? [])].filter(entry => entry.exec).length,

    finish: async environment => {
      const those = [...(open.get(environment) ?? [])]
      await Promise.all(
        those.map(async ({ session, end }) => {
          if (!(await settledWithin(session.exit, closePatience))) await settledWithin(Promise.resolve(session[Symbol.asyncDispose]()), closePatience)
          end('cut off by the end of its environment', {})
        }),
      )
    },
  }
}
