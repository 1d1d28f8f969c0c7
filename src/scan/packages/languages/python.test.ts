import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { contentOf, entryOf, found } from '../../../../test/scan/content.ts'
import { parseHeaders, python } from './python.ts'
import { parseRequirement, requirements } from './requirements.ts'

const folders: readonly string[] = ((): readonly string[] => {
  try {
    const paths: unknown = JSON.parse(execFileSync('python3', ['-c', 'import sys, json; print(json.dumps(sys.path))'], { encoding: 'utf8' }))
    return Array.isArray(paths) ? paths.filter(path => typeof path === 'string' && path.endsWith('-packages')) : []
  } catch {
    return []
  }
})()

/** What Python itself says is installed in a folder. */
const pythonSays = (folder: string): string[] => {
  const code = 'import sys, importlib.metadata as m\nfor d in m.distributions(path=[sys.argv[1]]): print(d.metadata["Name"], d.version)'
  return execFileSync('python3', ['-c', code, folder], { encoding: 'utf8' }).split('\n').filter(Boolean).sort()
}

const oursIn = async (folder: string): Promise<string[]> => {
  const all: string[] = []
  for (const file of globSync(['*.dist-info/METADATA', '*.egg-info', '*.egg-info/PKG-INFO'], { cwd: folder, withFileTypes: true })) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    assert.equal(python.wants(entryOf(path.slice(1), 1)), true)
    const { packages, problems } = await found(python, path.slice(1), readFileSync(path))
    assert.deepEqual(problems, [])
    all.push(...packages.map(({ name, version }) => `${name} ${version}`))
  }
  return all.sort()
}

describe('packages of Python', () => {
  it('are those that Python says are installed here', { skip: folders.length > 0 ? false : 'there is no Python with packages' }, async () => {
    for (const folder of folders) assert.deepEqual(await oursIn(folder), pythonSays(folder), folder)
  })

  it('are found where pip has just put them', { skip: folders.length > 0 ? false : 'there is no Python with packages' }, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-python-'))
    try {
      // With the wheels that Python brings along: no network.
      execFileSync('python3', ['-m', 'venv', folder], { stdio: 'ignore', timeout: 120_000 })
      const [metadata] = globSync('lib/python*/site-packages/pip-*.dist-info/METADATA', { cwd: folder })
      if (metadata === undefined) return t.skip('this Python does not bring pip along')
      const { packages, problems } = await found(python, metadata, readFileSync(join(folder, metadata)))
      assert.deepEqual(problems, [])
      assert.match(packages[0]?.purl ?? '', /^pkg:pypi\/pip@\d/)
      assert.deepEqual(packages[0]?.licenses, ['MIT'])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  const path = 'usr/lib/python3/x.dist-info/METADATA'

  it('have their license by expression, by text or by classifiers, in this order', () => {
    const classifiers = 'Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: OSI Approved\nClassifier: Topic :: x\n'
    assert.deepEqual(parseHeaders(`License-Expression: MIT OR Apache-2.0\nLicense: MIT\n${classifiers}`, true).licenses, ['MIT OR Apache-2.0'])
    assert.deepEqual(parseHeaders(`License: BSD\n 3-clause\n${classifiers}`, true).licenses, ['BSD'])
    assert.deepEqual(parseHeaders(`License: UNKNOWN\n${classifiers}`, true).licenses, ['MIT License'])
  })

  it('are said in the headers, not in the description', async () => {
    const text = 'Metadata-Version: 2.1\r\nName: Zope.Interface\r\nVersion: 5.4.0\r\n\r\nName: other\nVersion: 9\n'
    const { packages, problems } = await found(python, path, text)
    assert.deepEqual(problems, [])
    assert.deepEqual(packages, [
      { type: 'pypi', name: 'Zope.Interface', version: '5.4.0', purl: 'pkg:pypi/zope.interface@5.4.0', licenses: [], paths: [path] },
    ])
    assert.match((await found(python, path, 'Name: x\n\nVersion: 1\n')).problems.join(), /says no version of its package/)
    assert.match((await found(python, path, '')).problems.join(), /says no name of its package/)
    assert.match((await found(python, path, `Name: x\nVersion: 1\n${'A: b\n'.repeat(200_000)}`)).problems.join(), /headers of more than/)
    const long = await found(python, path, `Name: x\nVersion: 1\n\n${'A: b\n'.repeat(2_000_000)}`)
    assert.deepEqual([long.packages.length, long.problems], [1, []])
    const counted = contentOf(Buffer.from(`Name: x\nVersion: 1\n\n${' '.repeat(8_000_000)}`))
    await python.read(entryOf(path, counted.size), counted, undefined, new AbortController().signal)
    assert.ok(counted.bytesRead < 1_000_000)
  })
})

describe('requirements of Python', () => {
  it('count where they are exact', () => {
    const known: Record<string, readonly [string, string] | undefined> = {
      'idna==3.7': ['idna', '3.7'],
      '  Flask[async] == 2.0.1 ; python_version >= "3.8"  # why': ['Flask', '2.0.1'],
      'a.b_c-d===1.0+local --hash=sha256:abc \\': ['a.b_c-d', '1.0+local'],
      'x (==1.2)': ['x', '1.2'],
      'x>=1,==1.4.2,<2': ['x', '1.4.2'],
      'x>=1': undefined,
      'x==1.*': undefined,
      x: undefined,
      '-r other.txt': undefined,
      '--hash=sha256:x==1': undefined,
      '# x==1': undefined,
      '': undefined,
      '    --hash=sha256:abc': undefined,
      'git+https://example.com/x@v1#egg=x==1': undefined,
    }
    for (const [line, expected] of Object.entries(known))
      assert.deepEqual(parseRequirement(line), expected && { name: expected[0], version: expected[1] }, line)
  })

  it('are asked for by the names that they have', () => {
    for (const path of ['requirements.txt', 'a/requirements-dev.txt', 'dev-requirements.txt', 'requirements/base.txt'])
      assert.equal(requirements.wants(entryOf(path, 1)), true, path)
    for (const path of ['requirements.md', 'docs/a.txt', 'v/site-packages/x/requirements.txt'])
      assert.equal(requirements.wants(entryOf(path, 1)), false, path)
  })
})
