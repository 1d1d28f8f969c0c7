/**
 * Letting packets through the host. IPv4 forwarding is decided by the interface that a packet comes in by, so egress needs it on two kinds: on the bridge,
 * and on the interfaces that answers come in by. Only these are switched on, never the host's `net.ipv4.ip_forward`: that would make every interface
 * forward, and would tell docker, which closes the host's forwarding when it is the first to open it, that somebody has seen to that.
 *
 * An interface of the host that was switched on is noted in the table's set `widened`, before it is: so it can be switched off again, also by a later
 * daemon, and the table drops what would be forwarded from it to anywhere but environments (unless the host itself translated its destination, as
 * for a published port, or a connection is established). Where `ip_forward` is on already, nothing is changed and nothing dropped.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'

/** Files below /proc as the network namespace of the helper has them. */
export interface HostFiles {
  read(path: string): Promise<string>
  write(path: string, text: string): Promise<void>
}

export const ownFiles: HostFiles = { read: path => readFile(path, 'utf8'), write: (path, text) => writeFile(path, text) }

interface Route {
  readonly device: string
  readonly address: number
  readonly prefix: number
}

const rejects = 0x200

/** `/proc/net/route`: addresses as hexadecimal numbers in the machine's byte order, which is little-endian on what this runs on. */
const parseRoutes = (text: string): Route[] =>
  text
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const [device, destination, , flags, , , , netmask] = line.trim().split(/\s+/)
      if (device === undefined || destination === undefined || flags === undefined || netmask === undefined) return []
      if ((Number.parseInt(flags, 16) & rejects) !== 0) return []
      const number = (hex: string): number => Buffer.from(hex, 'hex').readUInt32LE()
      return [{ device, address: number(destination), prefix: number(netmask).toString(2).replaceAll('0', '').length }]
    })

const parseNetwork = (cidr: string): { address: number; prefix: number } => {
  const [address = '', prefix = '32'] = cidr.split('/')
  return { address: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), prefix: Number(prefix) }
}

const contains = (outer: { address: number; prefix: number }, inner: { address: number; prefix: number }): boolean =>
  outer.prefix <= inner.prefix && Math.floor(outer.address / 2 ** (32 - outer.prefix)) === Math.floor(inner.address / 2 ** (32 - outer.prefix))

/** Interfaces that the main routing table sends packets for any address of the networks to, those to `except` not counted. */
export const devicesTowards = (routes: string, networks: readonly string[], except: string): Set<string> => {
  const excepted = parseNetwork(except)
  const usable = parseRoutes(routes).filter(route => route.device !== 'lo' && !contains(excepted, route))
  const devices = new Set<string>()
  for (const network of networks.map(parseNetwork)) {
    const around = usable.filter(route => contains(route, network))
    const nearest = Math.max(...around.map(route => route.prefix))
    for (const route of usable) {
      if (contains(network, route) || (route.prefix === nearest && contains(route, network))) devices.add(route.device)
    }
  }
  return devices
}

const settingOf = (device: string): string => `/proc/sys/net/ipv4/conf/${device}/forwarding`

export const isForwarding = async (files: HostFiles, device: string): Promise<boolean> => (await files.read(settingOf(device))).trim() !== '0'

/** The host forwards by its own decision. */
export const hostForwards = async (files: HostFiles): Promise<boolean> => (await files.read('/proc/sys/net/ipv4/ip_forward')).trim() !== '0'

export const setForwarding = (files: HostFiles, device: string, on: boolean): Promise<void> => files.write(settingOf(device), on ? '1' : '0')

/** Does nothing when the device is gone. */
export const stopForwarding = async (files: HostFiles, device: string): Promise<void> => {
  try {
    await setForwarding(files, device, false)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}
