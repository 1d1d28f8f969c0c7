/** Where notices go, as the operator's settings say it (detect/settings/targets.ts holds their schema). */
import type { Urgency } from './notice.ts'

interface Common {
  readonly name: string
  readonly minimumPriority: Urgency
  /** Also told of what becomes of environments, not only of detections. */
  readonly lifecycle?: boolean | undefined
}
interface Http {
  readonly url: string
  readonly caFile?: string | undefined
  /** By header, the file that holds its value. */
  readonly headersFrom: Readonly<Record<string, string>>
}

export type Target =
  | (Common & Http & { readonly type: 'webhook'; readonly secretFile: string })
  | (Common & { readonly type: 'slack'; readonly urlFile: string; readonly caFile?: string | undefined })
  | (Common & { readonly type: 'syslog'; readonly address: string; readonly facility: string })
  | (Common & Http & { readonly type: 'otlp' })
