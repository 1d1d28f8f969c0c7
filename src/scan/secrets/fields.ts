/**
 * Secrets in what is no file: environment variables, command lines, labels, lines of an image's history, values of a compose document. The name of a
 * variable says that its value is a secret where no format does.
 */
import RE2 from 're2'
import type { Severity } from '../../model/finding.ts'
import { isSecretName } from './names.ts'
import type { Judgement } from './placeholders.ts'
import { judgePassword } from './placeholders.ts'

/** A value found by its name. Offsets are those of UTF-8 bytes in the field. */
export interface Named {
  readonly id: string
  readonly title: string
  readonly severity: Severity
  readonly start: number
  readonly end: number
}

const rules: Readonly<Record<Exclude<Judgement, 'none'>, { readonly id: string; readonly title: string; readonly severity: Severity }>> = {
  default: { id: 'default-password', title: 'Password that everybody knows, in the clear', severity: 'low' },
  weak: { id: 'named-secret', title: 'Short or simple secret in the clear, by the name of its variable', severity: 'medium' },
  strong: { id: 'named-secret', title: 'Secret in the clear, by the name of its variable', severity: 'high' },
}

const judged = (name: string, value: string, start: number, end: number): Named[] => {
  const judgement = judgePassword(value, name)
  return judgement === 'none' ? [] : [{ ...rules[judgement], start, end }]
}

/** Last part of a field's path: `services.web.environment.API_TOKEN` is about `API_TOKEN`. Of `history[3]` and `command[1]` there is none. */
const nameOf = (field: string): string => (field.endsWith(']') ? '' : (field.split('.').at(-1) ?? ''))

/** Assignments and options in a line of text, each in its own way quoted. */
const assignments = new RE2(
  '(?:^|[\\s|;&("\'])(?:--?)?([A-Za-z_][A-Za-z0-9_.-]{0,127})(=|\\s{0,4}:\\s{1,4}|["\\\\]{1,2}\\s{0,4}:\\s{0,4})(?:"([^"\\n]{1,1000})"|\'([^\'\\n]{1,1000})\'|([^\\s"\'|;&)[{](?:[^\\s"\'|;&)]{0,900}[^\\s"\'|;&),}\\]])?))',
  'gd',
)
/** `--password secret`, `"--password", "secret"` of a list, `-u user:secret`, `sshpass -p secret`. */
const options = new RE2(
  '(?:--([a-z][a-z0-9-]{0,63})(?:\\s{1,4}["\']?|["\']?\\s{0,4},\\s{0,4}["\']?|["\']\\s{1,4}["\'])([^\\s"\'-](?:[^\\s"\']{0,510}[^\\s"\',\\]])?)|\\bcurl\\b[^\\n|;&]{0,300}?\\s(?:-u|--user)\\s{0,4}["\']?[^\\s:"\']{1,64}:([^\\s"\']{1,256})|\\bsshpass\\s{1,4}-p\\s{0,4}["\']?([^\\s"\']{1,256}))',
  'gd',
)

/** Matches in one field that are looked at. */
const mostMatches = 500

/** Calls `onMatch` with the spans of all groups of each match. False: there are more than are looked at. */
const eachMatch = (pattern: RE2, bytes: Buffer, onMatch: (spans: RegExpIndicesArray) => void): boolean => {
  pattern.lastIndex = 0
  for (let count = 0; count < mostMatches; count++) {
    const match = pattern.exec(bytes)
    if (match === null) return true
    if (match.indices !== undefined) onMatch(match.indices)
    // What separates two assignments belongs to both.
    pattern.lastIndex = Math.max((match.indices?.[0]?.[1] ?? 1) - 1, (match.indices?.[0]?.[0] ?? 0) + 1)
  }
  return false
}

/** `password: then press enter`: a colon, no quotes, and words behind the value. */
const isProse = (bytes: Buffer, spans: RegExpIndicesArray): boolean => {
  const separator = spans[2]
  const bare = spans[5]
  if (separator === undefined || bare === undefined || !bytes.toString('latin1', separator[0], separator[1]).trimStart().startsWith(':')) return false
  return /^[ \t]+[^\s#]/.test(bytes.toString('latin1', bare[1], bare[1] + 16))
}

/** Secrets that `field`'s own name, or names in its text, say are secrets. Second: whether all of the text was looked at. */
export const namedSecrets = (field: string, value: string): readonly [readonly Named[], boolean] => {
  const bytes = Buffer.from(value)
  const name = nameOf(field)
  if (name !== '' && isSecretName(name)) return [judged(name, value, 0, bytes.length), true]
  const found: Named[] = []
  const consider = (spans: RegExpIndicesArray, name: [number, number] | undefined, groups: readonly number[]) => {
    const span = groups.map(group => spans[group]).find(candidate => candidate !== undefined && candidate[1] > candidate[0])
    if (span === undefined) return
    if (name !== undefined && !isSecretName(bytes.toString('utf8', name[0], name[1]))) return
    found.push(
      ...judged(name === undefined ? '' : bytes.toString('utf8', name[0], name[1]), bytes.toString('utf8', span[0], span[1]), span[0], span[1]),
    )
  }
  const first = eachMatch(assignments, bytes, spans => {
    if (!isProse(bytes, spans)) consider(spans, spans[1], [3, 4, 5])
  })
  const second = eachMatch(options, bytes, spans => consider(spans, spans[1], [2, 3, 4]))
  return [found, first && second]
}

/** Files that declare what a container will have in its environment: there, names count as they do in fields. */
const declaring =
  /(?:^|\/)(?:(?:Dockerfile|Containerfile)[^/]{0,100}|[^/]{0,100}\.[Dd]ockerfile|(?:docker-)?compose[^/]{0,100}\.ya?ml|\.env(?:\.[^/]{0,100})?)$/

export const isDeclaring = (path: string): boolean => declaring.test(path) && !path.includes('node_modules/')

/** `ENV NAME value`, the old form. */
const spacedEnv = /^\s{0,16}ENV\s{1,8}([A-Za-z_]\w{0,127})\s{1,8}(?!=)(\S.{0,999})$/i

/** Lines of a YAML list: an option, and what may be its value. */
const optionLine = /^\s*-\s+["']?(--?[A-Za-z][\w-]{0,63})["']?\s*$/
const valueLine = /^(\s*-\s+["']?)([^\s"'-](?:[^"']{0,1000}[^\s"'])?)["']?\s*$/

/** Lines of a declaring file that are looked at. */
const mostLines = 20_000

/** As `namedSecrets`, of the lines of a file that declares an environment. */
export const declaredSecrets = (bytes: Buffer): readonly [readonly Named[], boolean] => {
  const found: Named[] = []
  let complete = true
  let start = 0
  let option: string | undefined
  for (let line = 0; start < bytes.length; line++) {
    if (line === mostLines) return [found, false]
    const next = bytes.indexOf(10, start)
    const end = next < 0 ? bytes.length : next
    const text = bytes.toString('utf8', start, Math.min(end, start + 16_384))
    const at = start
    start = end + 1
    if (/^\s*(?:#|$)/.test(text)) continue
    const [, lead, item] = option === undefined ? [] : (valueLine.exec(text) ?? [])
    if (option !== undefined && lead !== undefined && item !== undefined) {
      const from = at + Buffer.byteLength(lead)
      found.push(...judged(option, item, from, from + Buffer.byteLength(item)))
      option = undefined
      continue
    }
    const name = optionLine.exec(text)?.[1]
    option = name !== undefined && isSecretName(name) ? name : undefined
    const spaced = spacedEnv.exec(text)
    if (spaced?.[1] !== undefined && spaced[2] !== undefined && !spaced[2].startsWith('=') && isSecretName(spaced[1])) {
      const from = at + Buffer.byteLength(text.slice(0, text.length - spaced[2].length))
      found.push(...judged(spaced[1], spaced[2], from, from + Buffer.byteLength(spaced[2].trimEnd())))
      continue
    }
    const [named, all] = namedSecrets(`line[${line}]`, text)
    complete &&= all && end - at <= 16_384
    for (const each of named) found.push({ ...each, start: at + each.start, end: at + each.end })
  }
  return [found, complete]
}
