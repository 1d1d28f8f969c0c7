/**
 * Which ports of a service the gateway leads to. `x-dayfly.expose` says it; without one, `ports` do, as far as they go to the host by TCP:
 *
 * - each is published by TCP on the loopback, as docker compose publishes it: at its published port, or at a free one where none is named;
 * - the first one that speaks HTTP also gets the service's host name. It does when its `app_protocol` says so (`http`, `ws`; `h2c` and `grpc` for
 *   HTTP/2 in the clear), or when it has none and the port in the container is one that web servers commonly have.
 *
 * `expose` opens nothing: as with docker compose, other services reach such ports anyhow, and the host does not.
 */
import type { Exposure } from '../model/deployment.ts'
import type { ServiceExtension } from './extension.ts'
import type { Service, ServicePort } from './project.ts'
import type { Sink } from './sink.ts'
import type { Path } from './tree.ts'

export const webPorts: ReadonlySet<number> = new Set([
  ...[80, 3000, 3001, 4000, 4200, 5000, 5173, 8000, 8001, 8008, 8080, 8081, 8082, 8088, 8090, 8888, 9000, 9001, 9080, 9090],
])

const byProtocol: Readonly<Record<string, 'http' | 'h2c'>> = { http: 'http', http1: 'http', ws: 'http', h2c: 'h2c', http2: 'h2c', grpc: 'h2c' }

const httpOf = ({ target, app_protocol: protocol }: ServicePort): 'http' | 'h2c' | undefined => {
  if (protocol === undefined) return webPorts.has(target) ? 'http' : undefined
  return byProtocol[protocol.toLowerCase()]
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1' || address === 'localhost'

const published = (port: ServicePort, path: Path, sink: Sink): number => {
  const text = port.published ?? ''
  if (/^\d+$/.test(text)) return Number(text)
  if (text !== '') sink.warn('notice', path, `of the range ${text} any free port of the host is taken instead; the address is shown when it is up`)
  return 0
}

/** Those of `ports`. */
const derived = (ports: readonly ServicePort[], path: Path, sink: Sink): Exposure[] => {
  const tcp = ports.flatMap((port, index) => {
    const here = [...path, 'ports', index]
    if (port.protocol !== 'tcp') {
      sink.warn(
        'ignored',
        here,
        `${port.target}/${port.protocol} is not published: the gateway carries TCP only. Services of the environment reach it`,
      )
      return []
    }
    if (port.host_ip !== undefined && port.host_ip !== '' && !isLoopback(port.host_ip)) {
      sink.warn('notice', [...here, 'host_ip'], `it is published on the loopback, not at ${port.host_ip}`)
    }
    return [{ port, here }]
  })
  const web = tcp.flatMap(({ port }) => {
    const protocol = httpOf(port)
    return protocol === undefined ? [] : [{ port: port.target, protocol }]
  })
  return [
    ...web.slice(0, 1),
    ...tcp.map(({ port, here }): Exposure => ({ port: port.target, protocol: 'tcp', published: published(port, here, sink) })),
  ]
}

/** Whether `x-dayfly` says anything of it: `expose: []` opens nothing, whatever `ports` say. */
const isDeclared = (service: Service, extension: ServiceExtension): boolean => {
  const own = service.extensions?.['x-dayfly']
  return extension.expose.length > 0 || (typeof own === 'object' && own !== null && 'expose' in own)
}

export const exposuresOf = (service: Service, extension: ServiceExtension, path: Path, sink: Sink): Exposure[] => {
  if (!isDeclared(service, extension)) return derived(service.ports ?? [], path, sink)
  const here = [...path, 'x-dayfly', 'expose']
  const byName = extension.expose.filter(({ protocol }) => protocol !== 'tcp')
  if (byName.length > 1) {
    sink.error(here, `a service has one host name, and ${byName.map(({ port }) => port).join(' and ')} both want it`, {
      remedy: 'Keep one of them, and write the others as PORT/tcp.',
    })
  }
  for (const { port, protocol, published, host } of extension.expose) {
    if (protocol !== 'tcp' && published !== undefined) {
      sink.error(here, `${port}/${protocol} goes by host name and has no port of its own to publish`, {
        remedy: 'Write it once more as tcp if you need the port.',
      })
    }
    if (protocol === 'tcp' && host !== undefined) {
      sink.error(here, `${port}/tcp goes by a port of its own, and ${host} would be told apart by nothing`, {
        remedy: 'Leave the name out, or expose it as http.',
      })
    }
  }
  return extension.expose.map(({ port, protocol, published, host }) => ({
    port,
    protocol,
    ...(protocol === 'tcp' ? { published: published ?? 0 } : {}),
    ...(host === undefined ? {} : { host }),
  }))
}
