/** Which rows this installation has written: by a key that is not in the store. */
import type { SQLOutputValue } from 'node:sqlite'
import { isMacOf, macOf } from '../base/mac.ts'
import type { Head } from './chain.ts'
import type { Row } from './rows.ts'

type Values = Record<string, string | number | null>

export interface Vouching {
  headMac(environment: string, head: Head): string | null
  isOwnHead(environment: string, head: Head, mac: SQLOutputValue | undefined): boolean
  keyMac(id: string, publicKey: string): string | null
  isOwnKey(id: string, publicKey: string, mac: SQLOutputValue | undefined): boolean
  /** All that is there is taken for its own: the key was made just now. */
  takeOver(tables: { all(text: string): Row[]; run(text: string, values: Values): unknown }): void
}

const headText = (environment: string, { count, hash, sealed }: Head): string => `dayfly head of ${environment}: ${count} ${hash} ${sealed}`
const keyText = (id: string, publicKey: string): string => `dayfly record key ${id}: ${publicKey}`

export const createVouching = (key: Uint8Array | undefined): Vouching => {
  const mac = (text: string): string | null => (key === undefined ? null : macOf(key, text))
  const isOwn = (text: string, given: SQLOutputValue | undefined): boolean =>
    key === undefined || (typeof given === 'string' && isMacOf(key, text, given))
  return {
    headMac: (environment, head) => mac(headText(environment, head)),
    isOwnHead: (environment, head, given) => isOwn(headText(environment, head), given),
    keyMac: (id, publicKey) => mac(keyText(id, publicKey)),
    isOwnKey: (id, publicKey, given) => isOwn(keyText(id, publicKey), given),
    takeOver: ({ all, run }) => {
      for (const row of all('SELECT environment, count, hash, sealed FROM record')) {
        const environment = String(row['environment'])
        const head = { count: Number(row['count']), hash: String(row['hash']), sealed: row['sealed'] === 1 }
        run('UPDATE record SET mac = :mac WHERE environment = :environment', { environment, mac: mac(headText(environment, head)) })
      }
      for (const row of all('SELECT id, public FROM record_key')) {
        const id = String(row['id'])
        run('UPDATE record_key SET mac = :mac WHERE id = :id', { id, mac: mac(keyText(id, String(row['public']))) })
      }
    },
  }
}
