import { bech32Polymod, bech32Prefix, crc32Base62 } from '../checks.ts'
import type { Vector } from './random.ts'
import { random as r, vector as v } from './random.ts'

const checked = (prefix: string): string => {
  const body = r.alphanumeric(30)
  return prefix + body + crc32Base62(body)
}
/** The same with check digits that are wrong. */
const unchecked = (prefix: string): string => `${prefix}${r.alphanumeric(36)}`

const github = (rule: string, prefix: string) => v(rule, checked(prefix), { not: [unchecked(prefix), prefix + r.alphanumeric(20)] })

const jwt = (header: object, claims: object) => [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

const bech32Alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const ageKey = (): string => {
  const data = Array.from(r.hex(52), digit => Number.parseInt(digit, 16) * 2)
  const sum = bech32Polymod([...bech32Prefix('age-secret-key-'), ...data, 0, 0, 0, 0, 0, 0]) ^ 1
  const check = [25, 20, 15, 10, 5, 0].map(shift => (sum >>> shift) & 31)
  return `AGE-SECRET-KEY-1${[...data, ...check]
    .map(value => bech32Alphabet[value] ?? '')
    .join('')
    .toUpperCase()}`
}

const account = { iss: 'kubernetes/serviceaccount', sub: 'system:serviceaccount:default:web' }

export const developmentVectors = (): Vector[] => [
  github('github-personal-token', 'ghp_'),
  github('github-oauth-token', 'gho_'),
  github('github-user-token', 'ghu_'),
  github('github-installation-token', 'ghs_'),
  github('github-refresh-token', 'ghr_'),
  v('github-fine-grained-token', `github_pat_${r.alphanumeric(22)}_${r.alphanumeric(59)}`),
  ...Object.entries({
    personal: 'glpat',
    deploy: 'gldt',
    runner: 'glrt',
    job: 'glcbt',
    trigger: 'glptt',
    feed: 'glft',
    mail: 'glimt',
    agent: 'glagent',
    scim: 'glsoat',
  }).map(([kind, prefix]) => v(`gitlab-${kind}-token`, `${prefix}-${r.alphanumeric(kind === 'agent' ? 50 : 20)}`)),
  v('gitlab-personal-token', `glpat-${r.alphanumeric(27)}.01.${r.lower(7)}`),
  v('gitlab-oauth-secret', `gloas-${r.alphanumeric(64)}`),
  v('gitlab-runner-registration-token', `GR1348941${r.url(20)}`),
  v('bitbucket-app-password', `ATBB${r.alphanumeric(24)}${r.hex(8).toUpperCase()}`),
  v('bitbucket-access-token', `ATCTT3${r.url(180)}`),
  v('atlassian-api-token', `ATATT3${r.url(186)}`),
  v('sourcegraph-token', `sgp_${r.hex(16)}_${r.hex(40)}`),
  v('sonarqube-token', `squ_${r.hex(40)}`),
  v('circleci-token', `CCIPAT_${r.alphanumeric(22)}_${r.hex(40)}`),
  v('buildkite-token', `bkua_${r.hex(40)}`),
  v('terraform-cloud-token', `${r.alphanumeric(14)}.atlasv1.${r.url(67)}`),
  v('pulumi-token', `pul-${r.hex(40)}`),
  v('doppler-token', `dp.st.prd.${r.alphanumeric(43)}`),
  v('prefect-token', `pnu_${r.alphanumeric(36)}`),
  v('npm-token', checked('npm_'), { not: [unchecked('npm_')] }),
  v('npmrc-auth-token', r.uuid(), {
    before: '//registry.example.org/:_authToken=',
    after: '\n',
    path: 'root/.npmrc',
    not: ['$' + '{NPM_TOKEN}', 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'],
  }),
  v('npmrc-login', Buffer.from(`someone:${r.alphanumeric(12)}`).toString('base64'), {
    before: '//registry.acme.io/:_auth=',
    after: '\n',
    path: 'home/app/.npmrc',
    not: ['$' + '{NPM_AUTH}'],
  }),
  v('pypi-token', `pypi-AgEIcHlwaS5vcmc${r.url(150)}`),
  v('pypirc-password', r.alphanumeric(16), {
    before: '[pypi]\nusername = someone\npassword = ',
    after: '\n',
    path: 'root/.pypirc',
    not: ['<password>', '$' + '{PASSWORD}'],
  }),
  v('rubygems-token', `rubygems_${r.hex(48)}`),
  v('nuget-api-key', `oy2${r.base32(43).toLowerCase()}`),
  v('crates-token', `cio${r.alphanumeric(32)}`, { before: '[registry]\ntoken = "' }),
  v('docker-hub-token', `dckr_pat_${r.url(27)}`),
  v('docker-config-auth', Buffer.from(`robot:${r.alphanumeric(20)}`).toString('base64'), {
    before: '{"auths": {"registry.acme.io": {"auth": "',
    after: '"}}}',
    path: 'root/.docker/config.json',
    not: ['bearer', Buffer.from('no colon in here').toString('base64')],
  }),
  v('docker-config-identity-token', r.alphanumeric(120), { before: '"identitytoken": "' }),
  v('jfrog-api-key', `AKCp${r.alphanumeric(69)}`),
  v('jfrog-reference-token', `cmVmdGtu${r.alphanumeric(56)}`),
  v('clojars-token', `CLOJARS_${r.lower(60)}`),
  v('kubernetes-service-account-token', `${jwt({ alg: 'RS256', kid: r.alphanumeric(20) }, account)}.${r.url(342)}`, {
    not: [`${jwt({ alg: 'none' }, account)}.${r.url(40)}`, `${jwt({ alg: 'RS256' }, account)}.short`],
  }),
  v(
    'kubeconfig-client-key',
    Buffer.from(`-----BEGIN RSA ${'PRIVATE'} KEY-----\n${r.base64(400)}`)
      .toString('base64')
      .replace(/=+$/, ''),
    { before: '    client-key-data: ', after: '\n', not: [Buffer.from(`-----BEGIN CERTIFICATE-----\n${r.base64(400)}`).toString('base64')] },
  ),
  v('kubeconfig-token', r.alphanumeric(40), {
    before: 'users:\n- name: a\n  user:\n    token: ',
    after: '\n',
    path: 'root/.kube/config',
    not: ['$' + '{TOKEN}'],
  }),
  v('kubernetes-bootstrap-token', `${r.lower(6)}.${r.lower(16)}`, {
    before: 'kubeadm join 10.0.0.1:6443 --token ',
    after: ' --discovery',
    not: [`abcdef.${'0123456789abcdef'}`],
  }),
  v('docker-swarm-token', `SWMTKN-1-${r.lower(50)}-${r.lower(25)}`),
  v('docker-swarm-unlock-key', `SWMKEY-1-${r.base64(43)}`),
  v('json-web-token', `${jwt({ alg: 'HS256', typ: 'JWT' }, { sub: r.digits(9) })}.${r.url(43)}`, { not: ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.x'] }),
  v('age-secret-key', ageKey(), { not: [`AGE-SECRET-KEY-1${'Q'.repeat(58)}`, `${ageKey().slice(0, -1)}1`] }),
  v('vault-token', `hvs.${r.url(90)}`),
  v('vault-legacy-token', `s.${r.alphanumeric(24)}`, { before: 'VAULT_TOKEN=' }),
  v('onepassword-secret-key', `A3-${r.upper(6)}-${r.upper(11)}-${r.upper(5)}-${r.upper(5)}-7${r.upper(4)}`),
  v('onepassword-service-account-token', `ops_eyJ${r.base64(300)}`),
  v('wireguard-private-key', `${r.base64(42)}A=`, { before: '[Interface]\nPrivateKey = ', after: '\n' }),
  v('authorization-header', r.alphanumeric(40), {
    before: "curl -H 'Authorization: Bearer ",
    after: "' https://api.acme.io",
    path: 'srv/run.sh',
    not: ['$' + '{TOKEN}', 'your-token-goes-in-here'],
  }),
]
