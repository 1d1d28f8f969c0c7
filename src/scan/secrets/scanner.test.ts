import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SecretFinding } from '../../model/finding.ts'
import type { Content } from '../catalogue.ts'
import { createSecretCollection } from './findings.ts'
import { parseGitleaks } from './gitleaks.ts'
import { createKeywordAutomaton } from './keywords.ts'
import { mostOfFile } from './match.ts'
import type { KeywordHit } from './scanner.ts'
import { createSecretRules } from './scanner.ts'
import { random } from './vectors/random.ts'
import { createSpans, longestPiece, piecesOf, reach } from './windows.ts'

const salt = Buffer.from('0123456789abcdef')
const rules = createSecretRules({ salt })
const stripe = () => `sk_live_${random.alphanumeric(30)}`
const find = (path: string, bytes: Buffer | string) => rules.find({ path, bytes: Buffer.from(bytes) })
const ids = (found: { readonly findings: readonly { readonly id: string }[] }) => found.findings.map(finding => finding.id)
const mebibyte = 1024 * 1024

/** A file that counts what is read of it. */
const contentOf = (bytes: Buffer): Content & { readonly read: Content['read']; most: number } => {
  const content = {
    size: bytes.length,
    most: 0,
    read: (offset: number, length: number) => {
      content.most = Math.max(content.most, length)
      return Promise.resolve(bytes.subarray(offset, offset + length))
    },
    whole: (most: number) => (bytes.length > most ? Promise.reject(new Error('too large')) : Promise.resolve(bytes)),
  }
  return content
}

const hitsIn = (bytes: Buffer): KeywordHit[] => {
  const hits: KeywordHit[] = []
  createKeywordAutomaton(rules.keywords)
    .search()
    .push(bytes, (keyword, end) => hits.push({ keyword, end }))
  return hits
}

describe('windows around keywords', () => {
  it('are merged, cut into pieces, and every offset belongs to one piece', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000_000), { minLength: 1, maxLength: 60 }), fc.integer({ min: 1, max: 2_000_000 }), (ends, size) => {
        const spans = createSpans()
        for (const end of ends.toSorted((left, right) => left - right)) spans.add(end)
        for (const [index, span] of spans.spans.entries()) assert.ok(span.start > (spans.spans[index - 1]?.end ?? -1))
        const pieces = piecesOf(spans.spans, size)
        for (const piece of pieces)
          assert.ok(piece.end - piece.start <= longestPiece && piece.end <= size && piece.start <= piece.from && piece.to <= piece.end)
        for (const end of ends.filter(each => each <= size && each > 0))
          assert.equal(pieces.filter(piece => piece.from <= end - 1 && end - 1 < piece.to).length, 1)
      }),
    )
    assert.deepEqual(
      piecesOf([{ start: 0, end: longestPiece + 1 }], 9e9).map(({ from, to }) => [from, to]),
      [
        [0, longestPiece - reach],
        [longestPiece - reach, longestPiece + 1],
      ],
    )
  })
})

describe('the scanner', () => {
  it('gives line and column, one finding for a secret that is there twice, and findings that are in the model', () => {
    const secret = stripe()
    const { findings, problems } = find('srv/a.txt', `one\ntwo ${secret}\n\n${secret} ${stripe()}`)
    assert.deepEqual(problems, [])
    assert.deepEqual(
      findings.map(finding => finding.places),
      [
        [
          { path: 'srv/a.txt', line: 2, column: 5 },
          { path: 'srv/a.txt', line: 4, column: 1 },
        ],
        [{ path: 'srv/a.txt', line: 4, column: 40 }],
      ],
    )
    for (const finding of findings) assert.deepEqual(SecretFinding.parse(finding), finding)
  })

  it('has fingerprints that neither line nor salt change, and hashes that the salt does', () => {
    const secret = stripe()
    const first = find('srv/a', secret).findings[0]
    const moved = find('srv/a', `\n\n\n   ${secret}`).findings[0]
    const other = createSecretRules({ salt: Buffer.from('fedcba9876543210') }).find({ path: 'srv/a', bytes: Buffer.from(secret) }).findings[0]
    assert.ok(first !== undefined && other !== undefined)
    assert.equal(moved?.fingerprint, first.fingerprint)
    assert.equal(moved?.hash, first.hash)
    assert.equal(other.fingerprint, first.fingerprint)
    assert.notEqual(other.hash, first.hash)
    assert.notEqual(find('srv/b', secret).findings[0]?.fingerprint, first.fingerprint)
    // Two that look the same when redacted.
    const middle = secret.slice(0, 10)
    const twins = find('srv/a', `${middle}${random.alphanumeric(24)}7xQ9 ${middle}${random.alphanumeric(24)}7xQ9`).findings
    assert.equal(twins.length, 2)
    assert.equal(twins[0]?.redacted, twins[1]?.redacted)
    assert.notEqual(twins[0]?.fingerprint, twins[1]?.fingerprint)
  })

  it('finds secrets in binary files and beside bytes that are no UTF-8, and gives no lines there', () => {
    const secret = stripe()
    const bytes = Buffer.concat([
      Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0]),
      randomBytes(100_000),
      Buffer.from([0xff]),
      Buffer.from(secret),
      Buffer.from([0xfe, 0, 0x80]),
      randomBytes(100_000),
    ])
    assert.deepEqual(
      find('usr/bin/x', bytes).findings.map(finding => [finding.id, finding.places]),
      [['stripe-secret-key', [{ path: 'usr/bin/x' }]]],
    )
  })

  it('finds a secret wherever the pieces of a large file are cut, once', () => {
    const secret = stripe()
    const words = Buffer.alloc(2 * mebibyte, 'sk_live_ no\n')
    for (const offset of [
      0,
      longestPiece - reach - 10,
      longestPiece - 20,
      longestPiece - 2 * reach,
      2 * longestPiece,
      words.length - secret.length,
    ]) {
      const bytes = Buffer.from(words)
      bytes.fill('.', Math.max(0, offset - 1), Math.min(bytes.length, offset + secret.length + 1))
      bytes.write(secret, offset)
      const [found, ...rest] = find('srv/x', bytes).findings
      assert.deepEqual(rest, [])
      assert.equal(found?.places.length, 1, String(offset))
      assert.equal(found?.places[0]?.line, bytes.subarray(0, offset).toString().split('\n').length)
    }
  })

  it('reads of a huge file only what is around keywords, with hits that it is given or its own', async () => {
    const secret = stripe()
    const bytes = Buffer.alloc(12 * mebibyte, 'nothing to see here\n')
    bytes.write(` ${secret} `, 9 * mebibyte + 100)
    const { signal } = new AbortController()
    const own = contentOf(bytes)
    const found = await rules.findInContent('var/big', own, undefined, signal)
    assert.deepEqual(ids(found), ['stripe-secret-key'])
    assert.equal(
      found.findings[0]?.places[0]?.line,
      bytes
        .subarray(0, 9 * mebibyte + 100)
        .toString()
        .split('\n').length,
    )
    assert.ok(own.most <= mebibyte)
    const given = contentOf(bytes)
    const withHits = await rules.findInContent('var/big', given, hitsIn(bytes), signal)
    assert.deepEqual(ids(withHits), ['stripe-secret-key'])
    assert.equal(withHits.findings[0]?.fingerprint, found.findings[0]?.fingerprint)
    assert.ok(given.most <= 2 * reach)
    assert.deepEqual(ids(await rules.findInContent('var/small', contentOf(Buffer.from(secret)), undefined, signal)), ['stripe-secret-key'])
    await assert.rejects(rules.findInContent('var/big', contentOf(bytes), undefined, AbortSignal.abort(new Error('enough'))), /enough/)
  })

  it('says which files matter: by keywords, by path, or not at all', () => {
    const hit = (text: string) => new Set(hitsIn(Buffer.from(text)).map(({ keyword }) => keyword))
    assert.ok(rules.matters('srv/x', hit('sk_live_')))
    assert.ok(!rules.matters('srv/x', hit('nothing')))
    assert.ok(!rules.matters('usr/share/doc/x', hit('postgres://')))
    for (const path of ['root/.netrc', 'root/.npmrc', 'etc/shadow', 'root/.kube/config', 'srv/.env', 'srv/Dockerfile', 'srv/app/settings.yaml'])
      assert.ok(rules.wants(path), path)
    for (const path of ['usr/lib/x.so', 'srv/node_modules/a/index.json', 'bin/sh', 'usr/share/zoneinfo/Asia/Tokyo'])
      assert.ok(!rules.wants(path), path)
  })

  it('takes one layer of base64 off in a manifest of Kubernetes', () => {
    const secret = stripe()
    const encode = (text: string) => Buffer.from(text).toString('base64')
    const yaml = `apiVersion: v1\nkind: Secret\ndata:\n  stripe: ${encode(secret)}\n  password: ${encode(random.alphanumeric(16))}\n  user: ${encode('someone')}\n`
    assert.deepEqual(
      find('srv/secret.yaml', yaml).findings.map(finding => [finding.id, finding.places[0]?.line, finding.places[0]?.column]),
      [
        ['stripe-secret-key', 4, 11],
        ['named-secret', 5, 13],
      ],
    )
    const docker = encode(JSON.stringify({ auths: { 'registry.acme.io': { auth: encode(`robot:${random.alphanumeric(20)}`) } } }))
    assert.deepEqual(ids(find('srv/pull.json', `{"kind":"Secret","data":{".dockerconfigjson":"${docker}"}}`)), ['docker-config-auth'])
    assert.deepEqual(ids(find('srv/config.yaml', yaml.replace('Secret', 'ConfigMap').replace(/ {2}password.*\n/, ''))), [])
  })

  it('reads what Dockerfiles, compose files and .env files declare by name', () => {
    const strong = random.alphanumeric(16)
    const cases: [string, string, string[]][] = [
      ['Dockerfile', `FROM x\n# ENV A_TOKEN=${strong}\nENV A=b API_TOKEN="${strong}"\n`, ['named-secret:3:20']],
      ['Dockerfile.prod', `FROM x\nENV DB_PASSWORD ${strong}\nARG TOKEN\nRUN --mount=type=secret,id=TOKEN make\n`, ['named-secret:2:17']],
      [
        'compose.yaml',
        'services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: postgres\n      A_PASSWORD_FILE: /run/secrets/a\n      B_PASSWORD: $' + '{B}\n',
        ['default-password:4:26'],
      ],
      ['.env', `TOKEN_TTL=3600\nPASSWORD=hunter2\nGPG_KEY=${random.hex(40)}\n`, ['default-password:2:10']],
    ]
    for (const [path, text, expected] of cases) {
      assert.deepEqual(
        find(path, text).findings.map(finding => `${finding.id}:${finding.places[0]?.line}:${finding.places[0]?.column}`),
        expected,
        path,
      )
    }
  })
})

describe('hostile files', () => {
  const cases: [string, () => Buffer][] = [
    ['one letter', () => Buffer.alloc(8 * mebibyte, 'a')],
    ['one keyword', () => Buffer.alloc(8 * mebibyte, 'AKIA')],
    ['random bytes', () => randomBytes(8 * mebibyte)],
    ['a long line', () => Buffer.alloc(8 * mebibyte, 'password = "x" ')],
    ['beginnings of keys', () => Buffer.alloc(mebibyte, '-----BEGIN RSA PRIVATE KEY-----\n')],
    ['line ends', () => Buffer.alloc(8 * mebibyte, '\n')],
    ['zeros', () => Buffer.alloc(8 * mebibyte)],
  ]
  for (const [name, make] of cases) {
    for (const path of ['var/x', 'srv/x.yaml', '.env']) {
      it(`${name} in ${path}: nothing is found`, () => {
        assert.deepEqual(ids(find(path, make())), [])
      })
    }
  }

  it('full of secrets have bounded findings, and say that there are more', () => {
    const line = () =>
      `${stripe()} ghx xoxb-${random.digits(12)}-${random.digits(12)}-${random.alphanumeric(24)} glpat-${random.alphanumeric(20)} hf_${random.letters(34)} npm rubygems_${random.hex(48)} pul-${random.hex(40)} phx_${random.alphanumeric(45)}\n`
    const { findings, problems } = find('srv/x', Array.from({ length: 300 }, line).join(''))
    assert.equal(findings.length, mostOfFile)
    assert.ok(problems.some(problem => /matches too often/.test(problem)))
    const collection = createSecretCollection(600)
    for (let index = 0; index < 3; index++) collection.add({ findings, problems })
    assert.equal(collection.result().findings.length, 600)
    assert.match(collection.result().problems.at(-1) ?? '', /more secrets than can be listed: 900/)
  })

  it('full of all keywords are given up, and say so', () => {
    const { findings, problems } = find('srv/x', Buffer.alloc(8 * mebibyte, `${rules.keywords.join(' ')}\n`))
    assert.deepEqual(findings, [])
    assert.match(problems.join(), /keywords of too many rules/)
  })

  it('do not make a rule of a user slow: its attempts are bounded', () => {
    const greedy = createSecretRules({
      salt,
      gitleaks: [parseGitleaks({ name: 'x', text: "[[rules]]\nid = 'greedy'\nregex = '''key.*z|k'''\nentropy = 1.0\nkeywords = ['k']\n" })],
    })
    const { findings, problems } = greedy.find({ path: 'x', bytes: Buffer.alloc(mebibyte, 'key ') })
    assert.deepEqual(findings, [])
    assert.match(problems.join(), /the rule greedy matches too often/)
    const empty = createSecretRules({ salt, gitleaks: [parseGitleaks({ name: 'x', text: "[[rules]]\nid = 'empty'\nregex = '''x*'''\n" })] })
    assert.deepEqual(ids(empty.find({ path: 'x', bytes: Buffer.from('abc') })), [])
  })

  it('never make it throw', () => {
    const piece = fc.constantFrom(
      ...rules.keywords,
      '"',
      "'",
      '=',
      ': ',
      '\n',
      '\u0000',
      '\ud800',
      'é',
      'aB3dE5gH7jK9mN1p',
      '-----',
      '@',
      '://',
      '{',
      '}',
      '$',
      '\\',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }),
        fc.constantFrom('x', '.env', 'Dockerfile', 'a/b.yaml', '.netrc', 'etc/shadow', '.kube/config'),
        (parts, path) => {
          const text = parts.join('')
          for (const found of [find(path, text), rules.findInFields({ 'env.A_TOKEN': text, 'history[0]': text })])
            for (const finding of found.findings) SecretFinding.parse(finding)
        },
      ),
      { numRuns: 300 },
    )
  })
})
