/**
 * Dayfly's own items of rule files, beside Falco's: what is said over several events.
 *
 * ```yaml
 * - sequence: Downloaded and run
 *   desc: …
 *   steps:
 *     - { as: download, condition: evt.type = execve and proc.name = curl, note: "%proc.cmdline" }
 *     - { as: executable, condition: evt.type = fchmodat, same: { file: fs.path.name } }
 *     - { as: run, condition: evt.type = execve, same: { file: proc.exepath } }
 *   within: 30s
 *   output: … (command=%proc.cmdline)      # of the last event
 *   priority: critical
 *   tags: []
 *
 * - threshold: Port scan
 *   desc: …
 *   condition: evt.type = connect
 *   by: [proc.pid]
 *   distinct: [fd.sip, fd.sport]           # left out: events are counted
 *   more_than: 20
 *   within: 10s
 *   output: …
 *   priority: warning
 * ```
 */
import type { Priority } from '../detector.ts'
import type { Source } from './condition.ts'
import type { Place } from './diagnostic.ts'
import type { Output } from './output.ts'
import type { Piece } from './piece.ts'
import type { Rule } from './rule.ts'

export type PlacedPiece = Piece & { readonly place: Place }

export interface StepDefinition {
  readonly as: string
  readonly place: Place
  readonly condition: Piece
  readonly note: Piece
  readonly same: readonly (readonly [name: string, field: PlacedPiece])[]
}

/** As it is written. Of a threshold there is one step. */
export interface PatternDefinition {
  readonly kind: 'sequence' | 'threshold'
  readonly name: string
  readonly place: Place
  readonly description: string
  readonly priority: Priority
  readonly tags: ReadonlySet<string>
  readonly enabled: boolean
  readonly output: Piece
  readonly steps: readonly StepDefinition[]
  /** ms */
  readonly within: number
  readonly by: readonly PlacedPiece[]
  readonly distinct: readonly PlacedPiece[]
  readonly moreThan: number
}

/** With all that it names bound. */
export interface LoadedPattern extends Omit<PatternDefinition, 'steps' | 'by' | 'distinct' | 'output' | 'tags'> {
  /** In the order of the alphabet, each once. */
  readonly tags: readonly string[]
  readonly output: Output
  readonly steps: readonly {
    readonly as: string
    /** Its condition, and its note as output. */
    readonly rule: Rule
    readonly same: readonly { readonly name: string; readonly source: Source }[]
  }[]
  readonly by: readonly Source[]
  readonly distinct: readonly Source[]
}
