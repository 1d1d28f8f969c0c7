/** Signatures of sealed records, and the keys that made them, in tables. */
import { DayflyError } from '../base/errors.ts'
import type { RecordKey, Signature, Signatures } from '../model/seal.ts'
import type { Row } from './rows.ts'
import type { Vouching } from './vouching.ts'

type Values = Record<string, string | number | null>

interface Tables {
  transaction<T>(work: () => T): T
  all(text: string, values?: Values): Row[]
  run(text: string, values: Values): unknown
}

/** By the index of those that are sealed and not signed: its cost is that of what it returns. */
export const unsignedSql = 'SELECT environment FROM record WHERE sealed = 1 AND signed = 0 ORDER BY environment LIMIT :limit'

const signatureOf = (row: Row): Signature => ({
  environment: String(row['environment']),
  keyId: String(row['key']),
  envelope: String(row['envelope']),
  signedAt: Number(row['signed_at']),
})
const keyOf = (row: Row): RecordKey => ({ id: String(row['id']), publicKey: String(row['public']), madeAt: Number(row['made_at']) })

export const createSignatures = ({ transaction, all, run }: Tables, vouching: Vouching): Signatures => ({
  unsigned: limit => all(unsignedSql, { limit }).map(row => String(row['environment'])),
  sign: ({ environment, keyId, envelope, signedAt }) =>
    transaction(() => {
      const [record] = all('SELECT sealed, signed FROM record WHERE environment = :environment', { environment })
      if (record?.['sealed'] !== 1) throw new DayflyError('wrong_state', `the record of ${environment} is not sealed`)
      if (record['signed'] === 1) return
      run('INSERT INTO signature (environment, key, envelope, signed_at) VALUES (:environment, :key, :envelope, :signedAt)', {
        ...{ environment, key: keyId, envelope, signedAt },
      })
      run('UPDATE record SET signed = 1 WHERE environment = :environment', { environment })
    }),
  of: environment => all('SELECT * FROM signature WHERE environment = :environment', { environment }).map(signatureOf)[0],
  putKey: ({ id, publicKey, madeAt }) => {
    const [before] = all('SELECT * FROM record_key WHERE id = :id', { id })
    if (before !== undefined && vouching.isOwnKey(id, String(before['public']), before['mac'])) return
    const mac = vouching.keyMac(id, publicKey)
    run('INSERT OR REPLACE INTO record_key (id, public, made_at, mac) VALUES (:id, :publicKey, :madeAt, :mac)', { id, publicKey, madeAt, mac })
  },
  keys: () =>
    all('SELECT * FROM record_key ORDER BY made_at DESC, id')
      .filter(row => vouching.isOwnKey(String(row['id']), String(row['public']), row['mac']))
      .map(keyOf),
})
