/** Signatures and attestations in a real registry, in the shapes in which cosign leaves them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createTrust } from '../../src/apps/daemon/trust.ts'
import type { Blob } from './image/maker.ts'
import { busyboxEntries, machineArchitecture, makeImage, makeIndex, makeLayer, sha256 } from './image/maker.ts'
import type { Registry } from './image/registry.ts'
import { account, startRegistry } from './image/registry.ts'
import { attestation, bundle, json, manifestType, referrersIndex, releaseKey, signature, slsa, tagOf } from './image/signing.ts'

const image = makeImage({ layers: [makeLayer(busyboxEntries())] })
const { digest } = image.manifest
const signal = AbortSignal.timeout(60_000)

describe('who vouches for an image', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-trust-'))
  let registry: Registry
  before(async () => {
    mkdirSync(join(folder, 'keys'))
    writeFileSync(join(folder, 'keys/release.pub'), releaseKey)
    registry = await startRegistry({ authenticated: true })
  })
  after(async () => {
    await registry[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const auth = (host: string) => ({
    content: JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${account.user}:${account.password}`).toString('base64') } } }),
  })
  const push = async (repository: string, tag: string, { blobs, manifest }: { blobs: readonly Blob[]; manifest: Blob }): Promise<void> => {
    await registry.push(repository, blobs)
    await registry.pushManifest(repository, tag, manifest)
  }
  const pushImage = (repository: string) => push(repository, 'latest', { blobs: [image.config, ...image.layers], manifest: image.manifest })
  const judge = async (repository: string, host = registry.host) => {
    const trust = await createTrust(join(folder, 'keys'))
    return trust.verify(await trust.documentsOf({ name: `${host}/${repository}:latest`, digest }, auth(host), signal))
  }

  it('has nothing to say of an image that nobody signed', async () => {
    await pushImage('plain')
    assert.deepEqual(await judge('plain'), { signatures: [], problems: [] })
  })

  it("finds cosign's tags, and what refers to the image where the registry has no such API", async () => {
    await pushImage('web')
    await push('web', tagOf(digest, '.sig'), signature(digest))
    await push('web', tagOf(digest, '.att'), attestation(digest))
    const one = bundle(digest)
    await push('web', 'bundle', one)
    await registry.pushManifest('web', tagOf(digest), referrersIndex(one.manifest))
    const { signatures, problems } = await judge('web')
    assert.deepEqual(problems, [])
    assert.deepEqual(
      signatures.map(({ key, attestations }) => [key, attestations]),
      [
        [
          'release',
          [
            { type: slsa, predicate: { by: 'ci' } },
            { type: slsa, predicate: { by: 'ci' } },
          ],
        ],
      ],
    )
  })

  it('takes the signature of the index that the name leads to, and not of one that does not list the image', async () => {
    await pushImage('multi')
    const index = makeIndex([[machineArchitecture, image]])
    await registry.pushManifest('multi', 'latest', index)
    await push('multi', tagOf(index.digest, '.sig'), signature(index.digest))
    assert.equal((await judge('multi')).signatures.length, 1)
    const other = makeImage({ layers: [makeLayer([{ name: 'etc/other', content: 'x' }])] })
    await push('multi', 'other', { blobs: [other.config, ...other.layers], manifest: other.manifest })
    const moved = makeIndex([[machineArchitecture, other]])
    await registry.pushManifest('multi', 'latest', moved)
    await push('multi', tagOf(moved.digest, '.sig'), signature(moved.digest))
    assert.equal((await judge('multi')).signatures.length, 0)
  })

  it('says why a signature that was moved from another image does not count', async () => {
    await pushImage('replayed')
    await push('replayed', tagOf(digest, '.sig'), signature(sha256(Buffer.from('another'))))
    const { signatures, problems } = await judge('replayed')
    assert.deepEqual(signatures, [])
    assert.match(problems.join(), /is of another image/)
  })

  it('tells a registry that refuses, or cannot be reached, from one that has nothing', async () => {
    const trust = await createTrust(join(folder, 'keys'))
    const ask = (name: string, credentials = auth('other')) => trust.documentsOf({ name, digest }, credentials, signal)
    await assert.rejects(ask(`${registry.host}/web:latest`), { code: 'denied' })
    await assert.rejects(ask('127.0.0.1:1/web:latest'), { code: 'upstream' })
    assert.deepEqual(await ask('oci-archive:/tmp/x'), [])
  })

  /** What Debian's registry does not have: the referrers API, a token service, storage elsewhere, and bad intentions. */
  const serve = async (answer: (request: IncomingMessage, response: ServerResponse, host: string) => void) => {
    const server = createServer((request, response) => answer(request, response, request.headers.host ?? '')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(address !== null && typeof address === 'object')
    return { host: `127.0.0.1:${address.port}`, [Symbol.asyncDispose]: async () => void server.close() }
  }

  it('asks the referrers API with a token, and follows to the storage without it', async () => {
    const one = bundle(digest)
    const seen: string[] = []
    await using storage = await serve((request, response) => {
      seen.push(`storage ${request.headers.authorization ?? 'nobody'}`)
      response.end(one.blobs.find(blob => request.url?.endsWith(blob.digest))?.bytes)
    })
    await using server = await serve((request, response, host) => {
      const { pathname, searchParams } = new URL(request.url ?? '', `http://${host}`)
      if (pathname === '/token') {
        seen.push(`token ${searchParams.get('scope')} ${request.headers.authorization?.split(' ')[0]}`)
        response.end(JSON.stringify({ token: 'T' }))
      } else if (request.headers.authorization !== 'Bearer T') {
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="test",scope="repository:web:pull"` }).end()
      } else if (pathname === `/v2/web/referrers/${digest}`) response.end(referrersIndex(one.manifest).bytes)
      else if (pathname === `/v2/web/manifests/${one.manifest.digest}`) response.end(one.manifest.bytes)
      else if (pathname.startsWith('/v2/web/blobs/'))
        response.writeHead(307, { location: `http://${storage.host}/${pathname.split('/').at(-1)}` }).end()
      else response.writeHead(404).end()
    })
    assert.deepEqual(
      (await judge('web', server.host)).signatures.map(({ key }) => key),
      ['release'],
    )
    assert.deepEqual(seen, ['token repository:web:pull Basic', 'storage nobody'])
  })

  it('reads no more than it should from a registry that sends without end', async () => {
    await using endless = await serve((_, response) => {
      const chunk = Buffer.alloc(65_536, 0x20)
      const write = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', write)
      }
      write()
    })
    await assert.rejects(judge('web', endless.host), { code: 'upstream', message: /more than \d+ bytes/ })
    const crowd = Array.from({ length: 1000 }, (_, index) => json({ index }, manifestType))
    await using crowded = await serve((request, response) => {
      if (request.url?.includes('/referrers/')) response.end(referrersIndex(...crowd).bytes)
      else response.writeHead(404).end()
    })
    await assert.rejects(judge('web', crowded.host), { code: 'corrupt', message: /1000 documents refer to the image/ })
  })

  it('refuses a blob that is not what its digest says', async () => {
    const one = bundle(digest)
    await using server = await serve((request, response) => {
      if (request.url?.includes('/referrers/')) response.end(referrersIndex(one.manifest).bytes)
      else if (request.url?.endsWith(one.manifest.digest)) response.end(one.manifest.bytes)
      else if (request.url?.includes('/blobs/')) response.end(Buffer.alloc(one.blobs[1]?.bytes.length ?? 0, 0x20))
      else response.writeHead(404).end()
    })
    await assert.rejects(judge('web', server.host), { code: 'corrupt', message: /another digest/ })
  })

  it('names a file among the keys that is no key', async () => {
    mkdirSync(join(folder, 'bad'))
    writeFileSync(join(folder, 'bad/oops.pub'), 'hello')
    await assert.rejects(createTrust(join(folder, 'bad')), /the key oops is not a public key in PEM/)
    assert.deepEqual((await createTrust(join(folder, 'nowhere'))).keys, [])
  })
})
