/** Where the daemon is: found as the command line finds it. */
import { join } from 'node:path'
import type { Place } from '../../src/api/client/secure.ts'
import { placeIn } from '../../src/api/client/secure.ts'
import { asOurs } from './errors.ts'

export interface ConnectionOptions {
  /** Path of the daemon's unix socket. Default: $DAYFLY_SOCKET, else dayfly.sock in $DAYFLY_RUN_DIR, else /run/dayfly/dayfly.sock. */
  readonly socket?: string | undefined
  /** `https://host:7443`: a daemon that listens with TLS. Default: $DAYFLY_HOST. It takes a token. */
  readonly host?: string | undefined
  /** Default: $DAYFLY_TOKEN. */
  readonly token?: string | undefined
  /** What its certificate is known by: `sha256:…` of it, PEM text, or the path of a PEM file. Default: $DAYFLY_CA; without, the system's authorities. */
  readonly ca?: string | undefined
}

/** @internal */
export interface Connection extends Place {
  /** For people. */
  readonly name: string
  readonly remote: boolean
}

/**
 * What is left out comes from the environment. A socket that is given goes before a host of the environment.
 *
 * @internal
 */
export const connectionOf = (options: ConnectionOptions = {}): Connection => {
  const { env } = process
  try {
    const place = placeIn({
      DAYFLY_HOST: options.host ?? (options.socket === undefined ? env['DAYFLY_HOST'] : undefined),
      DAYFLY_TOKEN: options.token ?? env['DAYFLY_TOKEN'],
      DAYFLY_CA: options.ca ?? env['DAYFLY_CA'],
    })
    if (place !== undefined) return { ...place, name: place.socketPath, remote: true }
  } catch (error) {
    throw asOurs(error)
  }
  const socketPath = options.socket ?? env['DAYFLY_SOCKET'] ?? join(env['DAYFLY_RUN_DIR'] ?? '/run/dayfly', 'dayfly.sock')
  return { socketPath, name: socketPath, remote: false }
}
