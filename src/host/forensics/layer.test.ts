import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createGaps } from './gaps.ts'
import type { LayerOptions } from './layer.ts'
import { writeLayer } from './layer.ts'
import { redactionOf } from './redaction.ts'

const open = () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-layer-'))
  const upper = join(folder, 'upper')
  const output = join(folder, 'layer.tar')
  mkdirSync(upper)
  const gaps = createGaps()
  const take = async (change: Partial<LayerOptions> = {}, signal = new AbortController().signal): Promise<string[]> => {
    const none = async (): Promise<undefined> => undefined
    await writeLayer({ upper, output, firstId: 0, mostBytes: 1e9, xattr: none, redaction: redactionOf([]), gaps, ...change }, signal)
    return execFileSync('tar', ['-tf', output], { encoding: 'latin1' })
      .split('\n')
      .filter(name => name !== '')
      .sort()
  }
  const extract = (name: string): Buffer => execFileSync('tar', ['-xOf', output, name], { maxBuffer: 1e8 })
  return { folder, upper, output, gaps, take, extract, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

describe('a layer of what was written', () => {
  it('has files, folders, links and pipes with their owners and modes, as tar reads them', async () => {
    using place = open()
    mkdirSync(join(place.upper, 'a/b'), { recursive: true })
    writeFileSync(join(place.upper, 'a/b/file'), 'content', { mode: 0o640 })
    symlinkSync('/etc', join(place.upper, 'a/out'))
    execFileSync('mkfifo', [join(place.upper, 'pipe')])
    const long = `${'n'.repeat(120)}/${'m'.repeat(120)}`
    mkdirSync(join(place.upper, 'n'.repeat(120)))
    writeFileSync(join(place.upper, long), 'long')
    symlinkSync('t'.repeat(300), join(place.upper, 'far'))
    writeFileSync(Buffer.concat([Buffer.from(`${place.upper}/odd`), Buffer.from([0xff, 0xfe])]), 'odd')
    const names = await place.take({ firstId: process.getuid?.() ?? 0 })
    for (const name of ['a/', 'a/b/', 'a/b/file', 'a/out', 'pipe', long, 'far', 'odd\\377\\376'])
      assert.ok(names.includes(name), `${name} in ${names.join(' ')}`)
    const listed = execFileSync('tar', ['-tvf', place.output], { encoding: 'latin1' })
    assert.match(listed, /^-rw-r----- 0\/\S+ +7 .* a\/b\/file$/m)
    assert.match(listed, /^l.* a\/out -> \/etc$/m)
    assert.match(listed, /far -> t{300}$/m)
    assert.equal(place.extract('a/b/file').toString(), 'content')
    assert.deepEqual(place.gaps.list(), [])
  })

  it('goes through no link, whatever stands in its place', async () => {
    using place = open()
    writeFileSync(join(place.folder, 'outside'), 'of the host')
    symlinkSync(join(place.folder, 'outside'), join(place.upper, 'file'))
    symlinkSync(place.folder, join(place.upper, 'folder'))
    const names = await place.take()
    assert.deepEqual(names, ['file', 'folder'])
    assert.equal(readFileSync(place.output).includes('of the host'), false)
    renameSync(place.upper, `${place.upper}2`)
    symlinkSync(`${place.upper}2`, place.upper)
    await assert.rejects(place.take({ output: join(place.folder, 'other.tar') }), /ELOOP|ENOTDIR/)
  })

  it('is not more than it may be: sparse files, depth, bytes, time', async () => {
    using place = open()
    writeFileSync(join(place.upper, 'sparse'), '')
    truncateSync(join(place.upper, 'sparse'), 2 ** 40)
    for (let index = 0; index < 20; index++) writeFileSync(join(place.upper, `file-${index}`), Buffer.alloc(100_000))
    const server = createServer().listen(join(place.upper, 'socket'))
    const names = await place.take({ mostBytes: 1_000_000 })
    server.close()
    assert.ok(statSync(place.output).size < 1_300_000)
    assert.ok(!names.includes('sparse'))
    const gaps = place.gaps.list().join('\n')
    for (const expected of [
      /more than 67108864 bytes are left out: "sparse"/,
      /sockets and devices are left out: "socket"/,
      /no room|cut off after 1000000 bytes/,
    ]) {
      assert.match(gaps, expected)
    }
    using tall = open()
    mkdirSync(join(tall.upper, ...Array.from({ length: 150 }, () => 'd')), { recursive: true })
    assert.equal((await tall.take()).length, 100)
    assert.match(tall.gaps.list().join(), /nested deeper than 100/)
    using late = open()
    writeFileSync(join(late.upper, 'file'), 'x')
    assert.deepEqual(await late.take({}, AbortSignal.abort()), [])
    assert.match(late.gaps.list().join(), /it took too long/)
  })

  it('says what was deleted and what was replaced as OCI does', {
    skip: process.getuid?.() === 0 ? false : 'needs root: whiteouts are devices',
  }, async () => {
    using place = open()
    mkdirSync(join(place.upper, 'etc'))
    execFileSync('mknod', [join(place.upper, 'etc/gone'), 'c', '0', '0'])
    execFileSync('mknod', [join(place.upper, 'etc/null'), 'c', '1', '3'])
    mkdirSync(join(place.upper, 'new'))
    const inode = statSync(join(place.upper, 'new')).ino
    const xattr = async (descriptor: number, name: string): Promise<string | undefined> => {
      assert.equal(name, 'trusted.overlay.opaque')
      return statSync(`/proc/self/fd/${descriptor}`).ino === inode ? 'y' : undefined
    }
    assert.deepEqual(await place.take({ xattr }), ['etc/', 'etc/.wh.gone', 'new/', 'new/.wh..wh..opq'])
    assert.match(place.gaps.list().join(), /devices are left out: "etc\/null"/)
  })

  it('has no secret, wherever reads end', async () => {
    using place = open()
    const secret = 'a-secret-of-some-length'
    const filler = Buffer.alloc(1024 * 1024 - 10, 'x')
    writeFileSync(join(place.upper, 'file'), Buffer.concat([filler, Buffer.from(secret), filler, Buffer.from(`${secret}${secret}`)]))
    await place.take({ redaction: redactionOf([Buffer.from(`${secret}\n`), Buffer.from('abc')]) })
    const stars = '*'.repeat(secret.length)
    assert.ok(place.extract('file').equals(Buffer.concat([filler, Buffer.from(stars), filler, Buffer.from(`${stars}${stars}`)])))
    assert.match(place.gaps.list().join(), /secrets were struck out: "file"/)
  })

  it('has no secret in names and links either, also of what was deleted', async () => {
    using place = open()
    const secret = 'a-secret-of-some-length'
    mkdirSync(join(place.upper, `${secret}.d`))
    writeFileSync(join(place.upper, `${secret}.d`, `of-${secret}`), 'content')
    symlinkSync(`/run/${secret}`, join(place.upper, 'link'))
    const device = process.getuid?.() === 0
    if (device) execFileSync('mknod', [join(place.upper, `gone-${secret}`), 'c', '0', '0'])
    const names = await place.take({ redaction: redactionOf([Buffer.from(secret)]) })
    const stars = '*'.repeat(secret.length)
    assert.deepEqual(names, [`${stars}.d/`, `${stars}.d/of-${stars}`, ...(device ? [`.wh.gone-${stars}`] : []), 'link'].sort())
    assert.equal(readFileSync(place.output).includes(secret), false)
    assert.match(place.gaps.list().join(), /struck out of names/)
  })
})
