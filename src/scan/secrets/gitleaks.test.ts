import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { parseGitleaks } from './gitleaks.ts'
import { createSecretRules } from './scanner.ts'

const salt = Buffer.from('0123456789abcdef')
const parse = (text: string, files: Readonly<Record<string, string>> = {}) => parseGitleaks({ name: 'rules.toml', text, read: path => files[path] })
const scan = (text: string, path: string, content: string, files?: Readonly<Record<string, string>>): string[] =>
  createSecretRules({ salt, gitleaks: [parse(text, files)] })
    .find({ path, bytes: Buffer.from(content) })
    .findings.map(finding => `${finding.id}:${finding.places.map(place => `${place.line}:${place.column}`).join(',')}`)

/** The message and field of the error of `text`. */
const faultOf = (text: string): [string, string | undefined] => {
  try {
    parse(text)
  } catch (error) {
    assert.ok(error instanceof DayflyError)
    assert.equal(error.code, 'invalid')
    assert.ok(error.remedy)
    return [error.message, error.field]
  }
  throw new Error('it was accepted')
}

const rule = `[[rules]]
id = "acme"
description = "Acme token"
regex = '''(?i)acme_(?P<kind>live|test)_([a-z0-9]{8})\\b'''
`

describe("users' rules of gitleaks", () => {
  it('find what their regex matches, with the first group that is not empty, or the one named, as the secret', () => {
    assert.deepEqual(scan(rule, 'a.txt', 'x\n ACME_live_abcd1234 '), ['acme:2:7'])
    assert.deepEqual(scan(`${rule}secretGroup = 2\n`, 'a.txt', 'x\n acme_live_abcd1234 '), ['acme:2:12'])
    const titled = createSecretRules({ salt, gitleaks: [parse(rule)] }).find({ path: 'a', bytes: Buffer.from('acme_test_abcd1234') })
    assert.deepEqual([titled.findings[0]?.title, titled.findings[0]?.severity], ['Acme token', 'high'])
  })

  it('have entropy, path and keywords', () => {
    const grouped = `${rule}secretGroup = 2\n`
    assert.deepEqual(scan(`${grouped}entropy = 2.5\n`, 'a', 'acme_live_aaaaaaab'), [])
    assert.deepEqual(scan(`${grouped}entropy = 2.5\n`, 'a', 'acme_live_abcdefgh'), ['acme:1:11'])
    assert.deepEqual(scan(`${rule}path = '''\\.conf$'''\n`, 'a.txt', 'acme_live_abcdefgh'), [])
    assert.deepEqual(scan(`${rule}path = '''\\.conf$'''\n`, 'a.conf', 'acme_live_abcdefgh'), ['acme:1:6'])
    assert.deepEqual(scan(`${rule}keywords = ["Other"]\n`, 'a', 'acme_live_abcdefgh'), [])
    assert.deepEqual(scan(`${rule}keywords = ["Other"]\n`, 'a', 'oTHER acme_live_abcdefgh'), ['acme:1:12'])
  })

  it('take a keyword from their regex where they have none, and are tried on every file where that cannot be', () => {
    const keywords = createSecretRules({ salt, gitleaks: [parse(rule)] }).keywords
    assert.ok(keywords.includes('acme_'))
    const unbound = parse("[[rules]]\nid = 'any'\nregex = '''[0-9]{4}-[0-9]{4}z'''\n")
    assert.match(unbound.warnings.join(), /rule any: it has no keywords/)
    const rules = createSecretRules({ salt, gitleaks: [unbound] })
    assert.ok(rules.wants('whatever.bin'))
    assert.deepEqual(
      rules.find({ path: 'x', bytes: Buffer.from('1234-5678z') }).findings.map(finding => finding.id),
      ['any'],
    )
    assert.ok(!createSecretRules({ salt }).wants('whatever.bin'))
  })

  it('may be about paths only', () => {
    const rules = createSecretRules({
      salt,
      gitleaks: [parse("[[rules]]\nid = 'keystore'\npath = '''\\.jks$'''\n[[rules.allowlists]]\npaths = ['''^usr/''']\n")],
    })
    assert.deepEqual(
      rules.findInPath('srv/a.jks').findings.map(finding => finding.id),
      ['keystore'],
    )
    assert.deepEqual(rules.findInPath('usr/a.jks').findings, [])
    assert.deepEqual(rules.findInPath('srv/a').findings, [])
  })

  it('have allow-lists: by secret, match, line, stop word and path, any or all of them', () => {
    const content = 'acme_live_abcdefgh # known'
    const base = `${rule}secretGroup = 2\n`
    const lists: [string, boolean][] = [
      ["[rules.allowlist]\nregexes = ['''^abcd''']", true],
      ["[rules.allowlist]\nregexes = ['''acme_live''']", false],
      ["[rules.allowlist]\nregexTarget = 'match'\nregexes = ['''acme_live''']", true],
      ["[rules.allowlist]\nregexTarget = 'match'\nregexes = ['''known''']", false],
      ["[rules.allowlist]\nregexTarget = 'line'\nregexes = ['''known$''']", true],
      ["[[rules.allowlists]]\nstopwords = ['CDEF']", true],
      ["[[rules.allowlists]]\nstopwords = ['known']", false],
      ["[[rules.allowlists]]\npaths = ['''^docs/''']", true],
      ["[[rules.allowlists]]\ncondition = 'AND'\npaths = ['''^docs/''']\nstopwords = ['none']", false],
      ["[[rules.allowlists]]\ncondition = 'AND'\npaths = ['''^docs/''']\nstopwords = ['abc']", true],
      ["[[rules.allowlists]]\ncondition = 'AND'\ncommits = ['abc']\nstopwords = ['abc']", false],
      ["[[rules.allowlists]]\nstopwords = ['none']\n[[rules.allowlists]]\nstopwords = ['abc']", true],
    ]
    for (const [list, allowed] of lists) assert.equal(scan(`${base}${list}\n`, 'docs/a', content).length === 0, allowed, list)
    assert.deepEqual(scan(`${base}[allowlist]\npaths = ['''^docs''']\n`, 'docs/a', content), [])
    assert.equal(scan(`[[allowlists]]\ntargetRules = ['acme']\npaths = ['''^docs''']\n${base}`, 'docs/a', content).length, 0)
    assert.equal(
      scan(`[[allowlists]]\ntargetRules = ['other']\npaths = ['''^docs''']\n${base}[[rules]]\nid = 'other'\nregex = 'nothing'\n`, 'docs/a', content)
        .length,
      1,
    )
  })

  it('extend another file: rules are joined field by field, or left out', () => {
    const files = { 'base.toml': `${rule}[[rules]]\nid = "more"\nregex = "more_[0-9]{4}"\n` }
    const content = 'acme_live_aaaaaaaa more_1234'
    assert.deepEqual(scan("[extend]\npath = 'base.toml'\n", 'a', content, files), ['acme:1:6', 'more:1:20'])
    assert.deepEqual(scan("[extend]\npath = 'base.toml'\ndisabledRules = ['more']\n", 'a', content, files), ['acme:1:6'])
    assert.deepEqual(scan("[extend]\npath = 'base.toml'\n[[rules]]\nid = 'acme'\nsecretGroup = 2\nentropy = 2.0\n", 'a', content, files), [
      'more:1:20',
    ])
    assert.throws(() => parse("[extend]\npath = 'none.toml'\n"), /none\.toml cannot be read/)
    const round = { 'a.toml': "[extend]\npath = 'a.toml'\n" }
    assert.match(parse("[extend]\npath = 'a.toml'\n", round).warnings.join(), /files are extended 2 deep/)
  })

  it('may stand on the own rules: allow-lists are for these, too, and some can be left out', () => {
    const content = `ghp_${'x'.repeat(3)} xoxb-123456789012-1234567890123-${'aB3dE5gH7jK9mN1pQ3sT5vX7'}`
    const bot = (text: string) => scan(text, 'docs/a', content)
    assert.equal(bot('').length, 1)
    assert.deepEqual(bot("[extend]\nuseDefault = true\n[allowlist]\npaths = ['''^docs/''']\n"), [])
    assert.equal(bot("[allowlist]\npaths = ['''^docs/''']\n").length, 1)
    assert.deepEqual(bot("[extend]\nuseDefault = true\ndisabledRules = ['slack-bot-token']\n"), [])
  })

  it('say what cannot be honoured', () => {
    const warnings = parse(
      `${rule}tags = ["a"]\nsurprise = 1\n[[rules.required]]\nid = "x"\n[[rules.allowlists]]\ncommits = ["abc"]\n[other]\nx = 1\n`,
    ).warnings
    assert.match(parse("[[rules]]\nid = 'a'\nregex = 'x'\n[[rules]]\nid = 'a'\nregex = 'y'\n").warnings.join(), /two rules of this id/)
    for (const word of ['tags', 'surprise', 'required', 'commits', 'other'])
      assert.ok(
        warnings.some(warning => warning.includes(word)),
        word,
      )
  })

  it('are refused with rule, field and what stands there', () => {
    const cases: [string, RegExp, string][] = [
      ["[[rules]]\nid = 'a'\nregex = '(?=x)'\n", /rule a: the pattern is none of RE2's: .*\(\?=/, 'rules[0].regex'],
      ["[[rules]]\nid = 'a'\nregex = 'a{1,2000}'\n", /\{1,2000\}/, 'rules[0].regex'],
      ["[[rules]]\nid = 'a'\nregex = 'x'\npath = '['\n", /rule a: .*\[/, 'rules[0].path'],
      ["[[rules]]\nregex = 'x'\n", /rule 1: a rule has no id/, 'rules[0].id'],
      ["[[rules]]\nid = 'a'\n", /neither regex nor path/, 'rules[0].regex'],
      ["[[rules]]\nid = 'a'\nregex = '(x)'\nsecretGroup = 2\n", /secretGroup is 2, but the regex has 1/, 'rules[0].secretGroup'],
      ["[[rules]]\nid = 'a'\nregex = 'x'\nentropy = 'high'\n", /entropy is "high"/, 'rules[0].entropy'],
      ["[[rules]]\nid = 'a'\nregex = 'x'\nkeywords = 'x'\n", /keywords is "x"/, 'rules[0].keywords'],
      ["[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexes = ['(']\n", /missing/, 'rules[0].allowlists[0].regexes[0]'],
      [
        "[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\nregexTarget = 'file'\nregexes = ['x']\n",
        /regexTarget is "file"/,
        'rules[0].allowlists[0].regexTarget',
      ],
      ["[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.allowlists]]\ndescription = 'x'\n", /allows nothing/, 'rules[0].allowlists[0]'],
      ["[[rules]]\nid = 'a'\nregex = 'x'\n[rules.allowlist]\npaths = ['x']\n[[rules.allowlists]]\npaths = ['x']\n", /both/, 'rules[0].allowlist'],
      ["[extend]\npath = 'a'\nuseDefault = true\n", /both path and useDefault/, 'extend.path'],
      ["[[allowlists]]\ntargetRules = ['b']\npaths = ['x']\n[[rules]]\nid = 'a'\nregex = 'x'\n", /no rule b/, 'allowlists.targetRules'],
      ['this is = = no toml', /no TOML/, 'rules.toml'],
    ]
    for (const [text, message, field] of cases) {
      const [said, at] = faultOf(text)
      assert.match(said, message, text)
      assert.equal(at, field, text)
    }
  })

  it('speak the syntax of Go', () => {
    const patterns = [
      '(?i)ab(?-i)C',
      '(?P<n>abc)',
      '\\Aabc\\z',
      '(?s:a.c)',
      '[[:alnum:]_]+',
      '\\pL+',
      '\\x61\\x{62}',
      '\\Qa.b\\E',
      '(?U)a+',
      '\\bfoo\\b',
      '(?:x|y)?abc',
      '[]a]',
    ]
    for (const pattern of patterns) assert.equal(parse(`[[rules]]\nid = 'a'\nregex = '''${pattern}'''\n`).rules.length, 1, pattern)
  })

  it('change the version of the rules, and the same rules do not', () => {
    const version = (text: string) => createSecretRules({ salt, gitleaks: [parse(text)] }).version
    assert.match(version(rule), /^sha256:[0-9a-f]{64}$/)
    assert.equal(version(rule), version(rule))
    assert.equal(createSecretRules({ salt }).version, createSecretRules({ salt: Buffer.from('another salt 123') }).version)
    const versions = [
      createSecretRules({ salt }).version,
      version(rule),
      version(`${rule}entropy = 1.0\n`),
      version(`${rule}[rules.allowlist]\nstopwords = ['x']\n`),
    ]
    assert.equal(new Set(versions).size, versions.length)
  })
})
