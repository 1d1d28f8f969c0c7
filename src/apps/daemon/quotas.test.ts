import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { readQuotas } from './quotas.ts'

const folder = mkdtempSync(join(tmpdir(), 'dayfly-quotas-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const read = (text: string) => {
  const path = join(folder, 'quotas.yaml')
  writeFileSync(path, text)
  return readQuotas(path)
}

test('a file of quotas', () => {
  const { each, owners, reserve, available } = read(
    'each: { environments: 2, memory: 1g }\nowners: { ci: { cpus: 1.5 } }\nreserve: { memory: 512m }\n',
  )
  assert.deepEqual(
    { each, owners, reserve },
    { each: { environments: 2, memory: 1024 ** 3 }, owners: { ci: { cpus: 1.5 } }, reserve: 512 * 1024 ** 2 },
  )
  assert.ok(available() > 0)
  assert.deepEqual(read('').each, {})
})

test('what is wrong with it is named', () => {
  for (const [text, message] of [
    ['each: { environments: -1 }', /--quotas\.each\.environments/],
    ['each: { memory: lots }', /--quotas\.each\.memory: a size like 512m/],
    ['each: { enviroments: 1 }', /enviroments/],
    ['each: [', /cannot be read/],
  ] as const) {
    assert.throws(
      () => read(text),
      (error: unknown) => error instanceof DayflyError && error.code === 'invalid' && message.test(error.message),
      text,
    )
  }
  assert.throws(() => readQuotas(join(folder, 'none')), /cannot be read/)
})
