/** A place in the text of a condition that moves on over what it is asked for. There are no tokens as such: what may come depends on what came. */
import { unquote } from './quoting.ts'
import { SyntaxFault } from './syntax.ts'

const patterns = {
  blank: /[ \t\b\r\n]+/y,
  not: /not[ \t\n\v\f\r]+/y,
  identifier: /[a-zA-Z][a-zA-Z0-9_]*/y,
  fieldName: /[a-zA-Z][a-zA-Z0-9_]*(?:\.[a-zA-Z][a-zA-Z0-9_]*)+/y,
  fieldArgument: /[^\]["' \t\n\v\f\r]+/y,
  hexadecimal: /0[xX][0-9a-fA-F]+/y,
  number: /[+-]?[0-9]+\.?[0-9]*(?:[eE][+-][0-9]+)?/y,
  bareString: /[^()"' \t\n\v\f\r=,]+/y,
} as const

export interface Lexer {
  readonly text: string
  at: number
}

export const createLexer = (text: string): Lexer => ({ text, at: 0 })

export const isAtEnd = ({ text, at }: Lexer): boolean => at >= text.length

/** What the pattern matches here, passed over; undefined when it does not. */
export const take = (lexer: Lexer, name: keyof typeof patterns): string | undefined => {
  const pattern = patterns[name]
  pattern.lastIndex = lexer.at
  const found = pattern.exec(lexer.text)?.[0]
  if (found !== undefined) lexer.at += found.length
  return found
}

export const takeText = (lexer: Lexer, text: string): boolean => {
  if (!lexer.text.startsWith(text, lexer.at)) return false
  lexer.at += text.length
  return true
}

/** The first of the words that stands here. `ends` says what must follow it. */
export const takeWord = <T extends string>(lexer: Lexer, words: readonly T[], ends: 'anything' | 'blank' | 'bracket' = 'anything'): T | undefined => {
  for (const word of words) {
    const before = lexer.at
    if (!takeText(lexer, word)) continue
    if (ends === 'anything' || (ends === 'bracket' ? takeText(lexer, '(') : take(lexer, 'blank') !== undefined)) return word
    lexer.at = before
  }
  return undefined
}

/** A string in quotes, as it reads. It ends at the first quote of its kind that does not follow a backslash. */
export const takeQuoted = (lexer: Lexer): string | undefined => {
  const { text, at } = lexer
  const delimiter = text[at]
  if (delimiter !== '"' && delimiter !== "'") return undefined
  let end = text.indexOf(delimiter, at + 1)
  while (end > 0 && text[end - 1] === '\\') end = text.indexOf(delimiter, end + 1)
  if (end < 0) throw new SyntaxFault(`there is no closing ${delimiter}`, at)
  lexer.at = end + 1
  try {
    return unquote(text.slice(at, end + 1))
  } catch (error) {
    throw new SyntaxFault(error instanceof Error ? error.message : String(error), at)
  }
}

/** What stands here, for a message. */
export const tokenAt = (text: string, at: number): string =>
  /^\s*("[^"]{0,40}"?|'[^']{0,40}'?|[(),=]|[^\s(),=]{1,40})/.exec(text.slice(at, at + 200))?.[1] ?? ''
