import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { familiarName, isLoopbackRegistry, normaliseName, parseReference } from './reference.ts'

const digest = `sha256:${'ab'.repeat(32)}`

describe('references', () => {
  it('reads names as docker does', () => {
    const names: Readonly<Record<string, string>> = {
      alpine: 'docker.io/library/alpine:latest',
      'alpine:3.20': 'docker.io/library/alpine:3.20',
      'team/app': 'docker.io/team/app:latest',
      'docker://alpine': 'docker.io/library/alpine:latest',
      'docker.io/alpine': 'docker.io/library/alpine:latest',
      'index.docker.io/library/alpine': 'docker.io/library/alpine:latest',
      'ghcr.io/a/b/c:1': 'ghcr.io/a/b/c:1',
      'localhost/app': 'localhost/app:latest',
      'localhost:5000/app': 'localhost:5000/app:latest',
      '127.0.0.1:5000/a/b:x-1.Y_2': '127.0.0.1:5000/a/b:x-1.Y_2',
      '[::1]:5000/app': '[::1]:5000/app:latest',
      'a__b/c.d-e--f': 'docker.io/a__b/c.d-e--f:latest',
      [`alpine@${digest}`]: `docker.io/library/alpine@${digest}`,
      [`alpine:3@${digest}`]: `docker.io/library/alpine@${digest}`,
    }
    for (const [text, name] of Object.entries(names)) assert.equal(parseReference(text).name, name, text)
  })

  it('takes the transports of skopeo that read files, with whole paths', () => {
    for (const text of ['oci:/a/b:tag', 'oci-archive:/a.tar', 'docker-archive:/a.tar:x:1', 'dir:/a', 'docker-daemon:alpine:latest']) {
      const reference = parseReference(text)
      assert.deepEqual([reference.kind, reference.name], ['local', text])
    }
  })

  it('refuses what is none, naming the field', () => {
    const texts = [
      '',
      ' ',
      'a b',
      'Alpine',
      'a/B',
      'a:',
      ':a',
      '/a',
      'a/',
      'a//b',
      'a:b:c',
      'a@b',
      `a@${digest}0`,
      'a@sha256:AB',
      '-a',
      'a-',
      'a..b',
      'oci:a',
      'oci:',
      'dir:.',
      'http://x/y',
      'https://x',
      'docker://',
      'containers-storage:a',
      'exa_mple.com/a',
      'x\n',
      './image.tar',
      '/tmp/image',
      '../x',
      '~/x',
      '\u001b[1m',
      `${'a'.repeat(300)}`,
      `a:${'b'.repeat(129)}`,
    ]
    for (const text of texts) {
      assert.throws(
        () => parseReference(text),
        (error: unknown) => error instanceof DayflyError && error.code === 'invalid' && error.field === 'image' && error.remedy !== undefined,
        JSON.stringify(text),
      )
    }
  })

  it('names an image only by a name', () => {
    assert.equal(normaliseName('demo'), 'docker.io/library/demo:latest')
    for (const text of [`demo@${digest}`, 'oci:/a']) assert.throws(() => normaliseName(text), { code: 'invalid', field: '--name' })
  })

  it('shows names as people know them', () => {
    assert.equal(familiarName('docker.io/library/alpine:latest'), 'alpine:latest')
    assert.equal(familiarName('docker.io/team/app:1'), 'team/app:1')
    assert.equal(familiarName('ghcr.io/a/b:1'), 'ghcr.io/a/b:1')
    for (const name of ['docker.io/library/alpine:latest', 'docker.io/team/app:1', 'ghcr.io/a/b:1'])
      assert.equal(parseReference(familiarName(name)).name, name)
  })

  it('knows which registries are on the loopback', () => {
    for (const host of ['localhost', 'localhost:5000', '127.0.0.1:5000', '127.8.9.1', '[::1]:5000']) assert.ok(isLoopbackRegistry(host), host)
    for (const host of ['docker.io', '127.0.0.1.example.com', 'localhost.example:80', '10.0.0.1:5000']) assert.ok(!isLoopbackRegistry(host), host)
  })
})
