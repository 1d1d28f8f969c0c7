/** The record's end in the words of the API: verified, exported, reported on, counted up. */
import type { CostView, RecordKeyView } from '../../api/schemas/records.ts'
import type { Records } from '../../api/services.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Environment } from '../../model/environment.ts'
import type { PriceTable, UsageSum } from '../../model/usage.ts'
import { costOf } from '../../model/usage.ts'
import { reportPolicy } from '../../report/page.ts'
import { writeBundle } from '../../seal/bundle.ts'
import { bundleMembers } from './exporting.ts'
import type { RecordSources } from './record-members.ts'
import { gatherReport, reportPage } from './reporting.ts'
import type { Sealing } from './sealing.ts'
import { verifyRecord } from './verifying.ts'

export interface RecordsParts extends RecordSources {
  readonly sealing: Sealing
  readonly prices: PriceTable
  /** Writes down what was found out about images and waits for its turn. */
  readonly flush: () => void
}

/** Groups that are told, at most; the sum is of all. */
const mostRows = 1000

const assertSigned = async ({ sealing }: RecordsParts, { id, state }: Environment): Promise<void> => {
  if (state !== 'ended') {
    throw new DayflyError('wrong_state', `the environment ${id} is ${state}: its record is not sealed yet`, {
      field: 'ref',
      remedy: `End it first: dayfly down ${id}`,
    })
  }
  if (!(await sealing.signed(id))) {
    throw new DayflyError('wrong_state', `the record of ${id} is not whole and was not signed`, {
      field: 'ref',
      remedy: `See what is wrong with it: dayfly verify ${id}`,
    })
  }
}

const rowOf = ({ key, name, ...used }: UsageSum, prices: PriceTable): CostView['total'] => ({ key, name, ...used, cost: costOf(used, prices) })

export const createRecords = (parts: RecordsParts): Records => ({
  verify: environment => verifyRecord(parts, environment),
  export: async environment => {
    await assertSigned(parts, environment)
    parts.flush()
    return writeBundle(environment.id, bundleMembers(parts, environment), parts.sealing.sign)
  },
  report: environment => {
    parts.flush()
    return gatherReport(parts, environment)
  },
  reportPage: async environment => {
    parts.flush()
    const html = await reportPage(await gatherReport(parts, environment))
    return { html, policy: `${reportPolicy}; frame-ancestors 'none'` }
  },
  keys: () =>
    parts.store.signatures
      .keys()
      .map(({ id, publicKey, madeAt }): RecordKeyView => ({ id, publicKey, madeAt, current: id === parts.sealing.key.id }))
      .sort((left, right) => Number(right.current) - Number(left.current)),
  cost: ({ by, label, since, until }, teams) => {
    const { prices, store } = parts
    const { rows, total } = store.usage.sums({
      ...{ by, forgottenFor: prices.forgottenFor, limit: mostRows },
      ...(label === undefined ? {} : { label }),
      ...(since === undefined ? {} : { since }),
      ...(teams === undefined ? {} : { teams }),
      ...(until === undefined ? {} : { until }),
    })
    return { by, label: label ?? null, prices, rows: rows.map(row => rowOf(row, prices)), total: rowOf(total, prices) }
  },
})
