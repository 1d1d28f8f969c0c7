/** A command written as one text, split as docker compose splits it: by quotes and blanks, with nothing expanded and no shell. */

export interface Words {
  readonly words: readonly string[]
  /** What follows the first operator of a shell (`&&`, `|`, `>` …): no shell reads it, so it is no part of the command. */
  readonly rest: string
}

/** The words, or undefined when a quote, a backslash or a parenthesis is left open. */
export const splitWords = (text: string): Words | undefined => {
  const words: string[] = []
  let word = ''
  let started = false
  let quote = ''
  let escaped = false
  // Within `$( … )` and backticks everything is kept as it is, their marks too.
  let backtick = false
  let substitution = false
  const finish = (): void => {
    if (started) words.push(word)
    word = ''
    started = false
  }
  let rest = ''
  for (const [index, character] of [...text].entries()) {
    if (escaped) {
      word += character
      escaped = false
      started = true
      continue
    }
    if (character === '\\') {
      if (quote === "'") word += character
      else escaped = true
      continue
    }
    if (/[ \t\r\n]/.test(character)) {
      if (quote !== '' || backtick || substitution) word += character
      else finish()
      continue
    }
    if ((character === '"' || character === "'") && !substitution && (quote === '' || quote === character)) {
      // An empty pair of quotes is a word of its own.
      if (quote === character) started = true
      quote = quote === '' ? character : ''
      continue
    }
    if (character === '`' && quote === '' && !substitution) backtick = !backtick
    if (character === ')' && quote === '' && !backtick) substitution = !substitution
    if (character === '(' && quote === '' && !backtick) {
      if (substitution || !word.endsWith('$')) return undefined
      substitution = true
    }
    if (/[;&|<>]/.test(character) && quote === '' && !backtick && !substitution) {
      if (character === '>' && /^\d/.test(word)) started = false
      rest = [...text].slice(index).join('')
      break
    }
    started = true
    word += character
  }
  finish()
  return escaped || quote !== '' || backtick || substitution ? undefined : { words, rest }
}
