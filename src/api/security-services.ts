/** What the routes about security and the host need; part of `Services`. */
import type { HostView } from './schemas/host.ts'
import type { ExemptionView, PolicyList, RuleList, TriedPolicyView, TriedRuleView, TryPolicyRequest, TryRuleRequest } from './schemas/rules.ts'
import type {
  DetectionList,
  DetectionQuery,
  FindingList,
  FindingQuery,
  InventoryDetailView,
  InventoryImageView,
  StoryView,
} from './schemas/security.ts'

/** Whether whoever asks may see an environment, by its id. Left out: all of them. */
export type Sees = (environment: string) => boolean

export interface Security {
  /** Over all that runs and ran. Rejects by the signal. */
  findings(query: FindingQuery, signal: AbortSignal, sees?: Sees): Promise<FindingList>
  /** `environment` and `instance` are ids. */
  detections(query: DetectionQuery, sees?: Sees): DetectionList
  /** Rejects with `not_found`, and as ActivitySearch does. */
  story(id: number, signal: AbortSignal, sees?: Sees): Promise<StoryView>
  inventory(sees?: Sees): Promise<InventoryImageView[]>
  /** Rejects with `not_found`. */
  inventoryOf(digest: string, sees?: Sees): Promise<InventoryDetailView>
  policies(): PolicyList
  rules(signal: AbortSignal): Promise<RuleList>
  exemptions(): ExemptionView[]
  /** In a thread of little memory with a deadline; nothing is kept. Rejects with `timeout`, `exhausted`. */
  tryPolicy(request: TryPolicyRequest, signal: AbortSignal): Promise<TriedPolicyView>
  /** `environment` is an id that the caller may see. */
  tryRule(request: TryRuleRequest, signal: AbortSignal): Promise<TriedRuleView>
}

/** `fresh`: without what is remembered of the last minutes. */
export type HostLook = (fresh: boolean) => Promise<HostView>
