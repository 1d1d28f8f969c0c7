/**
 * Inbound traffic to environments: HTTP by host name, TCP by port. The gateway is told everything (who is there, who has gone, who may take how
 * much) and tells what it saw; it knows no engine. The data plane runs in a thread of its own, so that neither side's work delays the other's.
 *
 *   client ──▶ listener ──▶ route (by host) ──▶ waiting line ──▶ endpoint (least in flight) ──▶ instance
 *                             gone: 410            │ no endpoint: onWake, once for all who wait
 *                                                  └ too many, or too long: 503 with Retry-After
 *
 * A request goes back to the head of the line when its instance refused the connection. When the instance broke it, it is sent again, at most twice,
 * if none of its body was consumed, no answer had begun, and it has a body or may be done twice (RFC 9110, 9.2.2): an endpoint that comes or goes
 * loses no request. Whoever takes an instance away does it in this order:
 * `setRoutes` without it (or not at all), `drain(instance)`, then stop it.
 */
import type { Log } from '../base/log.ts'
import type { AccessEntry } from '../model/access.ts'

export interface Address {
  /** An IP address. */
  readonly host: string
  /** 0 for one that is free. */
  readonly port: number
}

/** One running copy that can be sent requests. */
export interface Endpoint extends Address {
  /** Instance id: what is drained, counted and written into the access log. */
  readonly instance: string
}

/** What a route and a forward have in common: whom it leads to. */
export interface Target {
  /** Unique among routes and forwards; what onWake and reports name. */
  readonly id: string
  /** Environment id. */
  readonly environment: string
  /** Workload name. */
  readonly workload: string
  /** Where requests may go now. None: the first request wakes it. */
  readonly endpoints: readonly Endpoint[]
  /** Most requests (or connections) in flight at one endpoint; more wait. Unlimited by default. */
  readonly concurrency?: number
  /** Most that wait, for a wake or a free place; 1,000 by default. More are refused: 503. */
  readonly queue?: number
  /** Longest wait, ms; 30,000 by default. Then 503. */
  readonly wait?: number
}

export interface Route extends Target {
  /** Full names in lower case, without port: `web.shop.localhost`. Of two routes with one name the later set wins. */
  readonly hosts: readonly string[]
  /** What the instances speak; `h2c` (HTTP/2 in the clear, at once) is what gRPC needs. `http1` by default. */
  readonly protocol?: 'http1' | 'h2c'
  /** The environment has ended: 410 with this reason, in words. */
  readonly gone?: string
  /** Longest time from the whole request being sent to the beginning of its answer, ms; 300,000 by default. Then 504. */
  readonly answer?: number
}

/** A port of its own on this host, carried as bytes. */
export interface Forward extends Target {
  readonly listen: Address
}

export interface Limits {
  /** Client connections at once, of all kinds together; more are closed at once and counted in the log. */
  readonly connections: number
  /** Bytes of a request's head. More: 431. */
  readonly headBytes: number
  /** ms for a client to send the head of a request (and for a TLS handshake). Then 408 and the connection is closed. */
  readonly head: number
  /** ms without a byte from a client that owes some of its body, or with bytes waiting that the client does not take. Then it is cut. */
  readonly stall: number
  /** ms that a client's connection is kept with no request in flight. */
  readonly idle: number
  /** ms for a connection to an instance to come about; and how long a request is tried again while every endpoint refuses. Then 502. */
  readonly connect: number
  /** Access log entries of one report; more are counted as dropped. */
  readonly accessEntries: number
}

export const defaultLimits: Limits = {
  connections: 10_000,
  headBytes: 32 * 1024,
  head: 15_000,
  stall: 60_000,
  idle: 75_000,
  connect: 5_000,
  accessEntries: 500,
}

export interface GatewayOptions {
  readonly listen: Address
  /** Certificates are chosen by server name (the first is for clients that give none) and read again when their files change. */
  readonly tls?: Address & { readonly certificates: readonly { readonly certFile: string; readonly keyFile: string }[] }
  /** What names of routes end with: `localhost`, and the operator's own. Requests for names elsewhere are refused: 421. */
  readonly domains: readonly string[]
  /**
   * Called when a request came for a target without an endpoint; joined by all who come until it settles. Fulfilled: the endpoint has been set, or
   * is soon. Rejected: those who wait get 503 with the error's message. The signal aborts when nobody waits any more.
   */
  readonly onWake: (target: string, signal: AbortSignal) => Promise<void>
  /** Called at most every 100 ms, and only when there is something to tell. */
  readonly onReport: (report: Report) => void
  readonly log: Log
  readonly limits?: Partial<Limits>
}

/** Upper bounds of `durations`, ms; the last bucket has none. */
export const durationBounds = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000] as const

/** Of one route or forward. Counts are since the report before; `inFlight` and `waiting` are as of now. */
export interface TargetReport {
  readonly id: string
  readonly environment: string
  readonly workload: string
  readonly started: number
  readonly finished: number
  readonly inFlight: number
  readonly waiting: number
  /** Bytes of bodies (of streams: all) from clients and to clients. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** How many answers had which status; a connection of a forward has none, a request whose client left 499. */
  readonly statuses: Readonly<Record<number, number>>
  /** Finished requests by duration, from the request's head to the answer's end; one more than `durationBounds`. */
  readonly durations: readonly number[]
  /** ms that those of each bucket took together. */
  readonly took: readonly number[]
  /** In flight by instance id, those being drained included. */
  readonly instances: Readonly<Record<string, number>>
  /** Somebody uses it: a request began, waits or is unanswered, or bytes moved. A silent open stream is no use. */
  readonly active: boolean
}

export interface Report {
  /** Wall ms. */
  readonly time: number
  /** Those of which there is something to tell. */
  readonly targets: readonly TargetReport[]
  /** Of requests that reached a target: what is unknown, misdirected, malformed or gone is not in it. */
  readonly access: readonly AccessEntry[]
  /** Access entries that found no place since the report before, by environment. */
  readonly accessDropped: Readonly<Record<string, number>>
}

export interface RouteChanges {
  /** Added, or replaces the one with its id. */
  readonly set?: readonly Route[]
  /** Ids. What is in flight goes on; what waits is answered with 503. */
  readonly remove?: readonly string[]
}

export interface Gateway extends AsyncDisposable {
  /** Ports that are listened on. */
  readonly port: number
  readonly tlsPort: number | undefined
  /** Resolves when the changes are in force. Later calls take force later. */
  setRoutes(changes: RouteChanges): Promise<void>
  /** Listens, or changes the targets of the forward with that id; resolves with its port. Throws `conflict` naming a port that is taken, `invalid` for another address. */
  setForward(forward: Forward): Promise<number>
  /** Stops listening. Open connections go on until their instance is drained or gone. */
  removeForward(id: string): Promise<void>
  /**
   * Sends nothing new to an instance, whatever the routes say, until it has been in no route and no forward. Resolves when nothing is in flight there; after
   * `within` ms what is left (WebSockets, downloads) is cut. The outcome is how many were.
   */
  drain(instance: string, within: number): Promise<number>
  /** Cuts what is in flight in an environment: nothing is there any more that could answer. Resolves when it is, with how many that were. */
  cut(environment: string): Promise<number>
  /** Has all that happened until now reported; resolves after onReport was called with it. */
  flush(): Promise<void>
  /** Closes listeners and cuts what is in flight. */
  [Symbol.asyncDispose](): Promise<void>
}
