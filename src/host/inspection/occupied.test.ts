import assert from 'node:assert/strict'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { occupiedBytes } from './occupied.ts'

const mebibyte = 1024 ** 2
const never = new AbortController().signal

test('what folders occupy: blocks, each file once, nothing that a link leads to, whatever it is called', async () => {
  const root = mkdtempSync('/tmp/dayfly-occupied-')
  try {
    const [full, odd, none] = [join(root, 'full'), join(root, 'odd\n\tname'), join(root, 'none')]
    for (const folder of [full, odd]) mkdirSync(folder)
    writeFileSync(join(full, 'file'), Buffer.alloc(2 * mebibyte, 1))
    linkSync(join(full, 'file'), join(full, 'again'))
    writeFileSync(join(full, 'holes'), '')
    truncateSync(join(full, 'holes'), 1000 * mebibyte)
    symlinkSync(full, join(odd, 'link'))
    const sizes = await occupiedBytes([full, odd, none], never)
    assert.deepEqual([...sizes.keys()], [full, odd])
    const bytes = sizes.get(full) ?? 0
    assert.ok(bytes >= 2 * mebibyte && bytes < 3 * mebibyte, `${bytes}`)
    assert.ok((sizes.get(odd) ?? mebibyte) < mebibyte)
    assert.equal((await occupiedBytes([full], AbortSignal.abort())).size, 0)
    assert.equal((await occupiedBytes([], never)).size, 0)
  } finally {
    rmSync(root, { recursive: true })
  }
})
