import type { OwnRule } from '../rule.ts'
import { publishedKeys } from './paths.ts'

/** The beginning of the body is enough to tell two keys apart; a header of an encrypted key may come before it, and `\n` may be written out. */
const body =
  '(?:\\s|\\\\r|\\\\n|["\'+,]){1,40}(?:(?:Proc-Type|DEK-Info|Comment|Version|Subject|x-date|Public|Private)[^\\n\\\\]{0,120}(?:\\s|\\\\r|\\\\n){1,16}){0,6}([A-Za-z0-9+/=]{40,80}(?:(?:\\s|\\\\r|\\\\n|["\'+,]){1,12}[A-Za-z0-9+/=]{1,80}){0,8})'

const pem = (id: string, label: string, title: string, severity: OwnRule['severity'] = 'critical'): OwnRule => ({
  id,
  title,
  severity,
  keywords: [`begin ${label.toLowerCase()}`],
  pattern: `-----BEGIN ${label}-----${body}`,
  entropy: 4,
  notPath: publishedKeys,
  remedy: 'Replace the key pair, take the key out of the files and give it at run time as a secret.',
})

export const privateKeyRules: readonly OwnRule[] = [
  pem('private-key-rsa', 'RSA PRIVATE KEY', 'RSA private key'),
  pem('private-key-ec', 'EC PRIVATE KEY', 'EC private key'),
  pem('private-key-dsa', 'DSA PRIVATE KEY', 'DSA private key'),
  pem('private-key-pkcs8', 'PRIVATE KEY', 'Private key (PKCS #8)'),
  pem('private-key-encrypted', 'ENCRYPTED PRIVATE KEY', 'Encrypted private key', 'medium'),
  pem('private-key-openssh', 'OPENSSH PRIVATE KEY', 'OpenSSH private key'),
  pem('private-key-pgp', 'PGP PRIVATE KEY BLOCK', 'PGP private key'),
  {
    ...pem('private-key-ssh2', 'SSH2 ENCRYPTED PRIVATE KEY', 'SSH2 private key', 'high'),
    keywords: ['begin ssh2 encrypted private key'],
    pattern: `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----${body}`,
  },
  {
    id: 'private-key-putty',
    title: 'PuTTY private key',
    severity: 'critical',
    keywords: ['putty-user-key-file-'],
    pattern: 'PuTTY-User-Key-File-\\d: [^\\n]{1,80}\\n(?s:.{1,1000}?.{0,1000}?)\\nPrivate-Lines: \\d{1,3}\\r?\\n([A-Za-z0-9+/=\\r\\n]{40,700})',
    entropy: 4,
    notPath: publishedKeys,
  },
  {
    id: 'private-key-jwk',
    title: 'Private key as a JSON Web Key',
    severity: 'critical',
    keywords: ['"kty"'],
    pattern:
      '"kty"\\s{0,4}:[^{}]{1,1000}"d"\\s{0,4}:\\s{0,4}"([A-Za-z0-9_-]{32,700})"|"d"\\s{0,4}:\\s{0,4}"([A-Za-z0-9_-]{32,700})"[^{}]{1,1000}"kty"',
    entropy: 4,
    notPath: publishedKeys,
  },
]
