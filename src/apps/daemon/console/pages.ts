/** Serves the console's bundle: files that were built, by name, under a policy that lets nothing run but these very files. */
import { readFile } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { errnoOf } from '../../../base/errors.ts'

/** Where `make console` puts it. */
export const bundleFolder = resolve(import.meta.dirname, '../../../../build/console')

/**
 * Nothing from anywhere else, no script or style within a page, no code from text, no frame around it. Images may be data, because drawings are; what workloads
 * say is only ever put in as text.
 */
export const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.html': 'text/html; charset=utf-8',
}

const missing = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Dayfly</title>
<h1>The console is not built</h1>
<p>Build it where Dayfly is installed, then load this page again:</p>
<pre>make console</pre>
<p>The API is there all the same: see /v1/openapi.json, or the command <code>dayfly</code>.</p>
`

/** Which addresses are pages: what is within them the page itself knows. */
const pagePaths = ['/', '/environments', '/environments/*', '/security', '/security/*', '/host', '/host/*', '/cost', '/start'] as const

/** Adds the routes of the console. `folder` is looked into at each request: it may be built while the daemon runs. */
export const serveConsole = (app: FastifyInstance, folder: string = bundleFolder): void => {
  const page = async (reply: FastifyReply): Promise<FastifyReply> => {
    void reply.headers({ ...headers, 'cache-control': 'no-cache', 'content-type': mediaTypes['.html'] })
    try {
      return await reply.send(await readFile(join(folder, 'index.html')))
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      return await reply.code(503).send(missing)
    }
  }
  for (const path of pagePaths) app.get(path, async (_request, reply) => await page(reply))

  app.get<{ Params: { file: string } }>('/assets/:file', async (request, reply) => {
    const { file } = request.params
    const mediaType = mediaTypes[extname(file)]
    // A name that the bundler makes has no slash and does not begin with a dot: nothing outside of the folder can be named.
    if (mediaType === undefined || !/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(file)) return reply.callNotFound()
    try {
      const content = await readFile(join(folder, 'assets', file))
      // Names hold a hash of the content.
      return await reply.headers({ ...headers, 'cache-control': 'public, max-age=31536000, immutable', 'content-type': mediaType }).send(content)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error
      return reply.callNotFound()
    }
  })
}
