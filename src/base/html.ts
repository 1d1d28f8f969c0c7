/** HTML from templates whose values are text unless they are HTML already: nothing that comes from outside can become markup. */

export interface Html {
  readonly html: string
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' }

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be made visible
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g

/** For content and for attributes in double quotes. What would steer a reader's eyes (direction, control characters) shows as U+FFFD. */
export const escapeHtml = (text: string): string => text.replaceAll(control, '\ufffd').replaceAll(/[&<>"'`]/g, found => entities[found] ?? found)

export type Value = Html | string | number | readonly Value[] | undefined

const written = (value: Value): string => {
  if (value === undefined) return ''
  if (typeof value === 'string') return escapeHtml(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  if ('html' in value) return value.html
  return value.map(written).join('')
}

export const html = (parts: TemplateStringsArray, ...values: readonly Value[]): Html => ({
  html: parts.map((part, index) => part + written(values[index])).join(''),
})
