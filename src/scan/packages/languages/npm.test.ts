import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { contentOf, entryOf, found } from '../../../../test/scan/content.ts'
import { npm } from './npm.ts'
import { npmLock } from './npm-lock.ts'

const checkout = resolve(import.meta.dirname, '../../../..')
const hidden = join(checkout, 'node_modules/.package-lock.json')
const words = (packages: readonly { name: string; version: string }[]): string[] =>
  [...new Set(packages.map(({ name, version }) => `${name} ${version}`))].sort()

describe('packages of Node', () => {
  it('are, in this checkout, those that npm says it has installed', {
    skip: existsSync(hidden) ? false : 'npm has installed nothing here',
  }, async () => {
    const lock = await found(npmLock, 'package-lock.json', readFileSync(hidden))
    assert.deepEqual(lock.problems, [])
    const all: { name: string; version: string }[] = []
    const installed: { packages: Record<string, { dev?: boolean }> } = JSON.parse(readFileSync(hidden, 'utf8'))
    for (const place of Object.keys(installed.packages)) {
      const path = `${place}/package.json`
      const { packages, problems } = await found(npm, path, readFileSync(join(checkout, path)))
      assert.deepEqual(problems, [], path)
      assert.equal(packages.length, 1, path)
      assert.deepEqual(packages[0]?.paths, [path])
      if (installed.packages[place]?.dev !== true) all.push(...packages)
    }
    assert.ok(all.length > 20)
    assert.deepEqual(words(lock.packages), words(all))
  })

  it('are nowhere else in it but where other packages are packed in', async () => {
    for (const file of globSync('node_modules/**/package.json', { cwd: checkout })) {
      const { packages, problems } = await found(npm, file, readFileSync(join(checkout, file)))
      assert.deepEqual(problems, [], file)
      for (const { paths } of packages) assert.match(paths[0] ?? '', /node_modules\/(@[^/]+\/)?[^/]+\/(package\.json$|vendor\/)/)
    }
    assert.ok(relative(checkout, hidden))
  })

  const manifest = 'app/node_modules/@s/p/package.json'
  const read = (value: unknown, path = manifest) => found(npm, path, typeof value === 'string' ? value : JSON.stringify(value))

  it('have their licenses in each of the forms there were', async () => {
    const { packages } = await read({ name: '@s/p', version: '1.0.0', license: 'MIT OR Apache-2.0' })
    assert.deepEqual(packages, [
      { type: 'npm', name: '@s/p', version: '1.0.0', purl: 'pkg:npm/%40s/p@1.0.0', licenses: ['MIT OR Apache-2.0'], paths: [manifest] },
    ])
    const licenses = async (value: object): Promise<unknown> => (await read({ name: 'a', version: '1.0.0', ...value })).packages[0]?.licenses
    assert.deepEqual(await licenses({ license: { type: 'ISC', url: 'x' } }), ['ISC'])
    assert.deepEqual(await licenses({ licenses: [{ type: 'MIT' }, 'BSD', 3, null] }), ['MIT', 'BSD'])
    assert.deepEqual(await licenses({ license: 5 }), [])
    assert.deepEqual(await licenses({ license: 'a\u0000\nb' }), ['a��b'])
    assert.deepEqual(await licenses({}), [])
  })

  it('are those with a name and a version', async () => {
    for (const value of [{}, { type: 'module' }, { name: 'a' }, { version: '1.0.0' }, [], 3, null, { name: ['a'], version: '1.0.0' }])
      assert.deepEqual(await read(value), { packages: [], problems: [] })
    assert.equal((await read('\uFEFF{"name":"a","version":"1.0.0"}')).packages.length, 1)
    for (const value of [
      { name: 'a b', version: '1.0.0' },
      { name: 'a', version: '$VERSION' },
      { name: '@a', version: '1.0.0' },
      { name: 'a/b', version: '1.0.0' },
    ]) {
      assert.match((await read(value)).problems.join(), /name or a version that npm does not know/)
      assert.deepEqual(await read(value, 'app/package.json'), { packages: [], problems: [] })
    }
  })

  it('that are broken are a problem where Node looks for them, and nothing in the tests of others', async () => {
    assert.match((await read('{')).problems.join(), /^app\/node_modules\/@s\/p\/package.json is not JSON$/)
    assert.deepEqual(await read('{', 'node_modules/resolve/test/malformed/package.json'), { packages: [], problems: [] })
    assert.deepEqual(await read({ name: 'transport', version: '0.0.1' }, 'node_modules/pino/test/fixtures/transport/package.json'), {
      packages: [],
      problems: [],
    })
    assert.equal((await read({ name: 'yarn', version: '1.22.22' }, 'opt/yarn-v1.22.22/package.json')).packages.length, 1)
    assert.equal((await read({ name: 'x', version: '1.2.3' }, 'node_modules/a/vendor/x/package.json')).packages.length, 1)
  })

  it('of a gigabyte are not read', async () => {
    const content = { ...contentOf(Buffer.alloc(0)), size: 2 ** 30, read: () => assert.fail(), whole: () => assert.fail() }
    for (const path of [manifest, 'srv/package.json']) {
      const { problems } = await npm.read(entryOf(path, content.size), content, undefined, new AbortController().signal)
      assert.deepEqual(problems, [`${path} is larger than 2097152 bytes`])
    }
  })

  it('are asked for by their name only', () => {
    for (const path of ['package.json', 'a/package.json']) assert.equal(npm.wants(entryOf(path, 1)), true, path)
    for (const path of ['xpackage.json', 'a/package.jsonc', 'package.json/a']) assert.equal(npm.wants(entryOf(path, 1)), false, path)
    assert.equal(npm.wants({ ...entryOf('package.json', 1), kind: 'folder' }), false)
    for (const path of ['package-lock.json', 'a/npm-shrinkwrap.json']) assert.equal(npmLock.wants(entryOf(path, 1)), true, path)
    for (const path of ['node_modules/a/package-lock.json', 'a/vendor/b/package-lock.json', 'xpackage-lock.json'])
      assert.equal(npmLock.wants(entryOf(path, 1)), false, path)
  })
})
