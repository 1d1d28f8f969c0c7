/** Macros: calls whose arguments are not evaluated first. https://github.com/google/cel-spec and the two-variable extension. */
import type { Expand, FoldKind, Node } from './syntax.ts'
import { SyntaxFault } from './tokens.ts'

const variableOf = (node: Node | undefined): string => {
  if (node?.op === 'name') return node.name
  throw new SyntaxFault('a plain name is expected: that of the variable', node?.start ?? 0, node?.end ?? 1)
}

/** Name and number of arguments, to what they fold: how many of them are variables, and whether a filter stands before the body. */
const folds: Readonly<Record<string, { kind: FoldKind; variables: 1 | 2; filter?: true }>> = {
  'all/2': { kind: 'all', variables: 1 },
  'all/3': { kind: 'all', variables: 2 },
  'exists/2': { kind: 'exists', variables: 1 },
  'exists/3': { kind: 'exists', variables: 2 },
  'exists_one/2': { kind: 'existsOne', variables: 1 },
  'existsOne/2': { kind: 'existsOne', variables: 1 },
  'existsOne/3': { kind: 'existsOne', variables: 2 },
  'map/2': { kind: 'map', variables: 1 },
  'map/3': { kind: 'map', variables: 1, filter: true },
  'filter/2': { kind: 'filter', variables: 1 },
  'transformList/3': { kind: 'transformList', variables: 2 },
  'transformList/4': { kind: 'transformList', variables: 2, filter: true },
  'transformMap/3': { kind: 'transformMap', variables: 2 },
  'transformMap/4': { kind: 'transformMap', variables: 2, filter: true },
  'transformMapEntry/3': { kind: 'transformMapEntry', variables: 2 },
  'transformMapEntry/4': { kind: 'transformMapEntry', variables: 2, filter: true },
  'sortBy/2': { kind: 'sortBy', variables: 1 },
}

const isNamespace = (node: Node, name: string): boolean => node.op === 'name' && node.name === name

export const expandMacro: Expand = node => {
  const { name, receiver, args, start, end } = node
  const span = { start, end }
  if (!receiver) {
    if (name !== 'has') return node
    const [target] = args
    if (args.length !== 1 || target?.op !== 'select' || target.optional)
      throw new SyntaxFault('has() asks for a field: has(object.spec.field)', start, end)
    return { op: 'has', target: target.target, field: target.field, ...span }
  }
  if (isNamespace(receiver, 'cel') && name === 'bind') {
    const [variable, value, body] = args
    if (!value || !body || args.length !== 3) throw new SyntaxFault('cel.bind takes a variable, its value and an expression', start, end)
    return { op: 'bind', variable: variableOf(variable), value, body, ...span }
  }
  if ((name === 'optMap' || name === 'optFlatMap') && args.length === 2) {
    const [variable, body] = args
    if (body) return { op: 'optMap', variable: variableOf(variable), target: receiver, body, flat: name === 'optFlatMap', ...span }
  }
  const fold = folds[`${name}/${args.length}`]
  const body = args.at(-1)
  if (!fold || !body) return node
  const variables = args.slice(0, fold.variables).map(variableOf)
  if (variables[0] === variables[1]) throw new SyntaxFault('the two variables need two names', start, end)
  return { op: 'fold', kind: fold.kind, range: receiver, variables, filter: fold.filter ? args.at(-2) : undefined, body, ...span }
}
