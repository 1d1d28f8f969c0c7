/** What a value in a condition means, by the type of what it is compared with. All throw RangeError with words for the author of the rule. */
import type { FieldType } from '../fields/field.ts'
import type { Network, Words } from './addresses.ts'
import { parseAddress, parseNetwork } from './addresses.ts'

/** Names that rules use for ports: those of /etc/services that somebody is likely to watch. */
const services: Readonly<Record<string, number>> = {
  ...{
    ftp: 21,
    ssh: 22,
    telnet: 23,
    smtp: 25,
    domain: 53,
    bootps: 67,
    tftp: 69,
    http: 80,
    kerberos: 88,
    pop3: 110,
    sunrpc: 111,
    ntp: 123,
    imap2: 143,
  },
  ...{ imap: 143, snmp: 161, bgp: 179, irc: 194, ldap: 389, https: 443, submission: 587, ldaps: 636, rsync: 873, imaps: 993, pop3s: 995, nfs: 2049 },
  ...{ 'ms-sql-s': 1433, mysql: 3306, 'ms-wbt-server': 3389, postgresql: 5432, amqp: 5672, x11: 6000, redis: 6379, 'http-alt': 8080, git: 9418 },
}

export const parseInteger = (text: string): number => {
  const number = /^[+-]?\d+$/.test(text) || /^0[xX][0-9a-fA-F]+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(number)) throw new RangeError(`"${text}" is no integer`)
  return number
}

export const parsePort = (text: string): number => {
  const port = /^\d+$/.test(text) ? Number(text) : services[text]
  if (port === undefined) throw new RangeError(`there is no service "${text}": write the port's number`)
  if (port > 65_535) throw new RangeError(`${text} is no port: they end at 65535`)
  return port
}

export const parseBoolean = (text: string): boolean => {
  if (text !== 'true' && text !== 'false') throw new RangeError(`"${text}" is neither true nor false`)
  return text === 'true'
}

export const parseIp = (text: string): Words => {
  const words = parseAddress(text)
  if (!words)
    throw new RangeError(`"${text}" is no IP address${text.includes('/') ? ': a network is compared with fd.net, fd.snet and the like' : ''}`)
  return words
}

export const parseIpNetwork = (text: string): Network => {
  const network = parseNetwork(text)
  if (!network) throw new RangeError(`"${text}" is no IP network: write it like 10.0.0.0/8`)
  return network
}

/** As text; `hexadecimal` for bcontains and bstartswith. */
export const parseBytes = (text: string, hexadecimal: boolean): Buffer => {
  if (!hexadecimal) return Buffer.from(text)
  if (!/^(?:[0-9a-fA-F]{2})+$/.test(text)) throw new RangeError(`"${text}" are no bytes: write two hexadecimal digits for each`)
  return Buffer.from(text, 'hex')
}

/** For what compares as itself. */
export const parseScalar = (type: FieldType, text: string): string | number | boolean => {
  if (text.includes('\0')) throw new RangeError('a value has no NUL')
  if (type === 'port') return parsePort(text)
  if (type === 'boolean') return parseBoolean(text)
  if (type === 'number' || type === 'time' || type === 'duration') return parseInteger(text)
  return text
}
