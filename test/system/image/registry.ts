/** Debian's docker-registry on a loopback port of its own, with its storage in a temporary folder. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Blob } from './maker.ts'

export const account = { user: 'alice', password: 's3cret-Pass' }
/** bcrypt of the password above. */
const htpasswd = 'alice:$2y$05$1JbWpEnCjJMykYkKzWfIJuPxdhtSRuRpH17n46KTIh1VduAspgHwy\n'

export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** Uploads what is not there yet. */
  push(repository: string, blobs: readonly Blob[]): Promise<void>
  /** Returns its digest. */
  pushManifest(repository: string, tag: string, manifest: Blob): Promise<string>
  /** Where the registry keeps a blob. */
  blobPath(digest: string): string
  truncateBlob(digest: string, bytes: number): void
  /** Paths of all requests for blobs so far. */
  blobRequests(): string[]
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  server.close()
  await once(server, 'close')
  return address.port
}

export const startRegistry = async ({ authenticated = false } = {}): Promise<Registry> => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-registry-'))
  const host = `127.0.0.1:${await freePort()}`
  const auth = authenticated ? `auth:\n  htpasswd: {realm: test, path: ${folder}/htpasswd}\n` : ''
  writeFileSync(join(folder, 'htpasswd'), htpasswd)
  writeFileSync(
    join(folder, 'config.yml'),
    `version: 0.1\nlog: {level: error, accesslog: {disabled: false}}\nstorage: {filesystem: {rootdirectory: ${folder}/data}}\nhttp: {addr: "${host}"}\n${auth}`,
  )
  const log: string[] = []
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => log.push(bytes.toString()))
  const headers = authenticated ? { authorization: `Basic ${Buffer.from(`${account.user}:${account.password}`).toString('base64')}` } : {}
  const request = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(path.startsWith('http') ? path : `http://${host}${path}`, { ...init, headers: { ...headers, ...init.headers } })
  for (let patience = 200; ; patience--) {
    const answer = await request('/v2/').catch(() => undefined)
    if (answer?.ok) break
    assert.ok(patience > 0 && child.exitCode === null, `the registry does not come up: ${log.join('')}`)
    await sleep(50)
  }
  const blobPath = (digest: string): string => {
    const hex = digest.slice('sha256:'.length)
    return join(folder, 'data/docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data')
  }
  return {
    host,
    push: async (repository, blobs) => {
      for (const { digest, bytes } of blobs) {
        const begun = await request(`/v2/${repository}/blobs/uploads/`, { method: 'POST' })
        assert.equal(begun.status, 202, await begun.text())
        const at = new URL(begun.headers.get('location') ?? '')
        at.searchParams.set('digest', digest)
        const put = await request(at.href, { method: 'PUT', body: new Uint8Array(bytes), headers: { 'content-type': 'application/octet-stream' } })
        assert.equal(put.status, 201, await put.text())
      }
    },
    pushManifest: async (repository, tag, { bytes, digest, mediaType }) => {
      const put = await request(`/v2/${repository}/manifests/${tag}`, {
        method: 'PUT',
        body: new Uint8Array(bytes),
        headers: { 'content-type': mediaType },
      })
      assert.equal(put.status, 201, await put.text())
      return digest
    },
    blobPath,
    truncateBlob: (digest, bytes) => truncateSync(blobPath(digest), bytes),
    blobRequests: () => [...log.join('').matchAll(/"GET (\/v2\/\S+\/blobs\/\S+) /g)].map(([, path = '']) => path),
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
