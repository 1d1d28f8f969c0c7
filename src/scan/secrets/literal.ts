/** A text that every match of a pattern contains, so that a rule that names no keywords need not be tried on every file. */

const groupEnd = (pattern: string, start: number): number => {
  let depth = 0
  for (let index = start; index < pattern.length; index++) {
    const letter = pattern[index]
    if (letter === '\\') index++
    else if (letter === '[') index = classEnd(pattern, index)
    else if (letter === '(') depth++
    else if (letter === ')' && --depth === 0) return index
  }
  return pattern.length
}

const classEnd = (pattern: string, start: number): number => {
  let index = start + 1
  if (pattern[index] === '^') index++
  if (pattern[index] === ']') index++
  for (; index < pattern.length; index++) {
    if (pattern[index] === '\\') index++
    else if (pattern.startsWith('[:', index)) index = Math.max(index, pattern.indexOf(':]', index) + 1)
    else if (pattern[index] === ']') return index
  }
  return pattern.length
}

/**
 * The longest run of plain ASCII characters outside groups that each match of `pattern` (Go's or RE2's syntax) has in it, in lower case; undefined when
 * there is none of `least` characters, or when the pattern is beyond this simple reading.
 */
export const requiredLiteral = (pattern: string, least = 4): string | undefined => {
  if (/\\Q|\(\?[a-zA-Z]*x/.test(pattern)) return undefined
  let best = ''
  let run = ''
  const end = () => {
    if (run.length > best.length) best = run
    run = ''
  }
  for (let index = 0; index < pattern.length; index++) {
    const letter = pattern[index] ?? ''
    if (letter === '|') return undefined
    if (letter === '(') {
      end()
      index = groupEnd(pattern, index)
    } else if (letter === '[') {
      end()
      index = classEnd(pattern, index)
    } else if (letter === '?' || letter === '*' || letter === '{') {
      // What is repeated need not be there.
      run = run.slice(0, -1)
      end()
      if (letter === '{') index = Math.max(index, pattern.indexOf('}', index))
    } else if (letter === '+' || letter === '^' || letter === '$' || letter === '.') end()
    else if (letter === '\\') {
      const escaped = pattern[++index] ?? ''
      if (/[A-Za-z0-9]/.test(escaped)) {
        end()
        // `\x41`, `\x{41}`, `\pL`, `\p{Greek}`, `\012`: what follows is part of the escape.
        if (escaped === 'x' || escaped === 'p' || escaped === 'P')
          index = pattern[index + 1] === '{' ? pattern.indexOf('}', index) : index + (escaped === 'x' ? 2 : 1)
        else if (/[0-7]/.test(escaped)) while (/[0-7]/.test(pattern[index + 1] ?? '')) index++
        if (index < 0) return undefined
      } else run += escaped
    } else if (letter >= ' ' && letter <= '~') run += letter
    else end()
  }
  end()
  return best.length >= least ? best.toLowerCase() : undefined
}
