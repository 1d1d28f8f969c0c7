/** What an instance did, in words. */
import type { Activity } from '../../../../model/activity.ts'
import type { KernelEvent, SocketFacts } from '../../../../model/kernel-event.ts'
import { bytes } from '../../format.ts'

const side = (address: string | undefined, port: number | undefined): string =>
  address === undefined ? '' : port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

const ofSocket = ({ localAddress, localPort, remoteAddress, remotePort }: SocketFacts): string => {
  const [here, there] = [side(localAddress, localPort), side(remoteAddress, remotePort)]
  return there === '' ? here : `to ${there}`
}

const objectOf = ({ type, args, path, target, socket, child, detail, result }: KernelEvent): string => {
  if (type === 'exec') return args === undefined || args.length === 0 ? (path ?? '') : args.join(' ')
  if (type === 'fork') return child === undefined ? '' : `process ${child}`
  if (type === 'exit') return (result & 127) === 0 ? `with ${result >> 8}` : `by signal ${result & 127}`
  return [path, target === undefined ? undefined : `to ${target}`, socket && ofSocket(socket), detail]
    .filter(part => part !== undefined && part !== '')
    .join(' ')
}

export const whoDid = (activity: Activity): string => (activity.type === 'sample' ? '' : `${activity.name}[${activity.vpid}]`)

export const whatWasDone = (activity: Activity): string => {
  if (activity.type === 'sample') return `${bytes(activity.memory)} of memory, ${(activity.cpu / 1e6).toFixed(2)} s of processor time`
  const failed = activity.type !== 'exit' && activity.result < 0 ? ` failed (${-activity.result})` : ''
  const times = activity.count === undefined ? '' : ` × ${activity.count}`
  return `${objectOf(activity)}${failed}${times}`
}
