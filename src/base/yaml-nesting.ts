import { Lexer } from 'yaml'

/** What comes before a scalar's text among the lexemes. */
const scalarFollows = '\u001f'

/**
 * Whether brackets and braces of a YAML text are nested deeper than `most`. Linear, and without memory: parsing such a text takes a kilobyte for each bracket.
 */
export const isNestedDeeper = (text: string, most: number): boolean => {
  let depth = 0
  let before = ''
  for (const lexeme of new Lexer().lex(text)) {
    if (before !== scalarFollows) {
      if (lexeme === '[' || lexeme === '{') depth++
      else if (lexeme === ']' || lexeme === '}') depth = Math.max(0, depth - 1)
      if (depth > most) return true
    }
    before = lexeme
  }
  return false
}
