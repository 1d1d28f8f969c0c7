import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32Base62, endsInCrc32, isBech32, isEncodedLogin } from './checks.ts'
import { entropyOf } from './entropy.ts'
import { requiredLiteral } from './literal.ts'
import { isSecretName } from './names.ts'
import { isPlaceholder, isReference, judgePassword } from './placeholders.ts'
import { redact, without } from './redact.ts'

describe('checks of formats', () => {
  it('agree with a published token of GitHub, which was revoked long ago, and with the test vectors of BIP 173', () => {
    const body = 'zQWBuTSOoRi4A9spHcVY' + '5ncnsDkxkJ'
    assert.equal(crc32Base62(body), '0mLq17')
    assert.ok(endsInCrc32(`ghp_${body}0mLq17`))
    assert.ok(!endsInCrc32(`ghp_${body}0mLq18`))
    for (const valid of [
      'A12UEL5L',
      'ABCDEF1QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LMQQQXW',
      '11QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQC8247J',
    ]) {
      assert.ok(isBech32(valid), valid)
    }
    assert.ok(!isBech32('A12UEL5M'))
  })

  it('decode logins', () => {
    const encode = (text: string) => Buffer.from(text).toString('base64')
    assert.ok(isEncodedLogin(encode('user:password')))
    for (const none of ['user', 'user:', ':password', '\u0000\u0001:xx']) assert.ok(!isEncodedLogin(encode(none)), none)
  })

  it('measure entropy', () => {
    assert.equal(entropyOf(''), 0)
    assert.equal(entropyOf('aaaa'), 0)
    assert.equal(entropyOf('abcd'), 2)
  })
})

describe('what is no secret', () => {
  it('is a placeholder or a reference', () => {
    for (const text of [
      'AKIAIOSFODNN7EXAMPLE',
      'your-token',
      '<token>',
      'xxxxxxxxxxxx',
      '12345678901234567890',
      'abcdefghijklmnop',
      'aaaaaaaaaaaaaaaa',
      'changeme',
    ]) {
      assert.ok(isPlaceholder(text), text)
    }
    for (const text of [
      '$' + '{TOKEN}',
      '$TOKEN',
      '{{ .Values.token }}',
      'vault:secret/data/x',
      'file:/run/x',
      'arn:aws:secretsmanager:eu-west-1:1:secret:x',
      '%TOKEN%',
      '{token}',
    ]) {
      assert.ok(isReference(text), text)
    }
    for (const text of ['k8Jq2LmZ0pXv', '&3kd!kdk3', '@w93kdk', '!kdf93l', '$2y$10$abc']) assert.ok(!isPlaceholder(text) && !isReference(text), text)
  })

  it('is judged with the name', () => {
    const expected = {
      none: [
        '',
        'true',
        '5432',
        '30s',
        'process.env.TOKEN',
        '/run/secrets/password',
        'https://acme.io/login',
        '$' + '{X}',
        'os.environ["X"]',
        'settings.api_key',
        'xxxxxx',
      ],
      default: ['postgres', 'Password', 'changeme', 'admin123', 'dev-secret', 'test_password_1', 'acme'],
      weak: ['sunshine', 'kittens'],
      strong: ['k8Jq2LmZ0pXv', 'correct-Horse7battery', 'a9f3c07be1d2458890ab'],
    }
    for (const [judgement, values] of Object.entries(expected))
      for (const value of values) assert.equal(judgePassword(value, 'ACME_PASSWORD'), judgement, value)
  })

  it('is told by the name', () => {
    const yes = [
      'PASSWORD',
      'POSTGRES_PASSWORD',
      'apiKey',
      'api-key',
      'AWS_SECRET_ACCESS_KEY',
      'SECRET_KEY_BASE',
      'dbPassword',
      'GITHUB_TOKEN',
      'com.acme.token',
      'JWT_SECRET',
      'PASSWORD_1',
      'RABBITMQ_DEFAULT_PASS',
      'USER_PASSWORD',
    ]
    const no = [
      'GPG_KEY',
      'PUBLIC_KEY',
      'POSTGRES_PASSWORD_FILE',
      'TOKEN_TTL',
      'SECRET_NAME',
      'MYSQL_RANDOM_ROOT_PASSWORD',
      'MYSQL_ALLOW_EMPTY_PASSWORD',
      'PATH',
      'KEY',
      'MONKEY',
      'PASSENGER',
      'TOKEN_URL',
      'MAX_TOKENS',
      '',
      'CSRF_TOKEN',
      'COMPASS',
    ]
    for (const name of yes) assert.ok(isSecretName(name), name)
    for (const name of no) assert.ok(!isSecretName(name), name)
  })
})

describe('redaction', () => {
  it('shows a quarter at most, and no length', () => {
    const shown = (length: number) => redact('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP'.slice(0, length))
    assert.deepEqual([shown(3), shown(7), shown(8), shown(16), shown(42)], ['••••••', '••••••', 'a••••••h', 'ab••••••op', 'abcd••••••MNOP'])
    assert.equal(redact('\u001b[31m\u0000\u00e9\n\u0007'), '?••••••?')
  })

  it('takes a secret out of other text, but no common word', () => {
    assert.equal(without('srv/abcdefghijkl/x', 'abcdefghijkl'), 'srv/a••••••l/x')
    assert.equal(without('srv/wordpress/x', 'wordpress'), 'srv/wordpress/x')
  })
})

describe('the literal that a pattern requires', () => {
  it('is the longest one outside groups', () => {
    const cases: [string, string | undefined][] = [
      ['acme_[a-z]{32}', 'acme_'],
      ['(?i)\\bACME_(?:live|test)_[0-9]{8}', 'acme_'],
      ['ab+cd', undefined],
      ['abc?defg', 'defg'],
      ['abcd{0,3}', undefined],
      ['one|other', undefined],
      ['[abcd]efgh\\.ijk[]x]', 'efgh.ijk'],
      ['\\x41bcde', 'bcde'],
      ['\\x{41}bcde\\p{Greek}x', 'bcde'],
      ['\\Qabcde\\E', undefined],
      ['(abcdef)', undefined],
      ['[[:alnum:]abc]token-', 'token-'],
    ]
    for (const [pattern, literal] of cases) assert.equal(requiredLiteral(pattern), literal, pattern)
  })
})
