/** Conditions as they are written, after parsing. `at` is the offset in the condition's text. */

export const booleanWords = ['and', 'or', 'not'] as const
export const numberOperators = ['<=', '<', '>=', '>'] as const
export const textOperators = [
  ...(['==', '=', '!=', 'glob', 'iglob', 'contains', 'icontains', 'bcontains'] as const),
  ...(['startswith', 'bstartswith', 'endswith', 'regex'] as const),
] as const
export const listOperators = ['intersects', 'in', 'pmatch'] as const
export const modifiers = ['oneof', 'anyof', 'allof'] as const
export const transformers = ['tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', 'getopt'] as const

export type BinaryOperator = (typeof numberOperators)[number] | (typeof textOperators)[number] | (typeof listOperators)[number]
export type Modifier = (typeof modifiers)[number]
export type Transformer = (typeof transformers)[number]

export interface FieldUse {
  readonly kind: 'field'
  readonly name: string
  readonly argument: string | undefined
  readonly at: number
}

/** `bare`: it stands without quotes, so it may be the name of a list. */
export interface Literal {
  readonly kind: 'literal'
  readonly text: string
  readonly bare: boolean
  readonly at: number
}

/** `(a, b)` as an argument of a transformer. */
export interface Sequence {
  readonly kind: 'sequence'
  readonly items: readonly (FieldUse | Transformed | Literal)[]
  readonly at: number
}

export interface Transformed {
  readonly kind: 'transformed'
  readonly transformer: Transformer
  readonly arguments: readonly (FieldUse | Transformed | Literal | Sequence)[]
  /** What stands in brackets after it. */
  readonly argument: string | undefined
  readonly at: number
}

export type Operand = FieldUse | Transformed

/** `(a, b)` on the right-hand side. */
export interface Literals {
  readonly kind: 'literals'
  readonly items: readonly Literal[]
  readonly at: number
}

export interface Exists {
  readonly kind: 'exists'
  readonly left: Operand
  readonly at: number
}

export interface Comparison {
  readonly kind: 'comparison'
  readonly left: Operand
  readonly operator: BinaryOperator
  readonly modifier: Modifier | undefined
  /** A field stands in `val(…)` in the text. */
  readonly right: Literal | Literals | Operand
  readonly at: number
}

export interface MacroUse {
  readonly kind: 'macro'
  readonly name: string
  readonly at: number
}

export interface Negation {
  readonly kind: 'not'
  readonly operand: Expression
  readonly at: number
}

interface JunctionOf<Kind extends 'and' | 'or'> {
  readonly kind: Kind
  readonly operands: readonly Expression[]
  readonly at: number
}
/** At least two operands. */
export type Junction = JunctionOf<'and'> | JunctionOf<'or'>

export type Expression = Junction | Negation | MacroUse | Exists | Comparison

/** Thrown by the parser. `token` is what stands at `at`. */
export class SyntaxFault extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.name = 'SyntaxFault'
    this.at = at
  }
}
