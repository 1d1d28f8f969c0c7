import type { Vector } from './random.ts'
import { random as r, vector as v } from './random.ts'

/** Lines as PEM has them. */
const body = (length: number): string => (r.base64(length).match(/.{1,64}/g) ?? []).join('\n')

const pem = (rule: string, label: string, length = 600): Vector =>
  v(rule, body(Math.min(length, 500)), {
    ...{ before: `-----BEGIN ${label}-----\n`, after: `\n-----END ${label}-----\n`, path: 'root/key.pem' },
    not: [`...\n`, 'A'.repeat(64), 'your key here'],
  })

const key = 'PRIVATE KEY'

export const loginVectors = (): Vector[] => [
  pem('private-key-rsa', `RSA ${key}`),
  pem('private-key-ec', `EC ${key}`, 164),
  pem('private-key-dsa', `DSA ${key}`),
  pem('private-key-pkcs8', key, 64),
  pem('private-key-encrypted', `ENCRYPTED ${key}`),
  pem('private-key-openssh', `OPENSSH ${key}`),
  pem('private-key-pgp', `PGP ${key} BLOCK`),
  v('private-key-ssh2', body(400), {
    before: `---- BEGIN SSH2 ENCRYPTED ${key} ----\n`,
    after: `\n---- END SSH2 ENCRYPTED ${key} ----\n`,
    not: ['A'.repeat(64)],
  }),
  v('private-key-putty', body(400), {
    before: `PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: a\nPublic-Lines: 6\n${body(370)}\nPrivate-Lines: 7\n`,
    ...{ after: '\nPrivate-MAC: 00\n', not: ['none'] },
  }),
  v('private-key-jwk', r.url(86), { before: '{"kty":"RSA","n":"AQAB","e":"AQAB","d":"', after: '"}' }),
  v('database-url-password', `p${r.alphanumeric(14)}`, {
    before: 'postgres://app:',
    after: '@db.acme.io:5432/app',
    not: ['password', '$' + '{PASSWORD}', '<password>', 'postgres'],
  }),
  v('basic-auth-url', r.alphanumeric(24), { before: 'https://oauth2:', after: '@git.acme.io/x.git', not: ['password', '$' + '{TOKEN}', '<token>'] }),
  v('credential-file-url', r.alphanumeric(20), {
    before: 'https://someone:',
    after: '@acme.io\n',
    path: 'root/.git-credentials',
    not: ['$' + '{TOKEN}'],
  }),
  v('netrc-password', r.alphanumeric(20), {
    before: 'machine acme.io login someone password ',
    after: '\n',
    path: 'root/.netrc',
    not: ['$' + '{TOKEN}'],
  }),
  v('htpasswd-hash', `$apr1$${r.alphanumeric(8)}$${r.alphanumeric(22)}`, { before: 'someone:', after: '\n' }),
  v('shadow-hash', `$6$${r.alphanumeric(16)}$${r.alphanumeric(86)}`, {
    before: 'root:*:19000::::::\napp:',
    after: ':19000:0:99999:7:::\n',
    path: 'etc/shadow',
    not: ['*', '!'],
  }),
  v('aspnet-connection-string', r.alphanumeric(16), {
    before: 'Server=db;User Id=sa;Password=',
    after: ';',
    not: ['$' + '{PASSWORD}', '{password}'],
  }),
  v(
    'git-extra-header',
    Buffer.from(`x:${r.alphanumeric(30)}`)
      .toString('base64')
      .replace(/=+$/, ''),
    { before: '[http]\n\textraheader = AUTHORIZATION: basic ', after: '\n' },
  ),
  v('generic-secret', r.alphanumeric(24), {
    before: 'const apiKey = "',
    after: '"\n',
    path: 'srv/app/server.js',
    not: ['process.env.API_KEY', 'your-api-key', 'an example value', 'changeme'],
  }),
  v('generic-setting', r.alphanumeric(24), {
    before: 'acme_api_key: ',
    after: '\n',
    path: 'srv/app/settings.yaml',
    not: ['$' + '{API_KEY}', 'changeme123', 'config.api.key'],
  }),
]
