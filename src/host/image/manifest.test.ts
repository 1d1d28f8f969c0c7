import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { chooseManifest, isIndex, parseConfig, parseManifest, platformFits } from './manifest.ts'

const digest = (byte: string): string => `sha256:${byte.repeat(64)}`
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('a'), size: 2 }
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest('b'), size: 3 }
const manifest = { schemaVersion: 2, config, layers: [layer] }
const refused = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof DayflyError && error.code === code && message.test(error.message)

describe('manifests', () => {
  it('are read with and without a media type', () => {
    const parsed = parseManifest(bytes(manifest), 'x')
    assert.deepEqual([parsed.config, parsed.layers], [{ digest: digest('a'), size: 2 }, [{ digest: digest('b'), size: 3 }]])
    assert.equal(parsed.mediaType, 'application/vnd.oci.image.manifest.v1+json')
  })

  it('are refused when they are something else', () => {
    const cases: readonly (readonly [unknown, string, RegExp])[] = [
      [{ schemaVersion: 1, fsLayers: [] }, 'invalid', /schema 1/],
      [{ ...manifest, layers: [] }, 'invalid', /no layers/],
      [{ ...manifest, layers: Array.from({ length: 501 }, () => layer) }, 'invalid', /501 layers/],
      [{ ...manifest, config: { ...config, mediaType: 'application/x' } }, 'invalid', /application\/x/],
      [{ ...manifest, layers: [{ ...layer, mediaType: `${layer.mediaType}+encrypted` }] }, 'invalid', /encrypted/],
      [{ ...manifest, layers: [{ ...layer, digest: 'sha256:../../etc' }] }, 'corrupt', /layers\.0\.digest/],
      [{ ...manifest, layers: [{ ...layer, size: -1 }] }, 'corrupt', /layers\.0\.size/],
      [[], 'corrupt', /./],
      [null, 'corrupt', /./],
    ]
    for (const [value, code, message] of cases)
      assert.throws(() => parseManifest(bytes(value), 'x'), refused(code, message), JSON.stringify(value).slice(0, 200))
    assert.throws(() => parseManifest(Buffer.from('{'), 'x'), refused('corrupt', /not JSON/))
    assert.throws(() => parseManifest(Buffer.alloc(5 << 20, ' '), 'x'), refused('corrupt', /larger/))
  })

  it('are chosen from an index by platform', () => {
    const entry = (byte: string, architecture: string, variant?: string) => ({
      ...config,
      digest: digest(byte),
      platform: { os: 'linux', architecture, variant },
    })
    const index = { schemaVersion: 2, manifests: [entry('0', 'unknown'), entry('1', 'arm', 'v6'), entry('2', 'arm', 'v7'), entry('3', 'amd64')] }
    assert.ok(isIndex(bytes(index), 'x'))
    assert.ok(!isIndex(bytes(manifest), 'x'))
    const choose = (architecture: string, variant?: string): string =>
      chooseManifest(bytes(index), { os: 'linux', architecture, variant }, 'x').digest
    assert.equal(choose('amd64'), digest('3'))
    assert.equal(choose('arm'), digest('1'))
    assert.equal(choose('arm', 'v7'), digest('2'))
    assert.throws(() => choose('s390x'), refused('invalid', /linux\/s390x.*linux\/arm\/v6, linux\/arm\/v7, linux\/amd64/))
    assert.ok(platformFits({ os: 'linux', architecture: 'arm64', variant: 'v8' }, { os: 'linux', architecture: 'arm64', variant: undefined }))
  })
})

describe('configs', () => {
  it('have a default for everything', () => {
    const parsed = parseConfig(bytes({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [digest('c')] }, config: null }), 'x')
    assert.deepEqual(parsed.diffIds, [digest('c')])
    assert.equal(parsed.createdAt, undefined)
    assert.deepEqual(parsed.config, {
      entrypoint: [],
      cmd: [],
      env: {},
      user: '',
      workingDir: '/',
      stopSignal: 'SIGTERM',
      labels: {},
      exposedPorts: [],
      volumes: [],
    })
  })

  it("keep docker's health check, in milliseconds; one that turns it off or cannot be read is none", () => {
    const health = (check: unknown, more: object = {}) =>
      parseConfig(bytes({ rootfs: { type: 'layers' }, config: { Healthcheck: check, ...more } }), 'x').config.health
    const standard = { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 5_000, retries: 3 }
    assert.deepEqual(health({ Test: ['CMD', 'well', '-q'] }), { ...standard, command: ['well', '-q'] })
    assert.deepEqual(health({ Test: ['CMD-SHELL', 'a | b'], Interval: 2e9, Timeout: 5e8, StartPeriod: 1e9, StartInterval: 1e8, Retries: 2 }), {
      ...{ command: ['/bin/sh', '-c', 'a | b'], interval: 2000, timeout: 500, startPeriod: 1000, startInterval: 100, retries: 2 },
    })
    assert.deepEqual(health({ Test: ['CMD-SHELL', 'x'] }, { Shell: ['bash', '-c'] })?.command, ['bash', '-c', 'x'])
    for (const none of [undefined, null, {}, { Test: [] }, { Test: ['NONE'] }, { Test: ['CMD'] }, { Test: 7 }, 'x'])
      assert.equal(health(none), undefined)
  })

  it('keep hostile keys as plain keys', () => {
    const text = `{"rootfs":{"type":"layers"},"config":{"Env":["__proto__=x","A=b=c"],"WorkingDir":"srv"}}`
    const { env, workingDir } = parseConfig(Buffer.from(text), 'x').config
    assert.deepEqual(Object.entries(env), [
      ['__proto__', 'x'],
      ['A', 'b=c'],
    ])
    assert.equal(workingDir, '/srv')
  })

  it('are refused when a field is not what it should be', () => {
    assert.throws(
      () => parseConfig(bytes({ rootfs: { type: 'layers' }, config: { Cmd: 'sh' } }), 'the config'),
      refused('corrupt', /the config: config\.Cmd/),
    )
    assert.throws(() => parseConfig(bytes({ rootfs: { type: 'layers', diff_ids: ['x'] } }), 'x'), refused('corrupt', /diff_ids\.0/))
  })
})
