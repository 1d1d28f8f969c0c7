import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fixture } from '../../../test/fixtures.ts'
import { compare, isValid } from './order.ts'

const ecosystemOf: Readonly<Record<string, string>> = {
  alpine: 'Alpine',
  cran: 'CRAN',
  debian: 'Debian',
  maven: 'Maven',
  nuget: 'NuGet',
  packagist: 'Packagist',
  pub: 'Pub',
  pypi: 'PyPI',
  redhat: 'Red Hat',
  rubygems: 'RubyGems',
  semver: 'npm',
}
const sign = { '<': -1, '=': 0, '>': 1 }
const isSign = (text: string | undefined): text is keyof typeof sign => text !== undefined && Object.hasOwn(sign, text)

interface Vector {
  readonly line: number
  readonly left: string
  readonly right: string
  readonly expected: number
}

const vectorsOf = (path: string): Vector[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      if (text.trim() === '' || text.startsWith('//') || text.startsWith('# ')) return []
      const [left = '', operator, right = ''] = text.trim().split(' ')
      assert.ok(isSign(operator), `${path}:${index + 1} is a vector: ${text}`)
      return [{ line: index + 1, left, right, expected: sign[operator] }]
    })

const versions = fixture('versions')

describe('the public vectors', { skip: versions.skip }, () => {
  for (const name of versions.skip ? [] : readdirSync(versions.path)) {
    it(name, () => {
      const ecosystem = ecosystemOf[name.split('-')[0] ?? '']
      assert.ok(ecosystem, 'an order for this file')
      const vectors = vectorsOf(join(versions.path, name))
      assert.ok(vectors.length > 10)
      const wrong = vectors.flatMap(({ line, left, right, expected }) => {
        const there = Math.sign(compare(ecosystem, left, right))
        const back = Math.sign(compare(ecosystem, right, left))
        return there === expected && back + expected === 0 ? [] : [`${line}: ${left} ${right}: ${there}, ${back}, not ${expected}`]
      })
      assert.deepEqual(wrong, [])
    })
  }
})

const ecosystems = [
  'Alpine:v3.20',
  'CRAN',
  'Debian:12',
  'Go',
  'Maven',
  'NuGet',
  'Packagist',
  'Pub',
  'PyPI',
  'Rocky Linux:9',
  'RubyGems',
  'Ubuntu:22.04:LTS',
  'npm',
  'Unheard of',
]

const pieces = [
  '0',
  '1',
  '2',
  '9',
  '10',
  '01',
  '007',
  '.',
  '.',
  '-',
  '_',
  '+',
  '~',
  '^',
  ':',
  '!',
  'a',
  'b',
  'rc',
  'alpha',
  'beta',
  'dev',
  'post',
  'pre',
  'p',
  'r',
  '-r1',
  'sp',
  'ga',
  'final',
  'foo',
  'RC',
  'v',
  'A',
  'é',
  '١',
  ' ',
]
const version = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map(parts => parts.join('')),
  fc.string({ maxLength: 10 }),
)

/** Maven's own order has cycles where a word follows a dot, PHP's where `#` stands for any number: both are kept as they are. */
const hasTotalOrder = (ecosystem: string, text: string): boolean =>
  ecosystem === 'Packagist' ? !text.includes('#') : ecosystem !== 'Maven' || !/\.[^0-9.-]|\.$|\.[.-]|^[^0-9]/.test(text)

describe('every order', () => {
  it('is antisymmetric, transitive, and takes any string', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ecosystems), version, version, version, (ecosystem, a, b, c) => {
        const [ab, bc, ac] = [Math.sign(compare(ecosystem, a, b)), Math.sign(compare(ecosystem, b, c)), Math.sign(compare(ecosystem, a, c))]
        assert.equal(compare(ecosystem, a, a), 0)
        assert.equal(Math.sign(compare(ecosystem, b, a)) + ab, 0)
        assert.equal(typeof isValid(ecosystem, a), 'boolean')
        if (![a, b, c].every(text => hasTotalOrder(ecosystem, text))) return
        if (ab === bc) assert.equal(ac, ab, `${a} ${ab} ${b} ${bc} ${c}`)
        if (ab === 0) assert.equal(ac, bc, `${a} = ${b}, ${c}`)
        if (bc === 0) assert.equal(ac, ab, `${b} = ${c}, ${a}`)
      }),
      { numRuns: 30_000 },
    )
  })

  it('reads 100 KB of anything, and numbers of any length', () => {
    const long = 100_000
    for (const ecosystem of ecosystems) {
      for (const piece of [
        '0',
        '9',
        '.',
        '-',
        '~',
        'a',
        '1.',
        '1-',
        'a1',
        '0.',
        '0-',
        '_rc',
        '+',
        '.dev',
        '1!',
        '^',
        ' ',
        '\u0000',
        '١',
        '-0.0.0',
        '.ga',
        '.final-',
      ]) {
        const text = piece.repeat(long / piece.length)
        assert.equal(compare(ecosystem, text, `${text}`), 0)
        for (const other of [`${text}1`, `1${text}`, `${text}x`, '1.0', '']) {
          assert.equal(Math.sign(compare(ecosystem, text, other)) + Math.sign(compare(ecosystem, other, text)), 0)
          isValid(ecosystem, other)
        }
      }
      assert.ok(compare(ecosystem, `1.${'9'.repeat(30)}`, `1.1${'0'.repeat(30)}`) < 0, ecosystem)
    }
  })
})

describe('the orders that have no public vectors here', () => {
  const ordered = (ecosystem: string, ...versions: string[]): void => {
    for (const [index, left] of versions.entries())
      for (const right of versions.slice(index + 1)) assert.ok(compare(ecosystem, left, right) < 0, `${ecosystem}: ${left} < ${right}`)
  }

  it('NuGet: a fourth number counts, case and builds do not', () => {
    ordered('NuGet', '1.0.0-alpha', '1.0.0-Beta', '1.0.0-beta.2', '1.0.0-RC', '1.0', '1.0.0.1', '1.0.0.2', '1.0.1')
    assert.equal(compare('NuGet', '1.0.0-BETA', '1.0.0-beta'), 0)
    assert.equal(compare('NuGet', '1.0.0.0+build', '1.0'), 0)
  })

  it('SemVer as it is met: a build is none, more numbers are one, a pre-release may lack its dash', () => {
    ordered('npm', '1.0.0-0', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0beta', '1.0', 'v1.0.1', '1.1', '2')
    ordered('Go', '0.0.0-20150717181359-44718f8a89b0', '0.0.0-20190101000000-000000000000', '1.21.0-0', '1.21.0-rc.2', '1.21.0', '2.0.0+incompatible')
    assert.equal(compare('npm', '1.2.3.4', '1.2.3.5'), 0)
    assert.equal(compare('crates.io', '1.2.3+a', '1.2.3+b'), 0)
    ordered('Pub', '1.2.3', '1.2.3+a', '1.2.3+b', '1.2.4')
  })

  it('CRAN: dashes are dots, and the longer one is later', () => {
    ordered('CRAN', '0.9-9', '0.9-10', '0.9-10.1', '1.0', '1.0.0')
    assert.equal(compare('CRAN', '1.0-1', '1.0.1'), 0)
  })

  it('a release without an epoch is of epoch 0, whatever the distribution', () => {
    for (const ecosystem of ['Debian:12', 'Ubuntu', 'Red Hat', 'openSUSE']) {
      ordered(ecosystem, '9.9-1', '1:0.1-1', '2:0.1-1')
      assert.equal(compare(ecosystem, '0:1.0-1', '1.0-1'), 0)
    }
  })
})

describe('validity', () => {
  const known: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['Debian', ['1.2-3', '1:2.0~rc1+dfsg-1', '0'], ['', 'a', '1.2-', '1 2', '1/2']],
    ['Alpine', ['1.2.3-r0', '1.2b_rc1_p2-r3', '1~abc'], ['', '1-r', '1..2', '1.2_foo', '6.6.2p1', 'a']],
    ['Rocky Linux', ['1:2.3-4.el9', '1~rc1'], ['', '1-', 'α']],
    ['PyPI', ['1.0', '1!2.0a1.post2.dev3+local.7', 'v1-1', '1.0RC1', '1.0adev2', '1.0b.', '1.0rcr1dev'], ['', 'x', '1.0-foo', '1.0+', '1.0+a..b']],
    ['RubyGems', ['1', '1.0.a9', '1.0-java'], ['', 'a', '1..2', '1_2']],
    ['npm', ['1.2.3', 'v1.2.3-a.1+b', '0.0.0-0'], ['', '1', '1.2', '1.2.3.4', '01.2.3', '1.2.3-01', '1.2.3-']],
    ['NuGet', ['1.2.3.4', '1.0'], ['', '1.2.3.4.5']],
    ['Maven', ['1.0-SNAPSHOT', '1'], ['', 'x', '1 0']],
    ['Packagist', ['v1.2.3', 'dev-main'], ['', '...']],
    ['CRAN', ['1.2-3'], ['', '1.x']],
  ]
  for (const [ecosystem, good, bad] of known) {
    it(`in ${ecosystem}`, () => {
      assert.deepEqual(
        good.filter(text => !isValid(ecosystem, text)),
        [],
      )
      assert.deepEqual(
        bad.filter(text => isValid(ecosystem, text)),
        [],
      )
    })
  }
})
