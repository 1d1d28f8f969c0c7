import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import RE2 from 're2'
import { compileOwnRule } from './compile.ts'
import { ownRules } from './rules/own.ts'
import { createSecretRules } from './scanner.ts'
import { cloudVectors } from './vectors/clouds.ts'
import { developmentVectors } from './vectors/development.ts'
import { loginVectors } from './vectors/logins.ts'
import type { Vector } from './vectors/random.ts'
import { serviceVectors } from './vectors/services.ts'

const rules = createSecretRules({ salt: Buffer.from('0123456789abcdef') })
const vectors = [...cloudVectors(), ...developmentVectors(), ...serviceVectors(), ...loginVectors()]
const text = (vector: Vector, secret = vector.secret) => Buffer.from(`first line\n${vector.before}${secret}${vector.after}`)

describe('the own rules', () => {
  it('are more than a hundred, each with an id of its own and vectors', () => {
    assert.ok(ownRules.length >= 100)
    assert.equal(new Set(ownRules.map(rule => rule.id)).size, ownRules.length)
    const tested = new Set(vectors.map(vector => vector.rule))
    assert.deepEqual(
      ownRules.map(rule => rule.id).filter(id => !tested.has(id)),
      [],
    )
  })

  it('compile, and their keywords are lower case, of three characters or more, and in whatever matches', () => {
    for (const rule of ownRules) {
      assert.match(rule.id, /^[a-z0-9]+(?:-[a-z0-9]+)*$/)
      assert.ok(rule.keywords.length > 0 || rule.path !== undefined, rule.id)
      const compiled = compileOwnRule(rule)
      for (const make of [compiled.pattern, compiled.path, compiled.notPath]) make?.()
      for (const pattern of rule.allow ?? []) new RE2(pattern)
      for (const keyword of rule.keywords) assert.ok(keyword.length >= 3 && keyword === keyword.toLowerCase(), `${rule.id}: ${keyword}`)
    }
  })

  for (const vector of vectors) {
    it(`${vector.rule} finds its secret, and nothing else does`, () => {
      const { findings, problems } = rules.find({ path: vector.path, bytes: text(vector) })
      assert.deepEqual(problems, [])
      assert.deepEqual(
        findings.map(finding => finding.id),
        [vector.rule],
      )
      const place = findings[0]?.places[0]
      assert.equal(place?.path, vector.path)
      const before = `first line\n${vector.before}`.split('\n')
      assert.equal(place?.line, before.length)
      assert.equal(place?.column, (before.at(-1) ?? '').length + 1)
    })

    it(`${vector.rule} leaves what is none`, () => {
      assert.ok(vector.not.length > 0)
      for (const innocent of vector.not) {
        const { findings } = rules.find({ path: vector.path, bytes: text(vector, innocent) })
        assert.deepEqual(
          findings.filter(finding => finding.id === vector.rule),
          [],
          innocent,
        )
      }
    })
  }

  it('say nothing of a secret, wherever it stands: findings, problems and errors', () => {
    for (const vector of vectors) {
      // A part of a path cannot hold a slash or a line end.
      const path = /[/\n]/.test(vector.secret) ? vector.path : vector.path.replace(/^(root|srv)\//, `$1/${vector.secret}/`)
      const many = Buffer.concat(Array.from({ length: 150 }, () => text(vector)))
      const said = inspect(
        [
          rules.find({ path, bytes: text(vector) }),
          rules.find({ path, bytes: many }),
          rules.findInFields({
            [`env.${vector.secret}`]: text(vector).toString(),
            'env.API_TOKEN': vector.secret,
            'history[0]': text(vector).toString(),
          }),
        ],
        { depth: 9, maxArrayLength: 9999, maxStringLength: 99_999 },
      )
      // As it stands, and as inspect writes line ends.
      for (const form of [vector.secret, JSON.stringify(vector.secret).slice(1, -1)]) assert.ok(!said.includes(form), vector.rule)
      for (const line of vector.secret.split('\n')) if (line.length > 12) assert.ok(!said.includes(line), vector.rule)
    }
  })

  it('shows at most a third of a secret', () => {
    for (const vector of vectors) {
      for (const finding of rules.find({ path: vector.path, bytes: text(vector) }).findings) {
        assert.ok(finding.redacted.replaceAll('•', '').length * 3 <= vector.secret.length, vector.rule)
      }
    }
  })
})
