/** Tokens: made, rotated with an overlap, revoked, and known again by what is kept of them. */
import type { CreateTokenRequest, RotateTokenRequest, TokenView } from '../../../api/schemas/access.ts'
import type { Clock } from '../../../base/clock.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Principal } from '../../../model/principal.ts'
import { teamRoles } from '../../../model/principal.ts'
import type { Token, TokenBook } from '../../../model/token.ts'
import { newCredential, newTokenId, readCredential, sameDigest } from './credential.ts'

/** Use is written at most this often (ms): a token that is used all the time costs no write each time. */
const noteEvery = 60_000
/** What is over is shown for so long. */
const rememberedFor = 90 * 86_400_000
/** Tokens at once, those that are over included. */
const most = 10_000

export interface Tokens {
  create(request: CreateTokenRequest, by: string): { readonly view: TokenView; readonly text: string }
  list(): TokenView[]
  rotate(ref: string, request: RotateTokenRequest): { readonly view: TokenView; readonly text: string }
  revoke(ref: string): TokenView
  /** Whose this is; undefined for anything but a token that is good now. */
  known(text: string, from: string): Token | undefined
  /** Aborted when the living token of that name is revoked. */
  ending(name: string): AbortSignal
  /** Whether it is good now. */
  isGood(id: string): boolean
}

export const principalOf = ({ name, role, teams }: Token): Principal => ({ kind: 'token', name: `token:${name}`, role, teams })

export const createTokens = (book: TokenBook, clock: Clock): Tokens => {
  const endings = new Map<string, AbortController>()
  const stateOf = ({ revokedAt, expiresAt }: Token): TokenView['state'] => {
    if (revokedAt !== undefined) return 'revoked'
    return expiresAt <= clock.wall() ? 'expired' : 'active'
  }
  const view = (token: Token): TokenView => ({
    ...{ id: token.id, name: token.name, role: token.role, teams: token.teams === 'all' ? 'all' : [...token.teams], state: stateOf(token) },
    ...{ madeBy: token.madeBy, madeAt: token.madeAt, expiresAt: token.expiresAt, rotatedAt: token.rotatedAt ?? null },
    ...{ usedAt: token.usedAt ?? null, usedFrom: token.usedFrom ?? null, revokedAt: token.revokedAt ?? null },
    formerUntil: token.former !== undefined && token.former.until > clock.wall() ? token.former.until : null,
  })
  const find = (ref: string): Token => {
    const found = book.token(ref) ?? book.byName(ref)
    if (found !== undefined) return found
    throw new DayflyError('not_found', `there is no token ${JSON.stringify(ref)}`, { field: 'id', remedy: 'See which there are: dayfly token ls' })
  }
  const living = (ref: string): Token => {
    const found = find(ref)
    if (found.revokedAt === undefined) return found
    throw new DayflyError('wrong_state', `the token ${found.name} was revoked`, { field: 'id', remedy: 'Make a new one: dayfly token create' })
  }

  return {
    create: ({ name, role, teams, expires }, by) => {
      const now = clock.wall()
      book.prune(now - rememberedFor)
      if (book.all().length >= most) throw new DayflyError('exhausted', `there are ${most} tokens`, { remedy: 'Revoke those that nobody uses.' })
      const ofTeams = teamRoles.includes(role)
      if (ofTeams && teams.length === 0) {
        throw new DayflyError('invalid', `teams: the role ${role} is of a team`, { field: 'teams', remedy: 'Name one with --team.' })
      }
      if (!ofTeams && teams.length > 0) {
        throw new DayflyError('invalid', `teams: the role ${role} is of all teams`, {
          field: 'teams',
          remedy: `Leave --team out, or choose ${teamRoles.join(' or ')}.`,
        })
      }
      const id = newTokenId()
      const { text, digest } = newCredential(id)
      const token: Token = {
        ...{
          id,
          name,
          role,
          teams: ofTeams ? [...new Set(teams)] : 'all',
          digest,
          former: undefined,
          madeBy: by,
          madeAt: now,
          expiresAt: now + expires,
        },
        ...{ rotatedAt: undefined, usedAt: undefined, usedFrom: undefined, revokedAt: undefined },
      }
      book.put(token)
      return { view: view(token), text }
    },
    list: () => book.all().map(view),
    rotate: (ref, { overlap, expires }) => {
      const before = living(ref)
      const now = clock.wall()
      if (expires === undefined && before.expiresAt <= now) {
        throw new DayflyError('wrong_state', `the token ${before.name} has expired`, {
          field: 'expires',
          remedy: 'Say how long it is to live from now: --expires 30d',
        })
      }
      const { text, digest } = newCredential(before.id)
      const until = Math.min(now + overlap, before.expiresAt)
      const token: Token = {
        ...{ ...before, digest, rotatedAt: now, expiresAt: expires === undefined ? before.expiresAt : now + expires },
        former: until > now ? { digest: before.digest, until } : undefined,
      }
      book.put(token)
      return { view: view(token), text }
    },
    revoke: ref => {
      const found = find(ref)
      const token: Token = found.revokedAt === undefined ? { ...found, former: undefined, revokedAt: clock.wall() } : found
      book.put(token)
      if (found.revokedAt === undefined) {
        endings.get(found.name)?.abort(new DayflyError('unauthenticated', `the token ${found.name} was revoked`))
        endings.delete(found.name)
      }
      return view(token)
    },
    ending: name => {
      const known = endings.get(name) ?? new AbortController()
      endings.set(name, known)
      return known.signal
    },
    known: (text, from) => {
      const given = readCredential(text)
      const token = given && book.token(given.id)
      if (given === undefined || token === undefined || stateOf(token) !== 'active') return undefined
      const now = clock.wall()
      const former = token.former !== undefined && token.former.until > now && sameDigest(token.former.digest, given.digest)
      if (!sameDigest(token.digest, given.digest) && !former) return undefined
      if (token.usedAt === undefined || now - token.usedAt >= noteEvery) book.used(token.id, now, from)
      return token
    },
    isGood: id => {
      const token = book.token(id)
      return token !== undefined && stateOf(token) === 'active'
    },
  }
}
