/** What was asked of a resolver and refused, from its log. */

export interface RefusedName {
  /** Who asked; undefined where the log does not tell. */
  readonly source: string | undefined
  readonly name: string
  /** `A`, `TXT`, ... */
  readonly type: string
  /** `closed`: no rule opens the name. `private`: the answer from outside was a private address. */
  readonly reason: 'closed' | 'private'
  readonly count: number
}

export interface Refusals {
  /** Takes a line of the log. */
  add(line: string): void
  /** What was refused since the last call, and how many entries found no place or were lost by the log. */
  take(): { readonly names: readonly RefusedName[]; readonly lost: number }
}

/** Different refusals kept until they are taken, and questions whose outcome the log has not told yet. */
const mostKept = 256
const mostOpen = 512

const entry = /^dnsmasq\[\d+\]: (\d+ (\S+)\/\d+) (?:query\[([^\]]+)\] (.+) from \2$|config .+ is (REFUSED|NXDOMAIN))/
const rebinding = /possible DNS-rebind attack detected: (\S+)/
const overflow = /overflow: (\d+) log entries lost/

/** `own`: the server's own address; what it asks itself is no instance's question. */
export const createRefusals = (own: string): Refusals => {
  const open = new Map<string, { source: string; name: string; type: string }>()
  let kept = new Map<string, RefusedName>()
  let lost = 0

  const keep = (refused: Omit<RefusedName, 'count'>): void => {
    const key = JSON.stringify([refused.source, refused.name, refused.type, refused.reason])
    const before = kept.get(key)
    if (before === undefined && kept.size >= mostKept) lost++
    else kept.set(key, { ...refused, count: (before?.count ?? 0) + 1 })
  }

  return {
    add: line => {
      const [, key, source, type, asked, outcome] = entry.exec(line) ?? []
      if (key !== undefined && source !== undefined) {
        if (source === own) return
        if (type !== undefined && asked !== undefined) {
          const oldest = open.size >= mostOpen ? open.keys().next().value : undefined
          if (oldest !== undefined) open.delete(oldest)
          open.set(key, { source, name: asked, type })
          return
        }
        const question = open.get(key)
        open.delete(key)
        // A name without a dot is one inside that does not exist, and an address without a name is nobody's secret.
        const unknown = outcome === 'NXDOMAIN' && (!question?.name.includes('.') || question.type === 'PTR')
        if (question !== undefined && !unknown) keep({ ...question, reason: 'closed' })
        return
      }
      const rebound = rebinding.exec(line)?.[1]
      if (rebound !== undefined) keep({ source: undefined, name: rebound, type: 'A', reason: 'private' })
      lost += Number(overflow.exec(line)?.[1] ?? 0)
    },
    take: () => {
      const taken = { names: [...kept.values()], lost }
      kept = new Map()
      lost = 0
      return taken
    },
  }
}
