import { isEncodedPrivateKey, isServiceAccountToken } from '../checks.ts'
import type { OwnRule } from '../rule.ts'
import { jwtKeywords, jwtPattern } from './tokens.ts'

export const kubernetesRules: readonly OwnRule[] = [
  {
    id: 'kubernetes-service-account-token',
    title: 'Kubernetes service account token',
    severity: 'critical',
    keywords: jwtKeywords,
    pattern: jwtPattern,
    check: isServiceAccountToken,
  },
  {
    id: 'kubeconfig-client-key',
    title: 'Private key in base64, as in a kubeconfig',
    severity: 'critical',
    keywords: ['ls0tls1crudjt'],
    pattern: '(?:^|[^A-Za-z0-9+/])(LS0tLS1CRUdJTi[A-Za-z0-9+/]{80,1000}={0,2})',
    check: isEncodedPrivateKey,
  },
  {
    id: 'kubeconfig-token',
    title: 'User token in a kubeconfig',
    severity: 'critical',
    keywords: [],
    path: '(?:^|/)(?:\\.kube/config|[^/]{0,100}kubeconfig[^/]{0,100})$',
    pattern: '(?m:^\\s{2,12}(?:token|password):\\s{1,4})["\']?([^\\s"\']{8,1000})',
    chosen: true,
  },
  {
    id: 'kubernetes-bootstrap-token',
    title: 'Kubernetes bootstrap token',
    severity: 'high',
    keywords: ['kubeadm join', 'token-secret'],
    pattern: '(?:--token[ =]{1,4}([a-z0-9]{6}\\.[a-z0-9]{16})\\b|token-secret:\\s{1,4}["\']?([a-z0-9]{16})\\b)',
    entropy: 3,
    allow: ['^abcdef\\.0123456789abcdef$', '^0123456789abcdef$'],
  },
  {
    id: 'docker-swarm-token',
    title: 'Docker Swarm join token',
    severity: 'high',
    keywords: ['swmtkn-1-'],
    pattern: '\\b(SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25})\\b',
    entropy: 3.5,
  },
  {
    id: 'docker-swarm-unlock-key',
    title: 'Docker Swarm unlock key',
    severity: 'critical',
    keywords: ['swmkey-1-'],
    pattern: '\\b(SWMKEY-1-[A-Za-z0-9+/]{43})(?:[^A-Za-z0-9+/]|$)',
    entropy: 4,
  },
]
