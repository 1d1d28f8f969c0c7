import { hasMixedCaseAndDigit } from '../checks.ts'
import type { OwnRule } from '../rule.ts'

export const amazonRules: readonly OwnRule[] = [
  {
    id: 'aws-access-key-id',
    title: 'AWS access key id',
    severity: 'high',
    keywords: ['akia'],
    pattern: '\\b(AKIA[A-Z2-7]{16})\\b',
    entropy: 3,
    allow: ['EXAMPLE$', '^AKIAI44QH8DHB'],
  },
  {
    id: 'aws-secret-access-key',
    title: 'AWS secret access key',
    severity: 'critical',
    keywords: ['aws_secret', 'secret_access_key', 'secretaccesskey', 'secret-access-key', 'aws_sec'],
    pattern: `(?i:aws_sec|aws_secret|secret_access|secretaccess|secret-access)[A-Za-z_-]{0,16}["'\\]]{0,2}\\s{0,8}(?:=>|:=|[:=,])\\s{0,8}["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)`,
    entropy: 4,
    check: hasMixedCaseAndDigit,
    allow: ['EXAMPLEKEY$'],
  },
  {
    id: 'aws-session-token',
    title: 'AWS session token',
    severity: 'high',
    keywords: ['aws_session_token', 'sessiontoken', 'session_token'],
    pattern: `(?i:aws_session_token|sessiontoken|session_token)["'\\]]{0,2}\\s{0,8}(?:=>|:=|[:=])\\s{0,8}["']?((?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9/+=]{100,1000})`,
    entropy: 4.5,
  },
  {
    id: 'aws-bedrock-api-key',
    title: 'Amazon Bedrock API key',
    severity: 'critical',
    keywords: ['abskqmvkcm9ja0'],
    pattern: '\\b(ABSKQmVkcm9ja0[A-Za-z0-9+/]{90,260}={0,2})',
  },
  {
    id: 'aws-marketplace-token',
    title: 'Amazon Marketplace Web Service token',
    severity: 'high',
    keywords: ['amzn.mws.'],
    pattern: '\\b(amzn\\.mws\\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\\b',
  },
]
