/** Variables in text: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `:?`, `?`, `:+`, `+`, `$$`; defaults and messages may have variables. */

export type Lookup = (name: string) => string | undefined

export type Failure =
  | { readonly kind: 'malformed' }
  /** `${NAME:?message}` of a variable that is not set (or empty); `message` is what the file says, its variables put in. */
  | { readonly kind: 'required'; readonly name: string; readonly message: string }

export interface Template {
  readonly text: string
  /** Variables that are not set and have no default. */
  readonly unset: readonly string[]
}

export const isFailure = (result: Template | Failure): result is Failure => 'kind' in result

const name = /[A-Za-z_][A-Za-z0-9_]*/y
/** Variables in the defaults of variables, and so on. */
const maximumDepth = 32

const nameAt = (text: string, index: number): string | undefined => {
  name.lastIndex = index
  return name.exec(text)?.[0]
}

/**
 * The index of the `}` that closes what opened before `index`. A default may hold braces of its own, as JSON does: they count in pairs; where they
 * come in no pairs, the last `}` of the line closes.
 */
const closing = (text: string, index: number): number | undefined => {
  const lineEnd = text.indexOf('\n', index)
  const end = lineEnd < 0 ? text.length : lineEnd
  let open = 1
  for (let at = index; at < end; at++) {
    if (text[at] === '{') open++
    else if (text[at] === '}' && --open === 0) return at
  }
  const last = text.lastIndexOf('}', end - 1)
  return last >= index ? last : undefined
}

interface State {
  readonly lookup: Lookup
  readonly unset: string[]
}

/** `:-default` and its kin, applied to a variable. */
const apply = (state: State, variable: string, operation: string, depth: number): string | Failure => {
  const [, empty, operator = '', word = ''] = /^(:?)([-+?])([\s\S]*)$/.exec(operation) ?? []
  const value = state.lookup(variable)
  const has = value !== undefined && (empty !== ':' || value !== '')
  if (operator === '+') return has ? expand(state, word, depth + 1) : ''
  if (has) return value
  const replaced = expand(state, word, depth + 1)
  if (operator === '-' || typeof replaced !== 'string') return replaced
  return { kind: 'required', name: variable, message: replaced }
}

const expand = (state: State, text: string, depth: number): string | Failure => {
  if (depth > maximumDepth) return { kind: 'malformed' }
  let result = ''
  let index = 0
  for (;;) {
    const dollar = text.indexOf('$', index)
    if (dollar < 0) return result + text.slice(index)
    result += text.slice(index, dollar)
    const after = text[dollar + 1]
    if (after === '$') {
      result += '$'
      index = dollar + 2
      continue
    }
    const braced = after === '{'
    const variable = nameAt(text, dollar + (braced ? 2 : 1))
    if (variable === undefined) {
      if (braced) return { kind: 'malformed' }
      result += '$'
      index = dollar + 1
      continue
    }
    const end = dollar + (braced ? 2 : 1) + variable.length
    if (!braced || text[end] === '}') {
      const value = state.lookup(variable)
      if (value === undefined) state.unset.push(variable)
      result += value ?? ''
      index = braced ? end + 1 : end
      continue
    }
    const close = /^:?[-+?]/.test(text.slice(end, end + 2)) ? closing(text, end) : undefined
    if (close === undefined) return { kind: 'malformed' }
    const value = apply(state, variable, text.slice(end, close), depth)
    if (typeof value !== 'string') return value
    result += value
    index = close + 1
  }
}

/** The text with its variables replaced, or why it cannot be. */
export const substitute = (text: string, lookup: Lookup): Template | Failure => {
  const state: State = { lookup, unset: [] }
  const result = expand(state, text, 0)
  return typeof result === 'string' ? { text: result, unset: state.unset } : result
}
