import type { OwnRule } from '../rule.ts'

export const googleRules: readonly OwnRule[] = [
  {
    id: 'gcp-service-account-key',
    title: 'Google Cloud service account key',
    severity: 'critical',
    keywords: ['"private_key"'],
    pattern: '"private_key"\\s{0,8}:\\s{0,8}"-----BEGIN PRIVATE KEY-----\\\\n([A-Za-z0-9+/=\\\\]{100,1000})',
    entropy: 4.5,
  },
  {
    id: 'gcp-api-key',
    title: 'Google API key',
    severity: 'high',
    keywords: ['aiza'],
    pattern: '\\b(AIza[0-9A-Za-z_-]{35})(?:[^0-9A-Za-z_-]|$)',
    entropy: 3.5,
  },
  {
    id: 'gcp-oauth-client-secret',
    title: 'Google OAuth client secret',
    severity: 'high',
    keywords: ['gocspx-'],
    pattern: '\\b(GOCSPX-[A-Za-z0-9_-]{28})(?:[^0-9A-Za-z_-]|$)',
    entropy: 3.5,
  },
  {
    id: 'gcp-access-token',
    title: 'Google OAuth access token',
    severity: 'medium',
    keywords: ['ya29.'],
    pattern: '\\b(ya29\\.[0-9A-Za-z_-]{60,500})',
    entropy: 4,
  },
  {
    id: 'gcp-refresh-token',
    title: 'Google OAuth refresh token',
    severity: 'critical',
    keywords: ['1//0'],
    pattern: '(?:^|[^0-9A-Za-z/])(1//0[0-9A-Za-z_-]{60,140})(?:[^0-9A-Za-z_/-]|$)',
    entropy: 4,
  },
  {
    id: 'gcp-hmac-key',
    title: 'Google Cloud Storage HMAC access id',
    severity: 'medium',
    keywords: ['goog1e'],
    pattern: '\\b(GOOG1E[A-Z2-7]{55})\\b',
    entropy: 3.5,
  },
]
