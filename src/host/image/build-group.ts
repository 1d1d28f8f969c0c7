/** What a build may use up: where it is counted and bounded, given by whoever knows how this host does that. */

export interface BuildGroup extends AsyncDisposable {
  /** Files that a process writes its pid into to be in it: each of them. */
  readonly join: readonly string[]
  /** How many of its processes the kernel has ended for want of memory. */
  oomKills(): number
}

export interface BuildLimits {
  /** Makes the group; disposing ends whatever is in it. */
  open(): Promise<BuildGroup>
  /** Bytes, for messages. */
  readonly memory: number
  /** ms that one build may take. */
  readonly timeout: number
}
