import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { entryOf, found } from '../../../../test/scan/content.ts'
import type { Found } from '../../catalogue.ts'
import { dotnet, nugetLock } from './dotnet.ts'
import { composer, composerLock } from './php.ts'
import { gemfileLock, ruby } from './ruby.ts'

const words = ({ packages, problems }: Found): string[] => {
  assert.deepEqual(problems, [])
  return packages.map(({ name, version }) => `${name} ${version}`).sort()
}
const without = (tool: string): string | false => (existsSync(`/usr/bin/${tool}`) ? false : `there is no ${tool}`)

describe('gems of Ruby', () => {
  it('are what RubyGems itself reads here', { skip: without('ruby') }, async () => {
    const code = 'Gem::Specification.each { |s| puts [s.loaded_from, s.name, s.version, s.licenses.join("|")].join("\\t") }'
    const lines = execFileSync('ruby', ['-e', code], { encoding: 'utf8' }).split('\n').filter(Boolean)
    assert.ok(lines.length > 10)
    for (const line of lines) {
      const [path = '', name, version, licenses] = line.split('\t')
      assert.equal(ruby.wants(entryOf(path.slice(1), 1)), true, path)
      const { packages, problems } = await found(ruby, path.slice(1), readFileSync(path))
      assert.deepEqual(problems, [], path)
      assert.deepEqual([packages[0]?.name, packages[0]?.version, packages[0]?.licenses.join('|')], [name, version, licenses])
    }
  })

  it('have a name and a version, and are no program', async () => {
    const path = 'var/lib/gems/specifications/x.gemspec'
    assert.match((await found(ruby, path, 'Gem::Specification.new do |s|\n  s.name = "x"\nend\n')).problems.join(), /says no version of its gem/)
    assert.equal(ruby.wants(entryOf('app/x.gemspec', 1)), false)
    const text = 's.name = \'x\'\ns.version = Gem::Version.new("1.2")\ns.name = "y"\ns.licenses = ["MIT".freeze, \'Ruby\']\n'
    const { packages } = await found(ruby, path, text)
    assert.deepEqual([packages[0]?.purl, packages[0]?.licenses], ['pkg:gem/x@1.2', ['MIT', 'Ruby']])
  })

  it('are locked once, without their platform, and without the project itself', async () => {
    const text = `PATH
  remote: .
  specs:
    own (1.0)

GIT
  remote: https://example.com/x.git
  specs:
    forked (0.3.1)

GEM
  remote: https://rubygems.org/
  specs:
    nokogiri (1.15.4-aarch64-linux)
      racc (~> 1.4)
    nokogiri (1.15.4-x86_64-linux)
    racc (1.7.1)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  nokogiri
`
    assert.deepEqual(words(await found(gemfileLock, 'Gemfile.lock', text)), ['forked 0.3.1', 'nokogiri 1.15.4', 'racc 1.7.1'])
  })
})

describe('packages of PHP', () => {
  it('are those that Composer has just installed, and locked', { skip: without('composer') }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-php-'))
    try {
      for (const [name, extra] of [
        ['lib', { license: ['MIT', 'GPL-2.0-only'] }],
        ['dev', {}],
      ] as const) {
        mkdirSync(join(folder, name))
        writeFileSync(join(folder, name, 'composer.json'), JSON.stringify({ name: `example/${name}`, version: '1.2.3', ...extra }))
      }
      const repositories = [{ type: 'path', url: './lib' }, { type: 'path', url: './dev' }, { packagist: false }]
      const project = { name: 'example/app', repositories, require: { 'example/lib': '*' }, 'require-dev': { 'example/dev': '*' } }
      writeFileSync(join(folder, 'composer.json'), JSON.stringify(project))
      const env = { ...process.env, COMPOSER_ALLOW_SUPERUSER: '1', COMPOSER_HOME: join(folder, 'home'), COMPOSER_DISABLE_NETWORK: '1' }
      execFileSync('composer', ['install', '--no-interaction', '--quiet'], { cwd: folder, env, timeout: 120_000 })
      const path = 'vendor/composer/installed.json'
      assert.equal(composer.wants(entryOf(path, 1)), true)
      const installed = await found(composer, path, readFileSync(join(folder, path)))
      assert.deepEqual(words(installed), ['example/dev 1.2.3', 'example/lib 1.2.3'])
      assert.deepEqual(installed.packages.find(({ name }) => name === 'example/lib')?.licenses, ['MIT', 'GPL-2.0-only'])
      assert.deepEqual(words(await found(composerLock, 'composer.lock', readFileSync(join(folder, 'composer.lock')))), ['example/lib 1.2.3'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('are read from the list of Composer 1 too', async () => {
    const list = JSON.stringify([{ name: 'symfony/http-kernel', version: 'v5.4.20', license: 'MIT' }])
    const { packages } = await found(composer, 'app/vendor/composer/installed.json', list)
    assert.deepEqual([packages[0]?.purl, packages[0]?.licenses], ['pkg:composer/symfony/http-kernel@v5.4.20', ['MIT']])
    assert.match((await found(composer, 'vendor/composer/installed.json', '{}')).problems.join(), /is not Composer's list/)
    assert.match(
      (await found(composer, 'vendor/composer/installed.json', '[{"name":"a/b"}, 3]')).problems.join(),
      /without a version.*without a name/,
    )
  })
})

describe('packages of .NET', () => {
  it('are those that are there at run time', async () => {
    const framework = '.NETCoreApp,Version=v8.0/linux-x64'
    const text = JSON.stringify({
      runtimeTarget: { name: framework, signature: '' },
      targets: {
        '.NETCoreApp,Version=v8.0': {},
        [framework]: {
          'app/1.0.0': { dependencies: { 'Newtonsoft.Json': '13.0.1' }, runtime: { 'app.dll': {} } },
          'Newtonsoft.Json/13.0.1': { runtime: { 'lib/net6.0/Newtonsoft.Json.dll': {} } },
          'Microsoft.CodeAnalysis.Analyzers/3.3.3': {},
          'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1': { native: { 'libcoreclr.so': {} } },
        },
      },
      libraries: {
        'app/1.0.0': { type: 'project', serviceable: false, sha512: '' },
        'Newtonsoft.Json/13.0.1': { type: 'package', serviceable: true, sha512: 'sha512-x' },
        'Microsoft.CodeAnalysis.Analyzers/3.3.3': { type: 'package' },
        'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1': { type: 'runtimepack' },
        'Unlisted/2.0.0': { type: 'Package' },
      },
    })
    assert.equal(dotnet.wants(entryOf('app/app.deps.json', 1)), true)
    const expected = ['Microsoft.NETCore.App.Runtime.linux-x64 8.0.1', 'Newtonsoft.Json 13.0.1', 'Unlisted 2.0.0']
    assert.deepEqual(words(await found(dotnet, 'app/app.deps.json', text)), expected)
    assert.match((await found(dotnet, 'app/app.deps.json', '{}')).problems.join(), /is not .NET's list/)
    const odd = JSON.stringify({ libraries: { noversion: { type: 'package' }, '/1': { type: 'package' } } })
    assert.equal((await found(dotnet, 'app/app.deps.json', odd)).problems.length, 2)
  })

  it('are locked for each framework, and listed once', async () => {
    const packages = { A: { type: 'Direct', resolved: '1.0.0' }, B: { type: 'Transitive', resolved: '2.0.0' }, own: { type: 'Project' } }
    const text = JSON.stringify({
      version: 1,
      dependencies: { 'net6.0': packages, 'net8.0': { ...packages, A: { type: 'Direct', resolved: '1.1.0' } } },
    })
    assert.deepEqual(words(await found(nugetLock, 'packages.lock.json', text)), ['A 1.0.0', 'A 1.1.0', 'B 2.0.0'])
  })
})
