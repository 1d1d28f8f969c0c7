/** What an instance did, as a line for people. */
import { formatBytes } from '../../base/bytes.ts'
import type { Activity, Sample } from '../../model/activity.ts'
import type { KernelEvent, SocketFacts } from '../../model/kernel-event.ts'

const protocols: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp' }

const side = (address: string | undefined, port: number | undefined): string | undefined => {
  if (address === undefined) return undefined
  if (port === undefined) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

const ofSocket = ({ family, protocol, localAddress, localPort, remoteAddress, remotePort }: SocketFacts): string => {
  const [here, there] = [side(localAddress, localPort), side(remoteAddress, remotePort)]
  const sides = there === undefined ? here : here === undefined ? `to ${there}` : `${here} to ${there}`
  return [sides, protocols[protocol] ?? family].filter(part => part !== undefined).join(' ')
}

/** `'two words'`: what a shell would need around it. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

const ended = (status: number): string => {
  const signal = status & 127
  return signal === 0 ? `with ${status >> 8}` : `by signal ${signal}`
}

const objects = ({ type, path, target, detail, socket, args, child, targetPid, numbers, fd }: KernelEvent): readonly (string | undefined)[] => {
  switch (type) {
    case 'exec':
      return [args === undefined || args.length === 0 ? path : args.map(quoted).join(' ')]
    case 'fork':
      return [child === undefined ? undefined : `process ${child}`]
    case 'dns':
      return [path, detail === undefined ? undefined : `is ${detail}`]
    case 'dup':
      return [fd === undefined ? undefined : `as ${fd}`, socket && ofSocket(socket)]
    default:
      return [
        path,
        target === undefined ? undefined : `to ${target}`,
        socket && ofSocket(socket),
        targetPid === undefined ? undefined : `process ${targetPid}`,
        detail,
        path === undefined && socket === undefined && numbers !== undefined ? numbers.join(' ') : undefined,
      ]
  }
}

const ofEvent = (event: KernelEvent): string => {
  const { type, exe, name, vpid, args, argsLength, flags = [], result, count } = event
  const who = `${exe ?? name}[${vpid}]`
  const failed = result < 0 ? `failed (${-result})` : undefined
  const outcome = type === 'exit' ? ended(result) : failed
  const told = flags.filter(flag => flag !== 'user' && flag !== 'unread')
  const cut =
    type === 'exec' && args !== undefined && flags.includes('truncated') && argsLength !== undefined ? `… ${argsLength} bytes in all` : undefined
  const marks = told.length === 0 ? undefined : `(${told.join(', ').replaceAll('_', ' ')})`
  return [who, ...objects(event), cut, outcome, marks, count === undefined ? undefined : `× ${count}`].filter(part => part !== undefined).join(' ')
}

const amount = (name: string, bytes: number | undefined): string | undefined => (bytes === undefined ? undefined : `${name} ${formatBytes(bytes)}`)

const ofSample = ({ cpu, memory, processes, read, written, received, sent }: Sample): string =>
  [
    `cpu ${(cpu / 1e6).toFixed(2)} s`,
    amount('memory', memory),
    processes === undefined ? undefined : `${processes} processes`,
    amount('read', read),
    amount('written', written),
    amount('received', received),
    amount('sent', sent),
  ]
    .filter(part => part !== undefined)
    .join(', ')

/** Who did what to what, and how it went. It may hold control characters, as names and arguments may. */
export const activityText = (activity: Activity): string => (activity.type === 'sample' ? ofSample(activity) : ofEvent(activity))
