/** What `glob`, `regex` and `pmatch` compare with. All patterns run on RE2: linear in the text whatever they are. */
import RE2 from 're2'

const longestPattern = 10_000

/** Throws RangeError. */
const compile = (source: string, flags: string, pattern: string): RE2 => {
  if (pattern.length > longestPattern) throw new RangeError(`a pattern is at most ${longestPattern} characters long`)
  try {
    return new RE2(source, flags)
  } catch (error) {
    throw new RangeError(`"${pattern}" is no pattern of RE2: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The whole text must fit. */
export const regexTest = (pattern: string): ((text: string) => boolean) => {
  const whole = compile(`^(?:${pattern})$`, 'u', pattern)
  return text => whole.test(text)
}

const classes: Readonly<Record<string, string>> = {
  ...{ alpha: 'a-zA-Z', digit: '0-9', alnum: 'a-zA-Z0-9', upper: 'A-Z', lower: 'a-z', space: ' \\t\\n\\v\\f\\r', blank: ' \\t' },
  ...{ punct: '!-\\/:-@\\[-`{-~', xdigit: '0-9a-fA-F', cntrl: '\\x00-\\x1f\\x7f', print: ' -~', graph: '!-~' },
}
const escaped = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')

/** The set that begins at the `[` at `start`, and the offset behind it. Undefined when nothing closes it: then it is a bracket like any character. */
const setAt = (pattern: string, start: number): { readonly source: string; readonly end: number } | undefined => {
  let at = start + 1
  const isNegated = pattern[at] === '!' || pattern[at] === '^'
  if (isNegated) at++
  let source = ''
  for (let isFirst = true; at < pattern.length; isFirst = false) {
    const character = pattern[at] ?? ''
    if (character === ']' && !isFirst) return { source: `[${isNegated ? '^' : ''}${source}]`, end: at + 1 }
    const name = /^\[:([a-z]+):\]/.exec(pattern.slice(at, at + 12))
    if (name) {
      source += classes[name[1] ?? ''] ?? ''
      at += name[0].length
      continue
    }
    const isRange = character === '-' && !isFirst && at + 1 < pattern.length && pattern[at + 1] !== ']' && source !== ''
    const literal = character === '\\' && at + 1 < pattern.length ? (pattern[++at] ?? '') : character
    source += isRange ? '-' : escaped(literal)
    at++
  }
  return undefined
}

/** As fnmatch(3) without flags: `*` and `?` match slashes and leading dots too. */
const globSource = (pattern: string): string => {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    if (character === '*') source += source.endsWith('.*') ? '' : '.*'
    else if (character === '?') source += '.'
    else if (character === '\\' && at + 1 < pattern.length) source += escaped(pattern[++at] ?? '')
    else {
      const set = character === '[' ? setAt(pattern, at) : undefined
      source += set ? set.source : escaped(character)
      if (set) at = set.end - 1
    }
  }
  return source
}

export const globTest = (pattern: string, ignoreCase = false): ((text: string) => boolean) => {
  const whole = compile(`^(?:${globSource(pattern)})$`, ignoreCase ? 'sui' : 'su', pattern)
  return text => whole.test(text)
}

interface Branch {
  isEnd: boolean
  readonly names: Map<string, Branch>
  readonly globs: { readonly pattern: string; readonly fits: (name: string) => boolean; readonly branch: Branch }[]
}

const createBranch = (): Branch => ({ isEnd: false, names: new Map(), globs: [] })
const namesOf = (path: string): string[] => path.split('/').filter(name => name !== '')

const walk = (branch: Branch, names: readonly string[], at: number): boolean => {
  if (branch.isEnd) return true
  const name = names[at]
  if (name === undefined) return false
  const exact = branch.names.get(name)
  if (exact && walk(exact, names, at + 1)) return true
  return branch.globs.some(({ fits, branch: next }) => fits(name) && walk(next, names, at + 1))
}

/** Whether one of the paths is the text, or a folder above it. Each name of a path may be a glob. One walk however many paths there are. */
export const pathTest = (paths: readonly string[]): ((text: string) => boolean) => {
  const root = createBranch()
  for (const path of paths) {
    let branch = root
    for (const name of namesOf(path)) {
      if (/[*?[]/.test(name)) {
        let found = branch.globs.find(({ pattern }) => pattern === name)
        if (!found) {
          found = { pattern: name, fits: globTest(name), branch: createBranch() }
          branch.globs.push(found)
        }
        branch = found.branch
        continue
      }
      let next = branch.names.get(name)
      if (!next) {
        next = createBranch()
        branch.names.set(name, next)
      }
      branch = next
    }
    branch.isEnd = true
  }
  return text => walk(root, namesOf(text), 0)
}
