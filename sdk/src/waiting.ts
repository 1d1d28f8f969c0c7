/** Until what is kept running is ready. */
import type { Api } from './api.ts'
import { asOurs, DayflyError, failure } from './errors.ts'
import type { WorkloadInfo } from './schemas.ts'

/** The environment did not come up: why, workload by workload, with the last of what they printed. */
export class NotReadyError extends DayflyError {
  override readonly name = 'NotReadyError'
  readonly environment: string
  readonly workloads: readonly WorkloadInfo[]

  constructor(code: string, message: string, environment: string, workloads: readonly WorkloadInfo[]) {
    super(code, message, { remedy: `It is left as it is: dayfly logs ${environment}, dayfly ps ${environment}.` })
    this.environment = environment
    this.workloads = workloads
  }
}

const settled = new Set<WorkloadInfo['state']>(['ready', 'completed', 'idle', 'stopped'])
const isOld = ({ outdated, state }: WorkloadInfo['instances'][number]): boolean => outdated && /^(pending|created|running)$/.test(state)
/** Nothing more will happen by itself that one should wait for. */
const isSettled = ({ state, instances }: WorkloadInfo): boolean => settled.has(state) && !instances.some(isOld)

const lastLines = async (api: Api, workload: WorkloadInfo): Promise<string> => {
  const instance = [...workload.instances].sort((left, right) => right.createdAt - left.createdAt)[0]
  if (instance === undefined) return ''
  const entries = api.lines<{ data: string; encoding: string }>({ method: 'GET', path: `/v1/instances/${instance.id}/logs`, query: { tail: 10 } })
  let text = ''
  try {
    for await (const { data, encoding } of entries) if (encoding === 'utf-8') text += data
  } catch {
    return '' // Why it failed is worth telling without it.
  }
  return text.trimEnd() === '' ? '' : `\n${text.trimEnd().replaceAll(/^/gm, '    ')}`
}

/**
 * How the workloads of these names stand once all are ready. Throws `NotReadyError`; what there is is left as it is.
 *
 * @internal
 */
export const untilReady = async (
  api: Api,
  environment: { readonly id: string; readonly name: string },
  names: readonly string[],
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<readonly WorkloadInfo[]> => {
  const enough = new AbortController()
  let late = false
  const timer = setTimeout(() => {
    late = true
    enough.abort()
  }, timeoutMs)
  let now: readonly WorkloadInfo[] = []
  const notReady = async (code: string, why: string, guilty: readonly WorkloadInfo[]): Promise<NotReadyError> => {
    const lines = await Promise.all(
      guilty.map(
        async workload =>
          `\n  ${workload.name} is ${workload.state}${workload.reason === '' ? '' : `: ${workload.reason}`}${await lastLines(api, workload)}`,
      ),
    )
    return new NotReadyError(code, `${environment.name} ${why}${lines.join('')}`, environment.name, now)
  }
  try {
    const asked = {
      method: 'GET',
      path: `/v1/environments/${environment.id}/workloads`,
      query: { follow: true },
      signal: signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]),
    } as const
    for await (const { workloads } of api.lines<{ workloads: WorkloadInfo[] }>(asked)) {
      now = workloads.filter(({ name }) => names.includes(name))
      const failed = now.filter(({ state }) => state === 'failed')
      if (failed.length > 0) throw await notReady('wrong_state', 'did not come up:', failed)
      if (now.length === names.length && now.every(isSettled)) return now
    }
    const { reason } = await api.json<{ reason: string }>({ method: 'GET', path: `/v1/environments/${environment.id}` })
    throw new NotReadyError('wrong_state', `${environment.name} has ended: ${reason}`, environment.name, now)
  } catch (error) {
    if (late)
      throw await notReady(
        'timeout',
        `is not ready after ${timeoutMs} ms:`,
        now.filter(workload => !isSettled(workload)),
      )
    throw signal?.aborted ? failure('aborted', 'it was given up') : asOurs(error)
  } finally {
    clearTimeout(timer)
    enough.abort()
  }
}
