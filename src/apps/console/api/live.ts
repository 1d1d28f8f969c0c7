/**
 * What lives, kept up to date by the record: the list is asked for once, and what an entry speaks of is asked for anew. Many at once are one question
 * for the list.
 */

import type { QueryClient } from '@tanstack/react-query'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import type { Event } from '../../../model/event.ts'
import { isSignedOut } from './errors.ts'
import { getEnvironment, getEnvironments, queryKeys } from './queries.ts'
import type { Connection } from './streams.ts'
import { follow } from './streams.ts'

let connection: Connection = 'connecting'
const watchers = new Set<() => void>()
const setConnection = (next: Connection): void => {
  if (next === connection) return
  connection = next
  for (const watcher of watchers) watcher()
}

export const useConnection = (): Connection =>
  useSyncExternalStore(
    listener => {
      watchers.add(listener)
      return () => watchers.delete(listener)
    },
    () => connection,
  )

const listeners = new Set<(event: Event) => void>()

/** Is told of each entry of the record that is written while this is on screen. */
export const useEvents = (listener: (event: Event) => void): void => {
  useEffect(() => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, [listener])
}

/** Says nothing of how an environment stands: more of them than of all others, and another request each would be. */
const silent = /^(activity\.|sensor\.|egress\.|gateway\.|instance\.used|exec\.|attach\.|detection\.repeated)/
/** ms: what is said meanwhile is one question. */
const gathering = 250
/** More environments than this are asked for together. */
const fewEnvironments = 6

const update = async (client: QueryClient, changed: ReadonlySet<string>): Promise<void> => {
  if (changed.size > fewEnvironments) {
    await client.invalidateQueries({ queryKey: queryKeys.environments })
    return
  }
  await Promise.all(
    [...changed].map(async id => {
      const environment = await getEnvironment(id)
      client.setQueryData(queryKeys.environment(id), environment)
      client.setQueryData<Awaited<ReturnType<typeof getEnvironments>>>(queryKeys.environments, before => {
        if (before === undefined) return before
        const at = before.findIndex(each => each.id === id)
        return at === -1 ? [environment, ...before] : before.with(at, environment)
      })
    }),
  ).catch(async () => await client.invalidateQueries({ queryKey: queryKeys.environments }))
}

/** Once, by the frame. */
export const useLive = (): void => {
  const client = useQueryClient()
  useEffect(() => {
    const over = new AbortController()
    const changed = new Set<string>()
    let timer: ReturnType<typeof setTimeout> | undefined
    let busy = false
    const flush = async (): Promise<void> => {
      timer = undefined
      if (busy) return
      busy = true
      const now = new Set(changed)
      changed.clear()
      await update(client, now)
      busy = false
      if (changed.size > 0) timer ??= setTimeout(() => void flush(), gathering)
    }
    const listen = async (): Promise<void> => {
      // From a little earlier on: nothing is to fall between the list and the first entry.
      for await (const event of follow({ since: Date.now() - 5_000 }, setConnection, over.signal)) {
        for (const listener of listeners) listener(event)
        if (silent.test(event.type)) continue
        changed.add(event.environment)
        timer ??= setTimeout(() => void flush(), gathering)
      }
    }
    listen().catch((error: unknown) => {
      if (over.signal.aborted) return
      setConnection('broken')
      if (isSignedOut(error)) void client.invalidateQueries({ queryKey: ['whoami'] })
    })
    return () => {
      over.abort()
      clearTimeout(timer)
    }
  }, [client])
}

export const useEnvironments = () =>
  useQuery({ queryKey: queryKeys.environments, queryFn: ({ signal }) => getEnvironments(signal), staleTime: 60_000 })
