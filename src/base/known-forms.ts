/**
 * The forms in which a known secret may stand in a text, and how all of them are found at once: what a text costs depends on its length, hardly on how many forms there
 * are. A form is looked for where a hash over its first characters (4 of a short one, 16 of a long one) says that it may begin.
 */

/** Shorter ones are no secrets, and would blacken half of everything. */
const shortest = 4
/** What is derived from a short one is as short, and stands for much else. */
const shortestDerived = 5
/** A line of a secret of many lines that is as long as this counts by itself. */
const longLine = 16
/** Lines of one secret that count by themselves, the longest of it first in the file: of longer ones all but these only count together. */
const mostLines = 256

const urlSafe = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_')

/** Whatever stands before it in the encoded text moves it by up to two characters; what stands after it decides its last one. So it is looked for with its end, and without. */
const encodedForms = (text: string): string[] => {
  const bytes = Buffer.from(text)
  return [0, 1, 2].flatMap(offset => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const from = Math.ceil((offset * 8) / 6)
    const whole = encoded.slice(from)
    const inner = encoded.slice(from, Math.floor(((offset + bytes.length) * 8) / 6))
    return [whole, inner, urlSafe(whole), urlSafe(inner)]
  })
}

/** As they are, as they stand in URLs, headers and encoded texts; a key file also by its lines. Longest first, so that none is struck out only in part. */
export const formsOf = (secrets: readonly string[]): string[] => {
  const forms = new Set<string>()
  for (const secret of secrets.map(text => text.trim()).filter(text => text.length >= shortest)) {
    const lines = secret.split('\n').map(line => line.trim())
    const own = lines.length > 1 ? lines.filter(line => line.length >= longLine).slice(0, mostLines) : []
    for (const form of [secret, ...own]) {
      forms.add(form)
      forms.add(encodeURIComponent(form.toWellFormed()))
      for (const encoded of encodedForms(form)) if (encoded.length >= shortestDerived) forms.add(encoded)
    }
  }
  return [...forms].filter(form => form.length >= shortest).sort((a, b) => b.length - a.length)
}

/** By a hash of the first `width` characters: 16 bits, and forms by the whole of it. */
interface Index {
  readonly width: number
  readonly maybe: Uint8Array
  readonly forms: ReadonlyMap<number, readonly string[]>
}

const base = 31
const fold = (hash: number): number => (hash ^ (hash >>> 16)) & 0xffff
const hashOf = (text: string, from: number, width: number): number => {
  let hash = 0
  for (let at = from; at < from + width; at++) hash = (Math.imul(hash, base) + text.charCodeAt(at)) >>> 0
  return hash
}

/** `forms` are at least `width` long, longest first. */
const indexOf = (forms: readonly string[], width: number): Index => {
  const maybe = new Uint8Array(65_536)
  const byHash = new Map<number, string[]>()
  for (const form of forms) {
    const hash = hashOf(form, 0, width)
    maybe[fold(hash)] = 1
    const those = byHash.get(hash)
    if (those === undefined) byHash.set(hash, [form])
    else those.push(form)
  }
  return { width, maybe, forms: byHash }
}

/** Calls `visit` with each place where a form of the index may begin, until that says how far to go on from it. */
const walk = ({ width, maybe, forms }: Index, text: string, visit: (at: number, forms: readonly string[]) => void): void => {
  if (text.length < width || forms.size === 0) return
  const high = power(width - 1)
  let hash = hashOf(text, 0, width)
  for (let at = 0; ; at++) {
    if (maybe[fold(hash)] === 1) {
      const those = forms.get(hash)
      if (those !== undefined) visit(at, those)
    }
    if (at + width >= text.length) return
    const without = (hash - Math.imul(text.charCodeAt(at), high)) >>> 0
    hash = (Math.imul(without, base) + text.charCodeAt(at + width)) >>> 0
  }
}
const power = (exponent: number): number => {
  let value = 1
  for (let left = exponent; left > 0; left--) value = Math.imul(value, base) >>> 0
  return value
}

export interface KnownForms {
  /** None: nothing has to be looked for. */
  readonly count: number
  /** With `mark` in place of each. The same text where there is none. */
  strike(text: string, mark: string): string
  /** Of a text that was cut off: as `strike`, and its end as well where that is the beginning of a form. */
  strikeCut(text: string, mark: string): string
}

const wide = 16

export const createKnownForms = (secrets: readonly string[]): KnownForms => {
  const forms = formsOf(secrets)
  const long = indexOf(
    forms.filter(({ length }) => length >= wide),
    wide,
  )
  const short = indexOf(
    forms.filter(({ length }) => length < wide),
    shortest,
  )
  const beginnings = indexOf(forms, shortest)

  const spansIn = (text: string): [number, number][] => {
    const spans: [number, number][] = []
    for (const index of [long, short]) {
      walk(index, text, (at, those) => {
        const form = those.find(one => text.startsWith(one, at))
        if (form !== undefined) spans.push([at, at + form.length])
      })
    }
    return spans.sort((left, right) => left[0] - right[0] || left[1] - right[1])
  }

  /** Where the beginning of a form, that the text is too short for, begins. */
  const cutAt = (text: string): number | undefined => {
    let first: number | undefined
    walk(beginnings, text, (at, those) => {
      if (first !== undefined) return
      const rest = text.slice(at)
      if (those.some(form => form.length > rest.length && form.startsWith(rest))) first = at
    })
    return first
  }

  return {
    count: forms.length,
    strike: (text, mark) => strikeSpans(text, spansIn(text), mark),
    strikeCut: (text, mark) => {
      const cut = cutAt(text)
      const spans = spansIn(text)
      return strikeSpans(text, cut === undefined ? spans : [...spans, [cut, text.length] as const].sort((left, right) => left[0] - right[0]), mark)
    },
  }
}

/** Spans by their beginnings; those that meet are struck out as one. */
export const strikeSpans = (text: string, spans: readonly (readonly [from: number, to: number])[], mark: string): string => {
  let clean = ''
  let done = 0
  for (const [from, to] of spans) {
    if (to <= done) continue
    if (from > done || done === 0) clean += `${text.slice(done, Math.max(from, done))}${mark}`
    done = to
  }
  return done === 0 ? text : `${clean}${text.slice(done)}`
}
