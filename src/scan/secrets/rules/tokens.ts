import { hasDigitAndLetter, isBech32, isJsonWebToken } from '../checks.ts'
import type { OwnRule } from '../rule.ts'
import { documentation } from './paths.ts'

/** base64 of `{"alg"`, `{"typ"`, `{"kid"`, `{"x5`, `{"cty`, with what follows. */
export const jwtKeywords: readonly string[] = ['eyjhbgci', 'eyj0exai', 'eyjrawqi', 'eyj4n', 'eyjjdhki']
export const jwtPattern = '\\b(eyJ[A-Za-z0-9_-]{10,1000}\\.eyJ[A-Za-z0-9_-]{10,1000}[A-Za-z0-9_-]{0,1000}\\.[A-Za-z0-9_-]{20,700})'

/** Secrets of tools and standards rather than of a provider. */
export const tokenRules: readonly OwnRule[] = [
  {
    id: 'json-web-token',
    title: 'JSON Web Token',
    severity: 'medium',
    keywords: jwtKeywords,
    pattern: jwtPattern,
    check: isJsonWebToken,
    notPath: documentation,
  },
  {
    id: 'age-secret-key',
    title: 'age secret key',
    severity: 'critical',
    keywords: ['age-secret-key-1'],
    pattern: '\\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})\\b',
    check: isBech32,
  },
  {
    id: 'vault-token',
    title: 'HashiCorp Vault token',
    severity: 'critical',
    keywords: ['hvs.', 'hvb.', 'hvr.'],
    pattern: '\\b(hv[sbr]\\.[A-Za-z0-9_-]{24,300})(?:[^A-Za-z0-9_-]|$)',
    entropy: 3.5,
    check: hasDigitAndLetter,
  },
  {
    id: 'vault-legacy-token',
    title: 'HashiCorp Vault token of an old form',
    severity: 'high',
    keywords: ['vault_token', 'x-vault-token'],
    pattern: '(?i:vault[_-]token)["\']?[ \\t]{0,8}[:= ][ \\t]{0,8}["\']?([sb]\\.[A-Za-z0-9]{24})\\b',
    entropy: 3.5,
  },
  {
    id: 'onepassword-secret-key',
    title: '1Password secret key',
    severity: 'critical',
    keywords: ['a3-'],
    pattern: '\\b(A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5})\\b',
    entropy: 3.5,
    check: hasDigitAndLetter,
  },
  {
    id: 'onepassword-service-account-token',
    title: '1Password service account token',
    severity: 'critical',
    keywords: ['ops_eyj'],
    pattern: '\\b(ops_eyJ[A-Za-z0-9+/_-]{200,1000})',
    entropy: 4,
  },
  {
    id: 'wireguard-private-key',
    title: 'WireGuard private key',
    severity: 'critical',
    keywords: ['privatekey =', 'privatekey=', 'presharedkey =', 'presharedkey='],
    pattern: '(?im:^[ \\t]{0,8}(?:PrivateKey|PresharedKey)[ \\t]{0,4}=[ \\t]{0,4})([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)',
    entropy: 4,
  },
  {
    id: 'authorization-header',
    title: 'Token in an Authorization header',
    severity: 'high',
    keywords: ['authorization: bearer', 'authorization: token', 'authorization: basic'],
    pattern: '(?i:authorization: (?:bearer|token|basic)) ([A-Za-z0-9._~+/-]{20,1000}={0,2})',
    entropy: 3.8,
    check: hasDigitAndLetter,
    generic: true,
    notPath: '(?:^|/)(?:node_modules|(?:site|dist)-packages|usr/share|usr/lib|test|tests|docs?)/|\\.(?:md|rst|txt|html?|[1-9])$',
  },
]
