/** Text in XML 1.0, in attributes and between tags. */

/** XML 1.0 has no way to write most control characters, nor half a surrogate pair: they are left out. */
const isCharacter = (code: number): boolean =>
  code === 9 || code === 10 || code === 13 || (code >= 32 && code !== 0xfffe && code !== 0xffff && (code < 0xd800 || code > 0xdfff))

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
}

/** `text` as an attribute's value within `"`, or as the content of an element. Every parser gives back what was written, but for what XML cannot hold. */
export const xmlText = (text: string): string =>
  Array.from(text, char => (isCharacter(char.codePointAt(0) ?? 0) ? (entities[char] ?? char) : '')).join('')
