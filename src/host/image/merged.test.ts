import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { MergedLayer } from './merged.ts'
import { findFile, readMerged } from './merged.ts'

const root = mkdtempSync(join(tmpdir(), 'dayfly-merged-'))
after(() => rmSync(root, { recursive: true }))

/** A layer from `name: content` and `name: -> target`. */
const layer = (name: string, files: Readonly<Record<string, string>>, opaque: readonly string[] = []): MergedLayer => {
  const path = join(root, name)
  mkdirSync(path)
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), join(path, file))
    else writeFileSync(join(path, file), content)
  }
  return { path, opaque: new Set(opaque) }
}

describe('the merged view of layers', () => {
  writeFileSync(join(root, 'secret'), 'of the host')
  const bottom = layer('bottom', { 'etc/passwd': 'bottom', 'etc/group': 'bottom', 'lib/x': 'bottom', 'opt/a': 'bottom', shadowed: 'file' })
  const top = layer('top', { 'etc/passwd': 'top', lib: '-> usr/lib', 'usr/lib/x': 'top', 'opt/b': 'top', 'shadowed/inner': 'top' }, ['opt'])
  const links = layer('links', {
    absolute: '-> /etc/passwd',
    relative: '-> ./etc/../etc/group',
    out: '-> ../secret',
    farther: '-> ../../../../../../../../../../etc/hostname',
    'deep/out': `-> ${root}/secret`,
    loop: '-> loop',
    dir: '-> etc',
    slash: '-> etc/passwd/',
  })
  const layers = [links, top, bottom]
  const read = (path: string): Promise<string> => readMerged(layers, path, 100)

  it('takes the topmost, merges folders, and hides what a file or an opaque folder hides', async () => {
    assert.equal(await read('/etc/passwd'), 'top')
    assert.equal(await read('/etc/group'), 'bottom')
    assert.equal(await read('/lib/x'), 'top', 'a link hides the folder below, and is followed through the merged view')
    assert.equal(await read('/opt/b'), 'top')
    assert.equal(await read('/opt/a'), '')
    assert.equal(await read('/shadowed'), '')
    assert.equal(await read('/shadowed/inner'), 'top')
    assert.equal(await readMerged([{ ...top, opaque: new Set(['']) }, bottom], '/etc/group', 100), '')
  })

  it('follows links inside only', async () => {
    assert.equal(await read('/absolute'), 'top')
    assert.equal(await read('/relative'), 'bottom')
    assert.equal(await read('/dir/passwd'), 'top')
    for (const path of ['/out', '/farther', '/deep/out', '/loop', '/../secret', '/etc', '/etc/passwd/x', '/nothing']) {
      assert.equal(await findFile(layers, path), undefined, path)
    }
  })

  it('bounds what it reads', async () => {
    const big = layer('big', { file: 'x'.repeat(101) })
    await assert.rejects(readMerged([big], '/file', 100), { code: 'corrupt' })
  })
})
