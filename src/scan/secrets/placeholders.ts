/** Which values are no secrets though they stand where one could: references, examples, what a template leaves to be filled in. */
import { entropyOf } from './entropy.ts'

/** Runs of letters that people type when they need something long. */
const sequences = [
  'abcdefghijklmnopqrstuvwxyz',
  '0123456789012345678901234567890',
  'zyxwvutsrqponmlkjihgfedcba',
  '98765432109876543210',
  'qwertyuiopasdfghjklzxcvbnm',
]

const fragments =
  /example|sample|placeholder|change[-_ ]?(?:me|it|this)|replace[-_ ]?(?:me|this|with)|your[-_ ]|[-_ ]here$|insert[-_ ]|<[^>]*>|\.\.\.|x{5}|\*{3}|deadbeef|cafebabe|redacted|dummy|fake|todo|fixme|foobar|not[-_]?a?[-_]?(?:real|secret)/i

/** Made of one long run: `12345678`, `abcdef…`, or of two characters only. */
const isMonotonous = (text: string): boolean => {
  const lower = text.toLowerCase()
  if (new Set(lower).size <= Math.min(4, lower.length / 4)) return true
  // Most of it is one run.
  const length = Math.max(8, Math.ceil(lower.length / 2))
  for (let start = 0; start + length <= lower.length; start++) {
    const part = lower.slice(start, start + length)
    if (sequences.some(sequence => sequence.includes(part))) return true
  }
  return false
}

/** An example: what documentation writes in place of a secret. */
export const isPlaceholder = (text: string): boolean => {
  // In long random texts any short word comes up by chance.
  const beginning = text.length > 80 ? text.slice(0, 40) : text
  return fragments.test(beginning) || isMonotonous(beginning)
}

/** It says where the value comes from: `${VAR}`, `$VAR`, `{{ … }}`, `%VAR%`, `vault:…`, `file:…`, `arn:…`. */
export const isReference = (text: string): boolean =>
  /^\$[A-Za-z_]\w*$|\$\{|\$\(|\{\{|<%|%\(|^%[A-Za-z_]+%$|^\{[A-Za-z_][\w.]*\}$|^\[[A-Za-z_][\w.]*\]$|^%s$|#\{|^@[A-Za-z_.-]+@$|^[*&][A-Za-z]+$|^!(?:Ref|Sub|GetAtt|Join|ImportValue|vault|secret|env)\b/.test(
    text,
  ) ||
  /^(?:vault|ref\+\w+|file|op|env|ssm|sm|awssm|gcpsm|keyvault|secretref|secret|docker-secret|kms|data):/i.test(text) ||
  /^arn:aws|^projects\/[^/]+\/secrets\//.test(text)

/** It is an expression of some language, not a text. Not for tokens, some of which look like one. */
const isCode = (text: string): boolean =>
  /process\.env|os\.(?:environ|getenv)|getenv\(|ENV\[|secrets\./.test(text) ||
  /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$]\w*)+(?:\(.{0,80}\))?$/.test(text) ||
  /^[A-Za-z_][\w:]*\(/.test(text)

/** `/etc/x`, `./x/y`, `~/x`, `C:\x`: of words, not of random characters. */
const isPath = (text: string): boolean =>
  /^[A-Za-z]:\\/.test(text) || (/^(?:~|\.{1,2})?\/[\w.@-]+\/[\w./@-]*$/.test(text) && (text.length < 24 || entropyOf(text) < 4.3))

/** What people run things with while they develop. */
const defaults = new Set(
  `password passw0rd p@ssw0rd p@ssword passwd pass pwd secret root toor admin administrator user test testing test123 tester guest default demo dev devel develop
  development local localdev postgres postgresql pgpass mysql mariadb mongo mongodb redis rabbit rabbitmq elastic elasticsearch minio minioadmin minio123 grafana
  keycloak oracle sa sqlserver mssql neo4j cassandra couchbase couchdb influx influxdb django flask rails laravel symfony wordpress drupal joomla magento ghost nginx app
  application api web example changeme changeit change-me change_me letmein welcome qwerty abc123 abcd1234 password1 password123 password1234 pass123 pass1234 admin123
  admin1234 root123 secret123 secretpassword supersecret mysecret mypassword mysecretpassword topsecret s3cret s3cr3t hunter2 token mytoken apikey key unused none null
  empty docker compose vagrant ubuntu debian alpine foo bar baz foobar foo123 blah insecure notsecure unsafe temp temporary tmp stub mock fake dummy sample placeholder
  12345 123456 1234567 12345678 123456789 1234567890 1234 123 0000 1111 000000 111111 secretkey secret_key secret-key dev-secret jwt-secret jwtsecret accesskey`.split(
    /\s+/,
  ),
)

const words =
  /^(?:true|false|yes|no|on|off|null|nil|none|undefined|auto|enabled|disabled|required|optional|string|str|number|int|bool|boolean|object|any|prompt|ask)$/i

export type Judgement = 'none' | 'default' | 'weak' | 'strong'

/**
 * What a value that stands where a password or token does is: `none` (no secret), `default` (one that everybody knows, of developers' machines),
 * `weak` (a word or a few characters) or `strong`. `name` is that of the variable or user: a password that repeats it is a default.
 */
export const judgePassword = (given: string, name = ''): Judgement => {
  const value = given.trim()
  const lower = value.toLowerCase()
  if (value.length < 2 || words.test(value) || isReference(value) || isCode(value) || isPath(value)) return 'none'
  if (
    defaults.has(lower) ||
    (value.length >= 2 &&
      name
        .toLowerCase()
        .split(/[^a-z0-9]+/)
        .some(part => part.length > 1 && (part === lower || `${part}pass` === lower)))
  )
    return 'default'
  if (/^(?:dev|test|local|demo|example|my|change)[-_ ]?(?:password|passwd|pass|secret|token|key|me|this)[-_ ]?\w{0,12}$/.test(lower)) return 'default'
  if (isPlaceholder(value)) return 'none'
  // Counts, ports and durations.
  if (/^-?\d{1,5}(?:\.\d+)?(?:ms|s|m|h|d|kb|mb)?$/.test(lower)) return 'none'
  if (/^[a-z][a-z0-9+.-]*:\/\/[^@]*$/i.test(value)) return 'none'
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter(kind => kind.test(value)).length
  const looksLikeWords = /^[A-Za-z]+(?:[-_ .:/][A-Za-z]+)*$/.test(value)
  return value.length >= 8 && entropyOf(value) >= 2.75 && kinds >= 2 && !(looksLikeWords && entropyOf(value) < 4) ? 'strong' : 'weak'
}
