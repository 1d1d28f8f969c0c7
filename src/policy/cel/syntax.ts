/** CEL's grammar: text to a tree. Macros are calls still; `macros.ts` knows them. */
import type { Token } from './tokens.ts'
import { SyntaxFault, tokenize } from './tokens.ts'
import type { Value } from './values.ts'

interface Span {
  /** Offsets in the expression. */
  readonly start: number
  readonly end: number
}

export type FoldKind = 'all' | 'exists' | 'existsOne' | 'map' | 'filter' | 'transformList' | 'transformMap' | 'transformMapEntry' | 'sortBy'

export type Node = Span &
  (
    | { readonly op: 'literal'; readonly value: Value }
    | { readonly op: 'name'; readonly name: string }
    | { readonly op: 'select'; readonly target: Node; readonly field: string; readonly optional: boolean }
    | { readonly op: 'has'; readonly target: Node; readonly field: string }
    | { readonly op: 'call'; readonly name: string; readonly receiver: Node | undefined; readonly args: readonly Node[] }
    | { readonly op: 'and' | 'or'; readonly parts: readonly Node[] }
    | { readonly op: 'if'; readonly condition: Node; readonly then: Node; readonly otherwise: Node }
    | { readonly op: 'list'; readonly items: readonly { readonly value: Node; readonly optional: boolean }[] }
    | { readonly op: 'map'; readonly entries: readonly { readonly key: Node; readonly value: Node; readonly optional: boolean }[] }
    | {
        readonly op: 'fold'
        readonly kind: FoldKind
        readonly range: Node
        /** The element; or index or key, and the element. */
        readonly variables: readonly string[]
        readonly filter: Node | undefined
        readonly body: Node
      }
    | { readonly op: 'bind'; readonly variable: string; readonly value: Node; readonly body: Node }
    | { readonly op: 'optMap'; readonly variable: string; readonly target: Node; readonly body: Node; readonly flat: boolean }
  )

/** More is refused, as cel-go does. */
const longest = 100_000
const deepest = 100

const reserved = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(' '),
)

const relations = new Set(['<', '<=', '>=', '>', '==', '!=', 'in'])

/** Turns a call into what it stands for when it is a macro; else gives it back. */
export type Expand = (node: Extract<Node, { op: 'call' }>) => Node

/** Throws SyntaxFault with the place of the fault. */
export const parseExpression = (text: string, expand: Expand): Node => {
  if (text.length > longest) throw new SyntaxFault(`the expression is longer than ${longest} characters`, 0, 1)
  const tokens = tokenize(text)
  let at = 0
  let depth = 0

  const peek = (): Token => tokens[at] ?? { kind: 'end', text: '', value: null, start: text.length, end: text.length }
  const is = (sign: string): boolean => {
    const token = peek()
    return (token.kind === 'operator' || token.kind === 'name') && token.text === sign
  }
  const next = (): Token => {
    const token = peek()
    at++
    return token
  }
  const take = (sign: string): boolean => {
    if (!is(sign)) return false
    at++
    return true
  }
  const unexpected = (token: Token, wanted: string): SyntaxFault =>
    new SyntaxFault(
      token.kind === 'end' ? `the expression ends where ${wanted} is expected` : `${token.text} stands where ${wanted} is expected`,
      token.start,
      token.end,
    )
  const need = (sign: string): Token => {
    const token = next()
    if (token.kind !== 'operator' || token.text !== sign) throw unexpected(token, sign)
    return token
  }
  const call = (name: string, receiver: Node | undefined, args: readonly Node[], start: number, end: number): Node =>
    expand({ op: 'call', name, receiver, args, start, end })

  const expression = (): Node => {
    if (++depth > deepest) throw new SyntaxFault(`the expression is nested deeper than ${deepest} levels`, peek().start, peek().end)
    const condition = chain('||', 'or', () => chain('&&', 'and', relation))
    let result = condition
    if (take('?')) {
      const then = chain('||', 'or', () => chain('&&', 'and', relation))
      need(':')
      const otherwise = expression()
      result = { op: 'if', condition, then, otherwise, start: condition.start, end: otherwise.end }
    }
    depth--
    return result
  }

  /** `a && b && c` is one node of three: depth is for nesting, not for length. */
  const chain = (sign: string, op: 'and' | 'or', operand: () => Node): Node => {
    const first = operand()
    if (!is(sign)) return first
    const parts = [first]
    while (take(sign)) parts.push(operand())
    return { op, parts, start: first.start, end: parts.at(-1)?.end ?? first.end }
  }

  /** Binary operators lean to the left; a long sum is a deep tree, so its length is bounded too. */
  const binary = (signs: ReadonlySet<string>, operand: () => Node): Node => {
    let left = operand()
    for (let count = 0; ; count++) {
      const token = peek()
      if ((token.kind !== 'operator' && token.text !== 'in') || !signs.has(token.text)) return left
      if (count >= 500) throw new SyntaxFault('more than 500 operators in a row', token.start, token.end)
      at++
      const right = operand()
      left = call(token.text === 'in' ? '@in' : `_${token.text}_`, undefined, [left, right], left.start, right.end)
    }
  }
  const multiplicative = new Set(['*', '/', '%'])
  const additive = new Set(['+', '-'])
  const relation = (): Node => binary(relations, () => binary(additive, () => binary(multiplicative, unary)))

  const unary = (): Node => {
    const token = peek()
    if (token.kind !== 'operator' || (token.text !== '!' && token.text !== '-')) return member()
    let count = 0
    while (is(token.text)) {
      const sign = next()
      const digits = peek()
      if (sign.text === '-' && digits.kind === 'literal' && digits.digits !== undefined) {
        const operand = member(sign.start)
        return count % 2 === 0 ? operand : call('-_', undefined, [operand], token.start, operand.end)
      }
      count++
    }
    const operand = member()
    // An even number of them changes nothing but asks for the type, so two are kept.
    let result = operand
    for (let left = count % 2 === 0 ? 2 : 1; left > 0; left--) result = call(`${token.text}_`, undefined, [result], token.start, operand.end)
    return result
  }

  const list = <T>(close: string, item: () => T): { items: T[]; end: number } => {
    const items: T[] = []
    while (!is(close)) {
      items.push(item())
      if (!take(',')) break
    }
    return { items, end: need(close).end }
  }
  const listNoTrailing = (): { items: Node[]; end: number } => {
    const items: Node[] = []
    if (!is(')')) {
      do items.push(expression())
      while (take(','))
    }
    return { items, end: need(')').end }
  }

  /** `minus`: where a minus sign stands that belongs to the number. */
  const member = (minus?: number): Node => {
    let node = primary(minus)
    for (let count = 0; ; count++) {
      if (count > 500) throw new SyntaxFault('more than 500 selections in a row', node.start, node.end)
      if (take('.')) {
        const optional = take('?')
        const token = next()
        if (token.kind !== 'name' && token.kind !== 'escaped') throw unexpected(token, 'a field name')
        if (token.kind === 'name' && token.text === 'in') throw unexpected(token, 'a field name')
        if (token.kind === 'name' && !optional && take('(')) {
          const { items, end } = listNoTrailing()
          node = call(token.text, node, items, node.start, end)
        } else node = { op: 'select', target: node, field: token.text, optional, start: node.start, end: token.end }
      } else if (take('[')) {
        const optional = take('?')
        const index = expression()
        node = call(optional ? '_[?_]' : '_[_]', undefined, [node, index], node.start, need(']').end)
      } else return node
    }
  }

  const primary = (minus?: number): Node => {
    const token = next()
    if (token.kind === 'literal') {
      if (minus === undefined) {
        if (token.value === 2n ** 63n) throw new SyntaxFault('the number is too large for an int', token.start, token.end)
        return { op: 'literal', value: token.value, start: token.start, end: token.end }
      }
      const value = typeof token.value === 'bigint' || typeof token.value === 'number' ? -token.value : token.value
      return { op: 'literal', value, start: minus, end: token.end }
    }
    if (token.kind === 'operator' && token.text === '.' && peek().kind === 'name') return named(next())
    if (token.kind === 'name') return named(token)
    if (token.text === '(' && token.kind === 'operator') {
      const inner = expression()
      const { end } = need(')')
      return { ...inner, start: token.start, end }
    }
    if (token.text === '[' && token.kind === 'operator') {
      const { items, end } = list(']', () => ({ optional: take('?'), value: expression() }))
      return { op: 'list', items, start: token.start, end }
    }
    if (token.text === '{' && token.kind === 'operator') {
      const { items, end } = list('}', () => {
        const optional = take('?')
        const key = expression()
        need(':')
        return { key, value: expression(), optional }
      })
      return { op: 'map', entries: items, start: token.start, end }
    }
    throw unexpected(token, 'a value')
  }

  const named = (token: Token): Node => {
    const { text: name, start, end } = token
    if (name === 'true' || name === 'false') return { op: 'literal', value: name === 'true', start, end }
    if (name === 'null') return { op: 'literal', value: null, start, end }
    if (reserved.has(name)) throw new SyntaxFault(`${name} is a reserved word`, start, end)
    if (take('(')) {
      const { items, end: close } = listNoTrailing()
      return call(name, undefined, items, start, close)
    }
    if (is('{')) throw new SyntaxFault(`objects such as ${name}{…} cannot be made in a policy`, start, end)
    return { op: 'name', name, start, end }
  }

  const result = expression()
  const rest = peek()
  if (rest.kind !== 'end') throw unexpected(rest, 'an operator or the end')
  return result
}
