/** Who looks at this page, and what they may do. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { z } from 'zod'
import { authorization } from '../../../api/authorization.ts'
import { get, request } from './http.ts'

const Whoami = z.looseObject({
  kind: z.string(),
  name: z.string(),
  role: z.string(),
  teams: z.union([z.literal('all'), z.array(z.string())]),
})
export type Whoami = z.infer<typeof Whoami>

export const useWhoami = () => useQuery({ queryKey: ['whoami'], queryFn: ({ signal }) => get(Whoami, '/v1/whoami', signal), staleTime: 60_000 })

/** Whether the one who looks may call this route, by the matrix that the daemon decides by. The daemon decides: this only keeps buttons away that would fail. */
export const useMay = (): ((route: string) => boolean) => {
  const { data } = useWhoami()
  return route => {
    if (data === undefined) return false
    if (data.role === 'owner') return true
    const entry: unknown = authorization[route]
    const roles = z.object({ roles: z.array(z.string()) }).safeParse(entry)
    return roles.success && roles.data.roles.includes(data.role)
  }
}

/** Exchanges a one-time code, or a token, for a session; the cookie that it sets cannot be read by any script. */
export const useSignIn = (): ((secret: { code: string } | { token: string }) => Promise<void>) => {
  const client = useQueryClient()
  return async secret => {
    await request('/v1/session', { method: 'POST', body: secret })
    await client.invalidateQueries()
  }
}

/** Ends the session with all that it has under way, and forgets what was shown. */
export const useSignOut = (): (() => Promise<void>) => {
  const client = useQueryClient()
  return async () => {
    await request('/v1/session', { method: 'DELETE' })
    await client.resetQueries()
  }
}
