import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import type { PolicyFolder } from './policies.ts'
import { openPolicies } from './policies.ts'

const settings = (preset: string): string => JSON.stringify({ apiVersion: 'dayfly.dev/v1', kind: 'AdmissionSettings', spec: { preset } })

interface Place extends AsyncDisposable {
  readonly folder: string
  readonly policies: PolicyFolder
  /** The preset's rule about secrets, which tells the presets apart. */
  inForce(): string
  put(name: string, text: string): void
  /** Looks as often as it takes for something to come into force. */
  look(): Promise<void>
}

const openPlace = async (make: (folder: string) => void = () => {}): Promise<Place> => {
  const parent = mkdtempSync(join(tmpdir(), 'dayfly-policies-'))
  const folder = join(parent, 'policies')
  mkdirSync(folder)
  try {
    make(folder)
    const policies = await openPolicies({ folder, required: true, preset: undefined, clock: systemClock(), log: silentLog() })
    return {
      ...{ folder, policies },
      inForce: () => {
        const { action, severity } = policies.assembly().settings.images.secrets ?? {}
        return `${action} ${severity}`
      },
      put: (name, text) => writeFileSync(join(folder, name), text),
      look: async () => {
        await policies.look()
        await policies.look()
      },
      [Symbol.asyncDispose]: async () => {
        await policies[Symbol.asyncDispose]()
        rmSync(parent, { recursive: true, force: true })
      },
    }
  } catch (error) {
    rmSync(parent, { recursive: true, force: true })
    throw error
  }
}
const strict = (folder: string): void => writeFileSync(join(folder, 'a.yaml'), settings('strict'))

test('what has changed comes into force, another object with another version', async () => {
  await using place = await openPlace(strict)
  const before = place.policies.current()
  assert.equal(place.inForce(), 'deny medium')
  place.put('a.yaml', settings('permissive'))
  await place.look()
  assert.equal(place.inForce(), 'warn high')
  assert.notEqual(place.policies.current(), before)
  assert.notEqual(place.policies.current().version, before.version)
  const after = place.policies.current()
  await place.look()
  assert.equal(place.policies.current(), after, 'and stays what it is')
})

test('a folder that goes away takes no policy out of force; one that is emptied does', async () => {
  await using place = await openPlace(strict)
  renameSync(place.folder, `${place.folder}.away`)
  await place.look()
  await place.look()
  assert.match(place.policies.fault() ?? '', /is not there any more/)
  assert.equal(place.inForce(), 'deny medium')
  renameSync(`${place.folder}.away`, place.folder)
  await place.look()
  assert.equal(place.policies.fault(), undefined)
  rmSync(join(place.folder, 'a.yaml'))
  await place.look()
  assert.equal(place.inForce(), 'deny high')
})

test('faulty files change nothing until they are repaired', async () => {
  await using place = await openPlace(strict)
  place.put('a.yaml', settings('permisive'))
  await place.look()
  await place.look()
  assert.equal(place.inForce(), 'deny medium')
  assert.match(place.policies.fault() ?? '', /spec\.preset/, 'and it is still told')
  place.put('a.yaml', settings('permissive'))
  await place.look()
  assert.equal(place.inForce(), 'warn high')
  assert.equal(place.policies.fault(), undefined)
})

test('files that are being written are not read before they rest', async () => {
  await using place = await openPlace(strict)
  for (let round = 0; round < 5; round++) {
    // Emptied first, as who truncates and writes does: nothing in it would be valid, too.
    place.put('a.yaml', ' '.repeat(round))
    await place.policies.look()
    assert.equal(place.inForce(), 'deny medium')
  }
  place.put('a.yaml', settings('strict'))
  await place.look()
  assert.equal(place.inForce(), 'deny medium')
})

test('links to files are read, as configuration is mounted; a link that leads nowhere is an error, not a policy less', async () => {
  await using place = await openPlace(folder => {
    mkdirSync(join(folder, '..2026'))
    writeFileSync(join(folder, '..2026/settings.yaml'), settings('strict'))
    symlinkSync('..2026', join(folder, '..data'))
    symlinkSync('..data/settings.yaml', join(folder, 'settings.yaml'))
  })
  assert.equal(place.inForce(), 'deny medium')
  mkdirSync(join(place.folder, '..2027'))
  writeFileSync(join(place.folder, '..2027/settings.yaml'), settings('permissive'))
  symlinkSync('..2027', join(place.folder, '..next'))
  renameSync(join(place.folder, '..next'), join(place.folder, '..data'))
  await place.look()
  assert.equal(place.inForce(), 'warn high')
  await assert.rejects(
    openPlace(folder => symlinkSync('nothing', join(folder, 'a.yaml'))),
    { code: 'invalid', message: /a\.yaml leads nowhere/ },
  )
  await assert.rejects(
    openPlace(folder => symlinkSync('/tmp', join(folder, 'more'))),
    { code: 'invalid', message: /more is a link to a folder/ },
  )
})

test('a folder that somebody named is there, or the daemon does not start', async () => {
  const options = { folder: '/nonexistent/policies', preset: undefined, clock: systemClock(), log: silentLog() }
  await assert.rejects(openPolicies({ ...options, required: true }), { code: 'invalid', field: '--policies' })
  await using policies = await openPolicies({ ...options, required: false })
  assert.equal(policies.assembly().chosen, false)
})
