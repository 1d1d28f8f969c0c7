/**
 * Whose files are whose in a folder of the host that a container sees. Numbers stay what they are: the host's user 1000 is the container's 1000, and
 * host root the container's root, as everybody knows it from docker. That is fine for reading. But a container that could write as host root could leave a
 * program there that makes whoever calls it root on the host. So in a folder that may be written, and that is not root's own, host root is nobody, and the
 * instance's user stands for the folder's owner: it can write there whatever number it has, and what it writes is the owner's.
 */
import type { IdMap } from '../../host/native/monitor.ts'

export interface Ids {
  readonly uid: number
  readonly gid: number
}

/** `user` in the container and `owner` on the host are one; all others keep their number. */
const paired = (first: number, count: number, owner: number, user: number): IdMap[] => {
  const apart = [...new Set([0, owner, user])].filter(id => id < count).sort((a, b) => a - b)
  const rest = [...apart, count].flatMap((end, at) => {
    const from = at === 0 ? 0 : (apart[at - 1] ?? 0) + 1
    return end > from ? [{ disk: from, seen: first + from, count: end - from }] : []
  })
  return [...rest, { disk: owner, seen: first + user, count: 1 }]
}

/** `owner`: of the folder on the host. `user`: the instance's, in its container. `first`: the container root's number on the host. */
export const bindIds = (owner: Ids, user: Ids, readOnly: boolean, { first, count }: { readonly first: number; readonly count: number }) => {
  const same: readonly IdMap[] = [{ disk: 0, seen: first, count }]
  const of = (owner: number, user: number): readonly IdMap[] => (owner === 0 || user >= count ? same : paired(first, count, owner, user))
  return readOnly || owner.uid === 0 ? { users: same, groups: same } : { users: of(owner.uid, user.uid), groups: of(owner.gid, user.gid) }
}
