/** What the daemon's thread and the gateway's say to each other. Requests are numbered; each is answered by `done` or `failed`. */
import type { ErrorCode } from '../base/errors.ts'
import type { LogFields, LogLevel } from '../base/log.ts'
import type { CertificateFiles } from './certificates.ts'
import type { Address, Forward, Limits, Report, RouteChanges } from './gateway.ts'

/** What the thread is started with. */
export interface PlaneOptions {
  readonly listen: Address
  readonly tls: (Address & { readonly certificates: readonly CertificateFiles[] }) | undefined
  readonly domains: readonly string[]
  readonly limits: Limits
}

export type Order =
  | { readonly type: 'routes'; readonly changes: RouteChanges }
  | { readonly type: 'forward'; readonly forward: Forward }
  | { readonly type: 'unforward'; readonly id: string }
  | { readonly type: 'drain'; readonly instance: string; readonly within: number }
  | { readonly type: 'cut'; readonly environment: string }
  | { readonly type: 'flush' }

export type ToPlane =
  | { readonly type: 'order'; readonly number: number; readonly order: Order }
  /** The wake of this target has settled. */
  | { readonly type: 'woken'; readonly target: string; readonly error: string | undefined }

export type FromPlane =
  | { readonly type: 'ready'; readonly port: number; readonly tlsPort: number | undefined }
  /** It cannot begin. */
  | { readonly type: 'unable'; readonly error: Failure }
  /** value: the port of a forward, or how many were cut; otherwise 0. */
  | { readonly type: 'done'; readonly number: number; readonly value: number }
  | { readonly type: 'failed'; readonly number: number; readonly error: Failure }
  | { readonly type: 'wake'; readonly target: string }
  /** Nobody waits any more. */
  | { readonly type: 'unwake'; readonly target: string }
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: LogFields }

/** A DayflyError on its way between threads. */
export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly field: string | undefined
  readonly remedy: string | undefined
}
