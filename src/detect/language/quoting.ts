/** Quoted strings of conditions. */

const plainEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '\\': '\\', '/': '/', ' ': '\\' }

/**
 * The text between the quotes, which are the first and the last character of `quoted`. A backslash before a blank is a backslash, as rules in the wild have it.
 * Throws RangeError for an escape that there is not. `\xHH` is the character of that number.
 */
export const unquote = (quoted: string): string => {
  const quote = quoted[0]
  const inner = quoted.slice(1, -1)
  if (!inner.includes('\\')) return inner
  let text = ''
  for (let at = 0; at < inner.length; at++) {
    const character = inner[at]
    if (character !== '\\') {
      text += character
      continue
    }
    const escaped = inner[++at] ?? ''
    const plain = plainEscapes[escaped]
    if (plain !== undefined) text += plain
    else if (escaped === '"' || escaped === "'") {
      if (escaped !== quote) throw new RangeError(`\\${escaped} is no escape between ${quote} and ${quote}: write ${escaped} alone`)
      text += escaped
    } else if (escaped === 'x') {
      const digits = inner.slice(at + 1, at + 3)
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw new RangeError(`\\x takes two hexadecimal digits, not "${digits}"`)
      text += String.fromCharCode(Number.parseInt(digits, 16))
      at += 2
    } else throw new RangeError(`there is no escape \\${escaped}: a backslash is written \\\\`)
  }
  return text
}

const bare = /^[^()"'\s\b=,]+$/
const needed: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
  '\0': '\\x00',
}

/** Without quotes where it reads the same without them, unless `always`; what the parser reads back as `text`. Characters above U+00FF stand as they are. */
export const quote = (text: string, always = false): string => {
  if (!always && bare.test(text)) return text
  // A quote that follows a backslash does not end a string, so no string may end in one, and none may stand before a quote that is not escaped.
  const inner = text.replace(/\\$|[\b\f\n\r\t"\\\0]/g, (character, at: number) =>
    character === '\\' && at === text.length - 1 ? '\\x5c' : (needed[character] ?? character),
  )
  return `"${inner}"`
}
