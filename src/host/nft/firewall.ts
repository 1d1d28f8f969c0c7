/**
 * BEING WRITTEN by a further engineer since 10:40 (taken over from the engineer of host/native, who does seccomp and cgroup only).
 */
export interface EgressOpening {
  /** IPv4 network. */
  readonly cidr: string
  readonly port?: number | undefined
}

export interface Firewall extends AsyncDisposable {
  /** Opens destinations for a bridge. Adds to what is open. */
  allow(bridge: string, openings: readonly EgressOpening[]): Promise<void>
  /** Nothing of this bridge is left. Idempotent. */
  forget(bridge: string): Promise<void>
  /** Bridges that rules or elements exist for: for the leak check and the sweep. */
  bridges(): Promise<readonly string[]>
  /** Packets refused since the bridge came, by bridge. */
  refused(): Promise<ReadonlyMap<string, number>>
  /** Removes the whole table: nothing lives any more. */
  remove(): Promise<void>
}
