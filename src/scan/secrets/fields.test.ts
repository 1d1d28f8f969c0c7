import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { declaredSecrets } from './fields.ts'
import { fieldsOfPod, secretsInFields } from './given.ts'
import { createSecretRules } from './scanner.ts'
import { fieldsOfDocument, fieldsOfImage } from './sources.ts'
import { random } from './vectors/random.ts'

const rules = createSecretRules({ salt: Buffer.from('0123456789abcdef') })
const found = (fields: Readonly<Record<string, string>>) =>
  rules.findInFields(fields).findings.map(finding => `${finding.id} ${finding.severity} ${finding.places[0]?.field}`)
const strong = random.alphanumeric(20)

describe('secrets in fields', () => {
  it('are found by format first, then by name, and defaults count little', () => {
    const cases: [string, string, string[]][] = [
      ['env.STRIPE', `sk_live_${strong}${strong}`, ['stripe-secret-key critical env.STRIPE']],
      ['env.STRIPE_KEY_TOKEN', `sk_live_${strong}${strong}`, ['stripe-secret-key critical env.STRIPE_KEY_TOKEN']],
      ['env.API_TOKEN', strong, ['named-secret high env.API_TOKEN']],
      ['env.DB_PASSWORD', 'sunshine', ['named-secret medium env.DB_PASSWORD']],
      ['env.POSTGRES_PASSWORD', 'postgres', ['default-password low env.POSTGRES_PASSWORD']],
      ['env.DATABASE_URL', `postgres://app:${strong}@db/app`, ['database-url-password high env.DATABASE_URL']],
      ['env.DATABASE_URL', 'postgres://postgres:postgres@db/app', ['database-url-password low env.DATABASE_URL']],
      ['env.REPOSITORY', `https://someone:${strong}@git.acme.io/x`, ['credential-file-url high env.REPOSITORY']],
      ['labels.io.acme.token', strong, ['named-secret high labels.io.acme.token']],
      ['services.web.environment.TOKEN', strong, ['named-secret high services.web.environment.TOKEN']],
      ['env.CONFIG', Buffer.from(`{"key": "sk_live_${strong}${strong}"}`.padEnd(60)).toString('base64'), ['stripe-secret-key critical env.CONFIG']],
    ]
    for (const [field, value, expected] of cases) assert.deepEqual(found({ [field]: value }), expected, `${field}=${value}`)
  })

  it('are found in command lines and history', () => {
    const lines: [string, boolean][] = [
      [`/bin/sh -c curl -u robot:${strong} https://acme.io`, true],
      [`/bin/sh -c export API_KEY="${strong}" && make`, true],
      [`|1 NPM_TOKEN=${strong} /bin/sh -c npm ci`, true],
      [`server --admin-password ${strong} --port 80`, true],
      [`server --admin-password=${strong}`, true],
      [`sshpass -p '${strong}' ssh host`, true],
      [`{"user":"x","password":"${strong}"}`, true],
      [`admin_password: ${strong} # of staging`, true],
      ['RUN /bin/sh -c apt-get install -y pass # buildkit', false],
      ['/bin/sh -c #(nop) ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568', false],
      ['server --password-file /run/secrets/p --token-ttl 30s', false],
      ['server --token "$' + '{TOKEN}" --secret=$SECRET', false],
      ['Enter your password: then press enter', false],
    ]
    for (const [line, secret] of lines) {
      const result = found({ 'history[0]': line })
      assert.deepEqual(result, secret ? ['named-secret high history[0]'] : [], line)
    }
  })

  it('are found behind their option, also where each is an item of a list', () => {
    const list = { services: { web: { command: ['x', '--password', strong, '--port', '80', '--token-file', '/run/t'] } } }
    assert.deepEqual(found(fieldsOfDocument(list)[0]), ['named-secret high services.web.command[2].--password'])
    for (const line of [
      `CMD ["x", "--password", "${strong}"]`,
      `CMD ["x","--password","${strong}"]`,
      `CMD ["x" "--password" "${strong}"]`,
      `[x, --password, ${strong}]`,
    ]) {
      assert.deepEqual(found({ 'history[0]': line }), ['named-secret high history[0]'], line)
    }
    assert.deepEqual(found({ 'history[0]': 'CMD ["x", "--password", "--verbose"]' }), [])
    const lines = (...items: string[]) => declaredSecrets(Buffer.from(items.map(item => `      - ${item}\n`).join('')))[0]
    const text = (...items: string[]) =>
      lines(...items).map(({ start, end }) => Buffer.from(items.map(item => `      - ${item}\n`).join('')).toString('utf8', start, end))
    assert.deepEqual(text('x', '--password', strong, 'y'), [strong])
    assert.deepEqual(text('"--password"', `'${strong}'`), [strong])
    assert.deepEqual(text('--password', '--port', strong), [])
    assert.deepEqual(text('--port', strong), [])
  })

  it('are found in what a pod is given, in its words only', () => {
    const container = { name: 'main', env: [{ name: 'API_TOKEN', value: strong }], args: ['--api-key', strong], command: ['/bin/server'] }
    const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { 'acme.io/token': strong } }, spec })
    const given = (object: { kind: string }) =>
      secretsInFields(fieldsOfPod(object), rules.findInFields).findings.flatMap(({ places }) => places.map(({ field }) => field))
    assert.deepEqual(given(pod({ containers: [container] })), [
      'metadata.labels.acme.io/token',
      'spec.containers[0].env.API_TOKEN',
      'spec.containers[0].args[1].--api-key',
    ])
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec: { template: { spec: { initContainers: [container] } } } }
    assert.deepEqual(given(deployment), [
      'spec.template.spec.initContainers[0].env.API_TOKEN',
      'spec.template.spec.initContainers[0].args[1].--api-key',
    ])
    assert.deepEqual(given({ ...pod({}), kind: 'Secret' }), [])
    assert.deepEqual(
      given(
        pod({
          containers: [{ ...container, env: [{ name: 'API_TOKEN', valueFrom: { secretKeyRef: { name: 'api-token', key: 'token' } } }], args: [] }],
        }),
      ),
      ['metadata.labels.acme.io/token'],
    )
    const large = pod({ containers: [{ env: Array.from({ length: 300 }, (_, at) => ({ name: `V${at}`, value: 'x'.repeat(1024) })) }] })
    assert.match(secretsInFields(fieldsOfPod(large), rules.findInFields).problems.join(), /more in it than is searched/)
  })

  it('are not what official images have in their environment', () => {
    const env = [
      'PATH=/usr/local/sbin:/usr/bin',
      'GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305',
      'PYTHON_SHA256=86e9b5a4d7e5e7d8',
      'NODE_VERSION=26.1.0',
      'JAVA_HOME=/opt/java',
      'KEYS=a b',
      'NGINX_VERSION=1.29',
      'PGDATA=/var/lib/postgresql/data',
      'POSTGRES_PASSWORD_FILE=/run/secrets/p',
      'TOKENIZERS_PARALLELISM=false',
      'SSH_AUTH_SOCK=/run/ssh',
      'MYSQL_ALLOW_EMPTY_PASSWORD=yes',
      'SECRET_KEY=$' + '{SECRET_KEY}',
      'PASSWORD=',
    ]
    assert.deepEqual(
      found(
        fieldsOfImage({
          env,
          command: ['nginx', '-g', 'daemon off;'],
          entrypoint: ['/entry.sh'],
          labels: { maintainer: 'a@b.c' },
          history: ['CMD ["bash"]'],
        }),
      ),
      [],
    )
  })

  it('are bounded in number, and a long one is cut, and both are said', () => {
    const many = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`env.TOKEN_${index}`, random.alphanumeric(20)]))
    const { findings, problems } = rules.findInFields(many)
    assert.equal(findings.length, 500)
    assert.match(problems.join(), /more than 500/)
    assert.match(rules.findInFields({ 'history[0]': 'a'.repeat(300_000) }).problems.join(), /history\[0\] is longer/)
    assert.match(rules.findInFields({ 'history[0]': 'A_TOKEN=none '.repeat(1000) }).problems.join(), /more values than are looked at/)
  })
})

describe('fields', () => {
  it('of an image', () => {
    assert.deepEqual(fieldsOfImage({ env: ['A=b=c', 'broken'], command: ['a', 'b'], labels: { x: 'y' }, history: ['one', 'two'] }), {
      ...{ 'env.A': 'b=c', 'command[0]': 'a b', 'labels.x': 'y', 'history[0]': 'one', 'history[1]': 'two' },
    })
  })

  it('of a document: lists of variables are by name', () => {
    const document = {
      services: { web: { environment: ['A=b', 'C'], command: ['x', 'y'], ports: [80] } },
      spec: {
        env: [
          { name: 'TOKEN', value: 't' },
          { name: 'X', valueFrom: {} },
        ],
      },
    }
    assert.deepEqual(fieldsOfDocument(document), [
      {
        ...{ 'services.web.environment.A': 'b', 'services.web.environment[1]': 'C', 'services.web.command[0]': 'x', 'services.web.command[1]': 'y' },
        ...{ 'services.web.ports[0]': '80', 'spec.env.TOKEN': 't', 'spec.env[1].name': 'X' },
      },
      true,
    ])
  })

  it('are bounded in depth and number', () => {
    let deep: unknown = 'x'
    for (let index = 0; index < 100; index++) deep = [deep]
    assert.equal(fieldsOfDocument(deep)[1], false)
    const [fields, complete] = fieldsOfDocument(Array.from({ length: 20_000 }, () => 'x'))
    assert.deepEqual([Object.keys(fields).length, complete], [10_000, false])
  })
})
