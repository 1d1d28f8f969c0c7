/** That it was this installation that has pruned: else whoever can write the file could take blocks out and say that they gave way to the budget. */
import { isMacOf, macOf } from '../../base/mac.ts'
import type { ActivityHead } from '../../model/activity.ts'

const textOf = (environment: string, { blocks, entries, hash }: ActivityHead): string =>
  `dayfly activity of ${environment} pruned up to ${blocks} ${entries} ${hash}`

export const pruningMac = (key: Uint8Array, environment: string, head: ActivityHead): string => macOf(key, textOf(environment, head))
export const isOwnPruning = (key: Uint8Array, environment: string, head: ActivityHead, mac: string | undefined): boolean =>
  mac !== undefined && isMacOf(key, textOf(environment, head), mac)
