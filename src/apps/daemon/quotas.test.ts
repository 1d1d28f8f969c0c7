import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { hasDiskQuota, hostRoom, readQuotas } from './quotas.ts'

const folder = mkdtempSync(join(tmpdir(), 'dayfly-quotas-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const read = (text: string) => {
  const path = join(folder, 'quotas.yaml')
  writeFileSync(path, text)
  return readQuotas(path)
}

test('a file of quotas', () => {
  const rules = read(
    'each: { environments: 2, memory: 1g, disk: 20g }\nowners: { ci: { cpus: 1.5 } }\neachTeam: { cpus: 8 }\nteams: { shop: { disk: 1g } }\nreserve: { memory: 512m, disk: 1g }\n',
  )
  assert.deepEqual(rules, {
    each: { environments: 2, memory: 1024 ** 3, disk: 20 * 1024 ** 3 },
    owners: { ci: { cpus: 1.5 } },
    eachTeam: { cpus: 8 },
    teams: { shop: { disk: 1024 ** 3 } },
    reserve: { memory: 512 * 1024 ** 2, disk: 1024 ** 3 },
  })
  assert.deepEqual([hasDiskQuota(rules, 'ci'), hasDiskQuota(rules, 'anybody')], [false, true])
  assert.deepEqual([hasDiskQuota(rules, 'team:shop'), hasDiskQuota(rules, 'team:other')], [true, false])
  assert.deepEqual(read(''), { each: {}, owners: {}, eachTeam: {}, teams: {}, reserve: { memory: 0, disk: 0 } })
})

test('what there is of the host: memory, and each file system once', () => {
  const room = hostRoom([folder, folder, '/proc'])
  assert.ok(room.memory() > 0 && room.memory() <= room.size)
  const [own, other, ...more] = room.disks()
  assert.deepEqual([own?.name, other?.name, more], [folder, '/proc', []])
  assert.ok(own && own.free > 0 && own.size >= own.free)
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
