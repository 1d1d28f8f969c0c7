/** Which names of variables and settings say that the value is a secret. */

/** `apiKey`, `API_KEY`, `api-key`, `com.acme.apiKey` are all `api key`. */
const wordsOf = (name: string): string[] =>
  name
    .slice(0, 256)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(word => word !== '')

const alone = new Set(
  `password passwd passphrase passwort pwd pass pw secret secrets token apikey authkey accesskey secretkey privatekey credential credentials passcode pat dbpass
  dbpassword rootpassword userpassword adminpassword clientsecret authtoken accesstoken`.split(/\s+/),
)

const beforeKey = new Set(
  'api access secret private auth encryption encrypt signing sign master app application account storage license licence jwt session cookie crypto hmac admin service shared'.split(
    ' ',
  ),
)

/** A name with one of these is about a secret, but not one. */
const innocent = new Set(
  `public pub gpg pgp allow random generate disable require enable enabled file path dir folder url uri ttl expiry expires expiration expire lifetime timeout length len
  size min max policy hint algorithm alg type header endpoint name count version regex pattern format prefix suffix fingerprint label rotation interval age issuer audience field
  column provider backend store manager driver class reset forgot csrf xsrf limit per budget max_tokens tokens tokenizer id ids username user keyring keyserver`.split(
    /\s+/,
  ),
)

/** Whether the value of what is called so is a password, token or key. */
export const isSecretName = (name: string): boolean => {
  const words = wordsOf(name)
  const last = words.at(-1)
  if (
    last === undefined ||
    words.some(word => innocent.has(word) && word !== 'user' && word !== 'app' && word !== 'store' && word !== 'manager') ||
    innocent.has(last)
  )
    return false
  if (alone.has(last)) return true
  if (last === 'key') return words.slice(0, -1).some(word => beforeKey.has(word))
  // `KEY_BASE` of Rails, `PASSWORD_1`, `TOKEN_PROD`.
  const before = words.at(-2)
  return (
    before !== undefined &&
    (/^\d+$/.test(last) || ['base', 'prod', 'production', 'dev', 'staging', 'value', 'data', 'old', 'new', 'primary', 'secondary'].includes(last)) &&
    isSecretName(words.slice(0, -1).join(' '))
  )
}
