/** Lock files that the managers themselves wrote for one small project, in each form they have had. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { entryOf, found } from '../../../../test/scan/content.ts'
import type { Cataloguer, Found } from '../../catalogue.ts'
import { cargoLock } from './cargo-lock.ts'
import { lockCataloguers } from './cataloguers.ts'
import { goModules } from './go-modules.ts'
import { npmLock } from './npm-lock.ts'
import { pnpmLock } from './pnpm-lock.ts'
import { pythonLock } from './python-lock.ts'
import { yarnLock } from './yarn-lock.ts'

const data = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'test-data', `${name}.txt`))
const words = ({ packages, problems }: Found): string[] => {
  assert.deepEqual(problems, [])
  return packages.map(({ name, version }) => `${name} ${version}`).sort()
}

const node = ['@types/ms 0.7.34', 'ms 2.1.3', 'sprintf-js 1.0.3']
const python = ['colorama 0.4.6', 'idna 3.7']

const cases: readonly (readonly [data: string, file: string, cataloguer: Cataloguer, expected: readonly string[]])[] = [
  ['npm-1', 'package-lock.json', npmLock, node],
  ['npm-2', 'package-lock.json', npmLock, node],
  ['npm-3', 'package-lock.json', npmLock, node],
  ['pnpm-7', 'pnpm-lock.yaml', pnpmLock, node],
  ['pnpm-8', 'pnpm-lock.yaml', pnpmLock, node],
  // These do not say what is for development only.
  ['pnpm-9', 'pnpm-lock.yaml', pnpmLock, [...node, 'wrappy 1.0.2']],
  ['yarn-1', 'yarn.lock', yarnLock, [...node, 'wrappy 1.0.2']],
  ['yarn-4', 'yarn.lock', yarnLock, [...node, 'wrappy 1.0.2']],
  ['uv', 'uv.lock', pythonLock, [...python, 'iniconfig 2.0.0']],
  ['pylock', 'pylock.toml', pythonLock, [...python, 'iniconfig 2.0.0']],
  ['pipfile', 'Pipfile.lock', pythonLock, ['idna 3.7']],
  ['cargo', 'Cargo.lock', cargoLock, ['cfg-if 1.0.0', 'itoa 1.0.11']],
]

describe('lock files', () => {
  for (const [name, file, cataloguer, expected] of cases) {
    it(`of ${name} are read`, async () => {
      const wanted = lockCataloguers.filter(each => each.wants(entryOf(`app/${file}`, 1)))
      assert.deepEqual(wanted, [cataloguer])
      assert.deepEqual(words(await found(cataloguer, `app/${file}`, data(name))), expected)
    })
  }

  it('have scopes, peers, aliases and places that are no registry', async () => {
    const pnpm = `packages:

  /@babel/core/7.0.0_@types+node@1.0.0:
    dev: false

  /@babel/core@7.1.0(@types/node@1.0.0)(x@2):
    resolution: {integrity: x}

  'x@https://codeload.github.com/a/b/tar.gz/0f1':
    version: 3.2.1

  file:../local:
    name: local
    version: 1.2.3

  github.com/a/b/0f1:
    resolution: {tarball: x}

snapshots:

  y@1.0.0: {}
`
    assert.deepEqual(words(await found(pnpmLock, 'pnpm-lock.yaml', pnpm)), ['@babel/core 7.0.0', '@babel/core 7.1.0', 'local 1.2.3', 'x 3.2.1'])
    const yarn = `"@a/b@^1.0.0", "@a/b@~1.2.0":
  version "1.2.3"
  dependencies:
    version "9"

"c@file:../c":
  version "0.0.0"

"d@patch:d@npm%3A2.0.0#x":
  version: 2.0.0
  resolution: "d@patch:d@npm%3A2.0.0#x::version=2.0.0&hash=1"
`
    assert.deepEqual(words(await found(yarnLock, 'yarn.lock', yarn)), ['@a/b 1.2.3', 'd 2.0.0'])
    assert.match((await found(yarnLock, 'yarn.lock', 'a@1:\n')).problems.join(), /an entry without a version/)
    assert.match((await found(npmLock, 'package-lock.json', '{}')).problems.join(), /is not a lock file of npm/)
  })

  it('of Poetry and PDM have groups, by the forms there were', async () => {
    const table = (name: string, more: string): string => `[[package]]\nname = "${name}"\nversion = "1.0"\n${more}\n\n`
    const old = table('a', 'category = "main"') + table('b', 'category = "dev"') + table('c', '')
    const poetry = table('a', 'groups = ["main", "dev"]') + table('b', 'groups = ["dev"]') + table('c', 'optional = true')
    const pdm = table('a', 'groups = ["default"]') + table('b', 'groups = ["dev", "test"]') + table('c', 'dependencies = ["x>=1"]')
    for (const [file, text] of [
      ['poetry.lock', old],
      ['poetry.lock', poetry],
      ['pdm.lock', pdm],
    ] as const)
      assert.deepEqual(words(await found(pythonLock, file, text)), ['a 1.0', 'c 1.0'])
    assert.match((await found(pythonLock, 'poetry.lock', '[[package]]\nname = "x"\n')).problems.join(), /a package without a version/)
  })

  it('of npm have what is nested, also by the first form', async () => {
    const tree = {
      a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' }, c: { version: '1.0.0', dev: true } } },
      d: { version: 'file:../d' },
    }
    assert.deepEqual(words(await found(npmLock, 'package-lock.json', JSON.stringify({ lockfileVersion: 1, dependencies: tree }))), [
      'a 1.0.0',
      'b 2.0.0',
    ])
    let deep: object = {}
    for (let depth = 0; depth < 100; depth++) deep = { a: { version: '1.0.0', dependencies: deep } }
    const { problems } = await found(npmLock, 'package-lock.json', JSON.stringify({ lockfileVersion: 1, dependencies: deep }))
    assert.match(problems.join(), /nested deeper than 128 levels/)
  })

  it('of Go are the modules that it requires, replaced ones as they are', async () => {
    const text = `module example.com/app // the module

go 1.21

toolchain go1.22.1

require github.com/a/b v1.0.0
require (
	github.com/c/d v1.1.0 // indirect
	"github.com/e/f" v2.0.0+incompatible
	github.com/g/h v1.0.0
	github.com/i/j v1.0.0
)
replace github.com/c/d => github.com/fork/d v1.2.0
replace (
	github.com/e/f => ../f
	github.com/g/h v1.0.0 => github.com/fork/h v1.0.1
	github.com/i/j v9.0.0 => github.com/fork/j v1.0.1
)
exclude github.com/k/l v1.0.0
retract [v1.0.0, v1.1.0]
`
    const expected = ['a/b v1.0.0', 'e/f v2.0.0+incompatible', 'fork/d v1.2.0', 'fork/h v1.0.1', 'i/j v1.0.0'].map(each => `github.com/${each}`)
    assert.deepEqual(words(await found(goModules, 'go.mod', text)), expected)
    assert.match((await found(goModules, 'go.mod', text.replace('go 1.21', 'go 1.16'))).problems.join(), /lists direct dependencies only/)
  })

  it('of packages that were installed or copied in are not of the project', () => {
    for (const path of ['a/node_modules/b/yarn.lock', 'vendor/x/composer.lock', 'root/go/pkg/mod/x@v1/go.mod', 'v/site-packages/x/Cargo.lock'])
      assert.equal(
        lockCataloguers.some(each => each.wants(entryOf(path, 1))),
        false,
        path,
      )
  })
})
