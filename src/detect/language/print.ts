/** Conditions as text again: what the parser reads back as the same expression. */
import { quote } from './quoting.ts'
import type { Expression, FieldUse, Literal, Literals, Operand, Sequence, Transformed } from './syntax.ts'

/** Brackets hold no brackets, quotes or blanks that are not quoted. */
const printArgument = (argument: string | undefined): string =>
  argument === undefined ? '' : `[${/^[^\][()"'\s=,]+$/.test(argument) ? argument : quote(argument, true)}]`
const printField = ({ name, argument }: FieldUse): string => `${name}${printArgument(argument)}`

const printGiven = (given: FieldUse | Transformed | Literal | Sequence): string => {
  if (given.kind === 'literal') return quote(given.text, true)
  if (given.kind === 'sequence') return `(${given.items.map(printGiven).join(', ')})`
  return given.kind === 'field' ? printField(given) : printTransformed(given)
}
const printTransformed = ({ transformer, arguments: given, argument }: Transformed): string =>
  `${transformer}(${given.map(printGiven).join(', ')})${printArgument(argument)}`

export const printOperand = (operand: Operand): string => (operand.kind === 'field' ? printField(operand) : printTransformed(operand))

/** A bare word is printed bare: it may be a list's name. */
const printLiteral = ({ text, bare }: Literal): string => quote(text, !bare)
const printRight = (right: Literal | Literals | Operand): string => {
  if (right.kind === 'literals') return `(${right.items.map(printLiteral).join(', ')})`
  if (right.kind === 'field') return `val(${printField(right)})`
  if (right.kind === 'transformed') return printTransformed(right)
  return printLiteral(right)
}

const inner = (expression: Expression): string =>
  expression.kind === 'and' || expression.kind === 'or' ? `(${printExpression(expression)})` : printExpression(expression)

export const printExpression = (expression: Expression): string => {
  if (expression.kind === 'and' || expression.kind === 'or') return expression.operands.map(inner).join(` ${expression.kind} `)
  if (expression.kind === 'not') return `not ${inner(expression.operand)}`
  if (expression.kind === 'macro') return expression.name
  if (expression.kind === 'exists') return `${printOperand(expression.left)} exists`
  const operator = [expression.operator, expression.modifier].filter(word => word !== undefined).join(' ')
  return `${printOperand(expression.left)} ${operator} ${printRight(expression.right)}`
}
