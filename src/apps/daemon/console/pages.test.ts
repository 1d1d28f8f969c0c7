import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Fastify from 'fastify'
import { serveConsole } from './pages.ts'

/** A bundle with a secret beside it. */
const withBundle = async (work: (app: ReturnType<typeof Fastify>, folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-console-pages-'))
  const app = Fastify()
  try {
    mkdirSync(join(folder, 'console/assets'), { recursive: true })
    writeFileSync(join(folder, 'console/index.html'), '<!doctype html><title>here</title>')
    writeFileSync(join(folder, 'console/assets/main-0a.js'), 'export {}')
    writeFileSync(join(folder, 'secret.js'), 'not for you')
    writeFileSync(join(folder, 'console/assets/notes.txt'), 'of no kind that is served')
    serveConsole(app, join(folder, 'console'))
    await work(app, folder)
  } finally {
    await app.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

test('every page is the one document, under a policy that names no other origin and allows nothing inline', async () => {
  await withBundle(async app => {
    for (const url of [
      '/',
      '/environments',
      '/environments/shop/logs',
      '/security/rules',
      '/host',
      '/cost',
      '/start',
      '/environments/%3Cscript%3E',
    ]) {
      const { statusCode, body, headers } = await app.inject(url)
      assert.equal(statusCode, 200, url)
      assert.match(body, /<title>here/)
      assert.equal(headers['cache-control'], 'no-cache')
      const policy = String(headers['content-security-policy'])
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:/)
      assert.doesNotMatch(policy, /unsafe|https?:|\*/)
      assert.equal(headers['x-content-type-options'], 'nosniff')
    }
  })
})

test('only files of the bundle are served, and only such that a page is made of', async () => {
  await withBundle(async app => {
    const { statusCode, headers } = await app.inject('/assets/main-0a.js')
    assert.equal(statusCode, 200)
    assert.equal(headers['content-type'], 'text/javascript; charset=utf-8')
    assert.match(String(headers['cache-control']), /immutable/)
    for (const url of [
      '/assets/notes.txt',
      '/assets/absent.js',
      '/assets/..%2f..%2fsecret.js',
      '/assets/../../secret.js',
      '/assets/.main.js',
      '/secret.js',
    ]) {
      const { statusCode: code, body } = await app.inject(url)
      assert.equal(code, 404, url)
      assert.doesNotMatch(body, /not for you/)
    }
  })
})

test('where nothing is built, the page says what to do', async () => {
  await withBundle(async (app, folder) => {
    rmSync(join(folder, 'console'), { recursive: true })
    const { statusCode, body, headers } = await app.inject('/')
    assert.equal(statusCode, 503)
    assert.match(body, /make console/)
    assert.match(String(headers['content-security-policy']), /default-src 'none'/)
  })
})
