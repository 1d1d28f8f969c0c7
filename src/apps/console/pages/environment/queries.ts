/** What several parts of an environment's page are made of. */
import { useQuery } from '@tanstack/react-query'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import { getRecord, getReport, queryKeys } from '../../api/queries.ts'

/** All that is said of its life, as far as it has come. Asked anew while it lives, for it is not small. */
export const useReport = (environment: EnvironmentView) =>
  useQuery({
    queryKey: queryKeys.report(environment.id),
    queryFn: ({ signal }) => getReport(environment.id, signal),
    refetchInterval: environment.state === 'ended' ? false : 5_000,
  })

/** Its whole record, oldest entry first. */
export const useRecord = (environment: EnvironmentView) =>
  useQuery({
    queryKey: queryKeys.record(environment.id),
    queryFn: ({ signal }) => getRecord(environment.id, signal),
    refetchInterval: environment.state === 'ended' ? false : 5_000,
  })
