/** The daemon's own command line. `dayfly serve` writes it; it is checked all the same. */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { LogLevel } from '../../base/log.ts'
import { isLogLevel } from '../../base/log.ts'
import type { QuotaRules } from '../../engine/quotas.ts'
import type { Address, GatewayOptions } from '../../gateway/gateway.ts'
import type { PriceTable } from '../../model/usage.ts'
import type { PresetName } from '../../policy/presets/settings.ts'
import { presetNames } from '../../policy/presets/settings.ts'
import type { CertificateFiles } from './access/certificate.ts'
import { usualPort } from './access/place.ts'
import type { BuildBounds } from './builds.ts'
import { parseBounds } from './builds.ts'
import { readPrices } from './prices.ts'
import { readQuotas } from './quotas.ts'
import type { SensorDemand } from './sensing/create.ts'

export interface GatewayPlace extends Pick<GatewayOptions, 'tls' | 'domains'> {
  /** undefined: the usual port of the loopback, or a free one where that is taken. */
  readonly listen: Address | undefined
}

export interface DaemonOptions {
  readonly stateDir: string
  readonly runDir: string
  readonly backend: 'linux' | 'fake'
  /** Lets this group use the socket. */
  readonly group: string | undefined
  readonly logLevel: LogLevel
  readonly quotas: QuotaRules | undefined
  /** What things cost; undefined: the usual prices. */
  readonly prices: PriceTable | undefined
  /** Folder of policy files; undefined: `policies` in the state folder. */
  readonly policies: string | undefined
  /** Built-in policies in place of what the files say. */
  readonly preset: PresetName | undefined
  /** What a build may use up. */
  readonly builds: BuildBounds
  /** Where requests to environments come in. */
  readonly gateway: GatewayPlace
  /** Where the API is served over the network; undefined: nowhere, until somebody asks for the console. */
  readonly listen?: Address | undefined
  /** In place of a certificate that is made. */
  readonly tls?: CertificateFiles | undefined
  /** Whether what instances do is seen by the kernel's own word. */
  readonly sensor: SensorDemand
  /** Print this report as JSON instead of serving. */
  readonly check: 'host' | 'leaks' | undefined
}

const oneOf = <T extends string>(text: string, field: string, values: readonly T[]): T => {
  const found = values.find(value => value === text)
  if (found === undefined)
    throw new DayflyError('invalid', `${field}: "${text}" is not one of ${values.join(', ')}`, {
      field,
      remedy: `Write it like ${field} ${values[0]}.`,
    })
  return found
}

/** `127.0.0.1:7878`, `[::1]:443`; without a port 0. */
const addressOf = (text: string, field: string): Address => {
  const [, v6, v4, port = '0'] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = v6 ?? v4
  if (host === undefined || isIP(host) === 0 || Number(port) > 65_535) {
    throw new DayflyError('invalid', `${field}: "${text}" is not an address and a port`, { field, remedy: `Write it like ${field} 127.0.0.1:7878.` })
  }
  return { host, port: Number(port) }
}

/** Port 7443 where none is given. */
const listenOf = (text: string | undefined): Address | undefined => {
  if (text === undefined) return undefined
  const { host, port } = addressOf(text, '--listen')
  return { host, port: /^[0-9.]+$|\]$/.test(text) ? usualPort : port }
}

const certificateOf = (pair: string, field: string): CertificateFiles => {
  const [certFile = '', keyFile = ''] = pair.split(',')
  if (certFile !== '' && keyFile !== '') return { certFile: resolve(certFile), keyFile: resolve(keyFile) }
  throw new DayflyError('invalid', `${field}: "${pair}" is not two files`, { field, remedy: `Write it like ${field} CERT.pem,KEY.pem.` })
}

const loopback = (host: string): boolean => host === '::1' || host.startsWith('127.')

/** In the clear on the loopback only; anywhere else with certificates. */
const gatewayOf = (
  listen: string,
  tls: string | undefined,
  certificates: readonly string[],
  domains: readonly string[],
): DaemonOptions['gateway'] => {
  const address = listen === '' ? undefined : addressOf(listen, '--gateway')
  if (address !== undefined && !loopback(address.host)) {
    throw new DayflyError('invalid', `--gateway: ${address.host} is not of the loopback, and what comes in there is not encrypted`, {
      field: '--gateway',
      remedy: 'Use --gateway-tls with --gateway-certificate for other addresses.',
    })
  }
  const wrong = domains.find(domain => !/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domain))
  if (wrong !== undefined) {
    throw new DayflyError('invalid', `--gateway-domain: "${wrong}" is not a domain name in lower case`, {
      field: '--gateway-domain',
      remedy: 'Write it like --gateway-domain preview.example.org.',
    })
  }
  if ((tls === undefined) !== (certificates.length === 0)) {
    const field = tls === undefined ? '--gateway-tls' : '--gateway-certificate'
    throw new DayflyError('invalid', `${field}: it is missing; an address and certificates go together`, {
      field,
      remedy: 'Write --gateway-tls 0.0.0.0:443 --gateway-certificate CERT.pem,KEY.pem.',
    })
  }
  const files = certificates.map(pair => certificateOf(pair, '--gateway-certificate'))
  return {
    listen: address,
    domains: [...new Set(['localhost', ...domains])],
    ...(tls === undefined ? {} : { tls: { ...addressOf(tls, '--gateway-tls'), certificates: files } }),
  }
}

/** Throws `invalid` naming the option. */
export const parseOptions = (words: readonly string[]): DaemonOptions => {
  const { values } = (() => {
    try {
      return parseArgs({
        args: [...words],
        options: {
          'state-dir': { type: 'string', default: '/var/lib/dayfly' },
          'run-dir': { type: 'string', default: '/run/dayfly' },
          backend: { type: 'string', default: process.env['DAYFLY_BACKEND'] ?? 'linux' },
          group: { type: 'string' },
          'log-level': { type: 'string', default: 'info' },
          check: { type: 'string' },
          sensor: { type: 'string', default: process.env['DAYFLY_SENSOR'] ?? 'auto' },
          gateway: { type: 'string', default: process.env['DAYFLY_GATEWAY'] ?? '' },
          listen: { type: 'string' },
          tls: { type: 'string' },
          quotas: { type: 'string' },
          prices: { type: 'string' },
          policies: { type: 'string' },
          preset: { type: 'string' },
          'build-limits': { type: 'string', default: '' },
          'gateway-tls': { type: 'string' },
          'gateway-certificate': { type: 'string', multiple: true, default: [] },
          'gateway-domain': { type: 'string', multiple: true, default: [] },
        },
      })
    } catch (error) {
      throw new DayflyError('invalid', messageOf(error), { remedy: 'See `dayfly serve --help`.', cause: error })
    }
  })()
  const level = values['log-level']
  if (!isLogLevel(level))
    throw new DayflyError('invalid', `--log-level: "${level}" is no level`, { field: '--log-level', remedy: 'Write debug, info, warn or error.' })
  return {
    stateDir: resolve(values['state-dir']),
    runDir: resolve(values['run-dir']),
    backend: oneOf(values.backend, '--backend', ['linux', 'fake'] as const),
    group: values.group,
    logLevel: level,
    quotas: values.quotas === undefined ? undefined : readQuotas(resolve(values.quotas)),
    prices: values.prices === undefined ? undefined : readPrices(resolve(values.prices)),
    policies: values.policies === undefined ? undefined : resolve(values.policies),
    preset: values.preset === undefined ? undefined : oneOf(values.preset, '--preset', presetNames),
    builds: parseBounds(values['build-limits']),
    sensor: oneOf(values.sensor, '--sensor', ['auto', 'off', 'require'] as const),
    listen: listenOf(values.listen),
    tls: values.tls === undefined ? undefined : certificateOf(values.tls, '--tls'),
    gateway: gatewayOf(values.gateway, values['gateway-tls'], values['gateway-certificate'], values['gateway-domain']),
    check: values.check === undefined ? undefined : oneOf(values.check, '--check', ['host', 'leaks'] as const),
  }
}
