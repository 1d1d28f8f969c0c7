import type { AdmissionRequest, Objection } from '../../../policy/decision.ts'

/** One document to be judged. */
export interface AdmissionSubject {
  /** As the user named it. */
  readonly file: string
  readonly line: number
  /** `Pod/default/web`, `service/web`. */
  readonly name: string
  /** The line of a field of an objection, or of what is nearest to it. */
  lineOf(field: string): number
  /** What the document calls a field of a request, where it has another form. */
  fieldOf?(field: string): string
  /** What the policies are asked; several where a document is several pods. Empty when it is refused before. */
  readonly requests: readonly AdmissionRequest[]
  /** Why Dayfly itself would not run it, whatever the policies say. */
  readonly refused: readonly Objection[]
}
