import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PackageURL } from 'packageurl-js'
import { isWord } from '../system/collect.ts'
import { languagePackage } from './found.ts'
import { languagePurl } from './purl.ts'

describe('package URLs of languages', () => {
  it('are as the specification says', () => {
    const known = [
      ['npm', '@Scope/Name', '1.0.0-rc.1+build', 'pkg:npm/%40scope/name@1.0.0-rc.1%2Bbuild'],
      ['pypi', 'Typing_Extensions', '4.0', 'pkg:pypi/typing-extensions@4.0'],
      ['pypi', 'zope.interface', '1!2.0', 'pkg:pypi/zope.interface@1%212.0'],
      ['maven', 'org.apache.logging.log4j:log4j-core', '2.14.1', 'pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1'],
      ['golang', 'github.com/BurntSushi/toml', 'v1.3.2', 'pkg:golang/github.com/burntsushi/toml@v1.3.2'],
      ['golang', 'github.com/docker/docker', 'v24.0.7+incompatible', 'pkg:golang/github.com/docker/docker@v24.0.7%2Bincompatible'],
      ['golang', 'stdlib', '1.22.0', 'pkg:golang/stdlib@1.22.0'],
      ['composer', 'Symfony/HTTP-Kernel', 'v5.4.20', 'pkg:composer/symfony/http-kernel@v5.4.20'],
      ['cargo', 'serde_json', '1.0.0', 'pkg:cargo/serde_json@1.0.0'],
      ['nuget', 'Newtonsoft.Json', '13.0.1', 'pkg:nuget/Newtonsoft.Json@13.0.1'],
      ['gem', 'ActionPack', '7.0', 'pkg:gem/ActionPack@7.0'],
    ] as const
    for (const [type, name, version, purl] of known) assert.equal(languagePurl(type, name, version), purl)
    assert.equal(languagePurl('golang', 'example.com/app', undefined), 'pkg:golang/example.com/app')
  })

  it('say the same to those who read them, whatever the name', () => {
    const word = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(fc.constantFrom('npm', 'pypi', 'gem', 'cargo', 'nuget', 'composer'), word, word, (type, name, version) => {
        const found = languagePackage(type, name, version, 'x')
        if (!isWord(found.name) || !isWord(found.version)) return
        const parsed = PackageURL.fromString(found.purl)
        const whole = parsed.namespace ? `${parsed.namespace}/${parsed.name}` : parsed.name
        assert.equal(whole.replaceAll('_', '-').toLowerCase(), name.replaceAll('_', '-').toLowerCase())
        assert.equal(parsed.version, version)
        assert.equal(parsed.qualifiers, undefined)
        assert.equal(parsed.subpath, undefined)
      }),
      { numRuns: 2000 },
    )
  })

  it('are not made of what is no name', () => {
    for (const name of ['', '/', 'a/', '/a', 'a//b', '..', 'a/../b', './a', ':', 'a:', ' a', 'ä']) {
      assert.equal(isWord(languagePackage('maven', name, '1', 'x').name), false, name)
    }
  })
})
