/** `user[:group]` → ids, by the image's own /etc/passwd and /etc/group, as docker reads them. */
import { DayflyError } from '../../base/errors.ts'
import type { ResolvedUser } from './store.ts'

/** The largest id that docker and runc take. */
const maximumId = 2 ** 31 - 1

interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}

interface Group {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

const parseId = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const id = Number(text)
  return id <= maximumId ? id : undefined
}

const lines = (text: string): string[][] =>
  text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => line.split(':'))

const parseAccounts = (text: string): Account[] =>
  lines(text).flatMap(([name = '', , uid, gid, , home = '']) => {
    const ids = { uid: parseId(uid), gid: parseId(gid) }
    return name === '' || ids.uid === undefined || ids.gid === undefined ? [] : [{ name, uid: ids.uid, gid: ids.gid, home }]
  })

const parseGroups = (text: string): Group[] =>
  lines(text).flatMap(([name = '', , gid, members = '']) => {
    const id = parseId(gid)
    return name === '' || id === undefined ? [] : [{ name, gid: id, members: members.split(',').filter(member => member !== '') }]
  })

const unknown = (user: string, kind: 'user' | 'group', name: string): DayflyError =>
  /^\d+$/.test(name)
    ? new DayflyError('invalid', `--user ${user}: ${name} is more than ${maximumId}`, { field: '--user', remedy: 'Use a smaller id.' })
    : new DayflyError('invalid', `--user ${user}: the image has no ${kind} "${name}"`, {
        field: '--user',
        remedy: `Use a ${kind} of the image's /etc/${kind === 'user' ? 'passwd' : 'group'}, or a number.`,
      })

/** Names or ids of groups → ids. Throws `invalid`, field `groups`. */
const resolveGroups = (groups: readonly Group[], wanted: readonly string[]): number[] =>
  wanted.map(name => {
    const gid = groups.find(group => group.name === name)?.gid ?? parseId(name)
    if (gid !== undefined) return gid
    throw new DayflyError('invalid', `groups: the image has no group "${name}"`, {
      field: 'groups',
      remedy: "Use a group of the image's /etc/group, or a number.",
    })
  })

/** `passwd` and `group` are the texts of those files; `further`: groups beside the user's own. Throws `invalid`, field `--user` or `groups`. */
export const resolveUserIn = (passwd: string, group: string, user: string, further: readonly string[] = []): ResolvedUser => {
  const [userPart = '', groupPart, ...more] = user.split(':')
  if (more.length > 0 || groupPart === '') {
    throw new DayflyError('invalid', `--user ${user}: not user or user:group`, {
      field: '--user',
      remedy: 'Write it like 1000, www-data or 1000:1000.',
    })
  }
  const wanted = userPart === '' ? '0' : userPart
  const accounts = parseAccounts(passwd)
  const groups = parseGroups(group)
  // A name that is all digits is a number, unless an entry has that name.
  const account = accounts.find(({ name }) => name === wanted) ?? accounts.find(({ uid }) => uid === parseId(wanted))
  const uid = account?.uid ?? parseId(wanted)
  if (uid === undefined) throw unknown(user, 'user', wanted)
  const home = account?.home || '/'
  const asked = resolveGroups(groups, further)
  if (groupPart !== undefined) {
    const gid = groups.find(({ name }) => name === groupPart)?.gid ?? parseId(groupPart)
    if (gid === undefined) throw unknown(user, 'group', groupPart)
    return { uid, gid, additionalGids: [...new Set(asked)].filter(id => id !== gid).sort((a, b) => a - b), home }
  }
  const gid = account?.gid ?? 0
  const additional = account === undefined ? [] : groups.filter(({ members }) => members.includes(account.name)).map(found => found.gid)
  return { uid, gid, additionalGids: [...new Set([...additional, ...asked])].filter(id => id !== gid).sort((a, b) => a - b), home }
}
