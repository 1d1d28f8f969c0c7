/**
 * Falco's language of conditions, by recursive descent:
 *
 *     or         = and ("or" (blank and | "(" or ")"))*
 *     and        = not ("and" (blank not | "(" or ")"))*
 *     not        = ("not" blank)* ("not(" or ")" | check)
 *     check      = "(" or ")" | operand condition | macro
 *     operand    = field ("[" argument "]")? | transformer "(" … ")" ("[" argument "]")?
 *     condition  = "exists" | operator value | operator modifier list
 *     value      = string | number | list | transformer "(" … ")" | "val(" field ")"
 */
import type { Lexer } from './lexer.ts'
import { createLexer, isAtEnd, take, takeQuoted, takeText, takeWord, tokenAt } from './lexer.ts'
import type { Comparison, Expression, FieldUse, Literal, Literals, Operand, Sequence, Transformed, Transformer } from './syntax.ts'
import { listOperators, modifiers, numberOperators, SyntaxFault, textOperators, transformers } from './syntax.ts'

/** Brackets within brackets: what Falco allows comes to about this. */
const deepest = 200

interface Parser extends Lexer {
  depth: number
}

const fault = (parser: Parser, wanted: string): SyntaxFault => {
  const token = tokenAt(parser.text, parser.at)
  return new SyntaxFault(`${wanted}, not ${token === '' ? 'the end' : `"${token}"`}`, parser.at)
}

const skip = (parser: Parser): boolean => take(parser, 'blank') !== undefined

const nested = <T>(parser: Parser, parse: () => T): T => {
  if (++parser.depth > deepest) throw new SyntaxFault('it is nested too deep: put parts of it into macros', parser.at)
  const result = parse()
  parser.depth--
  return result
}

const parseArgument = (parser: Parser): string | undefined => {
  if (!takeText(parser, '[')) return undefined
  const argument = takeQuoted(parser) ?? take(parser, 'fieldArgument')
  if (argument === undefined) throw fault(parser, 'there must be an argument in the brackets, a word or a quoted string')
  if (!takeText(parser, ']')) throw fault(parser, 'there must be a ] after the argument')
  return argument
}

const parseField = (parser: Parser, name: string, at: number): FieldUse => ({ kind: 'field', name, argument: parseArgument(parser), at })

const parseLiteral = (parser: Parser, kinds: 'text' | 'number'): Literal | undefined => {
  const { at } = parser
  if (kinds === 'number') {
    const number = take(parser, 'hexadecimal') ?? take(parser, 'number')
    return number === undefined ? undefined : { kind: 'literal', text: number, bare: true, at }
  }
  const quoted = takeQuoted(parser)
  if (quoted !== undefined) return { kind: 'literal', text: quoted, bare: false, at }
  const text = take(parser, 'bareString')
  return text === undefined ? undefined : { kind: 'literal', text, bare: true, at }
}

/** A field, a transformer, a quoted string or a number: what transformers take. */
const parseTransformable = (parser: Parser): FieldUse | Transformed | Literal | undefined => {
  const { at } = parser
  const transformer = takeWord(parser, transformers, 'bracket')
  if (transformer !== undefined) return parseTransformed(parser, transformer, at)
  const name = take(parser, 'fieldName')
  if (name !== undefined) return parseField(parser, name, at)
  const quoted = takeQuoted(parser)
  if (quoted !== undefined) return { kind: 'literal', text: quoted, bare: false, at }
  const number = parseLiteral(parser, 'number')
  return number && { ...number, bare: false }
}

const parseSequence = (parser: Parser, at: number): Sequence => {
  const items: Sequence['items'][number][] = []
  skip(parser)
  if (takeText(parser, ')')) return { kind: 'sequence', items, at }
  do {
    skip(parser)
    const item = parseTransformable(parser)
    if (!item) throw fault(parser, 'there must be a field, a transformer, a quoted string or a number')
    items.push(item)
    skip(parser)
  } while (takeText(parser, ','))
  if (!takeText(parser, ')')) throw fault(parser, 'there must be a , or a )')
  return { kind: 'sequence', items, at }
}

const parseTransformed = (parser: Parser, transformer: Transformer, at: number): Transformed =>
  nested(parser, () => {
    const given: Transformed['arguments'][number][] = []
    do {
      skip(parser)
      const start = parser.at
      const found = takeText(parser, '(') ? parseSequence(parser, start) : parseTransformable(parser)
      if (!found) throw fault(parser, `${transformer}() takes a field, a transformer, a quoted string, a number or a list of these`)
      given.push(found)
      skip(parser)
    } while (takeText(parser, ','))
    if (!takeText(parser, ')')) throw fault(parser, `there must be a ) that closes ${transformer}(`)
    return { kind: 'transformed', transformer, arguments: given, argument: parseArgument(parser), at }
  })

/** A transformer, or a field in `val(…)`. */
const parseRightOperand = (parser: Parser): Operand | undefined => {
  skip(parser)
  const { at } = parser
  if (takeText(parser, 'val(')) {
    skip(parser)
    const start = parser.at
    const name = take(parser, 'fieldName')
    if (name === undefined) throw fault(parser, 'val() takes a field')
    const field = parseField(parser, name, start)
    skip(parser)
    if (!takeText(parser, ')')) throw fault(parser, 'there must be a ) that closes val(')
    return field
  }
  const transformer = takeWord(parser, transformers, 'bracket')
  return transformer === undefined ? undefined : parseTransformed(parser, transformer, at)
}

const parseLiterals = (parser: Parser): Literals | undefined => {
  const { at } = parser
  if (!takeText(parser, '(')) return undefined
  const items: Literal[] = []
  skip(parser)
  let item = parseLiteral(parser, 'text')
  while (item) {
    items.push(item)
    skip(parser)
    if (!takeText(parser, ',')) break
    skip(parser)
    item = parseLiteral(parser, 'text')
    if (!item) throw fault(parser, 'a value must follow the comma')
  }
  if (!takeText(parser, ')')) throw fault(parser, items.length > 0 ? 'there must be a , or a ) after the value' : 'there must be a value or a )')
  return { kind: 'literals', items, at }
}

const parseNamedList = (parser: Parser): Literals | undefined => {
  const { at } = parser
  const name = take(parser, 'identifier')
  return name === undefined ? undefined : { kind: 'literals', items: [{ kind: 'literal', text: name, bare: true, at }], at }
}

/** `oneof (…)` and the like; undefined and nothing passed over when that is what the text is compared with. */
const parseModified = (parser: Parser): Pick<Comparison, 'modifier' | 'right'> | undefined => {
  const before = parser.at
  const modifier = takeWord(parser, modifiers, 'blank')
  if (modifier !== undefined) {
    const boolean = /^(and|or|not)(?![a-zA-Z0-9])/.test(parser.text.slice(parser.at, parser.at + 4))
    const right = boolean ? undefined : (parseLiterals(parser) ?? parseNamedList(parser))
    if (right) return { modifier, right }
  }
  parser.at = before
  return undefined
}

const parseCondition = (parser: Parser, left: Operand): Expression => {
  const { at } = left
  skip(parser)
  if (takeText(parser, 'exists')) return { kind: 'exists', left, at }
  const forNumber = takeWord(parser, numberOperators)
  if (forNumber !== undefined) {
    const right = parseRightOperand(parser) ?? parseLiteral(parser, 'number')
    if (!right) throw fault(parser, `${forNumber} compares with a number or a transformer`)
    return { kind: 'comparison', left, operator: forNumber, modifier: undefined, right, at }
  }
  const forText = takeWord(parser, ['==', '=', '!=']) ?? takeWord(parser, textOperators.slice(3), 'blank')
  if (forText !== undefined) {
    const spaced = skip(parser) || /[a-z]/.test(forText)
    const modified = spaced ? parseModified(parser) : undefined
    if (modified) return { kind: 'comparison', left, operator: forText, ...modified, at }
    const right = parseRightOperand(parser) ?? parseLiteral(parser, 'text')
    if (!right) throw fault(parser, `${forText} compares with a value`)
    return { kind: 'comparison', left, operator: forText, modifier: undefined, right, at }
  }
  const forList = takeWord(parser, listOperators)
  if (forList !== undefined) {
    skip(parser)
    const right = parseLiterals(parser) ?? parseRightOperand(parser) ?? parseNamedList(parser)
    if (!right) throw fault(parser, `${forList} compares with a list like (a, b)`)
    return { kind: 'comparison', left, operator: forList, modifier: undefined, right, at }
  }
  throw fault(parser, 'an operator must follow the field, one of = != < <= > >= contains startswith endswith glob regex in intersects pmatch exists')
}

const parseBracketed = (parser: Parser): Expression => {
  const inner = parseOr(parser)
  skip(parser)
  if (!takeText(parser, ')')) throw fault(parser, 'there must be an and, an or, or a )')
  return inner
}

const parseCheck = (parser: Parser): Expression => {
  skip(parser)
  const { at } = parser
  if (takeText(parser, '(')) return parseBracketed(parser)
  const name = take(parser, 'fieldName')
  if (name !== undefined) return parseCondition(parser, parseField(parser, name, at))
  const transformer = takeWord(parser, transformers, 'bracket')
  if (transformer !== undefined) return parseCondition(parser, parseTransformed(parser, transformer, at))
  const macro = take(parser, 'identifier')
  if (macro !== undefined) return { kind: 'macro', name: macro, at }
  throw fault(parser, 'there must be a field, a macro or a (')
}

const parseNot = (parser: Parser): Expression => {
  skip(parser)
  const starts: number[] = []
  for (let { at } = parser; take(parser, 'not') !== undefined; { at } = parser) starts.push(at)
  const { at } = parser
  let expression: Expression
  if (takeText(parser, 'not(')) {
    starts.push(at)
    expression = parseBracketed(parser)
  } else expression = parseCheck(parser)
  // Each would be a step of recursion to whoever reads it.
  return starts.length % 2 === 0 ? expression : { kind: 'not', operand: expression, at: starts[0] ?? at }
}

const parseJunction = (parser: Parser, kind: 'and' | 'or', parseOperand: (parser: Parser) => Expression): Expression => {
  skip(parser)
  const { at } = parser
  const first = parseOperand(parser)
  const operands = [first]
  skip(parser)
  while (takeText(parser, kind)) {
    if (skip(parser)) operands.push(parseOperand(parser))
    else if (takeText(parser, '(')) operands.push(parseBracketed(parser))
    else throw fault(parser, `a blank or a ( must follow ${kind}`)
    skip(parser)
  }
  return operands.length === 1 ? first : { kind, operands, at }
}

const parseAnd = (parser: Parser): Expression => parseJunction(parser, 'and', parseNot)
const parseOr = (parser: Parser): Expression => nested(parser, () => parseJunction(parser, 'or', parseAnd))

/** Throws `SyntaxFault` at the first place that cannot be read. */
export const parseExpression = (text: string): Expression => {
  const parser: Parser = { ...createLexer(text), depth: 0 }
  const expression = parseOr(parser)
  if (!isAtEnd(parser)) throw fault(parser, 'there must be an and or an or')
  return expression
}

/** The longest field or transformer, with its argument, that stands at `at`, and where it ends. Undefined where there is none. */
export const parseOperandAt = (text: string, at: number): { readonly operand: Operand; readonly end: number } | undefined => {
  const parser: Parser = { ...createLexer(text), at, depth: 0 }
  const transformer = takeWord(parser, transformers, 'bracket')
  if (transformer !== undefined) return { operand: parseTransformed(parser, transformer, at), end: parser.at }
  const name = take(parser, 'fieldName')
  return name === undefined ? undefined : { operand: parseField(parser, name, at), end: parser.at }
}

/** An item of a list as it stands in a list of values: one value, or several with commas between them. Undefined when it does not read as such. */
export const parseItem = (text: string): readonly Literal[] | undefined => {
  const parser: Parser = { ...createLexer(`(${text})`), depth: 0 }
  try {
    const literals = parseLiterals(parser)
    return isAtEnd(parser) ? literals?.items : undefined
  } catch {
    return undefined
  }
}
