import { hasDigitAndLetter } from '../checks.ts'
import type { OwnRule } from '../rule.ts'
import { documentation } from './paths.ts'

const schemes = [
  'postgres',
  'postgresql',
  'mysql',
  'mysql2',
  'mariadb',
  'mongodb',
  'mongodb+srv',
  'redis',
  'rediss',
  'amqp',
  'amqps',
  'mssql',
  'sqlserver',
  'clickhouse',
  'cockroachdb',
  'snowflake',
  'ldap',
  'ldaps',
  'smtp',
  'smtps',
  'ftp',
  'ftps',
  'sftp',
  'nats',
  'mqtt',
  'mqtts',
  'couchdb',
  'neo4j',
  'bolt',
  'cassandra',
  'elasticsearch',
  'cloudinary',
]

const escaped = (text: string): string => text.replaceAll(/[+.]/g, '\\$&')

/** Names that machines use in `https://name:secret@host`. */
const machineUsers = [
  'oauth2',
  'x-access-token',
  'x-token-auth',
  'gitlab-ci-token',
  'git',
  'token',
  'user',
  'admin',
  'root',
  'deploy',
  'ci',
  'bot',
  'aws',
  '_json_key',
  '__token__',
]

const credentialFiles =
  '(?:^|/)(?:\\.git-credentials|\\.gitconfig|\\.git/config|pip\\.conf|pip\\.ini|\\.netrc|\\.curlrc|\\.wgetrc|\\.condarc|\\.yarnrc(?:\\.yml)?|\\.npmrc|\\.env(?:\\.[^/]*)?|sources\\.list(?:\\.d/[^/]*)?|auth\\.conf(?:\\.d/[^/]*)?|settings\\.xml|[^/]*\\.repo)$'

export const loginRules: readonly OwnRule[] = [
  {
    id: 'database-url-password',
    title: 'Password in the address of a database or broker',
    severity: 'high',
    keywords: schemes.map(scheme => `${scheme}://`),
    pattern: `(?i:\\b(?:${schemes.map(escaped).join('|')}))://[^\\s:@/"'<>{}$]{0,64}:([^\\s@/"'<>{}$\`,;]{2,128})@[A-Za-z0-9_.\\[{$-]`,
    chosen: true,
    notPath: documentation,
  },
  {
    id: 'basic-auth-url',
    title: 'Password in an address',
    severity: 'high',
    keywords: machineUsers.flatMap(user => [`https://${user}:`, `http://${user}:`]),
    pattern: `(?i:https?)://[^\\s:@/"'<>{}$]{0,64}:([^\\s@/"'<>{}$\`,;]{3,512})@[A-Za-z0-9_.\\[-]`,
    chosen: true,
    notPath: documentation,
  },
  {
    id: 'credential-file-url',
    title: 'Password in an address, in a file of credentials',
    severity: 'high',
    keywords: [],
    path: credentialFiles,
    inFields: true,
    pattern: `(?i:https?|ftp|ssh)://[^\\s:@/"'<>{}$]{0,64}:([^\\s@/"'<>{}$\`,;]{3,512})@[A-Za-z0-9_.\\[-]`,
    chosen: true,
  },
  {
    id: 'netrc-password',
    title: 'Password in a .netrc',
    severity: 'high',
    keywords: [],
    path: '(?:^|/)(?:[._]netrc|auth\\.conf(?:\\.d/[^/]*)?)$',
    pattern: '(?i:\\bpassword)\\s{1,8}["\']?([^\\s"\'#]{2,256})',
    chosen: true,
  },
  {
    id: 'htpasswd-hash',
    title: 'Password hash of a web server',
    severity: 'medium',
    keywords: [':$apr1$', ':$2y$', ':$2a$', ':$2b$', ':{sha}'],
    pattern:
      '(?m:^|["\'\\s,])[A-Za-z0-9_.@-]{1,64}:(\\$apr1\\$[./0-9A-Za-z]{1,8}\\$[./0-9A-Za-z]{22}|\\$2[aby]\\$\\d\\d\\$[./A-Za-z0-9]{53}|\\{SHA\\}[A-Za-z0-9+/]{27}=)',
    notPath: documentation,
  },
  {
    id: 'shadow-hash',
    title: 'Password hash of a system user',
    severity: 'high',
    keywords: [],
    path: '(?:^|/)etc/g?shadow-?$',
    pattern: '(?m:^[a-z_][a-z0-9_.-]{0,64}:)(\\$[0-9a-z]{1,8}\\$[^:\\s]{20,200})',
  },
  {
    id: 'aspnet-connection-string',
    title: 'Password in a connection string',
    severity: 'high',
    keywords: ['user id=', 'uid=', 'initial catalog='],
    pattern: '(?i:(?:user id|uid|initial catalog|data source|server)=[^\\n"\']{1,200};\\s{0,2}(?:password|pwd)=)([^;"\'\\s<>]{4,128})',
    chosen: true,
    notPath: documentation,
  },
  {
    id: 'git-extra-header',
    title: 'Login in a git configuration',
    severity: 'high',
    keywords: ['extraheader'],
    pattern: '(?i:extraheader\\s{0,4}=\\s{0,4}["\']?authorization: (?:basic|bearer)) ([A-Za-z0-9._~+/-]{16,1000}={0,2})',
    entropy: 3,
    check: hasDigitAndLetter,
  },
]

/** Ends of the names of variables that hold secrets. */
const secretNames =
  '(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|auth[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|client[_-]?secret|credentials?)'

/** What others wrote and distribute: what stands there is no secret of this image's makers. */
const vendored =
  '(?:^|/)(?:node_modules|bower_components|vendor|(?:site|dist)-packages|usr/(?:share|lib|lib64|libexec|include|src|local/(?:lib|share|include|go))|lib|lib64|opt/[^/]*/lib|go/pkg|root/\\.(?:cache|cargo/registry|m2/repository)|var/lib/(?:dpkg|apt|rpm)|snap|tests?|testdata|__tests__|spec|fixtures|mocks?|__mocks__|examples?|docs?|locales?|i18n|lang|translations)/|(?:[._-](?:test|spec|mock|min|bundle)\\.[a-z]+|package-lock\\.json|\\.lock|\\.map|\\.d\\.ts)$'

const configurationFiles =
  '(?i:(?:^|/)(?:\\.env[^/]*|[^/]*\\.(?:env|properties|ya?ml|toml|ini|conf|cfg|cnf|json|xml|tf|tfvars|config)|[a-z]*rc|credentials))$'
const sourceFiles = '(?i:\\.(?:js|mjs|cjs|ts|py|rb|php|go|java|cs|kt|scala|sh|bash|pl|ps1|groovy|gradle|rs|lua))$'

export const genericRules: readonly OwnRule[] = [
  {
    id: 'generic-secret',
    title: 'Secret in a quoted value whose name says so',
    severity: 'medium',
    keywords: [],
    path: `${configurationFiles}|${sourceFiles}`,
    notPath: vendored,
    pattern: `(?i:[a-z0-9_.-]{0,40}${secretNames})["'\\]]{0,2}[ \\t]{0,4}(?:=>|:=|[:=])[ \\t]{0,4}(?:"([^"\\s\\\\]{8,200})"|'([^'\\s\\\\]{8,200})'|\`([^\`\\s$]{8,200})\`)`,
    chosen: true,
    generic: true,
    entropy: 3,
    check: hasDigitAndLetter,
  },
  {
    id: 'generic-setting',
    title: 'Secret in a setting whose name says so',
    severity: 'medium',
    keywords: [],
    path: '(?i:(?:^|/)(?:\\.env[^/]*|[^/]*\\.(?:env|properties|ya?ml|ini|conf|cfg|cnf|tfvars)|credentials|environment))$',
    notPath: vendored,
    pattern: `(?im:^[ \\t]{0,24}(?:-[ \\t]{1,4})?(?:export[ \\t]{1,4})?[a-z0-9_.-]{0,60}${secretNames}[ \\t]{0,4}[:=][ \\t]{0,4})([^\\s"'#\`{}\\[\\]$<>(),;]{8,200})[ \\t]{0,8}\\r?(?m:$)`,
    chosen: true,
    generic: true,
    entropy: 3,
    check: hasDigitAndLetter,
  },
]
