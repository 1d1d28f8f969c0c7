import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseReference } from './reference.ts'
import { pullError, RegistryUnreachable } from './skopeo-errors.ts'

const fatal = (message: string): string =>
  `time="2026-01-01T00:00:00Z" level=warning msg="x"\ntime="2026-01-01T00:00:00Z" level=fatal msg=${JSON.stringify(message)}\n`
const registry = parseReference('registry.example/app:1')
const local = parseReference('oci:/a:1')

describe("skopeo's errors", () => {
  it('become codes', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['reading manifest 1 in registry.example/app: manifest unknown: manifest unknown', 'not_found'],
      ['reading manifest 1 in registry.example/app: name unknown: repository name not known to registry', 'not_found'],
      ['unable to retrieve auth token: invalid username/password: unauthorized: authentication required', 'denied'],
      ['reading manifest 1: errors: denied: requested access to the resource is denied', 'denied'],
      [
        'pinging container registry registry.example: Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: connection refused',
        'upstream',
      ],
      [
        'pinging container registry registry.example: Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
        'upstream',
      ],
      ['Get "https://registry.example/v2/": x509: certificate signed by unknown authority', 'upstream'],
      ['reading manifest: toomanyrequests: You have reached your pull rate limit', 'upstream'],
      ['writing blob: storing blob to file: happened during read: Digest did not match, expected sha256:1, got sha256:2', 'corrupt'],
      ['writing blob: write /x: no space left on device', 'host'],
      ['choosing image instance: no image found in manifest list for architecture arm64, OS linux', 'invalid'],
      ['something that nobody has seen before', 'upstream'],
    ]
    for (const [message, code] of cases) {
      const error = pullError(fatal(message), registry)
      assert.equal(error.code, code, message)
      assert.ok(error.remedy, message)
      assert.ok(error.message.includes('registry.example/app:1'))
    }
    assert.equal(pullError(fatal('open /a/index.json: no such file or directory'), local).code, 'not_found')
    assert.equal(pullError(fatal('archive/tar: invalid tar header'), local).code, 'corrupt')
  })

  it('tell a registry that did not answer from one that failed, with the reason alone', () => {
    const answers: readonly (readonly [string, string | undefined])[] = [
      [
        'pinging container registry registry.example: Get "https://registry.example/v2/": dial tcp 192.0.2.1:443: connect: connection refused',
        'dial tcp 192.0.2.1:443: connect: connection refused',
      ],
      [
        'Error parsing image name "docker://registry.example/app:1": pinging container registry registry.example: Get "https://registry.example/v2/": dial tcp: lookup registry.example on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable',
        'dial tcp: lookup registry.example on 192.0.2.53:53: dial udp 192.0.2.53:53: connect: network is unreachable',
      ],
      ['pinging container registry registry.example: Get "https://registry.example/v2/": context deadline exceeded', 'context deadline exceeded'],
      ['reading manifest: received unexpected HTTP status: 500 Internal Server Error', undefined],
      ['reading manifest: toomanyrequests: You have reached your pull rate limit', undefined],
      ['Get "https://registry.example/v2/": x509: certificate signed by unknown authority', undefined],
    ]
    for (const [message, reason] of answers) {
      const error = pullError(fatal(message), registry)
      assert.equal(error.code, 'upstream')
      assert.equal(error instanceof RegistryUnreachable ? error.reason : undefined, reason, message)
    }
  })

  it('show no signed URL, no line break', () => {
    const { message } = pullError(fatal('Get "https://cdn.example/blob?X-Signature=secret&y=1": EOF\nmore'), registry)
    assert.ok(!message.includes('secret') && !message.includes('\n'), message)
    assert.ok(message.includes('https://cdn.example/blob?…'))
  })
})
