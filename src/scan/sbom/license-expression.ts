/** SPDX license expressions, read and written in their canonical form (SPDX 2.3, annex D), as far as they need no document to be understood. */
import { exceptionIds, licenseIds } from './license-ids.ts'

const byLower = (ids: readonly string[]): ReadonlyMap<string, string> => new Map(ids.map(id => [id.toLowerCase(), id]))
const licenses = byLower(licenseIds)
const exceptions = byLower(exceptionIds)

const longest = 4096
const deepest = 32

export interface LicenseExpression {
  /** `MIT`, `(GPL-2.0-only OR MIT) AND Zlib`. */
  readonly text: string
  /** `id` is one identifier of the list alone, `compound` has AND or OR at its top, `other` anything else: `GPL-2.0+`, an exception. */
  readonly shape: 'id' | 'other' | 'compound'
}

const tokensOf = (text: string): readonly string[] => text.replaceAll('(', ' ( ').replaceAll(')', ' ) ').split(/\s+/).filter(Boolean)

/** Undefined for what is no expression, or names a license that the list does not have. Letter case is put right. */
export const parseLicenseExpression = (text: string): LicenseExpression | undefined => {
  if (text.length > longest) return undefined
  const tokens = tokensOf(text)
  let at = 0
  const operator = (...names: readonly string[]): string | undefined => {
    const upper = tokens[at]?.toUpperCase()
    if (upper === undefined || !names.includes(upper)) return undefined
    at++
    return upper
  }

  const simple = (depth: number): LicenseExpression | undefined => {
    if (operator('(')) {
      const inner = any(depth + 1)
      if (!inner || !operator(')')) return undefined
      return inner.shape === 'compound' ? { text: `(${inner.text})`, shape: 'other' } : inner
    }
    const token = tokens[at++] ?? ''
    const plus = token.endsWith('+') && !licenses.has(token.toLowerCase())
    const id = licenses.get((plus ? token.slice(0, -1) : token).toLowerCase())
    if (!id) return undefined
    const license = plus ? `${id}+` : id
    if (!operator('WITH')) return { text: license, shape: plus ? 'other' : 'id' }
    const exception = exceptions.get(tokens[at++]?.toLowerCase() ?? '')
    return exception ? { text: `${license} WITH ${exception}`, shape: 'other' } : undefined
  }

  /** AND binds more closely than OR. */
  const chain = (name: string, depth: number, part: (depth: number) => LicenseExpression | undefined): LicenseExpression | undefined => {
    const first = part(depth)
    if (!first) return undefined
    const parts = [first]
    while (operator(name)) {
      const next = part(depth)
      if (!next) return undefined
      parts.push(next)
    }
    return parts.length === 1 ? first : { text: parts.map(each => each.text).join(` ${name} `), shape: 'compound' }
  }
  const all = (depth: number): LicenseExpression | undefined => chain('AND', depth, simple)
  const any = (depth: number): LicenseExpression | undefined => (depth > deepest ? undefined : chain('OR', depth, all))

  const whole = any(0)
  if (!whole || at !== tokens.length) return undefined
  // `(MIT OR Zlib)` as a whole is `MIT OR Zlib`.
  return whole.shape === 'other' && whole.text.startsWith('(') ? { text: whole.text.slice(1, -1), shape: 'compound' } : whole
}
