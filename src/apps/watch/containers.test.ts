import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { identify } from './containers.ts'

const id = '0123456789abcdef'.repeat(4)
const uid = 1234
const cgroup = `/user.slice/user-${uid}.slice/user@${uid}.service/user.slice/libpod-${id}.scope`
const list = JSON.stringify([7, null, { id: 'other' }, { id, names: ['theirs'], image: 'f'.repeat(64) }])

describe('a container of a user is called as their files say', { skip: process.getuid?.() !== 0 && 'it needs root' }, () => {
  let root = ''
  let file = ''
  beforeEach(() => {
    root = mkdtempSync('/tmp/dayfly-watched-')
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'etc/passwd'), `they:x:${uid}:${uid}::/home/they:/bin/sh\n`)
    file = join(root, 'home/they/.local/share/containers/storage/overlay-containers/containers.json')
    mkdirSync(dirname(file), { recursive: true })
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const nameNow = (): string => identify({ pid: 1, pidNamespace: 1, cgroup }, { root }).name
  const unnamed = id.slice(0, 12)
  const write = (path: string, owner = uid): void => {
    writeFileSync(path, list)
    chownSync(path, owner, owner)
  }

  test('in their home, and where they run', () => {
    write(file)
    assert.equal(nameNow(), 'theirs')
    rmSync(file)
    const running = join(root, 'run/user', String(uid), 'containers/overlay-containers')
    mkdirSync(running, { recursive: true })
    write(join(running, 'volatile-containers.json'))
    assert.equal(nameNow(), 'theirs')
  })

  test('nothing that would block or never end is read', () => {
    execFileSync('mkfifo', [file])
    assert.equal(nameNow(), unnamed)
    rmSync(file)
    symlinkSync('/dev/zero', file)
    assert.equal(nameNow(), unnamed)
    rmSync(file)
    write(file)
    truncateSync(file, 2 ** 40)
    assert.equal(nameNow(), unnamed)
  })

  test('nothing that is not theirs is read', () => {
    write(file, uid + 1)
    assert.equal(nameNow(), unnamed)
    write(file, 0)
    assert.equal(nameNow(), 'theirs')
    // Somebody else's by a link, as the file or on the way to it.
    const elsewhere = join(root, 'elsewhere')
    mkdirSync(elsewhere)
    write(join(elsewhere, 'containers.json'))
    rmSync(file)
    symlinkSync(join(elsewhere, 'containers.json'), file)
    assert.equal(nameNow(), unnamed)
    rmSync(dirname(file), { recursive: true })
    symlinkSync(elsewhere, dirname(file))
    lchownSync(dirname(file), uid, uid)
    assert.equal(nameNow(), unnamed)
  })
})
