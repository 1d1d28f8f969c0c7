/** Names that instances ask for, as events: the name server's log has the source of a question, the kernel's events have whose that is. */
import type { NameQuestion } from '../../../backends/linux/sensor.ts'
import type { KernelEvent, SensedEvent } from '../../../model/kernel-event.ts'

const port = 53
/** Sources that are remembered. */
const most = 10_000
/** A user that nobody is: the question's process is not known. */
const nobody = 0xffff_ffff

type Process = Pick<
  SensedEvent,
  'pid' | 'tid' | 'vpid' | 'start' | 'parentPid' | 'parentStart' | 'uid' | 'euid' | 'gid' | 'name' | 'parentName' | 'exe'
>

const unknown: Process = {
  ...{ pid: 0, tid: 0, vpid: 0, start: 0, parentPid: 0, parentStart: 0, uid: nobody, euid: nobody, gid: nobody, name: '', parentName: '' },
}

const processOf = ({ pid, tid, vpid, start, parentPid, parentStart, uid, euid, gid, name, parentName, exe }: KernelEvent): Process => ({
  ...{ pid, tid, vpid, start, parentPid, parentStart, uid, euid, gid, name, parentName },
  ...(exe === undefined ? {} : { exe }),
})

export interface Questions {
  /** Remembers who sends from where. */
  see(event: KernelEvent): void
  /** As an event that the kernel did not stamp. `boot`: µs. */
  eventOf(question: NameQuestion, boot: number): SensedEvent
}

export const createQuestions = (): Questions => {
  const senders = new Map<string, Process>()
  const keyOf = (instance: string, source: number): string => `${instance} ${source}`
  return {
    see: event => {
      const { socket } = event
      if (socket?.remotePort !== port || socket.localPort === undefined) return
      const key = keyOf(event.instance, socket.localPort)
      senders.delete(key)
      senders.set(key, processOf(event))
      if (senders.size <= most) return
      const [oldest] = senders.keys()
      if (oldest !== undefined) senders.delete(oldest)
    },
    eventOf: ({ instance, port: source, name, answers }, boot) => ({
      ...(senders.get(keyOf(instance, source)) ?? unknown),
      // Names are the same in whatever case, and rules compare letters.
      ...{ type: 'dns', boot, cookie: 1, result: 0, path: name.toLowerCase().replace(/\.$/, '') },
      ...(answers.length === 0 ? {} : { detail: answers.join(' ') }),
    }),
  }
}
